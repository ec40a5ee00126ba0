"""Pieces of music as models learn them: in real time with pedals, or on a grid with bars. It draws no window."""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.music.note_rows import NoteRows
from antiphon.notes import STEP_TICKS, TICKS_PER_BEAT
from antiphon_export.midi_folder import Corpus, chorale_voices, holds_chorales, read_chorales, read_midi
from antiphon_export.midi_notes import melodic, rows_of_table
from antiphon_export.training.rests import shortening

TICKS_PER_SECOND = 960
"""Real time in ticks: 480 a beat at 120 beats a minute."""
LEAST_PART_NOTES = 64
"""A track with fewer notes teaches nothing by itself."""
_VALID_IN = 16
"""Without a manifest, one work in so many is kept for validation."""
_MOST_OF_A_WORK = 4
"""Where there are more files than these to a title, on average, titles tell no works apart."""
_LONGEST_REST_TICKS = 10 * TICKS_PER_SECOND
"""In real time, nothing beginning for longer than this is a rest to cut."""
_LONGEST_REST_BARS = 4
"""The same on the grid."""


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
        AntiphonError: nothing could be read at all, or a manifest is none.
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


def folder_of(name: str, corpora: Sequence[Corpus]) -> Path:
    """The folder of the corpus whose shelf is called `name`."""
    return next(corpus.folder for corpus in corpora if corpus.name == name)


def files_of(corpus: Corpus, split: str) -> list[Path]:
    """The files of a corpus for `split`, `train` or `valid`: as its manifest tells.

    Where no manifest names files for validation, one work in sixteen is kept for it, and at least one of two: works are
    files with the same title, whatever collection and number stand before it. A file of chorales holds both splits.
    """
    named = corpus.splits()
    if named is not None and "valid" in named.values():
        return corpus.files(split)
    files = corpus.files()
    works = _works([path for path in files if not holds_chorales(path)])
    kept = {title for title in works if zlib.crc32(title.encode()) % _VALID_IN == 0}
    if len(works) > 1 and len(kept) in (0, len(works)):
        kept = {min(works, key=lambda title: zlib.crc32(title.encode()))}
    valid = {path for title in kept for path in works[title]}
    return [path for path in files if holds_chorales(path) or (path in valid) == (split == "valid")]


def _works(files: Sequence[Path]) -> dict[str, list[Path]]:
    """Files by their titles, or by their whole names where titles are all but the same."""
    works = defaultdict(list)
    for path in files:
        works[_title(path)].append(path)
    if len(files) > _MOST_OF_A_WORK * len(works) or len(works) == 1:
        return {str(path): [path] for path in files}
    return works


def _title(path: Path) -> str:
    """`FF4PC_01_Prelude.mid` and `FF7Doremi_01-01_Prelude.mid` are one work."""
    return re.sub(r"^(\S+?_)?[\d-]+[_ .-]+", "", path.stem) or path.stem


def read_performance(path: Path, split: str) -> list[Piece]:
    """The piece in a MIDI file as it sounds: ticks are real time, 960 a second, and pedals are folded into lengths.

    Raises:
        AntiphonError: it cannot be read, or has no notes.
    """
    file = read_midi(path).to("second")
    parts = _parts(path, [rows_of_table(track.notes, TICKS_PER_SECOND, "sounding") for track in melodic(file)])
    places = np.unique(np.append(parts[0][:, 0], 0))
    moved = shortening(places, np.full(len(places), _LONGEST_REST_TICKS), np.ones(len(places), dtype=np.int64))
    return [Piece(path.name, tuple(_moved(part, moved) for part in parts))]


def read_score(path: Path, split: str) -> list[Piece]:
    """The piece in a MIDI file on its grid: ticks are 480 a beat, and bars are those of its time signatures.

    Chorales as JSON are read, too: see `midi_folder.read_chorales`.

    Raises:
        AntiphonError: it cannot be read, or has no notes.
    """
    if holds_chorales(path):
        return _chorales(path, split)
    file = read_midi(path)
    scale = TICKS_PER_BEAT / file.tpq
    parts = _parts(path, [rows_of_table(track.notes, scale, "duration") for track in melodic(file)])
    bar_ticks = {0: _bar_ticks(4, 4)} | {
        round(change.time * scale): _bar_ticks(change.numerator, change.denominator) for change in file.time_signatures
    }
    changes, lengths = (np.array(column) for column in zip(*sorted(bar_ticks.items()), strict=True))
    places = np.unique(np.concatenate([parts[0][:, 0], changes]))
    units = lengths[np.searchsorted(changes, places, side="right") - 1]
    moved = shortening(places, _LONGEST_REST_BARS * units, units)
    parts = tuple(_moved(part, moved) for part in parts)
    end = int((parts[0][:, 0] + parts[0][:, 2]).max())
    return [Piece(path.name, parts, _bars(moved(changes), lengths, end))]


def _sorted(rows: NoteRows) -> NoteRows:
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def _parts(path: Path, tracks: Sequence[NoteRows]) -> tuple[NoteRows, ...]:
    if not tracks:
        raise AntiphonError(f"{path.name} has no notes (drums are left out)")
    parts = [_sorted(np.concatenate(list(tracks)))]
    if len(tracks) > 1:
        parts += [track for track in tracks if len(track) >= LEAST_PART_NOTES]
    return tuple(parts)


def _moved(rows: NoteRows, moved: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> NoteRows:
    onset = moved(rows[:, 0])
    length = (moved(rows[:, 0] + rows[:, 2]) - onset).clip(1)
    return np.column_stack([onset, rows[:, 1], length, rows[:, 3]])


def _bar_ticks(numerator: int, denominator: int) -> int:
    """Length of a bar. Bars of one or two quarter notes are joined to bars of four: a score's 2/4 is a stage's 4/4."""
    length = 4 * TICKS_PER_BEAT * numerator // denominator
    return 4 * TICKS_PER_BEAT if length in (TICKS_PER_BEAT, 2 * TICKS_PER_BEAT) else max(STEP_TICKS, length)


def _bars(changes: NDArray[np.int64], lengths: NDArray[np.int64], end_ticks: int) -> NDArray[np.int64]:
    """Where bars begin up to `end_ticks`: from each of `changes` on [N], bars of so many ticks [N]."""
    ends = np.minimum(np.append(changes[1:], end_ticks + 1), end_ticks + 1)
    return np.concatenate([np.arange(*region) for region in zip(changes, ends, lengths, strict=True)]).astype(np.int64)


def _chorales(path: Path, split: str) -> list[Piece]:
    return [
        Piece(
            f"{path.name}[{split}][{number}]",
            _parts(path, chorale_voices(chorale)),
            np.arange(0, STEP_TICKS * len(chorale), 4 * TICKS_PER_BEAT),
        )
        for number, chorale in enumerate(read_chorales(path, split))
    ]
