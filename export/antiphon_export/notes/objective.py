"""What a model of notes learns: each note, given those before it. It is judged by nats a note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from antiphon_export.notes.batch import Batch, nats
from antiphon_export.notes.costs import Costs, judge
from antiphon_export.notes.log import add_judgement
from antiphon_export.notes.windows import NoteWindows
from antiphon_export.training.computing import Precision
from antiphon_export.training.loop import Reached
from antiphon_export.training.optimizers import adam_w_and_muon, restore
from antiphon_export.training.schedule import rising
from antiphon_export.training.windows import Augmentation
from antiphon_plugins.notes.model import Model


@dataclass(frozen=True, slots=True)
class NoteRecipe:
    """How one model of notes is trained."""

    steps: int
    """Optimizer steps in all."""
    batch: int = 16
    """Windows a step."""
    length: int = 256
    """Steps foretold in a window."""
    learning_rate: float = 0.003
    """Of AdamW, at its highest."""
    muon_rate: float = 0.008
    """Of Muon, for the matrices inside the blocks."""
    weight_decay: float = 0.01
    """Of both."""
    warm_up_steps: int = 100
    """Steps in which the rates rise from 0."""
    cool_down_steps: int = 0
    """Steps, the last, in which the rates fall to 0; 0 for a run that is to go on."""
    seed: int = 1
    """Of the windows and the first weights."""
    precision: Precision = "float32"
    """Of the products in forward and backward; the weights stay in 32 bits."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """How windows may differ from the pieces."""


@dataclass(frozen=True, slots=True)
class NoteJudgement:
    """What the notes kept for validation cost a model."""

    loss: float
    """Nats a note, all shelves by their weights."""
    costs: Mapping[str, Costs]
    """By shelf."""


class NoteObjective:
    """A model, its optimizers, and what they learn from."""

    longest_gradient: Final = 1.0
    smaller: Final = "--width 128 --layers 3 --heads 4 --feed-forward 256 --head-width 128 --batch 4"

    def __init__(
        self,
        model: Model,
        windows: NoteWindows,
        valid: Mapping[str, Sequence[Batch]],
        weights: Mapping[str, float],
        recipe: NoteRecipe,
        device: torch.device,
        about: Mapping[str, Any],
    ) -> None:
        """`valid`: windows kept for validation, by shelf; `weights`: of the shelves. `about`: what checkpoints say of
        the model.
        """
        self.about = about
        self.model = model.to(device)
        self.recipe = recipe
        self.optimizers = adam_w_and_muon(model, recipe.learning_rate, recipe.muon_rate, recipe.weight_decay)
        self._begun_at = 0
        """Step from which the rates rise: that of the last beginning."""
        self._windows = windows
        self._valid = valid
        self._weights = weights
        self._device = device

    def batch(self, random: np.random.Generator) -> Batch:
        recipe = self.recipe
        readings = [self._windows.draw(random, recipe.length, recipe.augmentation) for _ in range(recipe.batch)]
        return Batch.of(readings, recipe.length).to(self._device)

    def size(self, batch: Batch) -> int:
        """Notes that are foretold."""
        return batch.notes

    def loss(self, batch: Batch, step: int) -> Tensor:
        """Nats a step that is foretold."""
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self.recipe.precision == "bfloat16"):
            costs = nats(self.model, batch)
        return torch.stack([cost.sum() for cost in costs.values()]).sum() / (batch.drawn.time >= 0).sum()

    def rate(self, step: int) -> float:
        recipe = self.recipe
        risen = rising(step - self._begun_at, recipe.warm_up_steps, 1.0) if recipe.warm_up_steps else 1.0
        if not recipe.cool_down_steps:
            return risen
        return min(risen, (recipe.steps - step) / recipe.cool_down_steps)

    def validate(self) -> NoteJudgement:
        costs = {
            name: judge(self.model, batches, self._device, self.recipe.precision)
            for name, batches in self._valid.items()
        }
        whole = sum(self._weights[name] * cost.total for name, cost in costs.items()) / sum(self._weights.values())
        return NoteJudgement(whole, costs)

    def beside(self, reached: Reached, loss: float, judgement: NoteJudgement | None) -> str:
        valid = "" if judgement is None else f", validation {judgement.loss:.3f} nats a note"
        return f"{reached.learnt / 1e6:.2f} M notes, {loss:.2f} nats{valid}"

    def log(self, folder: Path, reached: Reached, loss: float, judgement: NoteJudgement | None) -> None:
        valid, costs = (None, dict.fromkeys(self._valid)) if judgement is None else (judgement.loss, judgement.costs)
        add_judgement(folder, reached.step, reached.seconds, reached.learnt, loss, valid, costs)

    def weights(self, reached: Reached) -> dict[str, Any]:
        return {
            **self.about,
            "model": self.model.state_dict(),
            "step": reached.step,
            "notes": reached.learnt,
            "validation_nll": reached.best,
            "recipe": asdict(self.recipe),
        }

    def checkpoint(self, reached: Reached) -> dict[str, Any]:
        return {
            **self.weights(reached),
            "begun_at": self._begun_at,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "best_nll": reached.best,
            "seconds": reached.seconds,
        }

    def restore(self, content: Mapping[str, Any]) -> Reached:
        """A run that cools down ends where it has said that it would."""
        if self.recipe.cool_down_steps:
            self.recipe = replace(self.recipe, steps=content["recipe"]["steps"])
        self.model.load_state_dict(content["model"])
        restore(self.optimizers, content["optimizers"])
        self._begun_at = content["begun_at"]
        return Reached(content["step"], content["seconds"], content["notes"], content["best_nll"])

    def branch(self, content: Mapping[str, Any]) -> Reached:
        """Go on from the checkpoint of another run; what cools down does so from there, in the recipe's steps."""
        recipe = self.recipe
        reached = self.restore(content)
        ending = reached.step + recipe.cool_down_steps if recipe.cool_down_steps else recipe.steps
        self.recipe = replace(recipe, steps=ending)
        return replace(reached, best=float("inf"))
