"""The training loop of the VAE. It can be killed at any moment and goes on where it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from antiphon.rolls.roll import Roll
from antiphon_export.training.schedule import rising, rising_and_falling
from antiphon_export.training.sitting import first_look
from antiphon_export.training.trainer import adam_w
from antiphon_export.vae.losses import Losses, Weighing, losses
from antiphon_export.vae.reconstruction import THRESHOLDS, hits
from antiphon_export.vae.windows import Source
from antiphon_plugins.vae.model import Model

_CLIP: Final = 50.0
"""Longest gradient, of a loss that is a sum over the cells of a window."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a VAE is trained."""

    steps: int
    """Optimizer steps in all."""
    batch: int = 32
    """Windows a step. Small ones learn more from the same number of windows."""
    learning_rate: float = 1e-3
    """Of AdamW, at its highest."""
    weight_decay: float = 0.01
    """Of AdamW."""
    warm_up: float = 0.02
    """Share of the steps in which the rate rises from 0."""
    cool_down: float = 0.5
    """Share of the steps, the last, in which the rate falls to 0."""
    telling: float = 0.3
    """Share of the steps in which the weight of the divergence rises from 0: first a code must tell something."""
    weighing: Weighing = field(default_factory=Weighing)
    """Of the parts of the loss."""
    transpose: tuple[int, int] = (-6, 5)
    """Semitones by which a window is moved."""
    velocity: tuple[int, int] = (-40, 25)
    """Added to the velocities of a window: most scores have one for all notes."""
    seed: int = 1
    """Of the windows, the codes' noise and the first weights."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a model does to windows kept for validation."""

    loss: float
    """Of codes with their noise, the divergence at its full weight, in nats a window."""
    divergence: float
    """Nats that a code tells."""
    f1: float
    """Of the notes that come back from the means, at the best threshold."""
    threshold: float


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands after a step."""

    step: int
    """Steps made, from the beginning of the run."""
    loss: float
    """Of that step's windows, as it was made small."""
    judgement: Judgement | None
    """Of the validation windows, if they were looked at after this step."""


class Trainer:
    """A model, its optimizer, and what they learn from."""

    def __init__(self, model: Model, source: Source, valid: Roll, recipe: Recipe, device: torch.device) -> None:
        """`valid`: windows kept for validation, [N, T, 3, 88]."""
        self.model = model.to(device)
        self.recipe = recipe
        self.step = 0
        self._source = source
        self._valid = valid
        self._device = device
        self._optimizer = adam_w(list(self.model.parameters()), recipe.learning_rate, recipe.weight_decay)

    def run(self, validate_every_seconds: float, *, clock: Callable[[], float] = time.monotonic) -> Iterator[Progress]:
        """Train to the recipe's end, telling of every step; validated early, now and then, and at the end."""
        look, first = first_look(clock(), validate_every_seconds), self.step + 1
        while self.step < self.recipe.steps:
            loss = self._train_step()
            self.step += 1
            judgement = None
            if (self.step > first and clock() >= look) or self.step == self.recipe.steps:
                judgement = self.judge()
                look = clock() + validate_every_seconds
            yield Progress(self.step, loss, judgement)

    def judge(self) -> Judgement:
        """Look at the validation windows."""
        self.model.eval()
        torch.manual_seed(0)
        total = divergence = 0.0
        with torch.inference_mode():
            for rolls in torch.split(torch.from_numpy(self._valid), 256):
                on_device = rolls.to(self._device)
                parts = self._losses(on_device)
                total += float(parts.total(self.recipe.weighing)) * len(rolls)
                divergence += float(parts.divergence) * len(rolls)
        count = len(self._valid)
        batches = (self._valid[first : first + 256] for first in range(0, count, 256))
        found = hits(batches, self._rebuild, THRESHOLDS)
        best = max(range(len(found)), key=lambda place: found[place].f1)
        self.model.train()
        return Judgement(total / count, divergence / count, found[best].f1, THRESHOLDS[best])

    def state(self) -> dict[str, Any]:
        """All that `restore` needs to go on from here."""
        return {"step": self.step, "model": self.model.state_dict(), "optimizer": self._optimizer.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]

    def _train_step(self) -> float:
        recipe = self.recipe
        random = np.random.default_rng([recipe.seed, self.step])
        torch.manual_seed(hash((recipe.seed, self.step)) % 2**63)
        drawn = self._source.draw(random, recipe.batch, recipe.transpose, recipe.velocity)
        rolls = torch.from_numpy(drawn).to(self._device)  # [B, T, 3, 88]
        factor = rising_and_falling(self.step, recipe.steps, recipe.warm_up, recipe.cool_down)
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.learning_rate * factor
        self.model.train()
        share = rising(self.step, recipe.steps, recipe.telling)  # of the weight of the divergence
        loss = self._losses(rolls).total(recipe.weighing, share)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), _CLIP)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return loss.item()

    def _losses(self, rolls: Tensor) -> Losses:
        logits, mean, log_variance = self.model(rolls)
        return losses(logits, mean, log_variance, rolls, self.recipe.weighing)

    def _rebuild(self, rolls: Roll) -> Roll:
        with torch.inference_mode():
            mean, _ = self.model.encode(torch.from_numpy(rolls).to(self._device))
            rebuilt: Roll = self.model.decode(mean).cpu().numpy()
        return rebuilt
