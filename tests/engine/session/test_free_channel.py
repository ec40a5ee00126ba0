"""The channel that one more part plays on: nobody else's pedal, program, bend or volume is on it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from antiphon.music import messages
from antiphon.session.free_channel import free_channel

EVERY_CHANNEL = [messages.note_on(channel, 60, 80) for channel in range(16)]


def test_a_channel_that_nobody_uses_is_taken_as_it_is_and_never_the_drums() -> None:
    assert free_channel([]) == (1, ())
    assert free_channel(EVERY_CHANNEL[:3]) == (3, ())
    assert free_channel(EVERY_CHANNEL[:9]) == (10, ())
    assert free_channel(EVERY_CHANNEL[1:]) == (0, ())


def test_a_pedal_or_a_program_without_a_note_is_somebody_s_channel_too() -> None:
    assert free_channel([messages.control_change(1, messages.SUSTAIN, 127)]) == (2, ())
    assert free_channel([messages.program_change(1, 32), messages.program_change(2, 0)]) == (3, ())


def test_if_all_are_used_it_is_one_that_is_as_though_it_were_not() -> None:
    programs = [messages.program_change(channel, 40) for channel in range(5)]
    pedals = [messages.control_change(channel, messages.SOSTENUTO, 100) for channel in range(4, 8)]
    faded = [messages.control_change(8, 7, 0), bytes((messages.PITCH_BEND | 10, 0, 0))]
    assert free_channel([*EVERY_CHANNEL, *programs, *pedals, *faded]) == (11, ())
    assert free_channel([*EVERY_CHANNEL, messages.control_change(1, 7, 100), *pedals, *faded]) == (1, ())
    lifted = [messages.control_change(1, messages.SUSTAIN, value) for value in (127, 0)]
    assert free_channel([*EVERY_CHANNEL, *lifted]) == (1, ())
    reset = [messages.control_change(1, messages.SUSTAIN, 127), messages.control_change(1, 121, 0)]
    assert free_channel([*EVERY_CHANNEL, *reset]) == (1, ())


def test_where_every_channel_is_somebody_s_the_least_is_undone() -> None:
    programs = [messages.program_change(channel, 40 + channel) for channel in range(16)]
    pedals = [messages.control_change(channel, messages.SUSTAIN, 127) for channel in range(16) if channel != 7]
    assert free_channel([*EVERY_CHANNEL, *programs, *pedals]) == (7, (messages.program_change(7, 0),))
    banks = [messages.control_change(channel, messages.BANK_MSB, 3) for channel in range(16)]
    channel, cleared = free_channel([*EVERY_CHANNEL, *banks, *programs, *pedals])
    assert (channel, cleared) == (7, (messages.control_change(7, messages.BANK_MSB, 0), messages.program_change(7, 0)))


anything = st.one_of(
    st.builds(messages.program_change, st.integers(0, 15), st.integers(0, 127)),
    st.builds(messages.control_change, st.integers(0, 15), st.integers(0, 127), st.integers(0, 127)),
    st.builds(lambda channel, high: bytes((0xE0 | channel, 0, high)), st.integers(0, 15), st.integers(0, 127)),
    st.builds(lambda channel, value: bytes((0xD0 | channel, value)), st.integers(0, 15), st.integers(0, 127)),
)


@given(st.lists(anything, max_size=60))
def test_once_it_is_made_ready_nothing_is_left_to_undo(said: list[bytes]) -> None:
    channel, cleared = free_channel([*EVERY_CHANNEL, *said])
    assert channel != messages.DRUM_CHANNEL
    assert all(messages.channel(message) == channel for message in cleared)
    assert free_channel([*EVERY_CHANNEL, *said, *cleared])[1] == ()
