"""Whether an answer has to do with its call at all: a pulse taken up, never one answer for all, where the beat is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from antiphon.music.note_rows import NoteRows, rows_of
from antiphon.notes import STEP_TICKS, Note, Phrase
from antiphon.tokens.grid_tokens import DURATION, PITCH
from antiphon_export.evaluate import Score
from antiphon_export.report.events import onsets_of
from antiphon_export.report.excerpts import displacement
from antiphon_export.report.pulse import coherence
from antiphon_export.training.pieces import TICKS_PER_SECOND, Piece
from antiphon_export.training.windows import grid_streams

PULSE_BPM: Final = 100.0
NOISE_SECONDS: Final = 0.02
_EIGHTHS: Final = 32
_TUNE: Final = (0, 4, 7, 4, 2, 5, 7, 5, 4, 7, 12, 7, 5, 4, 2, 0)
_ALIKE: Final = 12
"""Answers that begin with so many notes of the same pitches are the same answer."""
_WINDOW: Final = 513
"""Tokens of each piece whose NLL is taken."""


@dataclass(frozen=True, slots=True)
class MovedBeat:
    """NLL in nats a note, as a piece is and with its notes a sixteenth beside its beats."""

    aligned: float
    moved: float

    @property
    def difference(self) -> float:
        """Above 0 for a model that knows where the beat is."""
        return self.moved - self.aligned


def eighths(beat_ticks: int, semitones: int, noise_ticks: int = 0, random: np.random.Generator | None = None) -> Phrase:
    """Four bars of a tune in even eighths on C + `semitones`; each onset up to `noise_ticks` early or late."""
    eighth = beat_ticks // 2
    notes = []
    for number in range(_EIGHTHS):
        late = 0 if random is None else int(random.integers(-noise_ticks, noise_ticks + 1))
        pitch = 60 + semitones + _TUNE[number % len(_TUNE)]
        notes.append(Note(max(0, number * eighth + late), pitch, eighth * 4 // 5, 72 if number % 2 else 80))
    return Phrase.of(notes, 0, _EIGHTHS * eighth)


def noise_ticks(beat_ticks: int, bpm: float = PULSE_BPM) -> int:
    """20 ms, in ticks of beats at that tempo."""
    return round(NOISE_SECONDS * beat_ticks * bpm / 60)


def eighth_coherence(phrase: Phrase, beat_ticks: int) -> float:
    """`pulse.coherence` of its onsets with eighths; NaN of fewer than 3 onsets, which agree with anything."""
    onsets = onsets_of(rows_of(phrase.notes))
    return coherence(onsets, beat_ticks / 2) if len(onsets) >= 3 else float("nan")


def random_coherence(counts: Sequence[int], random: np.random.Generator, trials: int = 200) -> float:
    """What onsets strewn at random have, as many at a time as each of `counts`."""
    found = [
        np.abs(np.exp(2j * np.pi * random.random((trials, count))).mean(axis=1)).mean() for count in counts if count
    ]
    return float(np.mean(found)) if found else float("nan")


def same_answers(answers: Iterable[tuple[int, Phrase, Phrase]]) -> int:
    """How many answers begin, with 12 notes of the same pitches, as one to a different call with the same seed does.

    `answers`: seed, call, answer. Calls of the same pitches are the same call.
    """
    calls: dict[tuple[int, tuple[int, ...]], list[tuple[int, ...]]] = {}
    for seed, call, answer in answers:
        if len(answer.notes) >= _ALIKE:
            calls.setdefault((seed, _pitches(answer)[:_ALIKE]), []).append(_pitches(call))
    return sum(len(alike) for alike in calls.values() if len(set(alike)) > 1)


def _pitches(phrase: Phrase) -> tuple[int, ...]:
    return tuple(note.pitch for note in phrase.notes)


def moved_beat(score: Score, pieces: Iterable[Piece]) -> MovedBeat | None:
    """NLL of the beginnings of pieces on their beats, and a sixteenth behind them; None of no piece.

    `score`: NLL of windows [B, T + 1] of grid tokens, [B, T]. A piece that lies beside its file's sixteenths is put on
    them first.
    """
    totals, notes = [0.0, 0.0], [0, 0]
    for piece in pieces:
        if piece.bar_ticks is None:
            continue
        rows = piece.parts[0] - np.array([displacement(piece.parts[0][:, 0]), 0, 0, 0])
        rows = rows[rows[:, 0] >= 0]
        for number, late in enumerate((0, STEP_TICKS)):
            window = grid_streams(Piece(piece.name, (_later(rows, late),), piece.bar_ticks))[0][:_WINDOW]
            totals[number] += float(score(window[None]).sum())
            notes[number] += int(((window[1:] >= PITCH) & (window[1:] < DURATION)).sum())
    return MovedBeat(totals[0] / notes[0], totals[1] / notes[1]) if min(notes) else None


def _later(rows: NoteRows, ticks: int) -> NoteRows:
    moved: NoteRows = rows + np.array([ticks, 0, 0, 0])
    return moved


def beat_ticks_at(bpm: float, *, to_the_beat: bool) -> int:
    """A beat at that tempo: 480 ticks for who follows beats; for who plays in free time, as many as it lasts."""
    return 480 if to_the_beat else round(60 / bpm * TICKS_PER_SECOND)
