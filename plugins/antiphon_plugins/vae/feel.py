"""What a grid forgets of playing: how far from it each place of the bar was struck, and how hard. It makes no note."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon import STEP_TICKS, TICKS_PER_BEAT, Note, Phrase
from antiphon.tokens import nearest_step

_BEAT_STEPS: Final = TICKS_PER_BEAT // STEP_TICKS
_CLEAR: Final = 0.2
"""From this much agreement among the onsets on, they have a phase: 0 is none, 1 is that of a machine."""

Places = NDArray[np.float64]
"""A number for each step of a bar; shape [steps]."""


@dataclass(frozen=True, slots=True)
class Feel:
    """Timing and accents by the place in the bar."""

    offsets: Places
    """Ticks after the grid, before it if negative."""
    accents: Places
    """Velocity above the average, below it if negative."""

    @classmethod
    def of(cls, phrase: Phrase, bar_steps: int, phase_ticks: int) -> Feel | None:
        """As `phrase`, which begins with a bar, was played on a grid that lies `phase_ticks` after that.

        None if it has no notes.
        """
        if not phrase.notes:
            return None
        onsets = np.array([note.start_ticks - phrase.start_ticks for note in phrase.notes], np.int64)
        steps = nearest_step(onsets - phase_ticks)
        offsets = (onsets - steps * STEP_TICKS).astype(np.float64)
        return cls(_by_place(steps % bar_steps, offsets, bar_steps), _accents(phrase.notes, steps, bar_steps))

    @classmethod
    def between(cls, a: Feel | None, b: Feel | None, position: float) -> Feel | None:
        """The blend of two; who has no timing, or no accents, of his own takes the other's."""
        a, b = a or b, b or a
        if a is None or b is None:
            return None
        return cls(_blend(a.offsets, b.offsets, position), _blend(a.accents, b.accents, position))

    def applied(self, notes: Sequence[Note], origin_ticks: int, amount: float) -> list[Note]:
        """`notes`, on the grid from the bar line at `origin_ticks`, as they would be played; `amount`, 0 to 1, of it.

        Their accents give way to these; what sets the notes of a chord apart stays.
        """
        bar_steps = len(self.offsets)
        steps = np.array([(note.start_ticks - origin_ticks) // STEP_TICKS for note in notes], np.int64)
        moved = amount * self.offsets
        louder = amount * (self.accents - _accents(notes, steps, bar_steps))
        return [
            replace(
                note.shifted(round(float(moved[place]))),
                velocity=min(127, max(1, round(note.velocity + float(louder[place])))),
            )
            for note, place in zip(notes, (steps % bar_steps).tolist(), strict=True)
        ]


def phase_of(phrase: Phrase) -> int:
    """Ticks, from -60 to 60, by which all of `phrase` lies after a grid of sixteenths; 0 if it keeps to none.

    The angle of the mean of the onsets on a circle that is a sixteenth round.
    """
    turns = [2 * math.pi * (note.start_ticks - phrase.start_ticks) / STEP_TICKS for note in phrase.notes]
    x, y = sum(map(math.cos, turns)), sum(map(math.sin, turns))
    if math.hypot(x, y) < _CLEAR * max(1, len(turns)):
        return 0
    return round(math.atan2(y, x) / (2 * math.pi) * STEP_TICKS)


def _accents(notes: Sequence[Note], steps: NDArray[np.int64], bar_steps: int) -> Places:
    velocities = np.array([note.velocity for note in notes], np.float64)
    return _by_place(steps % bar_steps, velocities - velocities.mean() if len(notes) else velocities, bar_steps)


def _by_place(steps: NDArray[np.int64], values: NDArray[np.float64], bar_steps: int) -> Places:
    """The mean of `values` at each step of the bar; where there is none, at that place of all beats; else of all."""
    places = np.full(bar_steps, values.mean() if len(values) else 0.0)
    for every in (_BEAT_STEPS, bar_steps):
        for place in np.unique(steps % every):
            here = np.arange(bar_steps) % every == place
            places[here] = values[steps % every == place].mean()
    return places


def _blend(a: Places, b: Places, position: float) -> Places:
    if not a.any() or not b.any():
        return a + b
    return (1 - position) * a + position * b
