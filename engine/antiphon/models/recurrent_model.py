"""An LSTM that plays without end and rewinds for free: its state after each token is kept. It knows no codec."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.models.card import ModelCard, ModelError
from antiphon.models.onnx_session import OnnxSession
from antiphon.models.step_model import check_logits, check_rewind, check_tokens

_KEPT: Final = 1024
"""Positions whose states are kept."""


class RecurrentModel:
    """A `StepModel` over the graph of one step of an LSTM."""

    def __init__(self, session: OnnxSession, card: ModelCard) -> None:
        """Raises ModelError if the graph is not what the card says."""
        self.card = card
        self.runs_on = session.runs_on
        self.vocabulary = card.vocabulary
        self.position = 0
        self._newest = 0
        """Highest position reached since the last beginning."""
        shape = (card.layers, card.heads, card.head_size)
        found = session.inputs()
        if found.get("h") != list(shape) or found.get("c") != list(shape):
            raise ModelError(f"'{card.path}' does not hold what its metadata say; export its checkpoint again")
        self._token = session.tensor((1, 1), np.int64)
        self._state = (session.tensor(shape), session.tensor(shape))
        self._next = (session.tensor(shape), session.tensor(shape))
        self._logits = session.tensor((1, card.vocabulary))
        self._kept = np.zeros((_KEPT, 2, *shape), np.float32)
        """State after p tokens, at p mod `_KEPT`."""
        self._compute = session.bind(
            {"token": self._token, "h": self._state[0], "c": self._state[1]},
            {"logits": self._logits, "h_out": self._next[0], "c_out": self._next[1]},
        )
        for _ in range(session.warm_ups):
            self._step(np.int64(0))
        self.rewind(0)

    @property
    def earliest(self) -> int:
        """Smallest position whose state is still kept."""
        return min(self.position, max(0, self._newest - _KEPT + 1))

    def feed(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits [vocabulary] after the last of `tokens` [T]; see `StepModel`."""
        check_tokens(tokens, self.vocabulary)
        for token in tokens:
            self._step(token)
        last: NDArray[np.float32] = self._logits.array[0]
        check_logits(last, self.card)
        return last

    def feed_all(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits [T, vocabulary] after each of `tokens` [T]; see `StepModel`."""
        check_tokens(tokens, self.vocabulary)
        logits = np.empty((len(tokens), self.vocabulary), np.float32)
        for index, token in enumerate(tokens):
            self._step(token)
            logits[index] = self._logits.array[0]
        check_logits(logits, self.card)
        return logits

    def rewind(self, position: int) -> None:
        """Forget all tokens from `position` on; see `StepModel`."""
        check_rewind(position, self.position, self.earliest)
        self.position = position
        if position == 0:
            self._newest = 0
            self._kept[0] = 0
        for tensor, kept in zip(self._state, self._kept[position % _KEPT], strict=True):
            tensor.array[...] = kept

    def _step(self, token: np.int64) -> None:
        self._token.array[0, 0] = token
        for tensor in (self._token, *self._state):
            tensor.push()
        self._compute()
        self._logits.pull()
        self.position += 1
        self._newest = max(self._newest, self.position)
        for tensor, following, kept in zip(self._state, self._next, self._kept[self.position % _KEPT], strict=True):
            following.pull()
            tensor.array[...] = kept[...] = following.array
