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
LEGATO: Final = 68
HOLD_2: Final = 69
ALL_SOUND_OFF: Final = 120
RESET_ALL_CONTROLLERS: Final = 121
ALL_NOTES_OFF: Final = 123

DRUM_CHANNEL: Final = 9
"""Where General MIDI keeps percussion: its note numbers name instruments, not pitches."""

PEDALS: Final = {"sustain": SUSTAIN, "sostenuto": SOSTENUTO, "soft": SOFT}
"""Controller number of each pedal (MIDI 1.0, table III)."""
HELD_CONTROLLERS: Final = (SUSTAIN, SOSTENUTO, SOFT, LEGATO, HOLD_2)
"""Controllers that come up by themselves when the foot leaves them, all the way or half of it."""
BEND_REST: Final = 8192
"""Where a pitch bend is at rest, of 0 to 16,383."""


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


def pitch_bend(channel: int, value: int) -> bytes:
    """Pitch bend; `channel` 0 to 15, `value` 0 to 16,383, at rest `BEND_REST`."""
    return bytes((PITCH_BEND | channel, value & 0x7F, value >> 7))


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


def ends_all(message: bytes) -> bool:
    """Whether it ends all notes of its channel: all sound off, all notes off, or a mode, each of which is that too."""
    return message[0] & 0xF0 == CONTROL_CHANGE and (message[1] == ALL_SOUND_OFF or message[1] >= ALL_NOTES_OFF)


Key = tuple[int, int, int]
"""What a hand or foot holds: a key (note-on), a pedal (control change), aftertouch or a bend; channel; number, or 0."""


def key_of(message: bytes) -> Key | None:
    """The key or pedal that a message presses or lets up; None if it is about neither."""
    status, channel_number = message[0] & 0xF0, message[0] & 0x0F
    if status <= NOTE_ON:
        return NOTE_ON, channel_number, message[1]
    if status == CONTROL_CHANGE and message[1] in HELD_CONTROLLERS:
        return status, channel_number, message[1]
    return None


def held_with(message: bytes) -> Key | None:
    """The same, or the aftertouch or bend: whatever goes back to its rest when it is let go."""
    if CHANNEL_AFTERTOUCH <= message[0] < 0xF0:
        return message[0] & 0xF0, message[0] & 0x0F, 0
    return key_of(message)


def depth(message: bytes) -> int:
    """How far what `held_with` names is from its rest, 0 if it is there."""
    status = message[0] & 0xF0
    if status == CHANNEL_AFTERTOUCH:
        return message[1]
    if status == PITCH_BEND:
        return abs((message[2] << 7 | message[1]) - BEND_REST)
    return 0 if status == NOTE_OFF else message[2]


def release_of(key: Key) -> bytes:
    """The message with which what is held goes back to its rest."""
    status, channel_number, number = key
    if status == NOTE_ON:
        return note_off(channel_number, number)
    if status == CONTROL_CHANGE:
        return control_change(channel_number, number, 0)
    if status == CHANNEL_AFTERTOUCH:
        return bytes((CHANNEL_AFTERTOUCH | channel_number, 0))
    return pitch_bend(channel_number, BEND_REST)


def is_well_formed(message: bytes) -> bool:
    """Whether this is one complete MIDI message; drivers forward malformed ones unchecked."""
    if not message or message[0] < 0x80:
        return False
    status = message[0]
    if status == 0xF0:
        return message[-1] == 0xF7 and message[1:-1].isascii()
    if status >= 0xF0:
        length = _SYSTEM_LENGTHS.get(status, 0)
    else:
        length = 2 if status & 0xF0 in (PROGRAM_CHANGE, CHANNEL_AFTERTOUCH) else 3
    return len(message) == length and message[1:].isascii()  # Data bytes are those below 0x80.
