"""Notes as a listener groups them: chords are one event, and its highest note is the tune. It knows no key or pulse."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.music.note_rows import NoteRows

CHORD_TICKS: Final = 30
"""Notes that begin closer together (31 ms) are one event."""
_MOVES: Final = (1, 3, 5, 8, 12)
"""Semitones from which a move is a step, a third, a fifth, less than an octave, or more."""

Onsets = NDArray[np.int64]
"""When events begin, ascending, in ticks; shape [E]."""


def event_starts(rows: NoteRows) -> NDArray[np.int64]:
    """Of `rows` [N, 4], the index of the first note of each event; shape [E]."""
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    onsets = rows[:, 0]
    gaps = np.diff(onsets, prepend=onsets[0] - CHORD_TICKS - 1)
    starts: NDArray[np.int64] = np.flatnonzero(gaps > CHORD_TICKS)
    return starts


def onsets_of(rows: NoteRows) -> Onsets:
    """When the events of `rows` [N, 4] begin."""
    onsets: Onsets = rows[event_starts(rows), 0]
    return onsets


def top_line(rows: NoteRows) -> NDArray[np.int64]:
    """The highest pitch of each event of `rows` [N, 4]; shape [E]."""
    starts = event_starts(rows)
    if not len(starts):
        return np.zeros(0, dtype=np.int64)
    highest: NDArray[np.int64] = np.maximum.reduceat(rows[:, 1], starts)
    return highest


def figures(rows: NoteRows) -> list[tuple[int, ...]]:
    """Three moves of the top line, from each event on, as a listener knows a tune again: by its contour and rhythm.

    A move is up or down by a step (to 2 semitones), a third (to 4), a fifth (to 7), less than an octave, or more; or
    none. Contours after Dowling, Scale and Contour, 1978. A gap is longer (1) or shorter (-1) than the one before if it
    differs by more than half of the smaller one, else the same (0). So a figure is itself on any degree of any key, at
    any tempo, and under human timing. One that does not move (a note repeated) is nobody's, and left out.
    """
    motion = np.diff(top_line(rows))
    moves = np.sign(motion) * np.searchsorted(_MOVES, np.abs(motion), side="right")
    gaps = np.diff(onsets_of(rows)).astype(np.float64)
    found = []
    for at in range(len(moves) - 2):
        contour = moves[at : at + 3]
        if contour.any():
            ratios = gaps[at + 1 : at + 3] / gaps[at : at + 2]
            found.append((*contour.tolist(), *((ratios > 1.5).astype(int) - (ratios < 1 / 1.5)).tolist()))
    return found
