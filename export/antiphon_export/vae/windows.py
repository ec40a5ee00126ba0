"""Windows of a few bars as piano rolls, drawn and transposed anew for every step. They are kept as notes, not rolls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.music.note_rows import NoteRows, one_per_pitch
from antiphon.rolls.roll import CHANNELS, HOLD, KEYS, ONSET, VELOCITY, Roll
from antiphon.tokens.grid_tokens import LOW_PITCH, nearest_step
from antiphon_export.training.pieces import Piece, Shelf

FEWEST_NOTES: Final = 4
"""A window with fewer says nothing about music."""
_PART_SHARE: Final = 0.15
"""How often a window is one of a single track: players also play a tune without its accompaniment."""


@dataclass(frozen=True, slots=True)
class WindowSet:
    """Windows of one length, each a run of notes in one table."""

    notes: NDArray[np.uint8]
    """Columns step (from the window's start), key, length in steps (cut at the window's end), velocity; [N, 4]."""
    firsts: NDArray[np.int64]
    """Row at which each window begins, and at the end the number of rows; [windows + 1]."""
    steps: int
    """Sixteenths of a window."""

    def __len__(self) -> int:
        return len(self.firsts) - 1

    def rolls(
        self, chosen: NDArray[np.int64], semitones: NDArray[np.int64] | int = 0, louder: NDArray[np.int64] | int = 0
    ) -> Roll:
        """Rolls [B, steps, 3, 88] of the windows `chosen` [B], each moved by `semitones`, with `louder` added to its
        velocities.

        Notes that leave the piano are left out.
        """
        counts = self.firsts[chosen + 1] - self.firsts[chosen]
        window = np.repeat(np.arange(len(chosen)), counts)
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = self.notes[np.repeat(self.firsts[chosen], counts) + within].astype(np.int64)
        key = rows[:, 1] + np.broadcast_to(semitones, len(chosen))[window]
        inside = (key >= 0) & (key < KEYS)
        window, key, rows = window[inside], key[inside], rows[inside]
        step, length = rows[:, 0], rows[:, 2]
        roll = np.zeros((len(chosen), self.steps, CHANNELS, KEYS), dtype=np.float32)
        roll[window, step, ONSET, key] = 1
        velocity = (rows[:, 3] + np.broadcast_to(louder, len(chosen))[window]).clip(1, 127)
        roll[window, step, VELOCITY, key] = velocity / np.float32(127)
        changes = np.zeros((len(chosen), self.steps + 2, KEYS), dtype=np.int8)
        # Two notes of one key may touch, but a change of either kind falls on a cell only once.
        changes[window, step + 1, key] += 1
        changes[window, step + length, key] -= 1
        np.cumsum(changes[:, : self.steps], axis=1, dtype=np.int8, out=changes[:, : self.steps])
        roll[:, :, HOLD] = changes[:, : self.steps]
        return roll


def windows_of_piece(rows: NoteRows, bar_ticks: NDArray[np.int64], steps: int) -> list[NDArray[np.uint8]]:
    """The notes of each window of `steps` sixteenths that begins with a bar and has at least four notes.

    Columns as in `WindowSet.notes`. What `antiphon.rolls.roll.roll_of` leaves out is left out here.
    """
    rows = rows[(rows[:, 1] >= LOW_PITCH) & (rows[:, 1] < LOW_PITCH + KEYS)]
    onset, end = nearest_step(rows[:, 0]), nearest_step(rows[:, 0] + rows[:, 2])
    notes = one_per_pitch(np.column_stack([onset, rows[:, 1] - LOW_PITCH, np.maximum(onset + 1, end), rows[:, 3]]))
    notes = notes[np.lexsort((notes[:, 1], notes[:, 0]))]
    starts = np.unique(nearest_step(bar_ticks))
    windows = []
    firsts = np.searchsorted(notes[:, 0], starts)
    lasts = np.searchsorted(notes[:, 0], starts + steps)
    for start, first, last in zip(starts, firsts, lasts, strict=True):
        if last - first < FEWEST_NOTES:
            continue
        taken = notes[first:last].copy()
        taken[:, 0] -= start
        taken[:, 2] = np.minimum(taken[:, 2] - start, steps) - taken[:, 0]
        windows.append(taken.astype(np.uint8))
    return windows


def window_set(windows: Sequence[NDArray[np.uint8]], steps: int) -> WindowSet:
    """`windows`, each as `windows_of_piece` gives it, in one table."""
    firsts = np.concatenate([[0], np.cumsum([len(window) for window in windows])]).astype(np.int64)
    notes = np.concatenate([np.zeros((0, 4), np.uint8), *windows])
    return WindowSet(notes, firsts, steps)


def whole_windows(pieces: Sequence[Piece], steps: int) -> WindowSet:
    """Windows of whole pieces, all tracks together.

    Raises:
        AntiphonError: a piece is in real time, without bars.
    """
    return window_set([window for piece in pieces for window in _windows(piece, 0, 1, steps)], steps)


class Source:
    """Windows of several corpora, drawn by the weights of these; within a corpus, each window as often as another."""

    def __init__(self, shelves: Sequence[Shelf], steps: int) -> None:
        """Raises AntiphonError if a corpus has no window with enough notes."""
        self._sets: list[tuple[WindowSet, WindowSet]] = []
        self._weights = np.array([shelf.weight for shelf in shelves]) / sum(shelf.weight for shelf in shelves)
        for shelf in shelves:
            wholes = whole_windows(shelf.pieces, steps)
            if not len(wholes):
                raise AntiphonError(f"{shelf.name!r} has no {steps} sixteenths with at least {FEWEST_NOTES} notes")
            parts = [window for piece in shelf.pieces for window in _windows(piece, 1, len(piece.parts), steps)]
            self._sets.append((wholes, window_set(parts, steps)))

    def __len__(self) -> int:
        """Windows of whole pieces, without augmentation."""
        return sum(len(wholes) for wholes, _ in self._sets)

    def draw(
        self, random: np.random.Generator, count: int, transpose: tuple[int, int], velocity: tuple[int, int]
    ) -> Roll:
        """`count` windows [count, steps, 3, 88], each moved by semitones and its velocities by as much as is drawn
        evenly from the lowest to the highest of `transpose` and `velocity`.
        """
        shelf = random.choice(len(self._sets), size=count, p=self._weights)
        alone = random.random(count) < _PART_SHARE
        rolls = []
        for number, (wholes, parts) in enumerate(self._sets):
            single = int((alone & (shelf == number)).sum()) if len(parts) else 0
            together = int((shelf == number).sum()) - single
            for windows, wanted in ((wholes, together), (parts, single)):
                if wanted:
                    chosen = random.integers(len(windows), size=wanted)
                    semitones = random.integers(transpose[0], transpose[1] + 1, size=wanted)
                    louder = random.integers(velocity[0], velocity[1] + 1, size=wanted)
                    rolls.append(windows.rolls(chosen, semitones, louder))
        return np.concatenate(rolls)


def _windows(piece: Piece, first: int, last: int, steps: int) -> list[NDArray[np.uint8]]:
    if piece.bar_ticks is None:
        raise AntiphonError(f"{piece.name} is in real time; rolls need scores")
    bars = piece.bar_ticks
    return [window for part in piece.parts[first:last] for window in windows_of_piece(part, bars, steps)]
