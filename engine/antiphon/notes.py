"""Notes and phrases: the values every other module speaks in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

TICKS_PER_BEAT = 480
"""Resolution of musical time: triplets are exact, and a tick is about 1 ms at 120 bpm."""
STEP_TICKS = TICKS_PER_BEAT // 4
"""A sixteenth."""


@dataclass(frozen=True, slots=True)
class Note:
    """One note. Musical time is integer ticks, counted from the start of the session."""

    start_ticks: int
    """Onset, in ticks."""
    pitch: int
    """MIDI note number, 0 to 127; 60 is middle C."""
    length_ticks: int | None
    """Sounding length in ticks, at least 1; `None` while the key is still held."""
    velocity: int
    """MIDI velocity, 1 to 127."""
    part: int = 0
    """Which of its generator's parts plays it, from 0, as `GeneratorInfo.parts` names them; 0 if there is but one."""
    own: bool = False
    """Whether the voice that is told of it played it itself; of notes that it plays anew, False."""

    @property
    def end_ticks(self) -> int | None:
        """First tick at which the note no longer sounds; `None` while the key is still held."""
        return None if self.length_ticks is None else self.start_ticks + self.length_ticks

    def closed(self, at_ticks: int) -> Note:
        """The same note; if it is still held, as though released at `at_ticks`."""
        if self.length_ticks is not None:
            return self
        length = max(1, at_ticks - self.start_ticks)
        return Note(self.start_ticks, self.pitch, length, self.velocity, self.part, self.own)

    def shifted(self, by_ticks: int) -> Note:
        """The same note, `by_ticks` later (earlier when negative)."""
        return replace(self, start_ticks=self.start_ticks + by_ticks)

    def clipped(self, end_ticks: int) -> Note:
        """The same note, released at `end_ticks` at the latest."""
        end = self.end_ticks
        if end is not None and end <= end_ticks:
            return self
        return replace(self, length_ticks=max(1, end_ticks - self.start_ticks))


def score_order(note: Note) -> tuple[int, int]:
    """Sort key of notes in a phrase: by onset, then from the lowest pitch up."""
    return (note.start_ticks, note.pitch)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stretch of music: the notes that start in `start_ticks <= tick < end_ticks`, in score order.

    `end_ticks` is a place in time, not the end of the last note: the rest after the last note belongs to
    the phrase. Notes may ring beyond it.
    """

    start_ticks: int
    end_ticks: int
    notes: tuple[Note, ...] = ()

    @classmethod
    def of(cls, notes: Iterable[Note], start_ticks: int | None = None, end_ticks: int | None = None) -> Phrase:
        """A phrase of `notes` in any order; unless given, it spans from the first onset to the last release.

        Raises:
            ValueError: no notes and no span; or a note that is still held and no `end_ticks`.
        """
        ordered = tuple(sorted(notes, key=score_order))
        if start_ticks is None:
            if not ordered:
                raise ValueError("a phrase without notes needs start_ticks and end_ticks")
            start_ticks = ordered[0].start_ticks
        if end_ticks is None:
            ends = [note.end_ticks for note in ordered]
            closed = [end for end in ends if end is not None]
            if len(closed) != len(ends):
                raise ValueError("a phrase with a held note needs end_ticks")
            end_ticks = max(closed, default=start_ticks)
        return cls(start_ticks, end_ticks, ordered)

    @property
    def length_ticks(self) -> int:
        """Span of the phrase in ticks, rests included."""
        return self.end_ticks - self.start_ticks

    def shifted(self, by_ticks: int) -> Phrase:
        """The same phrase, `by_ticks` later (earlier when negative)."""
        notes = tuple(note.shifted(by_ticks) for note in self.notes)
        return Phrase(self.start_ticks + by_ticks, self.end_ticks + by_ticks, notes)
