"""Whether a model file computes what PyTorch computes, while it is fed and rewound as in playing. It mends nothing."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from antiphon.models.step_model import StepModel
from antiphon_plugins.lstm.model import Model as Lstm

TOLERANCE: Final = 1e-4
"""Largest difference of a logit, for weights in 32 bits."""
_TURNS: Final = 25
"""How often a turn is taken back."""
_BACK: Final = 128
"""Tokens by which it is rewound at most."""
_STRAY: Final = 8
"""Most tokens of a turn that is taken back."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How far a model file is from PyTorch."""

    steps: int
    """Positions at which all logits were compared, each at least once."""
    rewinds: int
    """How often it was rewound between them."""
    largest_difference: float
    """Of any logit, from PyTorch in 64 bits."""
    rounding: float
    """The same of PyTorch itself in 32 bits: what rounding alone does to this model."""
    mean_divergence: float
    """Kullback-Leibler divergence of the file's distribution from PyTorch's, in nats, mean over steps."""

    @property
    def is_rounding(self) -> bool:
        """Whether the difference is no more than rounding in 32 bits explains."""
        return self.largest_difference <= max(TOLERANCE, 2 * self.rounding)


def check_parity(reference: nn.Module, model: StepModel, *, steps: int = 1000, seed: int = 0) -> Parity:
    """Feed `model` random tokens, one by one and in chunks, with turns that are taken back; compare every logit.

    `reference` is in `eval` mode; it reads all tokens at once, with the window that the model's ring keeps. At least
    `steps` tokens are fed, and more if the ring is not gone round otherwise.
    """
    card = model.card
    rng = np.random.default_rng(seed)
    steps = max(steps, card.capacity * 5 // 4)
    tokens = rng.integers(card.vocabulary, size=steps)
    expected = reference_logits(copy.deepcopy(reference).double(), tokens, card.window)  # [steps, V]
    rounding = float(np.abs(reference_logits(reference, tokens, card.window) - expected).max())
    got = np.empty_like(expected)
    largest, turns = 0.0, 0
    model.rewind(0)
    while model.position < steps:
        start = model.position
        length = 1 if rng.random() < 0.7 else int(rng.integers(2, max(3, card.chunk + 8)))
        end = min(start + length, steps)
        got[start:end] = model.feed_all(tokens[start:end])
        largest = max(largest, float(np.abs(got[start:end] - expected[start:end]).max()))
        earliest = max(model.earliest, end - _BACK) + _STRAY
        if steps * (turns + 1) // _TURNS <= end and earliest < end:
            place = int(rng.integers(earliest, end + 1))
            model.rewind(place)
            model.feed(rng.integers(card.vocabulary, size=int(rng.integers(1, _STRAY + 1))))
            model.rewind(place)
            turns += 1
    model.rewind(0)
    return Parity(steps, 2 * turns, largest, rounding, _divergence(expected, got))


def reference_logits(reference: nn.Module, tokens: NDArray[np.int64], window: int) -> NDArray[np.float32]:
    """What PyTorch says after each of `tokens` [T], all read at once, each seeing `window` up to itself: [T, V]."""
    batch = torch.from_numpy(tokens)[None]  # [1, T]
    with torch.inference_mode():
        logits = reference(batch) if isinstance(reference, Lstm) else reference(batch, window=window)
    read: NDArray[np.float32] = logits[0].float().numpy()  # [T, V]
    return read


def _divergence(expected: NDArray[np.float32], got: NDArray[np.float32]) -> float:
    log_p, log_q = (torch.from_numpy(logits).double().log_softmax(-1) for logits in (expected, got))
    return float((log_p.exp() * (log_p - log_q)).sum(-1).mean())
