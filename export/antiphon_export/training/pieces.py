"""Pieces of music as models learn them: in real time with pedals, or on a grid with bars. It draws no window."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.codec import NoteRows
from antiphon.errors import AntiphonError
from antiphon.notes import STEP_TICKS
from antiphon_export.midi_folder import Corpus, chorale_voices, read_midi

TICKS_PER_SECOND = 960
"""Real time in ticks: 480 a beat at 120 beats a minute."""
_MIN_PART_NOTES = 64
"""A track with fewer notes teaches nothing by itself."""
_VALID_IN = 16
"""Without a manifest, one work in so many is kept for validation."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece, whole and by its parts."""

    name: str
    """Name of its file, for reports."""
    parts: tuple[NoteRows, ...]
    """First all of it together; then, if there are several, each track with a line of its own."""
    bar_ticks: NDArray[np.int64] | None = None
    """Where bars begin, ascending, if ticks are beats; `None` if ticks are real time at 960 a second."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The pieces of one corpus, and how much they count."""

    name: str
    weight: float
    pieces: tuple[Piece, ...]

    @property
    def notes(self) -> int:
        """Notes of all pieces together."""
        return sum(len(piece.parts[0]) for piece in self.pieces)

    @property
    def origin(self) -> dict[str, Any]:
        """What a checkpoint says of it."""
        return {"name": self.name, "weight": self.weight, "pieces": len(self.pieces), "notes": self.notes}


ReadPieces = Callable[[Path, str], list[Piece]]
"""Reads a file; the second argument is the split, for files that hold several."""


def read_shelves(
    corpora: Sequence[Corpus],
    split: str,
    read: ReadPieces,
    *,
    report: Callable[[str], None] = lambda _: None,
    advance: Callable[[], None] = lambda: None,
) -> list[Shelf]:
    """The pieces of `split` of every corpus. A file that cannot be read is reported and left out.

    Raises:
        AntiphonError: nothing could be read at all.
    """
    shelves = []
    for corpus in corpora:
        pieces: list[Piece] = []
        for path in files_of(corpus, split):
            try:
                pieces += read(path, split)
            except AntiphonError as error:
                report(str(error))
            advance()
        if pieces:
            shelves.append(Shelf(corpus.name, corpus.weight, tuple(pieces)))
    if not shelves:
        raise AntiphonError(
            f"no music under {split!r} in {', '.join(str(corpus.folder) for corpus in corpora)}; "
            "a folder needs MIDI files, or a manifest.csv that names them with that split"
        )
    return shelves


def files_of(corpus: Corpus, split: str) -> list[Path]:
    """The files of a corpus for `split`, `train` or `valid`: as its manifest tells.

    Where no manifest names files for validation, one work in sixteen is kept for it: works are files with the same
    title, whatever collection and number stand before it. A file of chorales holds both splits.
    """
    named = corpus.splits()
    if named is not None and "valid" in named.values():
        return corpus.files(split)
    return [
        path
        for path in corpus.files()
        if path.suffix == ".json" or (zlib.crc32(_title(path).encode()) % _VALID_IN == 0) == (split == "valid")
    ]


def _title(path: Path) -> str:
    """`FF4PC_01_Prelude.mid` and `FF7Doremi_01-01_Prelude.mid` are one work."""
    return re.sub(r"^(\S+?_)?[\d-]+[_ .-]+", "", path.stem) or path.stem


def read_performance(path: Path, split: str) -> list[Piece]:
    """The piece in a MIDI file as it sounds: ticks are real time, 960 a second, and pedals are folded into lengths.

    Raises:
        AntiphonError: it cannot be read, or has no notes.
    """
    score = read_midi(path).to("second")
    tracks = []
    for track in score.tracks:
        if track.is_drum or not len(track.notes):
            continue
        rows = track_rows(track, TICKS_PER_SECOND)
        # An arrangement writes its pedals in one track, a piano roll in every track.
        tracks.append(_fold_pedals(rows, track.pedals.numpy() if len(track.pedals) else None))
    return [Piece(path.name, _parts(path, tracks))]


