"""Free-time music as tokens, ten milliseconds a step: the keys as they go down and up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from antiphon.generator import Constraints
from antiphon.music.note_rows import NoteRows, one_per_pitch, rows_at
from antiphon.tokens.codec import Tokens
from antiphon.tokens.performance_tokens import (
    LONGEST_SHIFT,
    NOTE_OFF,
    NOTE_ON,
    TIME_SHIFT,
    VELOCITY,
    VELOCITY_BIN,
    VOCABULARY,
    shifts,
    step_from,
)
from antiphon.tokens.performance_writer import PerformanceWriter

_HELD: Final = 1 << 40
"""End, in steps, of a note whose key is still down: later than any other."""
_UNTOLD_VELOCITY: Final = 64
"""Velocity of notes before the first velocity token, which no encoding has."""


@dataclass(frozen=True, slots=True)
class PerformanceCodec:
    """The event codec of expressive performance (Oore et al., This Time with Feeling, 2018), in steps of 10 ms.

    Within a step, keys come up before others go down, each from the lowest up. Time before the first note and
    velocities that do not change are not written.
    """

    name: ClassVar[str] = "performance"
    version: ClassVar[int] = 1
    vocabulary: ClassVar[int] = VOCABULARY

    tempo_bpm: float = 120.0
    """Tempo in quarter notes a minute, which tells how many ticks a step is; 15 and more."""

    def __post_init__(self) -> None:
        if not self.tempo_bpm >= 15:
            raise ValueError(f"tempo_bpm is {self.tempo_bpm:g}; allowed 15 and more: a step must be longer than a tick")

    @property
    def step_ticks(self) -> float:
        """Ticks of 10 ms: 9.6 at 120 bpm."""
        return 8 * self.tempo_bpm / 100

    def encode(self, rows: NoteRows, until_ticks: int | None = None) -> Tokens:
        """See `Codec.encode`. Append-only: what comes later changes nothing before the step that is now."""
        if until_ticks is not None:
            rows = rows_at(rows, until_ticks)
        if not len(rows):
            return shifts(0 if until_ticks is None else LONGEST_SHIFT)
        notes = one_per_pitch(self._steps(rows))
        closed = notes[notes[:, 2] < _HELD]
        # One number per event, sorted: the step, then up before down, then the pitch.
        down = notes[:, 0] << 8 | 128 | notes[:, 1]
        up = closed[:, 2] << 8 | closed[:, 1]
        keys = np.concatenate([down, up])
        order = np.argsort(keys)
        keys = keys[order]
        steps = keys >> 8
        is_down = (keys & 128).astype(np.bool_)

        bins = notes[order[is_down], 3] // VELOCITY_BIN
        tells = np.zeros(len(keys), dtype=np.bool_)
        tells[is_down] = np.diff(bins, prepend=-1) != 0
        elapsed = np.diff(steps, prepend=steps[0])
        # Each event is its time shifts, its velocity if that changes, and itself.
        ends = np.cumsum(-(-elapsed // LONGEST_SHIFT) + tells + 1)
        tokens = np.full(ends[-1], TIME_SHIFT + LONGEST_SHIFT - 1, dtype=np.int64)
        tokens[ends - 1] = np.where(is_down, NOTE_ON, NOTE_OFF) + (keys & 127)
        tokens[ends[tells] - 2] = VELOCITY + bins[tells[is_down]]
        waits = elapsed > 0
        tokens[(ends - 2 - tells)[waits]] = TIME_SHIFT + (elapsed[waits] - 1) % LONGEST_SHIFT
        if until_ticks is None:
            return tokens
        return np.concatenate([tokens, shifts(step_from(until_ticks, self.step_ticks) - int(steps[-1]))])

    def decode(self, tokens: Tokens, start_ticks: int) -> NoteRows:
        """See `Codec.decode`: `start_ticks` goes to the nearest step; a key that never comes up has length 0."""
        step = int(self._nearest(np.array(start_ticks)))
        velocity = _UNTOLD_VELOCITY
        sounding: dict[int, tuple[int, int]] = {}
        notes: list[tuple[int, int, int, int]] = []
        for token in tokens.tolist():
            if token >= VELOCITY:
                velocity = (token - VELOCITY) * VELOCITY_BIN + VELOCITY_BIN // 2
            elif token >= TIME_SHIFT:
                step += token - TIME_SHIFT + 1
            else:
                pitch = token & 127
                if pitch in sounding and sounding[pitch][0] < step:
                    onset, loudness = sounding.pop(pitch)
                    notes.append((onset, pitch, step, loudness))
                if token < NOTE_OFF:
                    sounding[pitch] = (step, velocity)
        notes += [(onset, pitch, _HELD, loudness) for pitch, (onset, loudness) in sounding.items()]
        return self._rows(np.array(notes, dtype=np.int64).reshape(-1, 4))

    def start_ticks(self, rows: NoteRows) -> int:
        """See `Codec.start_ticks`: the onset of the first note, on its step."""
        return int(self._ticks(self._nearest(rows[0, 0]))) if len(rows) else 0

    def quantise(self, rows: NoteRows) -> NoteRows:
        """See `Codec.quantise`: onsets and ends on the nearest step, at least one step long; velocities in the middle
        of their bin; a note struck again while it sounds ends there; notes struck together are one, the loudest
        and longest.
        """
        notes = one_per_pitch(self._steps(rows))
        notes[:, 3] = notes[:, 3] // VELOCITY_BIN * VELOCITY_BIN + VELOCITY_BIN // 2
        return self._rows(notes)

    def writer(
        self, start_ticks: int, constraints: Constraints = Constraints(), context: Tokens | None = None
    ) -> PerformanceWriter:
        """See `Codec.writer`."""
        return PerformanceWriter(self.step_ticks, start_ticks, constraints, context)

    def _steps(self, rows: NoteRows) -> NoteRows:
        """Columns onset, pitch, end, velocity; times in steps."""
        onsets = self._nearest(rows[:, 0])
        ends = np.maximum(onsets + 1, self._nearest(rows[:, 0] + rows[:, 2]))
        return np.column_stack([onsets, rows[:, 1], np.where(rows[:, 2] > 0, ends, _HELD), rows[:, 3]])

    def _rows(self, steps: NoteRows) -> NoteRows:
        """The reverse of `_steps`, in score order."""
        onsets = self._ticks(steps[:, 0])
        lengths = np.where(steps[:, 2] < _HELD, self._ticks(steps[:, 2]) - onsets, 0)
        rows = np.column_stack([onsets, steps[:, 1], lengths, steps[:, 3]])
        return rows[np.lexsort((rows[:, 1], onsets))]

    def _nearest(self, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        steps: NDArray[np.int64] = np.floor(ticks / self.step_ticks + 0.5).astype(np.int64)
        return steps

    def _ticks(self, steps: NDArray[np.int64]) -> NDArray[np.int64]:
        ticks: NDArray[np.int64] = np.floor(steps * self.step_ticks + 0.5).astype(np.int64)
        return ticks
