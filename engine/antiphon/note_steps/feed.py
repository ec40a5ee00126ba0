"""Keeps a model of notes in step with music that changes at its end, so that it leaves no trace."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from antiphon.note_steps.manner import Read
from antiphon.note_steps.model import NoteModel
from antiphon.note_steps.words import BAG
from antiphon.tokens.feed_runs import STRIDE, runs_after


class NoteFeed:
    """Feeds a model what was heard, in the runs of `feed_runs`; then what is drawn, a step at a time.

    The last step of all is fed when the next is to be drawn.
    """

    def __init__(self, model: NoteModel) -> None:
        self.model = model
        self._stride = min(STRIDE, model.card.chunk)
        self._heard = Read(np.zeros((0, BAG), np.int64), np.zeros(0))
        """What the model has been fed of what was heard."""

    def listen(self, steps: Read) -> None:
        """Let the model know `steps`, at least one, but for the last; what was drawn since is forgotten."""
        heard = steps.take(slice(0, -1))
        shared = self._heard.shared(heard)
        known, earliest = len(self._heard), self.model.earliest
        kept, runs = runs_after(known, shared, len(heard), stride=self._stride, earliest=earliest)
        # Whatever fails on the way, nothing is taken for fed that was not.
        self._heard = heard.take(slice(0, kept))
        self.model.rewind(kept)
        for run in runs:
            self._feed(heard.take(run))
        self._heard = heard

    def after(self, step: Read, position: int) -> NDArray[np.float32]:
        """Logits of the time after a single `step` at `position`, where the model stands or was before; then it can
        `speak` of the rest.

        Raises:
            ValueError: the model cannot go back so far.
        """
        if self.model.position != position:
            self.model.rewind(position)
        return self._feed(step)

    def reaches(self, position: int) -> bool:
        """Whether the model can go on from `position`, knowing what it knew there."""
        return position == 0 or self.model.earliest <= position <= self.model.position

    def _feed(self, steps: Read) -> NDArray[np.float32]:
        return self.model.feed(steps.bags, steps.seconds)
