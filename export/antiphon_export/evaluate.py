"""How well a model foretells music: NLL per token and per note, by protocols that a stranger can repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.tokens.codec import Tokens
from antiphon.tokens.codecs import codec_named
from antiphon.tokens.grid_tokens import DURATION, PITCH
from antiphon.tokens.performance_tokens import NOTE_OFF
from antiphon_export.midi_folder import Corpus
from antiphon_export.notes.pieces import score_reader
from antiphon_export.study_data import STUDY_WINDOW, study_tokens
from antiphon_export.tokens.chorales import CHORALES, VOCABULARY, chorale_streams
from antiphon_export.training.pieces import Piece, read_performance, read_shelves
from antiphon_export.training.windows import grid_streams

Score = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""NLL in nats of every token but the first of windows [B, T + 1], each from a cold start; [B, T]."""

_NOTES: Final = {"grid": range(PITCH, DURATION), "performance": range(NOTE_OFF), CHORALES: range(VOCABULARY)}
"""Tokens that begin a note, by codec; of chorales every token is one."""
_PIECE_WINDOW: Final = 1025


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was found."""

    nll_per_token: float
    """Nats, mean over all tokens that were foretold."""
    nll_per_note: float
    """Nats, all tokens' together over the number of notes among them: comparable between codecs."""
    windows: int
    """Windows evaluated."""
    windows_in_all: int
    """Windows that the protocol has in these files."""
    tokens: int
    """Tokens foretold."""


def evaluate(
    score: Score,
    windows: Sequence[Tokens],
    codec: str,
    *,
    every: int = 1,
    batch: int = 32,
    advance: Callable[[int], None] = lambda _: None,
) -> Evaluation:
    """Evaluate on each `every`-th of `windows`, which may differ in length; `advance` is told how many are done.

    Raises:
        AntiphonError: there is no window.
    """
    chosen = windows[::every]
    if not chosen:
        raise AntiphonError("there is nothing to evaluate on: no file is as long as a window of this protocol")
    begins_note = _NOTES[codec]
    total = 0.0
    done = tokens = notes = 0
    for together in _batches(chosen, batch):
        foretold = together[:, 1:]  # [B, T]
        total += float(score(together).sum())
        tokens += foretold.size
        notes += int(((foretold >= begins_note.start) & (foretold < begins_note.stop)).sum())
        done += len(together)
        advance(done)
    return Evaluation(total / tokens, total / max(1, notes), done, len(windows), tokens)


def _batches(windows: Sequence[Tokens], size: int) -> Iterator[NDArray[np.int64]]:
    """Windows [B, T + 1] in their order, as many together as are of one length, `size` at most."""
    for _, group in groupby(windows, key=len):
        alike = list(group)
        for first in range(0, len(alike), size):
            yield np.stack(alike[first : first + size])


def study_windows(folder: Path) -> list[Tokens]:
    """Every window of 257 tokens, one token apart, of the files in a folder, read as the study reads them.

    Raises:
        AntiphonError: there is no MIDI file, or one cannot be read.
    """
    paths = sorted(folder.glob("*.mid"))
    if not paths:
        raise AntiphonError(f"{str(folder)!r} has no .mid files")
    return windows_of_streams(map(study_tokens, paths))


def windows_of_streams(streams: Iterable[Tokens]) -> list[Tokens]:
    """Every window of 257 tokens, one token apart."""
    return [
        stream[start : start + STUDY_WINDOW] for stream in streams for start in range(len(stream) - STUDY_WINDOW + 1)
    ]


def piece_windows(
    folder: Path, codec: str, report: Callable[[str], None], *, align: bool = False, beats: Path | None = None
) -> list[Tokens]:
    """The validation pieces of a folder in windows of 1,025 tokens, each begun with the last token of the one before.

    Raises:
        AntiphonError: there is no piece for validation.
    """
    read = read_performance if codec == "performance" else score_reader(align, beats)
    (shelf,) = read_shelves([Corpus(folder)], "valid", read, report=report)
    return windows_of_pieces(shelf.pieces, codec)


def windows_of_pieces(pieces: Sequence[Piece], codec: str) -> list[Tokens]:
    """Whole pieces in windows of 1,025 tokens, each begun with the last token of the one before."""
    words = codec_named(codec)
    streams = [words.encode(piece.parts[0]) if piece.bar_ticks is None else grid_streams(piece)[0] for piece in pieces]
    return [
        stream[start : start + _PIECE_WINDOW]
        for stream in streams
        for start in range(0, max(1, len(stream) - 1), _PIECE_WINDOW - 1)
    ]


def chorale_windows(folder: Path) -> list[Tokens]:
    """The validation chorales of a folder's JSON files, each whole."""
    return chorale_streams(Corpus(folder), "valid")
