"""Windows of tokens to learn from, drawn and augmented anew for every step by the generator they are given.

Where what is drawn ends before a window is full, more is drawn and follows it: so every window is filled, by music of
any length, and what comes before an end is learnt as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.music.note_rows import NoteRows, one_per_pitch
from antiphon.tokens.codec import Tokens
from antiphon.tokens.grid_tokens import (
    DURATION,
    HIGH_PITCH,
    LOW_PITCH,
    PITCH,
    folded,
    grid_tokens,
    nearest_step,
    split_bars,
    split_notes,
)
from antiphon.tokens.performance_codec import PerformanceCodec
from antiphon_export.training.pieces import TICKS_PER_SECOND, Piece, Shelf

_PART_SHARE = 0.3
"""How often one track of a piece is taken alone: players also hear a tune without its accompaniment."""
_USUAL_NOTES_PER_SECOND = 8.0
"""Pieces denser than this are drawn less often, in proportion: a bandmate leaves room."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How a window may differ from the piece it is taken from; each is drawn evenly."""

    transpose: tuple[int, int] = (-6, 5)
    """Semitones."""
    tempo: tuple[float, float] = (0.8, 1.25)
    """Factor of speed; for real time alone."""
    velocity: tuple[int, int] = (-12, 12)
    """Added to every MIDI velocity; for codecs that have velocities."""


STILL = Augmentation((0, 0), (1.0, 1.0), (0, 0))
"""No augmentation: for validation."""


class Windows(Protocol):
    """Where training draws from."""

    def draw(self, random: np.random.Generator, length: int, augmentation: Augmentation) -> Tokens:
        """One window of `length` tokens."""
        ...

    @property
    def tokens(self) -> int:
        """About how many tokens there are without augmentation."""
        ...


