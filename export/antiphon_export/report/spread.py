"""What "as good as real" means: how far two halves of the real music lie apart. It measures no phrase."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_SHARE: Final = 0.9
HALVES: Final = 1000
"""Times that the music is parted anew."""
FEWEST: Final = 12
"""From fewer values nothing is told."""


def half_spread(values: NDArray[np.float64], pieces: NDArray[np.int64], random: np.random.Generator) -> float:
    """The distance between the means of two halves of the music that is not exceeded in 90 % of random partings.

    `values` [N] with NaN where there is none, of the excerpts of `pieces` [N]: a piece lies in one half only. A
    resampling of halves, as in Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 15. Where all
    values are 0 or 1 it is 3/N at least: what never happened in N cases may do so that often (Hanley and Lippman-Hand,
    If Nothing Goes Wrong, Is Everything All Right?, 1983). NaN of fewer than 12 values, or of one piece.
    """
    numbers, piece = np.unique(pieces, return_inverse=True)
    known = ~np.isnan(values)
    if len(numbers) < 2 or known.sum() < FEWEST:
        return float("nan")
    sums = np.bincount(piece, np.where(known, values, 0.0), minlength=len(numbers))
    counts = np.bincount(piece, known, minlength=len(numbers))
    distances = []
    for _ in range(HALVES):
        chosen = np.zeros(len(numbers), dtype=bool)
        chosen[random.permutation(len(numbers))[: len(numbers) // 2]] = True
        if counts[chosen].sum() and counts[~chosen].sum():
            means = [sums[half].sum() / counts[half].sum() for half in (chosen, ~chosen)]
            distances.append(abs(means[0] - means[1]))
    least = 3 / known.sum() if np.isin(values[known], (0, 1)).all() else 0.0
    return max(least, float(np.quantile(distances, _SHARE))) if distances else float("nan")


def distance(value: float, real: float, spread: float) -> float:
    """How far `value` lies from `real`, in units of `spread`: up to 1 it is as near as real music is to itself.

    NaN where all real music is alike (a spread of 0): there is no unit then.
    """
    return abs(value - real) / spread if spread > 0 else float("nan")


def mean(values: NDArray[np.float64]) -> float:
    """The mean of what is known; NaN if nothing is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
