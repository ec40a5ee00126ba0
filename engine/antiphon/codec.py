"""Music as tokens: what every codec and its streaming decoder must do. It knows no codec's tokens and no model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.generator import Constraints
from antiphon.notes import Note, score_order

NoteRows = NDArray[np.int64]
"""Notes as an array, shape [N, 4]: columns onset_ticks, pitch, length_ticks (0: still held), velocity; score order."""

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


def codec_named(name: str, *, bar_ticks: int = 1920, tempo_bpm: float = 120.0) -> Codec:
    """The codec that model files call `name`, for music with this metre or tempo, whichever matters to it.

    Raises:
        AntiphonError: there is no such codec.
    """
    from antiphon.grid_codec import GridCodec
    from antiphon.performance_codec import PerformanceCodec

    if name == GridCodec.name:
        return GridCodec(bar_ticks=bar_ticks)
    if name == PerformanceCodec.name:
        return PerformanceCodec(tempo_bpm=tempo_bpm)
    raise AntiphonError(f"codec is {name!r}; allowed: {GridCodec.name!r}, {PerformanceCodec.name!r}")


def rows_of(notes: Iterable[Note]) -> NoteRows:
    """`notes` in any order as rows, shape [N, 4]; a held note has length 0."""
    ordered = sorted(notes, key=score_order)
    columns = [(note.start_ticks, note.pitch, note.length_ticks or 0, note.velocity) for note in ordered]
    return np.array(columns, dtype=np.int64).reshape(-1, 4)


def notes_of(rows: NoteRows) -> tuple[Note, ...]:
    """`rows` as notes; length 0 is a held note."""
    return tuple(Note(onset, pitch, length or None, velocity) for onset, pitch, length, velocity in rows.tolist())


def rows_at(rows: NoteRows, at_ticks: int) -> NoteRows:
    """The notes as they stand at `at_ticks`: those begun by then; held, if they sound beyond it."""
    begun = rows[rows[:, 0] <= at_ticks]
    begun[begun[:, 0] + begun[:, 2] > at_ticks, 2] = 0
    return begun


def common_prefix(old: Tokens, new: Tokens) -> int:
    """How many tokens `old` and `new` begin with alike."""
    shorter = min(len(old), len(new))
    different = old[:shorter] != new[:shorter]
    first = int(different.argmax()) if shorter else 0
    return first if shorter and different[first] else shorter


def one_per_pitch(steps: NoteRows) -> NoteRows:
    """Notes of a codec (columns onset, pitch, end, velocity, in its steps) made playable on one keyboard.

    Of notes with the same onset and pitch one is left, with the latest end and the loudest velocity; a note
    struck again while it sounds ends there. In order of pitch, then onset.
    """
    steps = steps[np.lexsort((steps[:, 0], steps[:, 1]))]
    repeats = (steps[1:, 0] == steps[:-1, 0]) & (steps[1:, 1] == steps[:-1, 1])
    if repeats.any():
        firsts = np.flatnonzero(np.concatenate([[True], ~repeats]))
        merged = steps[firsts]
        merged[:, 2:] = np.maximum.reduceat(steps[:, 2:], firsts)
        steps = merged
    same = steps[1:, 1] == steps[:-1, 1]
    steps[:-1, 2][same] = np.minimum(steps[:-1, 2], steps[1:, 0])[same]
    return steps
