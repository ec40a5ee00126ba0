"""Muon, an optimizer for matrices (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon). No other weights.

PyTorch's own orthogonalises in bfloat16, which a CPU without instructions for it does fifty times slower than in
32 bits: there its step took four times as long as forward and backward together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import torch
from torch import Tensor

_COEFFICIENTS: Final = (3.4445, -4.775, 2.0315)
"""Of the quintic that drives all singular values towards 1, chosen there to be steepest at 0."""
_ROUNDS: Final = 5
_MOMENTUM: Final = 0.95
_RMS_OF_ADAMW: Final = 0.2
"""Root mean square of an AdamW update; Muon's are scaled to it, so that rates and decay compare (arXiv:2502.16982)."""
_TINY: Final = 1e-7


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised, with decoupled weight decay."""

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, weight_decay: float, products: torch.dtype) -> None:
        """`groups` hold matrices alone. `products`: the type to orthogonalise in, such as `torch.bfloat16`."""
        super().__init__(groups, {"lr": lr, "weight_decay": weight_decay})
        self._products = products

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move all matrices that have a gradient. There is no `closure`."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                momentum = self.state[weight].setdefault("momentum_buffer", torch.zeros_like(weight.grad))
                momentum.lerp_(weight.grad, 1 - _MOMENTUM)
                update = orthogonal(weight.grad.lerp(momentum, _MOMENTUM).to(self._products))
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(update, alpha=-group["lr"] * _RMS_OF_ADAMW * max(weight.shape) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """`matrix` [out, in] with its singular values driven to about 1 (0.7 to 1.2), by Newton-Schulz iteration."""
    a, b, c = _COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix  # [short, long]
    x = x / x.norm().clamp(min=_TINY)
    for _ in range(_ROUNDS):
        gram = x @ x.T  # [short, short]
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
