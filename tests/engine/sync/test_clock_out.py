"""The clock that is sent: which pulses, and what it says of its transport."""

from __future__ import annotations

from antiphon.music.timing import Timeline, TimeSignature
from antiphon.sync.clock_sending import ClockOut

PULSE, START, CONTINUE, STOP = b"\xf8", b"\xfa", b"\xfb", b"\xfc"


def test_it_starts_at_the_next_bar_line_and_sends_pulses_from_the_first_moment_on() -> None:
    clock = ClockOut()
    clock.start(1001, TimeSignature())
    sent = list(clock.due(2000))
    assert clock.started_ticks == 1920
    assert [ticks for ticks, message in sent if message == PULSE] == list(range(1020, 2001, 20))
    assert [(ticks, message) for ticks, message in sent if message != PULSE] == [(1910, START)]
    assert clock.next_ticks() == 2020


def test_who_starts_it_just_before_a_bar_line_hears_it_a_bar_later() -> None:
    clock = ClockOut()
    clock.start(1915, TimeSignature())
    assert clock.started_ticks == 3840


def test_it_stops_once_and_sends_no_more() -> None:
    clock = ClockOut()
    assert list(clock.stop()) == []
    clock.start(0, TimeSignature())
    list(clock.due(100))
    assert list(clock.stop()) == [STOP]
    assert list(clock.stop()) == []
    assert clock.next_ticks() is None
    assert list(clock.due(10_000)) == []


def test_an_engine_that_takes_over_puts_the_song_to_where_the_session_is() -> None:
    clock = ClockOut()
    clock.start(10_001, TimeSignature(), started_ticks=1920)
    sent = [(ticks, message) for ticks, message in clock.due(12_000) if message != PULSE]
    position = (11_520 - 1920) // 120
    assert sent == [(10_001, STOP), (11_510, bytes((0xF2, position, 0))), (11_510, CONTINUE)]
    assert clock.started_ticks == 1920
    clock.start(5_000_000, TimeSignature(), started_ticks=0)
    located = next(message for _, message in clock.due(5_002_000) if message[0] == 0xF2)
    bars = -(-5_000_000 // 1920)
    assert located[1] + 128 * located[2] == bars * 16 % 16_384


def test_an_engine_that_takes_over_before_the_song_began_begins_it() -> None:
    clock = ClockOut()
    clock.start(100, TimeSignature(), started_ticks=1920)
    assert [message for _, message in clock.due(1920) if message != PULSE] == [START]


def test_there_is_no_drift_over_a_day() -> None:
    timeline, clock = Timeline(117.3), ClockOut()
    day_ticks = timeline.ticks_at(24 * 3600)
    clock.start(0, TimeSignature())
    list(clock.due(100))
    clock.start(day_ticks - 960, TimeSignature())
    for ticks, _ in clock.due(day_ticks):
        beats = ticks / 480
        assert abs(timeline.seconds_at(ticks) - beats * 60 / 117.3) < 1e-6
        assert ticks % 10 == 0


def test_one_that_waits_sends_pulses_and_begins_its_song_where_the_count_in_ends() -> None:
    clock = ClockOut()
    clock.start(0, TimeSignature(), waits=True)
    assert {message for _, message in clock.due(2500)} == {PULSE}
    clock.begin_song(5760)
    sent = [(ticks, message) for ticks, message in clock.due(6000) if message != PULSE]
    assert sent == [(5750, START)]
    assert clock.started_ticks == 5760


def test_where_no_clock_is_sent_no_song_begins() -> None:
    clock = ClockOut()
    clock.begin_song(1920)
    assert (clock.started_ticks, clock.next_ticks()) == (None, None)
