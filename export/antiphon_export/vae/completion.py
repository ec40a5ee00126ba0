"""What a VAE is given when it has learnt: probabilities that may be believed, and directions. It changes no code.

Missed onsets count more than needless ones in training, and so all come out as too likely. One number, added to their
logits, mends that: as many notes are expected as there are.
"""

from __future__ import annotations

from typing import Final

import torch

from antiphon.rolls.roll import CHANNELS, KEYS, ONSET, Roll
from antiphon_export.vae.directions import find_directions
from antiphon_export.vae.halves import Codes, halves_of
from antiphon_plugins.vae.model import BEAT, Model

_WIDEST: Final = 8.0
"""The logits are not moved by more."""
_ROUNDS: Final = 30
"""Of halving that."""


def complete(model: Model, valid: Roll, train: Roll) -> dict[str, Codes]:
    """Move the onsets of `model`, by the windows `valid` [N, T, 3, 88]; returns its directions, by those of `train`."""
    model.eval()
    with torch.inference_mode():
        mean, _ = model.encode(torch.from_numpy(valid))
        logits = model.decode_logits(mean)[:, :, ONSET].double()  # [N, T, 88]
    low, high = -_WIDEST, _WIDEST
    wanted = float(valid[:, :, ONSET].sum())
    for _ in range(_ROUNDS):
        shift = (low + high) / 2
        low, high = (low, shift) if float(torch.sigmoid(logits + shift).sum()) > wanted else (shift, high)
    with torch.no_grad():
        model.keys.bias.view(BEAT, CHANNELS, KEYS)[:, ONSET] += (low + high) / 2
    halves = halves_of(model)
    return find_directions(halves.encode(train), train, halves.decode)
