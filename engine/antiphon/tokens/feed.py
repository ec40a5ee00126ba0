"""Keeps a model in step with music that changes at its end, in a way that leaves no trace."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from antiphon.models.step_model import StepModel
from antiphon.tokens.codec import Tokens, common_prefix
from antiphon.tokens.feed_runs import STRIDE, runs_after


class TokenFeed:
    """Feeds a model the tokens of what was heard, in the runs of `feed_runs`; then what is drawn, one by one.

    The last token that was heard is fed when the next is to be drawn.
    """

    def __init__(self, model: StepModel) -> None:
        self._model = model
        self._stride = min(STRIDE, model.card.chunk)
        self._heard: Tokens = np.zeros(0, dtype=np.int64)
        """What the model has been fed of what was heard."""

    def listen(self, tokens: Tokens) -> None:
        """Let the model know `tokens` [L], L at least 1, but for the last; what was drawn since is forgotten."""
        heard = tokens[:-1]
        shared = common_prefix(self._heard, heard)
        known, earliest = len(self._heard), self._model.earliest
        kept, runs = runs_after(known, shared, len(heard), stride=self._stride, earliest=earliest)
        # Whatever fails on the way, nothing is taken for fed that was not.
        self._heard = heard[:kept]
        self._model.rewind(kept)
        for run in runs:
            self._model.feed(heard[run])
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
