"""An end of the way: a loop of whole bars as codes of the model, or a code drawn by chance. It plays nothing."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from antiphon import STEP_TICKS, Note, Phrase
from antiphon.rolls import Code, Roll, RollModel, roll_of
from antiphon_plugins.vae.feel import Feel, phase_of
from antiphon_plugins.vae.likelihood import notes_in, threshold_of

_LAST_BARS: Final = 4
"""Most bars of what was heard that are taken for what was played last."""


class End(Protocol):
    """What lies at one end of the way."""

    @property
    def feel(self) -> Feel | None:
        """How it was played; None if nobody did."""
        ...

    def code(self, first_step: int) -> Code:
        """The code [latent] of its window that begins `first_step` steps after the loop did."""
        ...

    def notes(self, first_step: int) -> int:
        """How many notes begin in that window."""
        ...


class Drawn:
    """One code for every window: a loop that nobody has played."""

    feel = None

    def __init__(self, code: Code, model: RollModel) -> None:
        self._code = code
        roll = model.decode(code)
        self._notes = notes_in(roll, threshold_of(roll))

    def code(self, first_step: int) -> Code:
        """The one that was drawn."""
        return self._code

    def notes(self, first_step: int) -> int:
        """Those that are played at this end."""
        return self._notes


class Played:
    """Music as a loop of whole bars, in windows that are encoded as they are needed, each once."""

    def __init__(self, phrase: Phrase, bar_steps: int, model: RollModel) -> None:
        """`phrase` begins with a bar; what it lacks to a whole number of bars is added as rest."""
        bar_ticks = bar_steps * STEP_TICKS
        bars = max(1, -(-phrase.length_ticks // bar_ticks))
        phase = phase_of(phrase)
        self.feel = Feel.of(phrase, bar_steps, phase)
        self._roll = roll_of(phrase.notes, phrase.start_ticks + phase, bars * bar_steps)
        self._model = model
        self._codes: dict[int, Code] = {}

    def code(self, first_step: int) -> Code:
        """Of the window from there on, which goes round the loop as often as it fits in."""
        first = first_step % len(self._roll)
        if first not in self._codes:
            self._codes[first] = self._model.encode(self._window(first))
        return self._codes[first]

    def notes(self, first_step: int) -> int:
        """In that window, as they were played."""
        return notes_in(self._window(first_step), 1.0)

    def _window(self, first_step: int) -> Roll:
        return self._roll[(first_step + np.arange(self._model.card.steps)) % len(self._roll)]


def last_played(heard: Phrase, bar_ticks: int) -> Phrase | None:
    """The last bars of `heard` in a row in which notes begin, four at most; None if there are none."""
    taken: list[Note] = []
    first = last = 0
    for note in reversed(heard.notes):
        bar = (note.start_ticks + STEP_TICKS // 2) // bar_ticks  # What is a little early belongs to the next bar.
        if not taken:
            first = last = bar
        if bar < first - 1 or bar <= last - _LAST_BARS:
            break
        first = min(first, bar)
        taken.append(note)
    return Phrase(first * bar_ticks, (last + 1) * bar_ticks, tuple(reversed(taken))) if taken else None
