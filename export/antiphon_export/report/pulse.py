"""The pulse of a phrase, and how another keeps it. Estimated here for itself: no generator's own pulse is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon_export.report.events import Onsets

_SHORTEST_TICKS, _LONGEST_TICKS = 96.0, 720.0
"""Periods tried: 0.1 to 0.75 s."""
_FEWEST_ONSETS: Final = 8
_CLEAR: Final = 0.5
"""Coherence from which a pulse is one; music in free time stays below."""
_SURPRISE: Final = 3.0
"""And it must be this much (in nats) beyond what chance finds among all periods tried."""
_NEARLY: Final = 0.85
"""Of two periods about as coherent, the longer is the pulse: eighths are also on sixteenths."""
_NEAR: Final = 1 / 6
"""Of a period, on either side of the grid: chance is there in a third of the cases."""
_SAME: Final = 0.04
_CELLS: Final = 16
"""Of a round in which grooves are compared."""
_STEPS_AN_OCTAVE: Final = 4
"""Classes of gaps: quarter octaves of time."""


@dataclass(frozen=True, slots=True)
class PulseGrid:
    """A grid in time."""

    period_ticks: float
    phase_ticks: float
    """A place on the grid."""
    coherence: float
    """Of the onsets that it was found in, 0 to 1."""


def coherence(onsets: Onsets, period_ticks: float) -> float:
    """How well onsets agree on a place within a period: |mean of exp(2 pi i t / period)|, 1 all, near 0 at random.

    The mean resultant length of circular statistics (Mardia and Jupp, Directional Statistics, 2000, chapter 2); of n
    random onsets its expectation is 0.89 / sqrt(n). NaN of no onset.
    """
    return float(np.abs(_resultants(onsets, np.array([1 / period_ticks])))[0]) if len(onsets) else float("nan")


def find_pulse(onsets: Onsets) -> PulseGrid | None:
    """The longest period whose coherence is a peak, clear, and nearly the best of all; None if none is clear.

    A periodogram of points: Rayleigh's test at each frequency, with 2n R^2 / 2 > log(frequencies tried) + 3 as the
    bound against chance.
    """
    count = len(onsets)
    if count < _FEWEST_ONSETS:
        return None
    span = float(onsets[-1] - onsets[0])
    lowest, highest = 1 / _LONGEST_TICKS, 1 / _SHORTEST_TICKS
    frequencies = np.arange(lowest, highest, 1 / (10 * span))
    strengths = np.abs(_resultants(onsets, frequencies))
    bound = max(_CLEAR, _NEARLY * float(strengths.max()))
    bound = max(bound, np.sqrt((np.log(1 + span * (highest - lowest)) + _SURPRISE) / count))
    inner = strengths[1:-1]
    peaks = 1 + np.flatnonzero((inner >= strengths[:-2]) & (inner >= strengths[2:]) & (inner >= bound))
    if not len(peaks):
        return None
    # Finer about the peak, so that the grid still fits some bars later.
    nearby = frequencies[peaks[0]] + np.linspace(-1, 1, 201) / (10 * span)
    resultants = _resultants(onsets, nearby)
    best = int(np.abs(resultants).argmax())
    period = 1 / float(nearby[best])
    return PulseGrid(period, float(np.angle(resultants[best])) / (2 * np.pi) * period, float(np.abs(resultants[best])))


def strength(onsets: Onsets, pulse: PulseGrid) -> float:
    """How strongly onsets lie on a pulse: the mean of cos(2 pi (t - phase) / period); 1 on it, 0 at random, -1 between.

    NaN of no onset.
    """
    return _mean(np.cos(2 * np.pi * _places(onsets, pulse)))


def share_near(onsets: Onsets, pulse: PulseGrid) -> float:
    """Of the onsets, the share within a sixth of a period of the pulse's grid; a third at random. NaN of no onset."""
    return _mean(np.abs(_places(onsets, pulse)) <= _NEAR)


def same_period(onsets: Onsets, pulse: PulseGrid) -> float:
    """1 if the onsets have a pulse of their own, of the same period to 4 %, or of half or twice that; else 0."""
    own = find_pulse(onsets)
    if own is None:
        return 0.0
    ratio = own.period_ticks / pulse.period_ticks
    return float(any(abs(ratio / whole - 1) <= _SAME for whole in (0.5, 1, 2)))


def groove_likeness(one: Onsets, other: Onsets, pulse: PulseGrid) -> float:
    """Whether two phrases accent the same places: the cosine between their onsets' counts in 16 cells of the grid.

    The cells go round and round from one phrase into the other, as a bar of sixteenths does; after the grooving
    pattern of Wu and Yang, The Jazz Transformer on the Front Line, 2020. NaN if either has no onset.
    """
    counts = [
        np.bincount(np.round((onsets - pulse.phase_ticks) / pulse.period_ticks).astype(int) % _CELLS, minlength=_CELLS)
        for onsets in (one, other)
    ]
    lengths = [float(np.linalg.norm(count)) for count in counts]
    return float(counts[0] @ counts[1]) / (lengths[0] * lengths[1]) if min(lengths) else float("nan")


def rhythm_likeness(one: Onsets, other: Onsets) -> float:
    """How much of two phrases' gaps between onsets is common: the intersection of their histograms, 0 to 1.

    Gaps are told apart by quarter octaves of time. NaN if either has fewer than two onsets.
    """
    if min(len(one), len(other)) < 2:
        return float("nan")
    shares = [_gap_shares(onsets) for onsets in (one, other)]
    return float(sum(min(share, shares[1].get(gap, 0.0)) for gap, share in shares[0].items()))


def gap_entropy(onsets: Onsets) -> float:
    """How mixed the gaps between onsets are: Shannon's entropy of quarter octaves of time, in bits; 0 if all are alike.

    NaN of fewer than two onsets.
    """
    if len(onsets) < 2:
        return float("nan")
    shares = np.array(list(_gap_shares(onsets).values()))
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def _gap_shares(onsets: Onsets) -> dict[int, float]:
    levels = np.round(_STEPS_AN_OCTAVE * np.log2(np.diff(onsets))).astype(int)
    gaps, counts = np.unique(levels, return_counts=True)
    return dict(zip(gaps.tolist(), (counts / counts.sum()).tolist(), strict=True))


def _places(onsets: Onsets, pulse: PulseGrid) -> NDArray[np.float64]:
    """Where onsets lie from the nearest place of the grid, in periods, -0.5 to 0.5."""
    turns = np.asarray((onsets - pulse.phase_ticks) / pulse.period_ticks, dtype=np.float64)
    return turns - np.round(turns)


def _resultants(onsets: Onsets, frequencies: NDArray[np.float64]) -> NDArray[np.complex128]:
    """The mean of exp(2 pi i f t) over onsets, for each frequency f a tick; shape [F]."""
    resultants: NDArray[np.complex128] = np.exp(2j * np.pi * np.outer(frequencies, onsets)).mean(axis=1)
    return resultants


def _mean(values: NDArray[np.float64] | NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float("nan")
