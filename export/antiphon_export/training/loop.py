"""The training loop of every family: batches in, a better model out. It can be killed at any moment and goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from antiphon_export.training.run_folder import SAVE_SECONDS, RunFolder
from antiphon_export.training.sitting import Ending, Stopped, first_look, told_of_the_first_step


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a run has come, over all sittings."""

    step: int = 0
    """Optimizer steps made."""
    seconds: float = 0.0
    """Time spent in them."""
    learnt: int = 0
    """What was learnt from: tokens, notes or windows."""
    best: float = float("inf")
    """The lowest validation loss."""


class Judgement(Protocol):
    """What a model does to music kept for validation."""

    @property
    def loss(self) -> float:
        """What decides which weights are the best: the lower, the better."""
        ...


class Recipe(Protocol):
    """What the loop asks of a recipe."""

    @property
    def steps(self) -> int:
        """Optimizer steps in all."""
        ...

    @property
    def seed(self) -> int:
        """Of the batches, and of what is random in the model."""
        ...


BatchType = TypeVar("BatchType")
JudgementType = TypeVar("JudgementType", bound=Judgement)


class Objective(Protocol[BatchType, JudgementType]):
    """What one family of models learns, what it is judged by, and what is told and kept of it."""

    @property
    def about(self) -> Mapping[str, Any]:
        """What its checkpoints say of the model: `architecture`, `settings`, and what else it is known by."""
        ...

    @property
    def recipe(self) -> Recipe:
        """How it is trained."""
        ...

    @property
    def model(self) -> nn.Module:
        """What learns."""
        ...

    @property
    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        """What moves its weights; each has its rate at the highest, under `highest_lr` in its groups."""
        ...

    @property
    def longest_gradient(self) -> float:
        """To which a longer gradient is cut."""
        ...

    @property
    def smaller(self) -> str:
        """Options with which a step takes a fraction of the time."""
        ...

    def batch(self, random: np.random.Generator) -> BatchType:
        """What a step learns from."""
        ...

    def size(self, batch: BatchType) -> int:
        """How much that is, in what a run counts: tokens, notes or windows."""
        ...

    def loss(self, batch: BatchType, step: int) -> Tensor:
        """What is made small in `step`, a scalar."""
        ...

    def rate(self, step: int) -> float:
        """The factor of the learning rates in `step`, 0 to 1."""
        ...

    def validate(self) -> JudgementType:
        """Judge the model, which is not training meanwhile."""
        ...

    def beside(self, reached: Reached, loss: float, judgement: JudgementType | None) -> str:
        """What the progress bar says: of the last step, and of the last judgement."""
        ...

    def log(self, folder: Path, reached: Reached, loss: float, judgement: JudgementType | None) -> None:
        """Add a line to the log: the mean `loss` since the line before; None, where nothing was judged."""
        ...

    def weights(self, reached: Reached) -> dict[str, Any]:
        """The content of `best.pt`: what the model is, and its weights."""
        ...

    def checkpoint(self, reached: Reached) -> dict[str, Any]:
        """The content of `last.pt`: all that `restore` needs to go on from here."""
        ...

    def restore(self, content: Mapping[str, Any]) -> Reached:
        """Go on from a checkpoint; the rates are the recipe's."""
        ...


@dataclass(frozen=True, slots=True)
class Progress(Generic[JudgementType]):
    """What a step has brought."""

    step: int
    """Steps made, from the beginning of the run."""
    seconds: float
    """That it took."""
    loss: float
    """Of its batch, as it was made small."""
    judgement: JudgementType | None
    """Of the music kept for validation, if it was looked at after this step."""


