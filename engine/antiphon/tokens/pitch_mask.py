"""Which pitches a voice's constraints leave to play, as arrays and as bits."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from antiphon.generator import Constraints

PITCHES = 128
"""MIDI note numbers."""


@lru_cache(maxsize=64)
def pitch_mask(constraints: Constraints, low: int = 0, high: int = PITCHES - 1) -> NDArray[np.bool_]:
    """Which MIDI note numbers lie in the range and the scale, and in `low` to `high`; shape [128], read only."""
    pitches = np.arange(PITCHES)
    mask = (pitches >= max(low, constraints.low_pitch)) & (pitches <= min(high, constraints.high_pitch))
    if constraints.scale is not None:
        mask &= np.isin(pitches % 12, list(constraints.scale))
    mask.flags.writeable = False
    return mask


def bits_of(mask: NDArray[np.bool_]) -> int:
    """The same set as a number: bit p tells of pitch p. Small sets are cheaper to ask this way than as arrays."""
    return int.from_bytes(np.packbits(mask, bitorder="little").tobytes(), "little")