def read_score(path: Path, split: str) -> list[Piece]:
    """The piece in a MIDI file on its grid: ticks are 480 a beat, and bars are those of its time signatures.

    Chorales as JSON are read, too: of each split a list of pieces, each a list of sixteenths, each a list of voices'
    pitches.

    Raises:
        AntiphonError: it cannot be read, or has no notes.
    """
    if path.suffix == ".json":
        return _chorales(path, split)
    score = read_midi(path)
    scale = 480 / score.tpq
    tracks = [track_rows(track, scale) for track in score.tracks if not track.is_drum and len(track.notes)]
    parts = _parts(path, tracks)
    end = int((parts[0][:, 0] + parts[0][:, 2]).max())
    changes = [(round(change.time * scale), change.numerator, change.denominator) for change in score.time_signatures]
    return [Piece(path.name, parts, _bars(changes or [(0, 4, 4)], end))]


def track_rows(track: Any, ticks_per_unit: float) -> NoteRows:
    """The notes of a track of symusic's, `ticks_per_unit` of its own time."""
    columns = track.notes.numpy()
    onset = np.round(columns["time"] * ticks_per_unit).astype(np.int64)
    length = np.round(columns["duration"] * ticks_per_unit).astype(np.int64)
    velocity = columns["velocity"].astype(np.int64).clip(1, 127)
    return _sorted(np.column_stack([onset, columns["pitch"].astype(np.int64), length.clip(1), velocity]))


def _sorted(rows: NoteRows) -> NoteRows:
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def _parts(path: Path, tracks: Sequence[NoteRows]) -> tuple[NoteRows, ...]:
    if not tracks:
        raise AntiphonError(f"{path.name} has no notes")
    parts = [_sorted(np.concatenate(list(tracks)))]
    if len(tracks) > 1:
        parts += [track for track in tracks if len(track) >= _MIN_PART_NOTES]
    return tuple(parts)


def _fold_pedals(rows: NoteRows, pedals: dict[str, NDArray[Any]] | None) -> NoteRows:
    """`rows` with each note released under a pedal sounding until that comes up, or the key is struck again."""
    if pedals is None:
        return rows
    down = np.round(pedals["time"] * TICKS_PER_SECOND).astype(np.int64)
    up = down + np.round(pedals["duration"] * TICKS_PER_SECOND).astype(np.int64)
    end = rows[:, 0] + rows[:, 2]
    index = np.searchsorted(down, end, side="right") - 1
    under = (index >= 0) & (end < up[index.clip(0)])
    end = np.where(under, up[index.clip(0)], end)
    by_pitch = np.lexsort((rows[:, 0], rows[:, 1]))
    same = np.diff(rows[by_pitch, 1]) == 0
    following = np.full(len(rows), np.iinfo(np.int64).max)
    following[by_pitch[:-1][same]] = rows[by_pitch[1:][same], 0]
    folded = rows.copy()
    folded[:, 2] = (np.minimum(end, np.maximum(following, rows[:, 0] + 1)) - rows[:, 0]).clip(1)
    return folded


def _bars(changes: Sequence[tuple[int, int, int]], end_ticks: int) -> NDArray[np.int64]:
    """Where bars begin up to `end_ticks`, for time signatures `changes`: (ticks, numerator, denominator).

    Bars of one or two quarter notes are joined to bars of four: a score's 2/4 is a stage's 4/4.
    """
    latest = {ticks: (numerator, denominator) for ticks, numerator, denominator in changes}
    places = sorted(latest)
    bars: list[int] = []
    for place, following in zip(places, [*places[1:], end_ticks + 1], strict=True):
        numerator, denominator = latest[place]
        length = 1920 * numerator // denominator
        if length in (480, 960):
            length = 1920
        bars += range(place, following, max(STEP_TICKS, length))
    return np.array(bars, dtype=np.int64)


def _chorales(path: Path, split: str) -> list[Piece]:
    try:
        chorales = json.loads(path.read_text(encoding="utf-8"))[split]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AntiphonError(f"{path.name} has no chorales under {split!r}: {type(error).__name__}: {error}") from error
    return [
        Piece(
            f"{path.name}[{split}][{number}]",
            _parts(path, chorale_voices(chorale)),
            np.arange(0, STEP_TICKS * len(chorale), 1920),
        )
        for number, chorale in enumerate(chorales)
    ]
