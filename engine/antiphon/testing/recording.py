"""An output that remembers what it was sent, and which notes hang."""

from __future__ import annotations

from dataclasses import dataclass, replace

from antiphon.music.clock import Clock, ManualClock
from antiphon.music.messages import channel, is_note_off, is_note_on
from antiphon.output import PortGone


@dataclass(frozen=True, slots=True)
class SentNote:
    """A note as it went out."""

    channel: int
    """MIDI channel, 0 to 15."""
    pitch: int
    """MIDI note number."""
    velocity: int
    """Velocity of its note-on, 1 to 127."""
    start_seconds: float
    """When its note-on was due."""
    end_seconds: float | None
    """When its note-off was due; None: it hangs."""


class RecordingOutput:
    """An output that keeps what it is sent, in `sent`: each message with the second it was due."""

    stamps = True

    def __init__(self, name: str = "recording", clock: Clock | None = None) -> None:
        """`clock` tells when a message is due that is sent for at once; a clock that stands at 0, if None."""
        self.name = name
        self.sent: list[tuple[bytes, float]] = []
        self.closed = False
        self._clock = clock or ManualClock()

    def send(self, message: bytes, at_seconds: float | None = None) -> None:
        """Keep `message`, due at `at_seconds`; at once, if None. Raises PortGone after `close`."""
        if self.closed:
            raise PortGone(f"output {self.name!r} is closed; {message.hex(' ')} cannot be sent")
        self.sent.append((message, self._clock.now() if at_seconds is None else at_seconds))

    def close(self) -> None:
        """Take no more."""
        self.closed = True

    def notes(self) -> list[SentNote]:
        """The notes that were sent, in the order of their note-ons; a note-off ends the oldest of its pitch."""
        notes: list[SentNote] = []
        for message, seconds in self.sent:
            if is_note_on(message):
                notes.append(SentNote(channel(message), message[1], message[2], seconds, None))
            elif is_note_off(message):
                key = (channel(message), message[1])
                for index, note in enumerate(notes):
                    if (note.channel, note.pitch) == key and note.end_seconds is None:
                        notes[index] = replace(note, end_seconds=seconds)
                        break
        return notes

    def hanging(self) -> list[SentNote]:
        """The notes that never got their note-off. All-notes-off does not count: not every synth obeys it."""
        return [note for note in self.notes() if note.end_seconds is None]
