"""Music as tokens: what every codec and its streaming decoder must do."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from antiphon.generator import Constraints
from antiphon.music.note_rows import NoteRows
from antiphon.notes import Note

Tokens = NDArray[np.int64]
"""Token ids of a codec, shape [L]."""


class Writer(Protocol):
    """A streaming decoder: it reads tokens one by one and says which may come next."""

    @property
    def now_ticks(self) -> int:
        """Musical time reached: no later token begins a note before it."""
        ...

    @property
    def ringing_since(self) -> int | None:
        """Onset, in ticks, of the earliest of its notes that still sounds; None if none does."""
        ...

    def allowed(self) -> NDArray[np.bool_]:
        """Which tokens may come next, shape [vocabulary]: by grammar, range, scale and polyphony. Never all False.

        Not to be written to: it may be given out again.
        """
        ...

    def write(self, token: int) -> None:
        """Take in `token`. Raises ValueError if it is not allowed here."""
        ...

    def take(self) -> list[Note]:
        """Notes finished since the last `take`, in the order in which they were finished."""
        ...

    def close(self, at_ticks: int) -> list[Note]:
        """The notes that still sound, cut at `at_ticks` (at least 1 tick long), lowest first; they are finished now."""
        ...

    def copy(self) -> Writer:
        """Another writer in the same state."""
        ...


class Codec(Protocol):
    """A way to write notes as tokens and to read them back, the same in training and in playing."""

    @property
    def name(self) -> str:
        """What model files call it."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever the same notes would give other tokens."""
        ...

    @property
    def vocabulary(self) -> int:
        """Number of token ids."""
        ...

    def encode(self, rows: NoteRows, until_ticks: int | None = None) -> Tokens:
        """The tokens of these notes, with nothing after the last event.

        With `until_ticks`, as the music stands at that moment: later events are left out, and the time from
        the last event up to it is written (of no notes, a rest), so that a writer that starts at `until_ticks`
        continues these tokens, which are never none.
        """
        ...

    def decode(self, tokens: Tokens, start_ticks: int) -> NoteRows:
        """The notes that `tokens` write, the first token being at `start_ticks`. What makes no sense is skipped."""
        ...

    def start_ticks(self, rows: NoteRows) -> int:
        """Where the first token of `encode(rows)` is: what `decode` needs to put the notes back. 0 for no notes."""
        ...

    def quantise(self, rows: NoteRows) -> NoteRows:
        """The notes as `decode(encode(rows), start_ticks(rows))` gives them back: all that the codec can say."""
        ...

    def writer(self, start_ticks: int, constraints: Constraints = ..., context: Tokens | None = None) -> Writer:
        """A writer of music from `start_ticks` on, after the tokens of `context` (`encode` with that `until_ticks`).

        Notes of the context that still sound are not the writer's: they neither count nor come out of `take`.
        """
        ...


def common_prefix(old: Tokens, new: Tokens) -> int:
    """How many tokens `old` and `new` begin with alike."""
    shorter = min(len(old), len(new))
    different = old[:shorter] != new[:shorter]
    first = int(different.argmax()) if shorter else 0
    return first if shorter and different[first] else shorter
