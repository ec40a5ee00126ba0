"""One token drawn from a model's logits: temperature, top-k, top-p and a mask. It keeps no state between draws."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_COLDEST: Final = 0.01
"""Below this temperature the likeliest token is taken."""
_WORD: Final = (1 << 64) - 1


def sample(
    logits: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    chance: float,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> int:
    """The token that `chance` (0 <= chance < 1) falls on, in proportion to `exp(logits / temperature)`.

    `logits` and `allowed` have shape [V]. Of the allowed tokens only the `top_k` likeliest are left (0: all), and of
    those the likeliest that together have at least `top_p` of the probability (Holtzman et al., The Curious Case of
    Neural Text Degeneration, 2020). At temperature 0 it is the likeliest, the first of equals.

    Raises:
        ValueError: no token is allowed, or the logits of those that are hold no number to choose by.
    """
    tokens = np.flatnonzero(allowed)
    if not len(tokens):
        raise ValueError("no token is allowed; a mask must leave at least one")
    weights = logits[tokens].astype(np.float64)
    highest = weights.max()
    if not np.isfinite(highest):  # A single NaN makes the maximum NaN.
        raise ValueError(f"the highest of {len(tokens)} logits is {highest}; the model is damaged: export it again")
    if temperature < _COLDEST:
        return int(tokens[weights.argmax()])
    weights = np.exp((weights - highest) / temperature)
    # The likeliest first; of equals the first, so that the draw does not depend on how they were sorted.
    order = np.argsort(-weights, kind="stable")
    if top_k:
        order = order[:top_k]
    sums = weights[order].cumsum()
    left = len(order)
    if top_p < 1:
        left = min(left, int(sums.searchsorted(top_p * sums[-1])) + 1)
    place = int(sums[:left].searchsorted(chance * sums[left - 1], side="right"))
    return int(tokens[order[min(place, left - 1)]])


def uniform(seed: int, ticks: int, index: int) -> float:
    """A number in 0 <= x < 1 for this seed, tick and index: chance as a function of the place in the music.

    SplitMix64 (Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators, 2014).
    """
    state = 0
    for part in (seed, ticks, index):
        state = (state ^ part) + 0x9E3779B97F4A7C15 & _WORD
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _WORD
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _WORD
        state ^= state >> 31
    return (state >> 11) / (1 << 53)
