"""A model that says with every run that it is at work, so that nobody takes it for stuck."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from antiphon.models.card import ModelCard
from antiphon.models.step_model import StepModel


class BeatingModel:
    """Another model, with a beat after each of its runs."""

    def __init__(self, model: StepModel, beat: Callable[[], None]) -> None:
        """`beat`: as `Casting.beat` has it."""
        self._model = model
        self._beat = beat

    @property
    def card(self) -> ModelCard:
        return self._model.card

    @property
    def runs_on(self) -> str:
        return self._model.runs_on

    @property
    def vocabulary(self) -> int:
        return self._model.vocabulary

    @property
    def position(self) -> int:
        return self._model.position

    @property
    def earliest(self) -> int:
        return self._model.earliest

    def feed(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        logits = self._model.feed(tokens)
        self._beat()
        return logits

    def feed_all(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        logits = self._model.feed_all(tokens)
        self._beat()
        return logits

    def rewind(self, position: int) -> None:
        self._model.rewind(position)
