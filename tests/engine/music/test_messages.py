"""MIDI messages are built, told apart and checked byte by byte; mido, which others wrote, is the judge."""

from __future__ import annotations

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.music import messages

CHANNELS = st.integers(0, 15)
DATA = st.integers(0, 127)


@given(CHANNELS, DATA, st.integers(1, 127))
def test_notes_are_what_mido_makes_of_them(channel: int, pitch: int, velocity: int) -> None:
    on, off = messages.note_on(channel, pitch, velocity), messages.note_off(channel, pitch, velocity)
    assert on == bytes(mido.Message("note_on", channel=channel, note=pitch, velocity=velocity).bytes())
    assert off == bytes(mido.Message("note_off", channel=channel, note=pitch, velocity=velocity).bytes())
    assert messages.is_note_on(on)
    assert not messages.is_note_off(on)
    assert messages.is_note_off(off)
    assert not messages.is_note_on(off)
    assert messages.channel(on) == messages.channel(off) == channel


@given(CHANNELS, DATA)
def test_a_note_on_of_velocity_0_is_a_note_off(channel: int, pitch: int) -> None:
    message = messages.note_on(channel, pitch, 0)
    assert messages.is_note_off(message)
    assert not messages.is_note_on(message)


@given(CHANNELS, DATA, DATA)
def test_controllers_and_programs_are_what_mido_makes_of_them(channel: int, number: int, value: int) -> None:
    control = messages.control_change(channel, number, value)
    program = messages.program_change(channel, number)
    assert control == bytes(mido.Message("control_change", channel=channel, control=number, value=value).bytes())
    assert program == bytes(mido.Message("program_change", channel=channel, program=number).bytes())
    assert messages.is_controller(control, number)
    assert not messages.is_controller(control, (number + 1) % 128)
    assert not messages.is_controller(program, number)
    assert messages.kind(control) == messages.CONTROL_CHANGE
    assert messages.kind(program) == messages.PROGRAM_CHANGE


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (b"\x8f\x00\x00", messages.NOTE_OFF),
        (b"\xa3\x3c\x10", messages.POLY_AFTERTOUCH),
        (b"\xd0\x10", messages.CHANNEL_AFTERTOUCH),
        (b"\xe9\x00\x40", messages.PITCH_BEND),
        (b"\xf8", 0xF8),
        (b"\xf2\x00\x00", 0xF2),
    ],
)
def test_the_kind_of_a_message_is_its_status_without_the_channel(message: bytes, kind: int) -> None:
    assert messages.kind(message) == kind
    assert messages.is_well_formed(message)
    assert not messages.is_note_on(message)


EVERY_MESSAGE = [*map(mido.Message, sorted(mido.messages.SPEC_BY_TYPE)), mido.Message("sysex", data=[1, 127])]


@pytest.mark.parametrize("message", EVERY_MESSAGE, ids=str)
def test_every_message_of_midi_is_well_formed_and_none_that_is_cut_or_too_long(message: mido.Message) -> None:
    data = bytes(message.bytes())
    assert messages.is_well_formed(data)
    assert not messages.is_well_formed(data[:-1])
    assert not messages.is_well_formed(data + b"\x00")
    assert not messages.is_well_formed(data[1:] or b"\x00")
    for index in range(1, len(data) - (message.type == "sysex")):
        assert not messages.is_well_formed(data[:index] + b"\x80" + data[index + 1 :])


@given(st.builds(lambda status, data: bytes([status]) + data, st.integers(0x70, 0xFF), st.binary(max_size=4)))
def test_what_is_well_formed_is_what_mido_takes_and_gives_back(data: bytes) -> None:
    try:
        # mido takes some messages that are too long, but does not give the rest back.
        understood = bytes(mido.Message.from_bytes(data).bytes()) == data
    except (ValueError, KeyError, IndexError):
        understood = False
    assert messages.is_well_formed(data) == understood


def test_the_pedals_have_their_numbers_of_the_midi_standard() -> None:
    assert messages.PEDALS == {"sustain": 64, "sostenuto": 66, "soft": 67}


def test_what_a_hand_or_foot_holds_goes_back_to_its_rest() -> None:
    for message, held in (
        (messages.note_on(2, 60, 9), (0x90, 2, 60)),
        (messages.control_change(2, 64, 1), (0xB0, 2, 64)),
        (messages.control_change(2, 69, 127), (0xB0, 2, 69)),
        (b"\xd2\x05", (0xD0, 2, 0)),
        (messages.pitch_bend(2, 8191), (0xE0, 2, 0)),
        (messages.pitch_bend(2, 16_383), (0xE0, 2, 0)),
    ):
        assert messages.held_with(message) == held
        assert messages.depth(message) > 0
        assert messages.held_with(messages.release_of(held)) == held
        assert messages.depth(messages.release_of(held)) == 0
    assert messages.depth(messages.note_on(2, 60, 0)) == 0
    for message in (messages.control_change(2, 1, 127), messages.program_change(2, 5), b"\xa2\x3c\x05", b"\xf0\xf7"):
        assert messages.held_with(message) is None


def test_all_sound_off_all_notes_off_and_every_mode_end_all_notes() -> None:
    ending = [n for n in range(128) if messages.ends_all(messages.control_change(3, n, 0))]
    assert ending == [120, *range(123, 128)]
    assert not messages.ends_all(messages.note_on(0, 123, 1))
