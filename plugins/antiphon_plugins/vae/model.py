"""The variational autoencoder of piano rolls in PyTorch, for training. It never plays: what plays is an ONNX file.

Convolutions see what is near in time, a recurrent layer in both directions its context, and from all beats together
come mean and deviation of the code z (Kingma and Welling, 2014, arXiv:1312.6114). The decoder has no recurrence: one
that hears its own past is strong enough to leave z unused (Bowman et al., 2016, arXiv:1511.06349).
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor, nn

from antiphon.rolls import CHANNELS, KEYS

BEAT: Final = 4
"""Steps that are seen, and written, as one."""
LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE = -10.0, 4.0
"""Between these stay log variances."""


class Model(nn.Module):
    """Rolls in; codes, and rolls decoded from codes, out. B is the batch, T the steps, Z the size of the code.

    All beats share the weights of what reads and writes them; between them and the code, everything is joined to
    everything. Past the layers that bend leads a straight way in and out, so that training can begin with principal
    components.
    """

    def __init__(
        self,
        steps: int = 32,
        latent: int = 512,
        near: int = 128,
        beat: int = 384,
        recurrent: int = 128,
        summary: int = 128,
        hidden: int = 512,
    ) -> None:
        """Widths: `near` of a step in the encoder, `beat` of a beat, `recurrent` of a direction, `summary` of what a
        beat tells the code, and the code a beat; `hidden` of a beat in the decoder. `steps` is a multiple of 4.
        """
        super().__init__()
        self.settings = {
            "steps": steps,
            "latent": latent,
            "near": near,
            "beat": beat,
            "recurrent": recurrent,
            "summary": summary,
            "hidden": hidden,
        }
        beats, cells = steps // BEAT, BEAT * CHANNELS * KEYS
        self.near = nn.Conv1d(CHANNELS * KEYS, near, 3, padding=1)
        self.beat = nn.Conv1d(near, beat, BEAT, stride=BEAT)
        self.context = nn.GRU(beat, recurrent, batch_first=True, bidirectional=True)
        self.summary = nn.Linear(beat + 2 * recurrent + cells, summary)
        self.mean = nn.Linear(beats * summary, latent)
        self.log_variance = nn.Linear(beats * summary, latent)
        self.opening = nn.Linear(latent, beats * summary)
        self.hidden = nn.Linear(summary, hidden)
        self.keys = nn.Linear(hidden, cells)
        self.straight = nn.Linear(summary, cells, bias=False)

    def encode(self, rolls: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance, each [B, Z], of the codes of `rolls` [B, T, 3, 88]."""
        count, steps = rolls.shape[:2]
        x = rolls.flatten(2).transpose(1, 2)  # [B, 264, T]
        x = F.relu(self.near(x))  # [B, near, T]
        x = F.relu(self.beat(x)).transpose(1, 2)  # [B, T / 4, beat]
        around, _ = self.context(x)  # [B, T / 4, 2 * recurrent]
        beats = rolls.reshape(count, steps // BEAT, -1)  # [B, T / 4, 4 * 264]
        x = self.summary(torch.cat([x, around, beats], dim=-1)).flatten(1)  # [B, T / 4 * summary]
        log_variance = self.log_variance(x).clamp(LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE)  # [B, Z]
        return self.mean(x), log_variance

    def decode_logits(self, z: Tensor) -> Tensor:
        """Logits [B, T, 3, 88] of the rolls of codes `z` [B, Z]."""
        x = self.opening(z)  # [B, T / 4 * summary]
        x = x.reshape(len(z), -1, self.settings["summary"])  # [B, T / 4, summary]
        logits: Tensor = self.keys(F.relu(self.hidden(x))) + self.straight(x)  # [B, T / 4, 4 * 264]
        return logits.reshape(len(z), -1, CHANNELS, KEYS)

    def decode(self, z: Tensor) -> Tensor:
        """Rolls [B, T, 3, 88] of codes `z` [B, Z]: probabilities of onset and hold, and velocity from 0 to 1."""
        return torch.sigmoid(self.decode_logits(z))

    def forward(self, rolls: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits [B, T, 3, 88] of `rolls` decoded from codes drawn around their means; the means; the log variances."""
        mean, log_variance = self.encode(rolls)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)  # [B, Z]
        return self.decode_logits(z), mean, log_variance
