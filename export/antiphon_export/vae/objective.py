"""What the VAE learns: rolls that come back from a code, and codes that tell little. It is judged by both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from antiphon.rolls.roll import Roll
from antiphon_export.training.loop import Reached
from antiphon_export.training.optimizers import adam_w, restore
from antiphon_export.training.schedule import rising, rising_and_falling
from antiphon_export.vae.log import Row, add_row
from antiphon_export.vae.losses import Losses, Weighing, losses
from antiphon_export.vae.reconstruction import THRESHOLDS, hits
from antiphon_export.vae.windows import Source
from antiphon_plugins.vae.model import Model


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


class VaeObjective:
    """A model, its optimizer, and what they learn from."""

    longest_gradient: Final = 50.0
    """The loss is a sum over the cells of a window."""
    smaller: Final = "--latent 128 --near 64 --beat 128 --recurrent 64 --summary 64 --hidden 128 --batch 8"

    def __init__(
        self, model: Model, source: Source, valid: Roll, recipe: Recipe, device: torch.device, about: Mapping[str, Any]
    ) -> None:
        """`valid`: windows kept for validation, [N, T, 3, 88]. `about`: what checkpoints say of the model."""
        self.about = about
        self.model = model.to(device)
        self.recipe = recipe
        self.optimizers = [adam_w(list(model.parameters()), recipe.learning_rate, recipe.weight_decay)]
        self._source = source
        self._valid = valid
        self._device = device

    def batch(self, random: np.random.Generator) -> Tensor:
        """[B, T, 3, 88]."""
        recipe = self.recipe
        drawn = self._source.draw(random, recipe.batch, recipe.transpose, recipe.velocity)
        return torch.from_numpy(drawn).to(self._device)

    def size(self, batch: Tensor) -> int:
        """Windows."""
        return len(batch)

    def loss(self, batch: Tensor, step: int) -> Tensor:
        """Of `batch` [B, T, 3, 88], in nats a window; the divergence as it counts in `step`."""
        share = rising(step, self.recipe.steps, self.recipe.telling)  # of the weight of the divergence
        return self._losses(batch).total(self.recipe.weighing, share)

    def rate(self, step: int) -> float:
        return rising_and_falling(step, self.recipe.steps, self.recipe.warm_up, self.recipe.cool_down)

    def validate(self) -> Judgement:
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
        return Judgement(total / count, divergence / count, found[best].f1, THRESHOLDS[best])

    def beside(self, reached: Reached, loss: float, judgement: Judgement | None) -> str:
        valid = "" if judgement is None else f", validation {judgement.loss:.0f}, F1 {judgement.f1:.3f}"
        return f"loss {loss:.0f}{valid}"

    def log(self, folder: Path, reached: Reached, loss: float, judgement: Judgement | None) -> None:
        judged = (None, None, None) if judgement is None else (judgement.loss, judgement.divergence, judgement.f1)
        add_row(folder, Row(reached.step, reached.seconds, reached.learnt, loss, *judged))

    def weights(self, reached: Reached) -> dict[str, Any]:
        return {
            **self.about,
            "recipe": asdict(self.recipe),
            "model": self.model.state_dict(),
            "step": reached.step,
        }

    def checkpoint(self, reached: Reached) -> dict[str, Any]:
        (optimizer,) = self.optimizers
        return {
            **self.weights(reached),
            "optimizer": optimizer.state_dict(),
            "seconds": reached.seconds,
            "best_loss": reached.best,
        }

    def restore(self, content: Mapping[str, Any]) -> Reached:
        self.model.load_state_dict(content["model"])
        restore(self.optimizers, [content["optimizer"]])
        learnt = content["step"] * self.recipe.batch
        return Reached(content["step"], content["seconds"], learnt, content["best_loss"])

    def _losses(self, rolls: Tensor) -> Losses:
        logits, mean, log_variance = self.model(rolls)
        return losses(logits, mean, log_variance, rolls, self.recipe.weighing)

    def _rebuild(self, rolls: Roll) -> Roll:
        with torch.inference_mode():
            mean, _ = self.model.encode(torch.from_numpy(rolls).to(self._device))
            rebuilt: Roll = self.model.decode(mean).cpu().numpy()
        return rebuilt
