"""How a stream keeps pace with what was heard: no crowds, no long silence, as many notes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from antiphon.notes import TICKS_PER_BEAT, Note

_HEARD_NOTES: Final = 64
"""By how many of the last notes heard the pace is judged."""
_RECENT_NOTES: Final = 24
"""By how many of the last notes it is judged how fast the stream goes now."""
_LONGEST_GAP_TICKS: Final = 960
"""A longer gap is a breath between phrases: it says no more of the pace than this one."""
_PRIOR_NOTES, _PRIOR_BEATS = 5.0, 2.0
"""As though so much had been heard before: a call of few notes says little."""
_CHORD_TICKS: Final = 40
_OPENING_TICKS: Final = 1920
"""An answer begins after no more than this: its place is the host's to choose, and the host does not wait for ever."""
_GAPS: Final = 4
"""A rest is no longer than so many of the usual gaps between onsets, within bounds."""
_SHORTEST_SHARE: Final = 1 / 3
"""Of the longest rest that is allowed: what is always allowed."""
_CROWD_TICKS: Final = 480
_CROWD_NOTES: Final = 16
"""No more notes than these begin within a beat."""

_SLOPE: Final = 1.5
"""How much the extremes of `density` change the odds of a wait, by the power of how far it is from a usual one."""
_STEEPEST: Final = 2.0
"""The most that is done to keep the pace, on the same scale."""
_SPAN: Final = math.log(3)
"""Logarithm of how many times as many notes as were heard are right at the highest `density`."""
_FREEDOM: Final = math.log(1.6)
"""As much faster or slower than that a line may go before it is held back or urged on."""


class DensityControl:
    """Remembers when the last notes were struck, those known and those drawn."""

    __slots__ = ("_onsets", "_rest_ticks", "_struck_ticks", "_usual")

    def __init__(self, heard: Sequence[Note], known: Sequence[Note], start_ticks: int, longest_rest_ticks: int) -> None:
        """`heard` sets the pace; `known` is what came right before `start_ticks`, where drawing begins; both in score
        order. `longest_rest_ticks`: in the slowest music.
        """
        heard_ticks = [note.start_ticks for note in heard[-_HEARD_NOTES:]]
        self._usual = (max(0, len(heard_ticks) - 1) + _PRIOR_NOTES) / (_beats(heard_ticks) + _PRIOR_BEATS)
        """Notes a beat."""
        self._rest_ticks = _rest_after(heard_ticks, longest_rest_ticks)
        self._onsets = [note.start_ticks for note in known[-_RECENT_NOTES:]]
        self._struck_ticks = start_ticks + min(0, _OPENING_TICKS - self._rest_ticks)
        """When something was struck last; rests are counted from here."""

    def strike(self, ticks: int) -> None:
        """A key goes down."""
        self._onsets = [*self._onsets[1 - _RECENT_NOTES :], ticks]
        self._struck_ticks = ticks

    def due_ticks(self) -> int:
        """The last tick at which another note does not come after too long a rest."""
        return self._struck_ticks + self._rest_ticks

    def open_ticks(self) -> int:
        """The first tick at which another note does not make a crowd."""
        if len(self._onsets) < _CROWD_NOTES:
            return 0
        return self._onsets[-_CROWD_NOTES] + _CROWD_TICKS

    def haste(self) -> float:
        """The logarithm of how many more notes a beat there were lately than is usual; 0 where too few are known."""
        if len(self._onsets) < _RECENT_NOTES:
            return 0.0
        now = (_RECENT_NOTES - 1) / max(0.25, _beats(self._onsets))
        return math.log(now / self._usual)

    def patience(self, density: float) -> float:
        """Above 0 where longer waits should be likelier, below where shorter ones should; `density`: 0 to 1."""
        wanted = 2 * density - 1
        too_fast = self.haste() - _SPAN * wanted
        held_back = math.copysign(max(0.0, abs(too_fast) - _FREEDOM), too_fast)
        return min(_STEEPEST, max(-_STEEPEST, _SLOPE * (held_back - wanted)))

    def copy(self) -> DensityControl:
        """Another pace in the same state."""
        twin = DensityControl.__new__(DensityControl)
        for name in DensityControl.__slots__:
            setattr(twin, name, getattr(self, name))  # Nothing is changed in place.
        return twin


def _beats(onsets: Sequence[int]) -> float:
    """How long it took to play them, in beats, breaths left out."""
    return sum(min(_LONGEST_GAP_TICKS, after - before) for before, after in pairwise(onsets)) / TICKS_PER_BEAT


def _rest_after(onsets: Sequence[int], longest_ticks: int) -> int:
    """The longest rest that goes with such a pace."""
    gaps = [after - before for before, after in pairwise(onsets) if after - before > _CHORD_TICKS]
    usual = median(gaps) if gaps else longest_ticks / _GAPS
    return round(min(longest_ticks, max(_SHORTEST_SHARE * longest_ticks, _GAPS * usual)))
