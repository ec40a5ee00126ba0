"""Notes as an array, a row a note: for codecs, models and statistics."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from antiphon.notes import Note, score_order

NoteRows = NDArray[np.int64]
"""Notes as an array, shape [N, 4]: columns onset_ticks, pitch, length_ticks (0: still held), velocity; score order."""


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
