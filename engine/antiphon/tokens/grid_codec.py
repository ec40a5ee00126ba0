"""Music on a grid of sixteenths as tokens: bars, and notes with their place in the bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from antiphon.generator import Constraints
from antiphon.music.note_rows import NoteRows, one_per_pitch
from antiphon.notes import STEP_TICKS
from antiphon.tokens.codec import Tokens
from antiphon.tokens.grid_tokens import (
    BAR,
    DURATION,
    LONGEST_NOTE,
    LOW_PITCH,
    OFFSET,
    PITCH,
    VOCABULARY,
    Steps,
    barlines,
    folded,
    grid_tokens,
    nearest_step,
    split_notes,
    step_from,
)
from antiphon.tokens.grid_writer import GridWriter

_SHORTEST_GUESS: Final = 4
"""Steps, a quarter note: how long a key is thought to stay down when it has just been pressed."""


@dataclass(frozen=True, slots=True)
class GridCodec:
    """The codec of the LSTM and Transformer study, for music whose bars are all of one length.

    A barline is OFFSET BAR; a note is OFFSET PITCH DURATION; offsets count from the last barline. In order of time;
    of one time the barline first, then from the lowest pitch up. The first event is the barline at or before the
    first note.
    """

    name: ClassVar[str] = "grid"
    version: ClassVar[int] = 1
    vocabulary: ClassVar[int] = VOCABULARY

    bar_ticks: int = 1920
    """Length of a bar; bars begin at multiples of it. At least 120."""
    velocity: int = 80
    """Velocity of all decoded notes, 1 to 127: the tokens tell none."""

    def __post_init__(self) -> None:
        if self.bar_ticks < STEP_TICKS:
            raise ValueError(f"bar_ticks is {self.bar_ticks}; allowed {STEP_TICKS} and more: a bar has a sixteenth")
        if not 1 <= self.velocity <= 127:
            raise ValueError(f"velocity is {self.velocity}; allowed 1 to 127")

    def encode(self, rows: NoteRows, until_ticks: int | None = None) -> Tokens:
        """See `Codec.encode`. The length of a held note is a guess, which changes seldom; all else is append-only.

        A note whose length is known keeps it, even if it sounds beyond `until_ticks`.
        """
        now = None if until_ticks is None else step_from(until_ticks)
        if until_ticks is not None:
            rows = rows[rows[:, 0] <= until_ticks]
        notes = self._steps(rows, now)
        onsets, pitches, durations = split_notes(notes[:, 0], notes[:, 1], notes[:, 2] - notes[:, 0])
        if now is not None:
            begun = onsets <= now
            onsets, pitches, durations = onsets[begun], pitches[begun], durations[begun]
        if not len(onsets) and now is None:
            return np.zeros(0, dtype=np.int64)
        first = int(onsets.min()) if len(onsets) else now or 0
        last = int(onsets.max()) if now is None else now
        bars = barlines(self.bar_ticks, first, last)
        return grid_tokens(onsets, pitches, durations, bars, origin=int(bars[0]))

    def decode(self, tokens: Tokens, start_ticks: int) -> NoteRows:
        """See `Codec.decode`: `start_ticks` is the barline from which offsets count before the first barline."""
        places = np.flatnonzero((tokens >= OFFSET) & (tokens < PITCH))
        # A stream may break off anywhere: behind its end stand tokens that complete nothing.
        padded = np.concatenate([tokens, [OFFSET, OFFSET]])
        offsets, second, third = padded[places] - OFFSET, padded[places + 1], padded[places + 2]
        bars = np.cumsum(np.where(second == BAR, offsets, 0))
        is_note = (second >= PITCH) & (second < DURATION) & (third >= DURATION)
        onsets = nearest_step(np.array(start_ticks)) + (bars + offsets)[is_note]
        return self._rows(onsets, second[is_note] - PITCH + LOW_PITCH, third[is_note] - DURATION + 1)

    def start_ticks(self, rows: NoteRows) -> int:
        """See `Codec.start_ticks`: the barline at or before the first note."""
        if not len(rows):
            return 0
        onset = int(nearest_step(rows[0, 0]))
        return int(barlines(self.bar_ticks, onset, onset)[0]) * STEP_TICKS

    def quantise(self, rows: NoteRows) -> NoteRows:
        """See `Codec.quantise`: onsets and ends on the nearest sixteenth, at least one long; notes longer than 32
        sixteenths struck again after every 32; pitches moved by octaves into 21 to 108; a note struck again while
        it sounds ends there; notes struck together are one, the longest; a held note as long as `encode` guesses.
        """
        notes = self._steps(rows, None)
        return self._rows(*split_notes(notes[:, 0], notes[:, 1], notes[:, 2] - notes[:, 0]))

    def writer(
        self, start_ticks: int, constraints: Constraints = Constraints(), context: Tokens | None = None
    ) -> GridWriter:
        """See `Codec.writer`. Without a context, as after the barline at or before the start."""
        return GridWriter(self.bar_ticks, self.velocity, start_ticks, constraints, context)

    def _steps(self, rows: NoteRows, now: int | None) -> NoteRows:
        """Columns onset, pitch, end, velocity; times in steps; one note a pitch; in order of pitch, then onset.

        Held notes have come to step `now`, or else to the last event.
        """
        onsets = nearest_step(rows[:, 0])
        ends = np.maximum(onsets + 1, nearest_step(rows[:, 0] + rows[:, 2]))
        held = rows[:, 2] <= 0
        if held.any():
            elapsed = (int(ends.max()) if now is None else now) - onsets
            ends = np.where(held, onsets + _guessed_lengths(elapsed), ends)
        return one_per_pitch(np.column_stack([onsets, folded(rows[:, 1]), ends, rows[:, 3]]))

    def _rows(self, onsets: Steps, pitches: NDArray[np.int64], durations: Steps) -> NoteRows:
        """In score order."""
        velocities = np.full(len(onsets), self.velocity, dtype=np.int64)
        rows = np.column_stack([onsets * STEP_TICKS, pitches, durations * STEP_TICKS, velocities])
        return rows[np.lexsort((pitches, onsets))]


def _guessed_lengths(elapsed: Steps) -> Steps:
    """How long held notes may come to be: the least of 4, 8, 16, 32, 64, 96, … steps not below what has passed.

    As seldom another as can be, for with it change all tokens after the note.
    """
    doublings = np.ceil(np.log2(np.clip(elapsed, _SHORTEST_GUESS, LONGEST_NOTE) / _SHORTEST_GUESS)).astype(np.int64)
    whole = -(-elapsed // LONGEST_NOTE) * LONGEST_NOTE
    return np.where(elapsed > LONGEST_NOTE, whole, _SHORTEST_GUESS << doublings)
