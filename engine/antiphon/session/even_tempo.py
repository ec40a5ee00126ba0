"""A tempo map from beats as they were measured: one tempo for as long as it was kept. It knows no session.

Measured beats are some milliseconds early and late. A tempo is kept for as long as all beats lie near enough to it (the
swing filter: Elmeleegy et al., Online piece-wise linear approximation of numerical streams with precision guarantees,
VLDB 2009); then each change is put on the beat where both tempi fit best.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from antiphon.notes import TICKS_PER_BEAT

_SAME_SECONDS: Final = 0.003
"""Beats that lie so near to an even tempo have it."""
_SAME_TEMPO: Final = 5e-5
"""Tempi that differ by this share are one: the clocks of two machines never agree to more than that."""
_LATE_BEATS: Final = 8
"""So late, at most, is a small change found."""


def even_tempi(beats: Sequence[float], seconds: Sequence[float]) -> list[tuple[float, float]]:
    """(tick, quarter notes a minute) of each tempo; the roundest there is that fits.

    `beats`: ticks, at least two, rising; `seconds`: when each of them was.
    """
    edges = _edges(beats, seconds)
    for number in range(1, len(edges) - 1):
        before, edge, after = edges[number - 1 : number + 2]
        tried = range(max(before + 1, edge - _LATE_BEATS), edge + 1)
        edges[number] = min(tried, key=lambda at: _worst(beats, seconds, (before, at, after)))
    tempi = [(beats[edge], _roundest(*_range(beats, seconds, edge, after))) for edge, after in pairwise(edges)]
    return [tempo for index, tempo in enumerate(tempi) if not index or tempo[1] != tempi[index - 1][1]]


def _edges(beats: Sequence[float], seconds: Sequence[float]) -> list[int]:
    """The first beat, every beat at which the tempo has to change, and the last."""
    edges, low, high = [0], 0.0, math.inf
    for index in range(1, len(beats)):
        slowest, fastest = _range(beats, seconds, edges[-1], index)
        if max(low, slowest) > min(high, fastest):
            edges.append(index - 1)
            low, high = _range(beats, seconds, index - 1, index)
        else:
            low, high = max(low, slowest), min(high, fastest)
    return [*edges, len(beats) - 1]


def _range(beats: Sequence[float], seconds: Sequence[float], first: int, last: int) -> tuple[float, float]:
    """The slowest and the fastest tempo that lead from one beat to another."""
    quarters, passed = (beats[last] - beats[first]) / TICKS_PER_BEAT, seconds[last] - seconds[first]
    margin = max(_SAME_SECONDS, _SAME_TEMPO * passed)
    return 60 * quarters / (passed + margin), 60 * quarters / max(passed - margin, passed / 2)


def _worst(beats: Sequence[float], seconds: Sequence[float], edges: tuple[int, int, int]) -> float:
    """How far a beat is, at most, from the tempi that change at the middle one of three edges; in seconds."""
    worst = 0.0
    for first, last in ((edges[0], edges[1]), (edges[1], edges[2])):
        slope = (seconds[last] - seconds[first]) / (beats[last] - beats[first])
        for index in range(first, last):
            worst = max(worst, abs(seconds[index] - seconds[first] - slope * (beats[index] - beats[first])))
    return worst


def _roundest(low: float, high: float) -> float:
    """The tempo between two that takes the fewest digits to write."""
    middle = (low + high) / 2
    return next((bpm for digits in range(5) if low <= (bpm := round(middle, digits)) <= high), middle)
