"""Chance as a function of the seed and the place in the music; it keeps no state, so nothing needs to be rewound."""

from __future__ import annotations

from collections.abc import Sequence

_MASK = (1 << 64) - 1


def uniform(seed: int, ticks: int, index: int) -> float:
    """A number in 0 <= x < 1 for this seed, tick and index (SplitMix64; Steele, Lea, Flood 2014)."""
    state = 0
    for part in (seed, ticks, index):
        state = (state ^ part) + 0x9E3779B97F4A7C15 & _MASK
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return (state >> 11) / (1 << 53)


def choose(weights: Sequence[float], temperature: float, chance: float) -> int:
    """Index drawn in proportion to `weights ** (1 / temperature)`; the heaviest (the first of equals) at 0.

    `weights` are at least 0 and one of them is above 0; `chance` lies in 0 <= x < 1.
    """
    heaviest = max(weights)
    if temperature < 0.01:
        return weights.index(heaviest)
    sharpened = [(weight / heaviest) ** (1 / temperature) for weight in weights]
    threshold = chance * sum(sharpened)
    for index, weight in enumerate(sharpened):
        threshold -= weight
        if threshold < 0:
            return index
    return weights.index(heaviest)
