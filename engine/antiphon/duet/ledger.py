"""What is down right now, kept where another process can read it after a crash."""

from __future__ import annotations

from collections.abc import Iterator
from mmap import mmap

from antiphon.music import messages

_CHANNELS, _PITCHES = 16, 128
_WHEELS = (
    *((messages.CONTROL_CHANGE, number) for number in messages.HELD_CONTROLLERS),
    (messages.CHANNEL_AFTERTOUCH, 0),
    (messages.PITCH_BEND, 0),
)
"""Kind and number of what is held beside keys."""
_KEYS = _CHANNELS * _PITCHES
_OUTPUT_BYTES = _KEYS + _CHANNELS * len(_WHEELS)
_MOST = 255
"""A byte holds no more: so far from its rest is far."""
_PLACES = {wheel: _KEYS + _CHANNELS * index for index, wheel in enumerate(_WHEELS)}


class Ledger:
    """Which notes are down and which pedals and wheels off their rest, on every output.

    It is kept in bytes that another process can read after a crash.
    """

    def __init__(self, outputs: int, memory: bytearray | mmap | None = None) -> None:
        """`memory`: `Ledger.size(outputs)` writable bytes, kept as they are; fresh ones if None."""
        self.outputs = outputs
        self._memory = bytearray(self.size(outputs)) if memory is None else memory

    @staticmethod
    def size(outputs: int) -> int:
        """Bytes of memory a ledger of so many outputs needs."""
        return outputs * _OUTPUT_BYTES

    def mark(self, output: int, message: bytes) -> None:
        """Take note of `message`.

        Call it before a note-on is sent and after anything else is: whenever the process dies, what may sound
        is then on record.
        """
        place = _place(output, message)
        if place is not None:
            self._memory[place] = min(messages.depth(message), _MOST)

    def ends(self, output: int, message: bytes) -> bool:
        """Whether `message` lets up a key that is down on `output`, or a pedal or wheel there, some of the way."""
        place = _place(output, message)
        if place is None or messages.is_note_on(message):
            return False
        return min(messages.depth(message), _MOST) < self._memory[place]

    def silencing(self) -> Iterator[tuple[int, bytes]]:
        """The messages, each with its output, that end every note and put every pedal and wheel back to its rest."""
        for output in range(self.outputs):
            base = output * _OUTPUT_BYTES
            for channel in range(_CHANNELS):
                row = base + channel * _PITCHES
                for pitch in range(_PITCHES):
                    if self._memory[row + pitch]:
                        yield output, messages.note_off(channel, pitch)
            for (kind, number), place in _PLACES.items():
                for channel in range(_CHANNELS):
                    if self._memory[base + place + channel]:
                        yield output, messages.release_of((kind, channel, number))


def _place(output: int, message: bytes) -> int | None:
    """Where it is kept what a message presses, moves or lets go; None if it is nothing that is held."""
    status, channel = message[0] & 0xF0, message[0] & 0x0F
    if status <= messages.NOTE_ON:
        return output * _OUTPUT_BYTES + channel * _PITCHES + message[1]
    key = messages.held_with(message)
    return None if key is None else output * _OUTPUT_BYTES + _PLACES[key[0], key[2]] + channel


def panic_messages() -> Iterator[bytes]:
    """Pedals up, all notes off and all sound off on every channel: for receivers that lost a note-off."""
    for channel in range(_CHANNELS):
        for controller in (messages.SUSTAIN, messages.SOSTENUTO, messages.ALL_NOTES_OFF, messages.ALL_SOUND_OFF):
            yield messages.control_change(channel, controller, 0)
