"""The 388 tokens of a performance, and its steps of ten milliseconds."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from antiphon.tokens.codec import Tokens

NOTE_ON: Final = 0
"""First of 128 tokens: a key goes down."""
NOTE_OFF: Final = 128
"""First of 128 tokens: a key comes up."""
TIME_SHIFT: Final = 256
"""First of 100 tokens: 1 to 100 steps pass."""
VELOCITY: Final = 356
"""First of 32 tokens: how hard the keys go down from here on."""
VOCABULARY: Final = 388
LONGEST_SHIFT: Final = 100
"""Most steps that one token lets pass."""
VELOCITY_BIN: Final = 4
"""Velocities that share a token; notes come back with the one in their middle."""


def shifts(steps: int) -> Tokens:
    """Tokens that let `steps` pass, the longest first; none unless it is above 0."""
    whole, rest = divmod(max(0, steps), LONGEST_SHIFT)
    tokens = [TIME_SHIFT + LONGEST_SHIFT - 1] * whole
    if rest:
        tokens.append(TIME_SHIFT + rest - 1)
    return np.array(tokens, dtype=np.int64)


def step_from(ticks: int, step_ticks: float) -> int:
    """The first step whose tick is not before `ticks`."""
    step = math.floor(ticks / step_ticks)
    return step if ticks_of(step, step_ticks) >= ticks else step + 1


def ticks_of(step: int, step_ticks: float) -> int:
    """The tick nearest to `step`."""
    return math.floor(step * step_ticks + 0.5)
