"""What the VAE is trained to make small: notes that are wrong, velocities that are off, and what a code tells.

Kullback-Leibler divergence of a code's normal distribution from the standard one, of which each number may tell a
little for nothing (free bits: Kingma et al., 2016, arXiv:1606.04934).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor

from antiphon.rolls.roll import HOLD, ONSET, VELOCITY


@dataclass(frozen=True, slots=True)
class Weighing:
    """How the parts of the loss count against each other."""

    onset: float = 3.0
    """What an onset that is missed counts, beside one too many: cells with an onset are rare."""
    hold: float = 0.5
    """Of the cells in which a note goes on, beside those in which one begins."""
    velocity: float = 20.0
    """Of the squared error of velocities (0 to 1) on onsets."""
    divergence: float = 0.25
    """Of what codes tell, when all of it counts."""
    free_nats: float = 0.02
    """What each number of a code may tell before it counts."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Parts of the loss, each the mean over windows of sums over cells or over the numbers of a code."""

    onset: Tensor
    """Binary cross-entropy of onsets, weighted for their rarity, in nats."""
    hold: Tensor
    """Binary cross-entropy of the steps in which notes go on, in nats."""
    velocity: Tensor
    """Squared error on onsets."""
    divergence: Tensor
    """In nats; what is free is counted as though it were told."""

    def total(self, weighing: Weighing, share: float = 1.0) -> Tensor:
        """All of it, with `share` (0 to 1) of the weight of the divergence."""
        notes = self.onset + weighing.hold * self.hold + weighing.velocity * self.velocity
        return notes + share * weighing.divergence * self.divergence


def losses(logits: Tensor, mean: Tensor, log_variance: Tensor, rolls: Tensor, weighing: Weighing) -> Losses:
    """The losses of `logits` [B, T, 3, 88], decoded from codes of `mean` and `log_variance` [B, Z], beside `rolls`."""
    count = len(rolls)
    onsets = rolls[:, :, ONSET]  # [B, T, 88]
    rarity = torch.tensor(weighing.onset, device=rolls.device)
    onset = F.binary_cross_entropy_with_logits(logits[:, :, ONSET], onsets, pos_weight=rarity, reduction="sum")
    hold = F.binary_cross_entropy_with_logits(logits[:, :, HOLD], rolls[:, :, HOLD], reduction="sum")
    velocity = ((torch.sigmoid(logits[:, :, VELOCITY]) - rolls[:, :, VELOCITY]).square() * onsets).sum()
    divergences = -0.5 * (1 + log_variance - mean.square() - log_variance.exp())  # [B, Z]
    divergence = divergences.clamp_min(weighing.free_nats).sum()
    return Losses(onset / count, hold / count, velocity / count, divergence / count)
