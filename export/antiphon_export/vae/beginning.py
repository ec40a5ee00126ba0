"""First weights of the VAE: principal components, with which it rebuilds music untaught. It trains nothing.

First of the beats, which share weights; then of a whole window, its beats joined. What the layers that bend add to
that is small at first.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from antiphon.rolls.roll import CHANNELS, KEYS, Roll
from antiphon_plugins.vae.model import BEAT, Model

_COUNTS: Final = (1.0, 0.5, 0.3)
"""Of the channels, beside each other."""
_SLOPE: Final = 10.0
"""Of the logit, over a rebuilt cell that is 1 where there is a note and 0 where there is none."""
_MIDDLES: Final = (0.33, 0.5)
"""Where the logits of onset and hold are 0: most rebuilt onsets are fainter than 1."""
_FIRST_VELOCITY: Final = 0.73
_NOISE: Final = 0.3
"""Variance of the codes' noise, beside that of the music, in the last component; in all others there is as much."""
_LEAST: Final = 1e-3
"""Least variance along an axis, beside the first: what never varies is not blown up."""
_SMALL: Final = 0.1
"""Factor on the first weights of what bends."""


def begin_with_components(model: Model, rolls: Roll) -> None:
    """Set the weights of `model` by the principal components of `rolls` [N, T, 3, 88]; N must be above Z."""
    steps, latent, width = (model.settings[name] for name in ("steps", "latent", "summary"))
    counts: NDArray[np.float32] = np.repeat(np.array(_COUNTS * BEAT, np.float32), KEYS)  # [4 * 264]
    beats = (rolls.reshape(len(rolls) * steps // BEAT, -1) * counts).astype(np.float32)  # [N * T / 4, 4 * 264]
    middle, axes, _ = _components(beats, width)
    joined = ((beats - middle) @ axes).reshape(len(rolls), -1).astype(np.float32)  # [N, T / 4 * summary]
    centre, ways, variances = _components(joined, latent)
    deviations = np.sqrt(variances)  # [Z]
    cells = len(counts)
    rebuilt = axes / counts[:, None] * _SLOPE  # [4 * 264, summary]
    first = _SLOPE * middle / counts  # [4 * 264]
    rebuilt, first = (array.reshape(BEAT, CHANNELS, KEYS, -1) for array in (rebuilt, first))
    first[:, 0] -= _SLOPE * _MIDDLES[0]
    first[:, 1] -= _SLOPE * _MIDDLES[1]
    rebuilt[:, 2], first[:, 2] = 0, np.log(_FIRST_VELOCITY / (1 - _FIRST_VELOCITY))
    with torch.no_grad():
        model.summary.weight *= _SMALL
        model.summary.weight[:, -cells:] = torch.from_numpy(axes.T * counts)
        model.summary.bias.copy_(torch.from_numpy(-middle @ axes))
        model.mean.weight.copy_(torch.from_numpy(ways.T / deviations[:, None]))
        model.mean.bias.copy_(torch.from_numpy(-(centre @ ways) / deviations))
        model.log_variance.weight.zero_()
        model.log_variance.bias.copy_(torch.from_numpy(np.log(_NOISE * variances[-1] / variances)))
        model.opening.weight.copy_(torch.from_numpy(ways * deviations))
        model.opening.bias.copy_(torch.from_numpy(centre))
        model.keys.weight *= _SMALL
        model.keys.bias.copy_(torch.from_numpy(first.reshape(-1)))
        model.straight.weight.copy_(torch.from_numpy(rebuilt.reshape(cells, width)))


def _components(
    rows: NDArray[np.float32], count: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Of `rows` [N, D] the mean [D], the first `count` axes [D, count], and the variance along each [count]."""
    middle = rows.mean(axis=0)
    centred = rows - middle
    variances, axes = np.linalg.eigh(centred.T @ centred / len(rows))
    first = np.ascontiguousarray(axes[:, ::-1][:, :count])
    return middle, first, np.maximum(variances[::-1][:count], _LEAST * variances[-1])
