"""The training loop of models of notes: windows in, a better model out. It can be killed at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from antiphon_export.notes.batch import Batch, nats, spread
from antiphon_export.notes.windows import NoteWindows
from antiphon_export.training.muon import Muon
from antiphon_export.training.schedule import rising
from antiphon_export.training.trainer import Precision, adam_w, fast_precision
from antiphon_export.training.windows import Augmentation
from antiphon_plugins.notes.model import HEADS, Model


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
class Costs:
    """What notes cost a model, in nats a note, by attribute."""

    by_head: dict[str, float]
    notes: int

    @property
    def total(self) -> float:
        """All attributes together."""
        return sum(self.by_head.values())


class NoteTrainer:
    """A model, its optimizers, and what they learn from."""

    def __init__(self, model: Model, windows: NoteWindows, recipe: NoteRecipe, device: torch.device) -> None:
        self.model = model.to(device)
        self.recipe = recipe
        self.step = 0
        self.begun_at = 0
        """Step from which the rates rise: that of the last beginning."""
        self._windows = windows
        self._device = device
        self._optimizers = _optimizers(self.model, recipe)

    def train_step(self) -> tuple[float, int]:
        """Learn from one batch; returns its nats a step, and how many notes it foretold."""
        recipe = self.recipe
        random = np.random.default_rng([recipe.seed, self.step])
        readings = [self._windows.draw(random, recipe.length, recipe.augmentation) for _ in range(recipe.batch)]
        batch = Batch.of(readings, recipe.length).to(self._device)
        factor = self._factor()
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["highest_lr"] * factor
        self.model.train()
        with torch.autocast(self._device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            costs = nats(self.model, batch)
        foretold = (batch.drawn.time >= 0).sum()
        loss = torch.stack([cost.sum() for cost in costs.values()]).sum() / foretold
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self._optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return loss.item(), batch.notes

    def _factor(self) -> float:
        recipe = self.recipe
        risen = rising(self.step - self.begun_at, recipe.warm_up_steps, 1.0) if recipe.warm_up_steps else 1.0
        if not recipe.cool_down_steps:
            return risen
        return min(risen, (recipe.steps - self.step) / recipe.cool_down_steps)

    def state(self) -> dict[str, Any]:
        """All that `restore` needs to go on from here."""
        return {
            "step": self.step,
            "begun_at": self.begun_at,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`; the rates are the recipe's."""
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            highest = [group["highest_lr"] for group in optimizer.param_groups]
            optimizer.load_state_dict(saved)
            for group, rate in zip(optimizer.param_groups, highest, strict=True):
                group["highest_lr"] = rate
        self.step, self.begun_at = state["step"], state["begun_at"]


def judge(model: Model, batches: Sequence[Batch], device: torch.device, precision: Precision = "float32") -> Costs:
    """What the notes of `batches` cost, told exactly: 10 ms, or sixteenths, and velocities to their bin."""
    totals = dict.fromkeys(HEADS, 0.0)
    notes = 0
    model.eval()
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        for batch in batches:
            costs = nats(model, batch.to(device))
            for name, cost in costs.items():
                totals[name] += float(cost.sum())
            for name, cost in spread(batch).items():
                totals[name] += float(cost.sum())
            notes += batch.notes
    model.train()
    return Costs({name: total / max(1, notes) for name, total in totals.items()}, notes)


def _optimizers(model: Model, recipe: NoteRecipe) -> list[torch.optim.Optimizer]:
    """Muon (Jordan et al., 2024) for the matrices inside the blocks, AdamW for all else."""
    inner = [weight for name, weight in model.named_parameters() if weight.ndim == 2 and name.startswith("blocks")]
    chosen = {id(weight) for weight in inner}
    rest = [weight for weight in model.parameters() if id(weight) not in chosen]
    optimizers: list[torch.optim.Optimizer] = [
        adam_w(rest, recipe.learning_rate, recipe.weight_decay),
        Muon([{"params": inner}], recipe.muon_rate, recipe.weight_decay, getattr(torch, fast_precision())),
    ]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["highest_lr"] = group["lr"]
    return optimizers
