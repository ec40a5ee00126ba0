"""Our Muon beside PyTorch's, and what it is for."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from antiphon_export.training.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(24, 40), (40, 24)])
def test_it_is_pytorchs_to_the_bit_in_16_bits_and_to_rounding_in_32(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    first = torch.randn(shape)
    weights = [nn.Parameter(first.clone()) for _ in range(3)]
    theirs, sixteen, thirty_two = weights
    optimizers = [
        torch.optim.Muon([theirs], lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        Muon([{"params": [sixteen]}], 0.01, 0.1, torch.bfloat16),
        Muon([{"params": [thirty_two]}], 0.01, 0.1, torch.float32),
    ]
    for _ in range(3):
        gradient = torch.randn(shape)
        for weight, optimizer in zip(weights, optimizers, strict=True):
            weight.grad = gradient.clone()
            optimizer.step()
    moved = (theirs - first).abs().max()
    assert torch.equal(sixteen, theirs)
    assert (thirty_two - theirs).abs().max() < 0.03 * moved


def test_every_direction_of_an_orthogonal_matrix_is_about_as_long() -> None:
    torch.manual_seed(0)
    lengths = torch.linalg.svdvals(orthogonal(torch.randn(16, 48)))
    assert lengths.min() > 0.6
    assert lengths.max() < 1.3


def test_a_matrix_without_a_gradient_stays() -> None:
    weight = nn.Parameter(torch.ones(2, 3))
    Muon([{"params": [weight]}], 0.1, 0.1, torch.float32).step()
    assert torch.equal(weight, torch.ones(2, 3))
