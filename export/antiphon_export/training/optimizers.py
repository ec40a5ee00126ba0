"""The optimizers of a run: AdamW, and Muon for the matrices inside the blocks. They know no rate but the highest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from antiphon_export.training.computing import fast_precision
from antiphon_export.training.muon import Muon


def adam_w(weights: Sequence[nn.Parameter], learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter, 2019, arXiv:1711.05101) under which matrices decay, and biases and norms do not."""
    decayed = [weight for weight in weights if weight.ndim >= 2]
    plain = [weight for weight in weights if weight.ndim < 2]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return _highest(torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.98), fused=True))


def adam_w_and_muon(
    model: nn.Module, learning_rate: float, muon_rate: float, weight_decay: float
) -> list[torch.optim.Optimizer]:
    """AdamW; with a `muon_rate`, Muon (Jordan et al., 2024) for the matrices inside the blocks."""
    inner = [weight for name, weight in model.named_parameters() if muon_rate and weight.ndim == 2 and "block" in name]
    chosen = {id(weight) for weight in inner}
    rest = [weight for weight in model.parameters() if id(weight) not in chosen]
    optimizers = [adam_w(rest, learning_rate, weight_decay)]
    if inner:
        products = getattr(torch, fast_precision())
        optimizers.append(_highest(Muon([{"params": inner}], muon_rate, weight_decay, products)))
    return optimizers


def restore(optimizers: Sequence[torch.optim.Optimizer], states: Sequence[Mapping[str, Any]]) -> None:
    """Go on from their `states`; the highest rates are those that they were made with."""
    for optimizer, state in zip(optimizers, states, strict=True):
        highest = [group["highest_lr"] for group in optimizer.param_groups]
        optimizer.load_state_dict(dict(state))
        for group, rate in zip(optimizer.param_groups, highest, strict=True):
            group["highest_lr"] = rate


def _highest(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    for group in optimizer.param_groups:
        group["highest_lr"] = group["lr"]
    return optimizer
