"""Where the player's melody lies, so that an accompaniment stays below it. It hears keys, and knows no harmony."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Final

from antiphon.generator import Constraints

_KEYS: Final = 32
"""So many of the last keys are looked at."""
_LATELY_TICKS: Final = 960
"""And so far back from the last one: a melody that climbs lets the accompaniment follow it soon."""
_CHORD_TICKS: Final = 40
_ROOM: Final = 2
"""Semitones that are left free below the melody."""
_LEAST: Final = 12
"""However low the melody is, so many semitones of the range are left."""


class Ceiling:
    """Remembers the last keys of the player; the highest of those struck together is the melody."""

    def __init__(self) -> None:
        self._keys: deque[tuple[int, int]] = deque(maxlen=_KEYS)

    def strike(self, pitch: int, ticks: int) -> None:
        """The player's key went down."""
        self._keys.append((ticks, pitch))

    def lower(self, constraints: Constraints) -> Constraints:
        """`constraints`, with nothing above the lowest note that the melody had lately; all, before its first note."""
        melody = self._melody()
        if melody is None:
            return constraints
        low, high = constraints.low_pitch, constraints.high_pitch
        return replace(constraints, high_pitch=min(high, max(low + _LEAST, melody - _ROOM)))

    def _melody(self) -> int | None:
        """The lowest of the highest notes, of what was struck together, lately; None if nothing was."""
        tops: list[tuple[int, int]] = []
        for ticks, pitch in self._keys:
            if tops and ticks - tops[-1][0] <= _CHORD_TICKS:
                tops[-1] = (tops[-1][0], max(pitch, tops[-1][1]))
            else:
                tops.append((ticks, pitch))
        return min((pitch for ticks, pitch in tops if ticks >= tops[-1][0] - _LATELY_TICKS), default=None)
