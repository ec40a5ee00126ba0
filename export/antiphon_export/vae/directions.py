"""Ways to go in the space of codes for more notes, higher ones, and louder ones, found by regression. It plays nothing.

Each attribute is regressed on the means of many windows. Of all steps that raise the attribute by one and leave what
the other regressions say alone, a direction is the shortest; how far to go along it, decoded music tells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.rolls.roll import ONSET, VELOCITY, Roll
from antiphon_export.vae.halves import Codes
from antiphon_plugins.vae.generator import DIRECTIONS

STEPS: Final = (0.35, 5.0, 15.0)
"""What going once along each of `DIRECTIONS` is to change, in the median: notes by four in ten, pitch by five
semitones, velocity by fifteen."""
_RIDGE: Final = 0.1
"""Added to the variance of each number of a code."""
_ROUNDS: Final = 8


def attributes(rolls: Roll) -> NDArray[np.float64]:
    """Of `rolls` [N, T, 3, 88]: logarithm of the number of notes, mean pitch in keys, mean velocity (0 to 127); [N, 3].

    Of a roll without notes the last two are not a number.
    """
    onsets = rolls[:, :, ONSET] >= 0.5  # [N, T, 88]
    notes = onsets.sum(axis=(1, 2)).astype(np.float64)
    with np.errstate(invalid="ignore"):
        pitch = (onsets.sum(axis=1) * np.arange(onsets.shape[2])).sum(axis=1) / notes
        velocity = (onsets * rolls[:, :, VELOCITY]).sum(axis=(1, 2)) / notes * 127
    return np.column_stack([np.log(np.maximum(1, notes)), pitch, velocity])


def find_directions(codes: Codes, rolls: Roll, decode: Callable[[Codes], Roll]) -> dict[str, Codes]:
    """The directions [Z] by name, from the `codes` [N, Z] of `rolls` [N, T, 3, 88].

    `decode` makes rolls of codes.
    """
    measured = attributes(rolls)
    known = np.isfinite(measured).all(axis=1)
    codes, measured = codes[known], measured[known]
    centred = codes - codes.mean(axis=0)
    spread = centred.T @ centred / len(codes) + _RIDGE * np.eye(codes.shape[1])
    slopes = np.linalg.solve(spread, centred.T @ (measured - measured.mean(axis=0)) / len(codes))  # [Z, 3]
    shortest = np.linalg.pinv(slopes).T  # [Z, 3]; zero for what never varies
    found = {}
    for place, name in enumerate(DIRECTIONS):
        direction = (shortest[:, place] * STEPS[place]).astype(np.float32)
        for _ in range(_ROUNDS):
            up, down = (attributes(decode(codes + way * direction))[:, place] for way in (1, -1))
            heard = float(np.nanmedian(up - down)) / 2  # a window with two notes is easily doubled
            # Half-way in ratio: notes appear all at once, and whole corrections would swing to and fro.
            direction = direction * np.float32(np.sqrt(np.clip(STEPS[place] / max(heard, 1e-3), 0.25, 4.0)))
        found[name] = direction
    return found
