"""The training loop: windows in, a better model out. It can be killed at any moment and goes on where it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor, nn

from antiphon_export.training.muon import Muon
from antiphon_export.training.schedule import rising_and_falling
from antiphon_export.training.sitting import first_look
from antiphon_export.training.windows import Augmentation, Windows

Precision = Literal["float32", "bfloat16"]


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
class Progress:
    """Where a run stands after a step."""

    step: int
    """Steps made, from the beginning of the run."""
    train_nll: float
    """Nats per token of that step's windows."""
    valid_nll: float | None
    """Nats per token of the validation windows, if they were measured after this step."""


class Trainer:
    """A model, its optimizers, and what they learn from."""

    def __init__(
        self,
        model: nn.Module,
        windows: Windows,
        judge: Callable[[nn.Module], float],
        recipe: Recipe,
        device: torch.device,
    ) -> None:
        """`judge`: tells a model's nats per token on music kept for validation."""
        self.model = model.to(device)
        self.recipe = recipe
        self.step = 0
        self._windows = windows
        self._judge = judge
        self._device = device
        self._optimizers = _optimizers(self.model, recipe)

    def run(self, validate_every_seconds: float, *, clock: Callable[[], float] = time.monotonic) -> Iterator[Progress]:
        """Train to the recipe's end, telling of every step; validated early, now and then, and at the end."""
        look, first = first_look(clock(), validate_every_seconds), self.step + 1
        while self.step < self.recipe.steps:
            loss = self._train_step()
            self.step += 1
            valid = None
            if (self.step > first and clock() >= look) or self.step == self.recipe.steps:
                valid = self.validate()
                look = clock() + validate_every_seconds
            yield Progress(self.step, loss, valid)

    def validate(self) -> float:
        """Nats per token on music kept for validation."""
        self.model.eval()
        found = self._judge(self.model)
        self.model.train()
        return found

    def state(self) -> dict[str, Any]:
        """All that `restore` needs to go on from here."""
        return {
            "step": self.step,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step = state["step"]

    def _train_step(self) -> float:
        recipe = self.recipe
        random = np.random.default_rng([recipe.seed, self.step])
        torch.manual_seed(hash((recipe.seed, self.step)) % 2**63)
        drawn = [self._windows.draw(random, recipe.length + 1, recipe.augmentation) for _ in range(recipe.batch)]
        batch = torch.from_numpy(np.stack(drawn)).to(self._device)  # [B, length + 1]
        factor = rising_and_falling(self.step, recipe.steps, recipe.warm_up, recipe.cool_down)
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["highest_lr"] * factor
        self.model.train()
        loss = self._nll(batch, recipe.label_smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self._optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return loss.item()

    def _nll(self, batch: Tensor, smoothing: float) -> Tensor:
        """Mean NLL of `batch` [B, T + 1]: each token given those before it."""
        mixed = self.recipe.precision == "bfloat16"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=mixed):
            logits = self.model(batch[:, :-1])  # [B, T, V]
        loss: Tensor = F.cross_entropy(logits.float().flatten(0, 1), batch[:, 1:].flatten(), label_smoothing=smoothing)
        return loss


def _optimizers(model: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """AdamW; with a `muon_rate`, Muon (Jordan et al., 2024) for the matrices inside the blocks."""
    inner = [
        weight for name, weight in model.named_parameters() if recipe.muon_rate and weight.ndim == 2 and "block" in name
    ]
    chosen = {id(weight) for weight in inner}
    rest = [weight for weight in model.parameters() if id(weight) not in chosen]
    optimizers: list[torch.optim.Optimizer] = [adam_w(rest, recipe.learning_rate, recipe.weight_decay)]
    if inner:
        products = getattr(torch, fast_precision())
        optimizers.append(Muon([{"params": inner}], recipe.muon_rate, recipe.weight_decay, products))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["highest_lr"] = group["lr"]
    return optimizers


def adam_w(weights: Sequence[nn.Parameter], learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter, 2019, arXiv:1711.05101) under which matrices decay, and biases and norms do not."""
    decayed = [weight for weight in weights if weight.ndim >= 2]
    plain = [weight for weight in weights if weight.ndim < 2]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.98), fused=True)


def fast_precision() -> Precision:
    """`bfloat16` where the machine has instructions for it (a GPU, AMX, AVX-512 BF16), else `float32`."""
    if torch.cuda.is_available():
        return "bfloat16"
    fast = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bfloat16" if fast else "float32"


def use_threads(count: int) -> None:
    """Compute with `count` threads; 0 leaves it to PyTorch."""
    if count:
        torch.set_num_threads(count)
