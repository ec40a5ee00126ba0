"""Frames, seconds and the order of what leaves: JACK's arithmetic without JACK."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.midi.jack_frames import Outbox, PeriodClock

RATE = 48_000
PERIOD = 128


def clock_at(frame: int = 0) -> PeriodClock:
    """A clock in the period that begins at `frame`, with `perf_counter` at `frame / RATE`."""
    clock = PeriodClock(RATE)
    clock.begin(frame, 0, frame / RATE)
    return clock


def play(outbox: Outbox, clock: PeriodClock, periods: int, most: int = 2 * PERIOD) -> list[tuple[int, bytes]]:
    """Take everything due in so many periods: (frame at which it left, message)."""
    left = []
    for _ in range(periods):
        due = outbox.due(clock, PERIOD, most)
        left += [(clock.frame + offset, message) for offset, message in due]
        assert all(0 <= offset < PERIOD for offset, _ in due)
        outbox.taken(len(due))
        frame = clock.frame + PERIOD
        clock.begin(frame % (1 << 32), 0, frame / RATE)
    return left


def test_a_clock_turns_frames_into_seconds_and_back() -> None:
    clock = PeriodClock(RATE)
    clock.begin(1000, 48, 5.001)
    assert clock.seconds == pytest.approx(5.0)
    assert clock.frame_at(5.5) == 1000 + RATE // 2
    assert clock.seconds_at(1000 + RATE // 2) == pytest.approx(5.5)


def test_a_clock_outlives_the_wrap_of_jacks_counter() -> None:
    clock = PeriodClock(RATE)
    start = (1 << 32) - PERIOD
    clock.begin(start, 0, 10.0)
    clock.begin(0, 0, 10.0 + PERIOD / RATE)
    assert clock.frame == 1 << 32
    assert clock.seconds == pytest.approx(10.0 + PERIOD / RATE)


def test_one_late_reading_moves_the_clock_by_less_than_a_frame() -> None:
    clock = clock_at()
    clock.begin(PERIOD, 0, PERIOD / RATE + 0.001)
    assert abs(clock.seconds - PERIOD / RATE) < 1 / RATE


def test_a_clock_that_began_with_a_late_reading_is_right_after_the_first_that_is_not() -> None:
    clock = PeriodClock(RATE)
    clock.begin(0, 0, 0.004)  # The thread was held up for 4 ms, and nobody could know.
    clock.begin(PERIOD, 0, PERIOD / RATE)
    assert clock.seconds == pytest.approx(PERIOD / RATE)


def test_after_lost_periods_a_clock_is_right_at_once() -> None:
    clock = clock_at()
    clock.begin(PERIOD, 0, 1.0)
    assert clock.seconds == 1.0


@given(st.lists(st.floats(0, 0.05), max_size=30))
def test_messages_with_a_time_leave_exactly_one_period_later(times: list[float]) -> None:
    outbox, clock = Outbox(), clock_at()
    for number, seconds in enumerate(times):
        outbox.put(bytes([0x90, number, 1]), seconds, immediate=False)
    left = play(outbox, clock, periods=40)
    assert sorted(frame for frame, _ in left) == sorted(round(seconds * RATE) + PERIOD for seconds in times)
    assert [frame for frame, _ in left] == sorted(frame for frame, _ in left)
    assert len(outbox) == 0


def test_messages_of_the_same_time_keep_their_order() -> None:
    outbox, clock = Outbox(), clock_at()
    sent = [bytes([0x90, pitch, 1]) for pitch in (60, 48, 72, 50)]
    for message in sent:
        outbox.put(message, 0.001, immediate=False)
    assert [message for _, message in play(outbox, clock, periods=3)] == sent


def test_a_message_without_a_time_leaves_at_the_first_frame() -> None:
    outbox, clock = Outbox(), clock_at(10 * PERIOD)
    outbox.put(b"\x90\x3c\x40", 10 * PERIOD / RATE, immediate=True)
    assert play(outbox, clock, periods=1) == [(10 * PERIOD, b"\x90\x3c\x40")]


def test_a_message_without_a_time_never_overtakes_what_was_due_before_it() -> None:
    outbox, clock = Outbox(), clock_at()
    outbox.put(b"on", 50 / RATE, immediate=False)
    outbox.put(b"later", 90 / RATE, immediate=False)
    outbox.put(b"off", 60 / RATE, immediate=True)
    assert [message for _, message in play(outbox, clock, periods=3)] == [b"on", b"off", b"later"]


def test_what_is_overdue_leaves_at_the_first_frame() -> None:
    outbox, clock = Outbox(), clock_at(100 * PERIOD)
    outbox.put(b"late", 0.0, immediate=False)
    assert play(outbox, clock, periods=1) == [(100 * PERIOD, b"late")]


@given(st.integers(1, 2000), st.booleans())
def test_a_burst_leaves_in_order_in_portions(count: int, immediate: bool) -> None:
    outbox, clock = Outbox(), clock_at()
    for number in range(count):
        outbox.put(number.to_bytes(2, "big"), 0.0, immediate)
    assert len(outbox.due(clock, PERIOD, most=256)) <= 256
    left = play(outbox, clock, periods=12, most=256)
    assert [int.from_bytes(message, "big") for _, message in left] == list(range(count))


def test_what_was_not_taken_is_offered_again() -> None:
    outbox, clock = Outbox(), clock_at()
    for number in range(5):
        outbox.put(bytes([number]), 0.0, immediate=True)
    outbox.due(clock, PERIOD, most=256)
    outbox.taken(2)
    assert [message for _, message in outbox.due(clock, PERIOD, most=256)] == [bytes([2]), bytes([3]), bytes([4])]


def test_a_dropped_outbox_is_empty() -> None:
    outbox, clock = Outbox(), clock_at()
    outbox.put(b"one", 5.0, immediate=False)
    outbox.due(clock, PERIOD, most=256)
    outbox.put(b"two", 5.0, immediate=False)
    outbox.drop()
    assert not outbox
