"""MIDI channel messages as the bytes that go down the wire. Files are the business of `midi_events`."""

from __future__ import annotations

from typing import Final

NOTE_OFF: Final = 0x80
NOTE_ON: Final = 0x90
POLY_AFTERTOUCH: Final = 0xA0
CONTROL_CHANGE: Final = 0xB0
PROGRAM_CHANGE: Final = 0xC0
CHANNEL_AFTERTOUCH: Final = 0xD0
PITCH_BEND: Final = 0xE0

SONG_POSITION: Final = 0xF2
CLOCK: Final = 0xF8
START: Final = 0xFA
CONTINUE: Final = 0xFB
STOP: Final = 0xFC
CLOCK_MESSAGES: Final = frozenset((SONG_POSITION, CLOCK, START, CONTINUE, STOP))
"""Status bytes of what a clock sends (MIDI 1.0, system common and real-time messages)."""

BANK_MSB: Final = 0
BANK_LSB: Final = 32
SUSTAIN: Final = 64
SOSTENUTO: Final = 66
SOFT: Final = 67
ALL_SOUND_OFF: Final = 120
RESET_ALL_CONTROLLERS: Final = 121
ALL_NOTES_OFF: Final = 123

DRUM_CHANNEL: Final = 9
"""Where General MIDI keeps percussion: its note numbers name instruments, not pitches."""

PEDALS: Final = {"sustain": SUSTAIN, "sostenuto": SOSTENUTO, "soft": SOFT}
"""Controller number of each pedal (MIDI 1.0, table III)."""


_SYSTEM_LENGTHS: Final = {0xF1: 2, 0xF2: 3, 0xF3: 2, **dict.fromkeys((0xF6, 0xF8, 0xFA, 0xFB, 0xFC, 0xFE, 0xFF), 1)}
"""Bytes of each system message but exclusives; MIDI 1.0 leaves 0xF4, 0xF5, 0xF9 and 0xFD undefined."""


def note_on(channel: int, pitch: int, velocity: int) -> bytes:
    """Note-on; `channel` 0 to 15, `pitch` 0 to 127, `velocity` 1 to 127."""
    return bytes((NOTE_ON | channel, pitch, velocity))


def note_off(channel: int, pitch: int, velocity: int = 64) -> bytes:
    """Note-off; `channel` 0 to 15, `pitch` 0 to 127, release `velocity` 0 to 127."""
    return bytes((NOTE_OFF | channel, pitch, velocity))


def control_change(channel: int, controller: int, value: int) -> bytes:
    """Control change; `channel` 0 to 15, `controller` and `value` 0 to 127."""
    return bytes((CONTROL_CHANGE | channel, controller, value))


def program_change(channel: int, program: int) -> bytes:
    """Program change; `channel` 0 to 15, `program` 0 to 127."""
    return bytes((PROGRAM_CHANGE | channel, program))


def kind(message: bytes) -> int:
    """Status without its channel, e.g. `NOTE_ON`; system messages (0xF0 to 0xFF) as they are."""
    status = message[0]
    return status if status >= 0xF0 else status & 0xF0


def channel(message: bytes) -> int:
    """Channel of a channel message, 0 to 15."""
    return message[0] & 0x0F


def is_note_on(message: bytes) -> bool:
    """Whether this is a note-on with a velocity; a note-on of velocity 0 is a note-off."""
    return message[0] & 0xF0 == NOTE_ON and message[2] > 0


def is_note_off(message: bytes) -> bool:
    """Whether this ends a note: a note-off, or a note-on of velocity 0."""
    status = message[0] & 0xF0
    return status == NOTE_OFF or (status == NOTE_ON and message[2] == 0)


def is_controller(message: bytes, controller: int) -> bool:
    """Whether this is a control change of `controller`."""
    return message[0] & 0xF0 == CONTROL_CHANGE and message[1] == controller


Key = tuple[int, int, int]
"""A key or pedal: note-on or control change, channel, number."""


def key_of(message: bytes) -> Key | None:
    """The key or pedal that a message presses or lets up; None if it is about neither."""
    if is_note_on(message) or is_note_off(message):
        return NOTE_ON, channel(message), message[1]
    if kind(message) == CONTROL_CHANGE and message[1] in PEDALS.values():
        return CONTROL_CHANGE, channel(message), message[1]
    return None


def lets_up(message: bytes) -> bool:
    """Whether a key or pedal comes up with it, or a controller is turned down."""
    return is_note_off(message) or (kind(message) == CONTROL_CHANGE and message[2] < 64)


def release_of(key: Key) -> bytes:
    """The message with which a key or pedal comes up."""
    status, channel_number, number = key
    return note_off(channel_number, number) if status == NOTE_ON else control_change(channel_number, number, 0)


def is_well_formed(message: bytes) -> bool:
    """Whether this is one complete MIDI message; drivers forward malformed ones unchecked."""
    if not message or message[0] < 0x80:
        return False
    status = message[0]
    if status == 0xF0:
        return message[-1] == 0xF7 and all(byte < 0x80 for byte in message[1:-1])
    if status >= 0xF0:
        length = _SYSTEM_LENGTHS.get(status, 0)
    else:
        length = 2 if status & 0xF0 in (PROGRAM_CHANGE, CHANNEL_AFTERTOUCH) else 3
    return len(message) == length and all(byte < 0x80 for byte in message[1:])
