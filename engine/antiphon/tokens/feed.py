"""Keeps a model in step with music that changes at its end, in a way that leaves no trace. It draws no token."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.models.step_model import StepModel
from antiphon.tokens.codec import Tokens, common_prefix

_STRIDE: Final = 16
"""Tokens that are fed in one run where there are so many."""


class TokenFeed:
    """Feeds a model the tokens of what was heard, then what is drawn, one by one.

    Tokens fed together and tokens fed one by one give logits that differ in the last bits; and where chance falls on
    the edge between two tokens, a bit decides. So how heard tokens are divided depends on nothing but these tokens:
    whole strides from the first on, then single tokens, the last of them when the next is to be drawn. Then music
    depends on what was heard, not on how often it was told, and a session is played again to the bit.
    """

    def __init__(self, model: StepModel) -> None:
        self._model = model
        self._stride = min(_STRIDE, model.card.chunk)
        self._heard: Tokens = np.zeros(0, dtype=np.int64)
        """What the model has been fed of what was heard."""

    def listen(self, tokens: Tokens) -> None:
        """Let the model know `tokens` [L], L at least 1, but for the last; what was drawn since is forgotten."""
        heard = tokens[:-1]
        kept = common_prefix(self._heard, heard)
        whole = len(heard) - len(heard) % self._stride
        if kept < whole or whole < len(self._heard) - len(self._heard) % self._stride:
            # A stride is completed or broken up: what comes after the whole ones that stay is fed anew.
            kept -= kept % self._stride
        if kept < self._model.earliest:
            kept = 0
        # Whatever fails on the way, nothing is taken for fed that was not.
        self._heard = heard[:kept]
        self._model.rewind(kept)
        for start in range(kept, whole, self._stride):
            self._model.feed(heard[start : start + self._stride])
        for start in range(max(kept, whole), len(heard)):
            self._model.feed(heard[start : start + 1])
        self._heard = heard

    def logits_after(self, token: int, position: int) -> NDArray[np.float32]:
        """Logits [V] after `token` at `position`, which is where the model stands or where it was before.

        Raises:
            ValueError: the model cannot go back so far.
        """
        if self._model.position != position:
            self._model.rewind(position)
        return self._model.feed(np.array([token], dtype=np.int64))

    def reaches(self, position: int) -> bool:
        """Whether the model can go on from `position`, knowing what it knew there."""
        return position == 0 or self._model.earliest <= position <= self._model.position
