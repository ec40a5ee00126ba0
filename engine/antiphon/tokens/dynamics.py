"""How loud notes are that came without a velocity: as loud as what was heard, with the accents of the bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import mean, pstdev
from typing import Final

from antiphon.notes import TICKS_PER_BEAT, Note
from antiphon.tokens.sampler import uniform

_HEARD_NOTES: Final = 48
_CHORD_TICKS: Final = 30
_UNHEARD: Final = 76
"""Velocity of the highest notes where nothing has been heard."""
_UNDER: Final = -7
"""How much softer the other notes of a chord are where no chord has been heard."""
_ACCENTS: Final = (6, 3, 0, -3)
"""On the barline, on a beat, on half a beat, anywhere else."""
_EVENEST, _UNEVENEST = 3.0, 14.0
"""How far a velocity strays, at most, in the most even and in the most uneven playing."""


@dataclass(frozen=True, slots=True)
class Dynamics:
    """The loudness of a voice."""

    lead: float
    """Velocity of the highest note of a chord, or of a single one, without accent."""
    under: float
    """Of the other notes of a chord."""
    uneven: float
    """How far a velocity strays from these."""
    bar_ticks: int
    """Bars begin at multiples of it."""
    seed: int

    @classmethod
    def heard_in(cls, notes: Sequence[Note], bar_ticks: int, seed: int) -> Dynamics:
        """As the last of `notes`, in score order, were played."""
        chords = list(_chords(notes[-_HEARD_NOTES:]))
        leads = [max(chord, key=lambda note: note.pitch).velocity for chord in chords]
        every = sum(note.velocity for chord in chords for note in chord)
        others = sum(len(chord) - 1 for chord in chords)
        lead = mean(leads) if leads else _UNHEARD
        under = (every - sum(leads)) / others if others else lead + _UNDER
        uneven = pstdev(leads) if leads else 0.0
        return cls(lead, under, min(_UNEVENEST, max(_EVENEST, uneven)), bar_ticks, seed)

    def apply(self, notes: Sequence[Note]) -> list[Note]:
        """`notes`, in score order, with velocities."""
        return [
            replace(note, velocity=self._velocity(note, self.lead if place == len(chord) - 1 else self.under))
            for chord in _chords(notes)
            for place, note in enumerate(chord)
        ]

    def _velocity(self, note: Note, level: float) -> int:
        ticks = note.start_ticks % self.bar_ticks
        spans = (self.bar_ticks, TICKS_PER_BEAT, TICKS_PER_BEAT // 2, 1)
        accent = next(accent for accent, span in zip(_ACCENTS, spans, strict=True) if ticks % span == 0)
        stray = (2 * uniform(self.seed, note.start_ticks, note.pitch) - 1) * self.uneven
        return min(127, max(1, round(level + accent + stray)))


def _chords(notes: Sequence[Note]) -> Iterator[list[Note]]:
    """Notes that begin together, as lists in score order."""
    chord: list[Note] = []
    for note in notes:
        if chord and note.start_ticks - chord[0].start_ticks > _CHORD_TICKS:
            yield chord
            chord = []
        chord.append(note)
    if chord:
        yield chord