class PerformanceWindows:
    """Windows of performances: a stretch of notes is transposed, played faster or louder, then encoded."""

    def __init__(self, shelves: Sequence[Shelf], codec: PerformanceCodec) -> None:
        self._codec = codec
        self._parts = [part for shelf in shelves for piece in shelf.pieces for part in piece.parts]
        self._wholes = [piece.parts[0] for shelf in shelves for piece in shelf.pieces]
        self._pieces = [piece for shelf in shelves for piece in shelf.pieces]
        self._chances = np.concatenate([_piece_chances(shelf) for shelf in shelves])
        self._chances /= self._chances.sum()

    @property
    def tokens(self) -> int:
        """About how many tokens there are without augmentation."""
        return sum(len(self._codec.encode(whole)) for whole in self._wholes)

    def draw(self, random: np.random.Generator, length: int, augmentation: Augmentation) -> Tokens:
        """One window of `length` tokens, from a note on."""
        return filled(length, lambda: self._stretch(random, length, augmentation))

    def _stretch(self, random: np.random.Generator, length: int, augmentation: Augmentation) -> Tokens:
        """What comes from a note on: as much as fills a window, or all there is."""
        piece = self._pieces[random.choice(len(self._pieces), p=self._chances)]
        alone = len(piece.parts) > 1 and random.random() < _PART_SHARE
        rows = piece.parts[random.integers(1, len(piece.parts))] if alone else piece.parts[0]
        # A note takes two tokens at least, so this many notes always fill a window unless the piece ends.
        start = int(random.integers(max(1, len(rows) - length // 5)))
        return self._codec.encode(_augmented(rows[start : start + length // 2 + 1], random, augmentation))


def filled(length: int, draw: Callable[[], Tokens]) -> Tokens:
    """`length` tokens of one `draw` after the other, each of which has at least one."""
    taken = [draw()]
    while sum(map(len, taken)) < length:
        taken.append(draw())
    return np.concatenate(taken)[:length]


def _piece_chances(shelf: Shelf) -> NDArray[np.float64]:
    """How often each piece of a shelf is drawn: by its notes, less if it is dense; the shelf's weight in all."""
    notes = np.array([len(piece.parts[0]) for piece in shelf.pieces], dtype=np.float64)
    seconds = np.array([np.ptp(piece.parts[0][:, 0]) / TICKS_PER_SECOND for piece in shelf.pieces])
    density = notes / np.maximum(1.0, seconds)
    chances = notes * np.minimum(1.0, _USUAL_NOTES_PER_SECOND / density)
    share: NDArray[np.float64] = shelf.weight * chances / chances.sum()
    return share


def _augmented(rows: NoteRows, random: np.random.Generator, augmentation: Augmentation) -> NoteRows:
    moved = rows.copy()
    speed = np.exp(random.uniform(*np.log(augmentation.tempo)))
    # Silence at the start is not the window's; the grid of 10 ms falls anywhere.
    onset = (rows[:, 0] - rows[0, 0]) / speed + random.uniform(0, 10)
    moved[:, 2] = np.maximum(1, np.round(rows[:, 2] / speed))
    moved[:, 0] = np.round(onset)
    semitones = int(random.integers(augmentation.transpose[0], augmentation.transpose[1] + 1))
    low, high = int(rows[:, 1].min()), int(rows[:, 1].max())
    moved[:, 1] += min(max(semitones, -low), 127 - high)
    louder = int(random.integers(augmentation.velocity[0], augmentation.velocity[1] + 1))
    moved[:, 3] = (moved[:, 3] + louder).clip(1, 127)
    return moved


@dataclass(frozen=True, slots=True)
class Stream:
    """One piece or part as grid tokens."""

    tokens: Tokens
    low_pitch: int
    high_pitch: int


class GridWindows:
    """Windows of scores: slices of token streams, transposed in the tokens."""

    def __init__(self, shelves: Sequence[tuple[float, Sequence[Tokens]]]) -> None:
        """`shelves`: of each corpus its weight and its streams.

        Raises:
            AntiphonError: there is no stream.
        """
        self._streams: list[Stream] = []
        chances: list[NDArray[np.float64]] = []
        for weight, streams in shelves:
            lengths = np.array([len(stream) for stream in streams], dtype=np.float64)
            chances.append(weight * lengths / lengths.sum())
            self._streams += [_stream(tokens) for tokens in streams]
        if not self._streams:
            raise AntiphonError("there is nothing to learn from: no file in these folders could be read as a score")
        self._chances = np.concatenate(chances) / np.concatenate(chances).sum()

    @property
    def tokens(self) -> int:
        """How many tokens there are without augmentation."""
        return sum(len(stream.tokens) for stream in self._streams)

    def draw(self, random: np.random.Generator, length: int, augmentation: Augmentation) -> Tokens:
        """One window of `length` tokens, from any token on that leaves enough, or else from the first."""
        return filled(length, lambda: self._slice(random, length, augmentation))

    def _slice(self, random: np.random.Generator, length: int, augmentation: Augmentation) -> Tokens:
        stream = self._streams[random.choice(len(self._streams), p=self._chances)]
        start = int(random.integers(max(0, len(stream.tokens) - length) + 1))
        semitones = int(random.integers(augmentation.transpose[0], augmentation.transpose[1] + 1))
        semitones = min(max(semitones, LOW_PITCH - stream.low_pitch), HIGH_PITCH - stream.high_pitch)
        return transposed(stream.tokens[start : start + length], semitones)


def _stream(tokens: Tokens) -> Stream:
    pitches = tokens[(tokens >= PITCH) & (tokens < DURATION)] - PITCH + LOW_PITCH
    return Stream(tokens, int(pitches.min(initial=HIGH_PITCH)), int(pitches.max(initial=LOW_PITCH)))


def transposed(tokens: Tokens, semitones: int) -> Tokens:
    """Grid `tokens` with every pitch moved; all must stay on the piano."""
    is_pitch = (tokens >= PITCH) & (tokens < DURATION)
    return np.where(is_pitch, tokens + semitones, tokens)


def grid_streams(piece: Piece) -> list[Tokens]:
    """A score as grid tokens: all of it, then each of its parts, with the bars of its time signatures.

    Raises:
        AntiphonError: the piece has no bars: it is in real time.
    """
    if piece.bar_ticks is None:
        raise AntiphonError(f"{piece.name} is in real time; the grid codec needs scores")
    streams = []
    for part in piece.parts:
        onset, end = nearest_step(part[:, 0]), nearest_step(part[:, 0] + part[:, 2])
        notes = one_per_pitch(np.column_stack([onset, folded(part[:, 1]), np.maximum(onset + 1, end), part[:, 3]]))
        onsets, pitches, durations = split_notes(notes[:, 0], notes[:, 1], notes[:, 2] - notes[:, 0])
        # A line after the last note, itself not written, lets a long last bar be split like the others.
        lines = np.append(nearest_step(piece.bar_ticks), onsets.max() + 1)
        bars = np.concatenate([[0], split_bars(np.unique(lines), 0)])
        streams.append(grid_tokens(onsets, pitches, durations, bars[bars <= onsets.max()], 0))
    return streams
