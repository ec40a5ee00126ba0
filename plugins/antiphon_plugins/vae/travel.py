"""The way from one code to another: where on it to be, and what lies there. It encodes and decodes nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, Literal, get_args

import numpy as np

from antiphon.rolls import Code
from antiphon.tokens import uniform

_WANDER_BARS: Final = 4
"""How long it wanders in one direction."""
Purpose = Literal["a", "b", "stray"]
"""What chance is drawn for: an end, or to leave the line between them."""
_LINE: Final = 1e-4
"""Codes whose directions are nearer to one line than this, as the sine of the angle, have no arc between them."""


def position(controls: Mapping[str, float], seed: int, origin_ticks: int, bars: float) -> float:
    """Where to be, from 0 at A to 1 at B, so many bars after the answer began at `origin_ticks`."""
    here = controls.get("position", 0.5)
    if ramp_bars := controls.get("ramp_bars", 0.0):
        there_and_back = bars / ramp_bars % 2
        here = min(there_and_back, 2 - there_and_back)
    if wander := controls.get("wander", 0.0):
        before, between_two = divmod(bars / _WANDER_BARS, 1)
        start, end = (2 * uniform(seed, origin_ticks, int(before) + later) - 1 for later in (0, 1))
        ease = (1 - math.cos(math.pi * between_two)) / 2
        here += wander * (start + (end - start) * ease)
    return min(1.0, max(0.0, here))


def between(a: Code, b: Code, here: float) -> Code:
    """The code at `here` on the arc from `a` to `b`, its length between theirs.

    Most codes lie at about one distance from the middle, so a straight line would lead through where there are
    none. Spherical interpolation: Shoemake, Animating Rotation with Quaternion Curves, 1985; of codes: White,
    Sampling Generative Networks, 2016.
    """
    length_a, length_b = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    cosine = float(np.dot(a, b)) / (length_a * length_b) if length_a and length_b else 1.0
    angle = math.acos(min(1.0, max(-1.0, cosine)))
    if math.sin(angle) < _LINE:
        return (1 - here) * a + here * b
    length = (1 - here) * length_a + here * length_b
    share_a, share_b = (math.sin(part * angle) / math.sin(angle) for part in (1 - here, here))
    return (length * (share_a / length_a * a + share_b / length_b * b)).astype(np.float32)


def noise(latent: int, seed: int, ticks: int, purpose: Purpose) -> Code:
    """A code [latent] drawn from the prior, a normal distribution, for this seed and place in the music."""
    # The one stream of numpy's that no version may change (NEP 19), so that a session plays again note for note.
    words = [seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF, ticks & 0xFFFFFFFF, get_args(Purpose).index(purpose)]
    return np.random.RandomState(words).standard_normal(latent).astype(np.float32)