class Trainer(Generic[BatchType, JudgementType]):
    """A run in memory: an objective, and how far it has come."""

    def __init__(self, objective: Objective[BatchType, JudgementType]) -> None:
        self.objective = objective
        self.reached = Reached()

    @property
    def step(self) -> int:
        """Steps made, from the beginning of the run."""
        return self.reached.step

    def run(
        self, validate_every_seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> Iterator[Progress[JudgementType]]:
        """Train to the recipe's end, telling of every step; validated early, now and then, and at the end."""
        look, first = first_look(clock(), validate_every_seconds), self.step + 1
        while self.step < self.objective.recipe.steps:
            before = clock()
            loss = self._train_step()
            now = clock()
            self.reached = replace(self.reached, seconds=self.reached.seconds + now - before)
            judgement = None
            if (self.step > first and now >= look) or self.step == self.objective.recipe.steps:
                judgement = self.validate()
                look = clock() + validate_every_seconds
            yield Progress(self.step, now - before, loss, judgement)

    def validate(self) -> JudgementType:
        """Judge the model as it is now."""
        self.objective.model.eval()
        judgement = self.objective.validate()
        self.objective.model.train()
        return judgement

    def restore(self, content: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.reached = self.objective.restore(content)

    def checkpoint(self) -> dict[str, Any]:
        """All that `restore` needs."""
        return self.objective.checkpoint(self.reached)

    def _train_step(self) -> float:
        objective, step = self.objective, self.step
        seed = objective.recipe.seed
        random = np.random.default_rng([seed, step])
        torch.manual_seed(hash((seed, step)) % 2**63)
        batch = objective.batch(random)
        factor = objective.rate(step)
        for optimizer in objective.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["highest_lr"] * factor
        objective.model.train()
        loss = objective.loss(batch, step)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(objective.model.parameters(), objective.longest_gradient)
        for optimizer in objective.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.reached = replace(self.reached, step=step + 1, learnt=self.reached.learnt + objective.size(batch))
        return loss.item()


def train(
    trainer: Trainer[BatchType, JudgementType],
    folder: RunFolder,
    validate_every_seconds: float,
    *,
    report: Callable[[str], None],
    advance: Callable[[int, str], None],
) -> JudgementType | None:
    """Train to the recipe's end and keep what comes of it in `folder`; returns the last judgement of this sitting.

    `report` is told in words, `advance` after every step: its number, and what to show beside the bar.

    Raises:
        Stopped: a person has ended the run.
    """
    objective, begun = trainer.objective, trainer.step
    saved = -SAVE_SECONDS
    losses: list[float] = []
    judgement: JudgementType | None = None
    with Ending(report) as ending:
        try:
            for progress in trainer.run(validate_every_seconds):
                left = objective.recipe.steps - progress.step
                if progress.step == begun + 1 and left:
                    report(told_of_the_first_step(progress.seconds, left, objective.smaller))
                    if not begun:
                        objective.log(folder.path, trainer.reached, progress.loss, None)
                losses.append(progress.loss)
                if progress.judgement is not None:
                    judgement = progress.judgement
                    objective.log(folder.path, trainer.reached, sum(losses) / len(losses), judgement)
                    losses = []
                    if judgement.loss < trainer.reached.best:
                        trainer.reached = replace(trainer.reached, best=judgement.loss)
                        folder.save_best(objective.weights(trainer.reached))
                now = time.monotonic()
                if ending.asked or now - saved >= SAVE_SECONDS or progress.judgement is not None:
                    folder.save_last(trainer.checkpoint())
                    saved = now
                advance(progress.step, objective.beside(trainer.reached, progress.loss, judgement))
                if ending.asked and left:
                    raise Stopped(folder.kept())
        except KeyboardInterrupt:
            raise Stopped(folder.kept()) from None
    return judgement


def resume(trainer: Trainer[Any, Any], folder: RunFolder, report: Callable[[str], None]) -> bool:
    """Go on with what is in `folder`; False if there is nothing.

    Raises:
        AntiphonError: it is of another model.
    """
    about = trainer.objective.about
    last = folder.load_last(about["architecture"], about["settings"])
    if last is None:
        return False
    trainer.restore(last)
    report(f"going on from step {trainer.step} in {folder.path}")
    return True
