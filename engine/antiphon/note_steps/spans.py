"""Stretches of time as classes: each unit by itself as far as ears tell, then ever longer ones.

Two clocks share the classes' numbers, the free one's first: free time in steps of 10 ms, and beats in 24ths, which
hold triplets, sixteenths and their halves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from antiphon.notes import TICKS_PER_BEAT

Clock = Literal["free", "beat"]
CLOCKS: Final[tuple[Clock, ...]] = get_args(Clock)

FREE_UNIT_SECONDS: Final = 0.01
BEAT_UNITS: Final = 24
"""Units of a beat."""
BEAT_UNIT_TICKS: Final = TICKS_PER_BEAT // BEAT_UNITS
SIXTEENTH_UNITS: Final = BEAT_UNITS // 4

Units = NDArray[np.int64]
"""Times or lengths in units of one clock, any shape."""


@dataclass(frozen=True, slots=True)
class Spans:
    """The classes of one clock."""

    first: int
    """Number of its first class among those of both clocks."""
    lows: Units
    """Shortest stretch of each class, ascending from 0, in units; shape [classes]."""
    lattice: int
    """Units of what is told apart where music keeps to the clock's lattice: 1, or a sixteenth."""

    @property
    def classes(self) -> slice:
        """Its classes among those of both clocks."""
        return slice(self.first, self.first + len(self.lows))

    def classes_of(self, units: Units) -> Units:
        """The class of each stretch, at least 0 units; those beyond the last class are in it."""
        classes: Units = np.searchsorted(self.lows, units, side="right") + (self.first - 1)
        return classes

    def units_of(self, classes: Units) -> Units:
        """The shortest stretch of each class."""
        units: Units = self.lows[classes - self.first]
        return units

    @property
    def widths(self) -> Units:
        """How many stretches each class holds, of those on the lattice; shape [classes]. What is in the last class
        counts as being at its beginning.
        """
        stretches: Units = np.diff(self.lows, append=self.lows[-1] + 1) // self.lattice
        return np.maximum(1, stretches)


def _free_lows() -> Units:
    growing = np.round(100 * 1.06 ** np.arange(59)).astype(np.int64)  # 1 s to 29.4 s
    return np.concatenate([np.arange(100), growing])


def _beat_lows() -> Units:
    sixteenths = np.arange(4 * BEAT_UNITS, 8 * BEAT_UNITS, SIXTEENTH_UNITS)
    beats = np.arange(8 * BEAT_UNITS, 33 * BEAT_UNITS, BEAT_UNITS)
    return np.concatenate([np.arange(4 * BEAT_UNITS), sixteenths, beats])


FREE: Final = Spans(0, _free_lows(), 1)
BEAT: Final = Spans(len(FREE.lows), _beat_lows(), SIXTEENTH_UNITS)
SPAN_CLASSES: Final = len(FREE.lows) + len(BEAT.lows)


def spans_of(clock: Clock) -> Spans:
    """The classes of `clock`."""
    return FREE if clock == "free" else BEAT
