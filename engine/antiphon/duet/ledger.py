"""What is down right now, kept where another process can read it after a crash. It sends nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from mmap import mmap

from antiphon.music import messages

_CHANNELS, _PITCHES = 16, 128
_OUTPUT_BYTES = _CHANNELS * _PITCHES + 2 * _CHANNELS


class Ledger:
    """Which notes and pedals are down, on every output, in bytes that another process can read after a crash."""

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
        base = output * _OUTPUT_BYTES
        channel = message[0] & 0x0F
        status = message[0] & 0xF0
        if status in (messages.NOTE_ON, messages.NOTE_OFF):
            sounding = status == messages.NOTE_ON and message[2] > 0
            self._memory[base + channel * _PITCHES + message[1]] = sounding
        elif status == messages.CONTROL_CHANGE:
            pedals = base + _CHANNELS * _PITCHES
            if message[1] == messages.SUSTAIN:
                self._memory[pedals + channel] = message[2] >= 64
            elif message[1] == messages.SOSTENUTO:
                self._memory[pedals + _CHANNELS + channel] = message[2] >= 64

    def ends(self, output: int, message: bytes) -> bool:
        """Whether `message` lets up a key or pedal that is down on `output`."""
        base = output * _OUTPUT_BYTES
        channel = message[0] & 0x0F
        if messages.is_note_off(message):
            return self._memory[base + channel * _PITCHES + message[1]] > 0
        pedals = base + _CHANNELS * _PITCHES
        if messages.is_controller(message, messages.SUSTAIN):
            return message[2] < 64 and self._memory[pedals + channel] > 0
        if messages.is_controller(message, messages.SOSTENUTO):
            return message[2] < 64 and self._memory[pedals + _CHANNELS + channel] > 0
        return False

    def silencing(self) -> Iterator[tuple[int, bytes]]:
        """The messages, each with its output, that end every note and lift every pedal that is down."""
        for output in range(self.outputs):
            base = output * _OUTPUT_BYTES
            for channel in range(_CHANNELS):
                row = base + channel * _PITCHES
                for pitch in range(_PITCHES):
                    if self._memory[row + pitch]:
                        yield output, messages.note_off(channel, pitch)
            pedals = base + _CHANNELS * _PITCHES
            for offset, controller in ((0, messages.SUSTAIN), (_CHANNELS, messages.SOSTENUTO)):
                for channel in range(_CHANNELS):
                    if self._memory[pedals + offset + channel]:
                        yield output, messages.control_change(channel, controller, 0)


def panic_messages() -> Iterator[bytes]:
    """Pedals up, all notes off and all sound off on every channel: for receivers that lost a note-off."""
    for channel in range(_CHANNELS):
        for controller in (messages.SUSTAIN, messages.SOSTENUTO, messages.ALL_NOTES_OFF, messages.ALL_SOUND_OFF):
            yield messages.control_change(channel, controller, 0)
