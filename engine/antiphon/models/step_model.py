"""A model that reads tokens one after another: its contract. It knows no file, and draws no token."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from antiphon.models.card import ModelCard, ModelError


class StepModel(Protocol):
    """A model with a memory of what it was fed, which can be cut back."""

    @property
    def card(self) -> ModelCard:
        """What its file says of it."""
        ...

    @property
    def runs_on(self) -> str:
        """What really computes, as in `cpu`."""
        ...

    @property
    def vocabulary(self) -> int:
        """Number of token ids."""
        ...

    @property
    def position(self) -> int:
        """Tokens fed so far."""
        ...

    @property
    def earliest(self) -> int:
        """Smallest position that `rewind` can reach now, besides 0."""
        ...

    def feed(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """Take in `tokens` [T], T at least 1; returns logits [vocabulary] of the token after the last.

        The array is one that the next call uses again. How tokens are divided among calls makes no difference
        beyond rounding.

        Raises:
            ValueError: no token, or one outside the vocabulary.
            ModelError: the model computed something that is not a number.
        """
        ...

    def feed_all(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """As `feed`, but returns logits [T, vocabulary] after every token, in an array of their own."""
        ...

    def rewind(self, position: int) -> None:
        """Forget all tokens from `position` on, in microseconds.

        Raises:
            ValueError: `position` is beyond what was fed, or neither 0 nor at least `earliest`.
        """
        ...


def check_tokens(tokens: NDArray[np.int64], vocabulary: int) -> None:
    """Raise ValueError unless there is a token, and all are of the vocabulary."""
    if not len(tokens):
        raise ValueError("no token to feed; give at least 1")
    if tokens.astype(np.uint64).max() >= vocabulary:  # a negative number becomes a large one
        raise ValueError(f"tokens reach from {tokens.min()} to {tokens.max()}; allowed 0 to {vocabulary - 1}")


def check_logits(logits: NDArray[np.float32], card: ModelCard) -> None:
    """Raise ModelError unless all `logits` are numbers."""
    flat = logits.ravel()
    # One pass instead of two, at every step: the sum of squares is a number if all of them are.
    if not math.isfinite(flat.dot(flat)):
        worst = flat[np.abs(flat).argmax()]  # of which NaN counts as the largest
        raise ModelError(
            f"model '{card.path}' computed {worst}; "
            "its weights are damaged, or its training diverged: export an earlier checkpoint"
        )


def check_rewind(position: int, fed: int, earliest: int) -> None:
    """Raise ValueError unless a model that was fed `fed` tokens can be rewound to `position`."""
    if position and not earliest <= position <= fed:
        raise ValueError(f"rewind to {position}; allowed: 0, and {earliest} to {fed}")
