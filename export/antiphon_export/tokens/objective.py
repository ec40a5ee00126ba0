"""What a model of tokens learns: each token given those before it. It is judged by nats per token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor, nn

from antiphon_export.tokens.log import Row, add_row
from antiphon_export.training.computing import Precision
from antiphon_export.training.loop import Reached
from antiphon_export.training.optimizers import adam_w_and_muon, restore
from antiphon_export.training.schedule import rising_and_falling
from antiphon_export.training.windows import Augmentation, Windows

_SMALLER: Final = {
    "transformer": "--width 128 --layers 3 --feed-forward 256 --batch 4 --length 512",
    "study-transformer": "--width 128 --layers 3 --heads 4 --feed-forward 256 --batch 8",
    "lstm": "--hidden 192 --wide 256 --narrow 192 --batch 8 --length 256",
}
"""Options with which a step takes an eighth of the time, or less."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one model is trained."""

    steps: int
    """Optimizer steps in all."""
    batch: int = 16
    """Windows a step."""
    length: int = 512
    """Tokens predicted in a window."""
    learning_rate: float = 1e-3
    """Of AdamW, at its highest."""
    muon_rate: float = 0.0
    """Of Muon, for the matrices inside the blocks; 0 leaves them to AdamW."""
    weight_decay: float = 0.01
    """Of both."""
    warm_up: float = 0.02
    """Share of the steps in which the rate rises from 0."""
    cool_down: float = 0.35
    """Share of the steps, the last, in which the rate falls to 0. In between it stands still."""
    label_smoothing: float = 0.0
    """Share of each target spread over all tokens while training."""
    seed: int = 1
    """Of the windows, the dropout and the first weights."""
    precision: Precision = "float32"
    """Of the products in forward and backward; the weights stay in 32 bits."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """How windows may differ from the pieces."""


@dataclass(frozen=True, slots=True)
class TokenJudgement:
    """What the tokens kept for validation cost a model."""

    loss: float
    """Nats per token."""


class TokenObjective:
    """A model, its optimizers, and what they learn from."""

    longest_gradient: Final = 1.0

    def __init__(
        self,
        model: nn.Module,
        windows: Windows,
        judge: Callable[[nn.Module], float],
        recipe: Recipe,
        device: torch.device,
        about: Mapping[str, Any],
    ) -> None:
        """`judge`: a model's nats per token on music kept for validation. `about`: what checkpoints say of the model,
        `architecture` and `validation` among it.
        """
        self.model = model.to(device)
        self.recipe = recipe
        self.optimizers = adam_w_and_muon(model, recipe.learning_rate, recipe.muon_rate, recipe.weight_decay)
        self.smaller = _SMALLER[about["architecture"]]
        self._windows = windows
        self._judge = judge
        self._device = device
        self.about = about

    def batch(self, random: np.random.Generator) -> Tensor:
        """[B, T + 1] tokens."""
        recipe = self.recipe
        drawn = [self._windows.draw(random, recipe.length + 1, recipe.augmentation) for _ in range(recipe.batch)]
        return torch.from_numpy(np.stack(drawn)).to(self._device)

    def size(self, batch: Tensor) -> int:
        """Tokens that are predicted."""
        return self.recipe.batch * self.recipe.length

    def loss(self, batch: Tensor, step: int) -> Tensor:
        """Mean NLL of `batch` [B, T + 1]: each token given those before it."""
        mixed, smoothing = self.recipe.precision == "bfloat16", self.recipe.label_smoothing
        with torch.autocast(self._device.type, torch.bfloat16, enabled=mixed):
            logits = self.model(batch[:, :-1])  # [B, T, V]
        loss: Tensor = F.cross_entropy(logits.float().flatten(0, 1), batch[:, 1:].flatten(), label_smoothing=smoothing)
        return loss

    def rate(self, step: int) -> float:
        return rising_and_falling(step, self.recipe.steps, self.recipe.warm_up, self.recipe.cool_down)

    def validate(self) -> TokenJudgement:
        return TokenJudgement(self._judge(self.model))

    def beside(self, reached: Reached, loss: float, judgement: TokenJudgement | None) -> str:
        valid = "" if judgement is None else f", validation {judgement.loss:.3f}"
        return f"NLL {loss:.3f}{valid}"

    def log(self, folder: Path, reached: Reached, loss: float, judgement: TokenJudgement | None) -> None:
        valid = None if judgement is None else judgement.loss
        add_row(folder, Row(reached.step, reached.seconds, reached.learnt, loss, valid))

    def weights(self, reached: Reached) -> dict[str, Any]:
        return {
            **self.about,
            "model": self.model.state_dict(),
            "step": reached.step,
            "validation_nll": reached.best,
            "recipe": asdict(self.recipe),
        }

    def checkpoint(self, reached: Reached) -> dict[str, Any]:
        return {
            **self.about,
            "step": reached.step,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "best_nll": reached.best,
            "seconds": reached.seconds,
            "recipe": asdict(self.recipe),
        }

    def restore(self, content: Mapping[str, Any]) -> Reached:
        """The best validation NLL counts on only where it is of the same windows."""
        self.model.load_state_dict(content["model"])
        restore(self.optimizers, content["optimizers"])
        alike = content.get("validation") == self.about["validation"]
        learnt = content["step"] * self.recipe.batch * self.recipe.length
        return Reached(content["step"], content["seconds"], learnt, content["best_nll"] if alike else float("inf"))
