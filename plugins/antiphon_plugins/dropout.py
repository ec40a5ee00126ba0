"""Dropout whose masks come from a pool: on a CPU, drawing them anew takes longer than all else in a training step.

PyTorch draws 0.13 billion mask elements a second on a core pair that multiplies 3,000 billion; a slice at a random
place of a pool drawn once costs one multiplication. On a GPU it is PyTorch's own.
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor, nn

_LEAST = 1 << 22
"""Elements of the smallest pool."""


class Dropout(nn.Module):
    """Sets each element to 0 with probability `p`, and scales the others by 1 / (1 - p), while training."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """`x` of any shape."""
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.p)
        length = x.numel()
        pool = _pool(self.p, max(_LEAST, 1 << (2 * length - 1).bit_length()), x.dtype)
        # The place comes from PyTorch's own generator, so that a seed decides all.
        start = int(torch.randint(pool.numel() - length + 1, ()))
        return x * pool[start : start + length].view(x.shape)


@cache
def _pool(p: float, size: int, dtype: torch.dtype) -> Tensor:
    """`size` mask elements, always the same ones."""
    drawn = torch.rand(size, generator=torch.Generator().manual_seed(0))
    return (drawn >= p).to(dtype) / (1 - p)
