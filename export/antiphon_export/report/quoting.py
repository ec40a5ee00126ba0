"""Whether a generator quotes: how much of what it plays occurs, in any key, in the pieces it has learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.music.note_rows import NoteRows
from antiphon_plugins.markov.events import CHORD_TICKS, GAP_SIXTEENTHS
from antiphon_plugins.markov.pulse import find_sixteenth
from antiphon_plugins.markov.table import MAX_MOTION, mix

RUNS: Final = (8, 12, 16, 24, 32, 48)
"""Lengths of runs, in events, whose share is told."""
_GAPS_FOR_PULSE: Final = 400
_LONGEST: Final = 97
"""Runs this long and longer are not searched for."""
_SEAM: Final = np.array([1 << 40], dtype=np.uint64)
_LEAST_MOVES: Final = 5
"""A run with fewer different moves is a note or a figure repeated: nobody's."""

Moves = NDArray[np.uint64]
"""Moves of the highest note with their note values, in any key: one number an event."""


@dataclass(frozen=True, slots=True)
class Quoting:
    """How much of some music occurs in the training pieces."""

    shares: tuple[float, ...]
    """Of all runs of each length in `RUNS`, the share that occurs there; NaN where there is no run so long."""
    longest: int
    """Events of the longest run that occurs there; 0 if it is shorter than the shortest of `RUNS`; 96 at most."""


def moves(notes: NoteRows) -> Moves:
    """The moves of `notes` [N, 4], fewer by 1 than its events."""
    if len(notes) < 3:
        return np.zeros(0, dtype=np.uint64)
    onsets, pitches = notes[:, 0], notes[:, 1]
    starts = np.flatnonzero(np.diff(onsets, prepend=onsets[0] - CHORD_TICKS - 1) > CHORD_TICKS)
    motion = np.diff(np.maximum.reduceat(pitches, starts)).clip(-MAX_MOTION, MAX_MOTION) + MAX_MOTION
    gaps = np.diff(onsets[starts])
    values = np.array(GAP_SIXTEENTHS)
    sixteenth = find_sixteenth(gaps[:_GAPS_FOR_PULSE].tolist())
    gap = np.searchsorted(np.sqrt(values[:-1] * values[1:]), gaps / sixteenth, side="right")
    return (motion * len(values) + gap).astype(np.uint64)


def find_quotes(music: Mapping[str, Sequence[Moves]], training: Sequence[Moves]) -> dict[str, Quoting]:
    """How much of each kind of `music` occurs in `training`."""
    # All in one row: what reaches over a seam has the seam's mark in it, which no music has.
    learnt = np.concatenate([piece for part in training for piece in (part, _SEAM)])
    found = {length: _found(music, learnt, length) for length in RUNS}
    quotings = {}
    for name, phrases in music.items():
        shares = tuple(float(found[n][name].mean()) if len(found[n][name]) else float("nan") for n in RUNS)
        occurring = max((n for n in RUNS if found[n][name].any()), default=0)
        beyond = min((n for n in (*RUNS, _LONGEST) if n > occurring), default=_LONGEST)
        while occurring and beyond - occurring > 1:
            middle = (occurring + beyond) // 2
            if _found({name: phrases}, learnt, middle)[name].any():
                occurring = middle
            else:
                beyond = middle
        quotings[name] = Quoting(shares, occurring)
    return quotings


def _found(music: Mapping[str, Sequence[Moves]], learnt: Moves, length: int) -> dict[str, NDArray[np.bool_]]:
    """Of every run of `length` events in the music, whether it occurs in what was `learnt`."""
    known = np.unique(_runs(learnt, length))
    return {
        name: np.concatenate([_among(_runs(phrase, length), known) & _is_varied(phrase, length) for phrase in phrases])
        for name, phrases in music.items()
    }


def _among(runs: Moves, known: Moves) -> NDArray[np.bool_]:
    """Of each of `runs`, whether it is among `known`, which are sorted and many."""
    if not len(known):
        return np.zeros(len(runs), dtype=np.bool_)
    nearest = known[np.searchsorted(known, runs).clip(max=len(known) - 1)]
    return np.asarray(nearest == runs)


def _runs(moves: Moves, length: int) -> Moves:
    """Hashes of all runs of `length` events."""
    count = len(moves) - length + 1
    if count <= 0:
        return np.zeros(0, dtype=np.uint64)
    low = high = np.zeros(count, dtype=np.uint64)
    for offset in range(length):
        window = moves[offset : offset + count]
        low, high = mix(low, window), mix(high, window + np.uint64(7919))
    return high << np.uint64(32) | low


def _is_varied(moves: Moves, length: int) -> NDArray[np.bool_]:
    windows = [moves[start : start + length] for start in range(max(0, len(moves) - length + 1))]
    return np.array([len(set(window.tolist())) >= _LEAST_MOVES for window in windows], dtype=bool)
