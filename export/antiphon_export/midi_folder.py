"""Folders of music as arrays of notes, ready to learn from. What cannot be read is reported, never fatal."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.music.midi_events import read_events
from antiphon.notes import STEP_TICKS
from antiphon_export.midi_notes import FileNotes, melodic, notes_in, rows_of_table

_GRID_TICKS = 40
"""Sixteenths and eighth triplets all fall on multiples of this, at 480 ticks a beat."""
_MIN_PART_NOTES = 40
"""A track with fewer notes teaches nothing by itself."""

_SUFFIXES: Final = (".mid", ".midi", ".kar", ".rmi", ".json")
"""In lower case; files are found in either."""
_SPLITS: Final = ("train", "valid", "test")

Notes = NDArray[np.int64]
"""Notes of one part: columns onset, pitch, length, velocity; ticks are 480 a beat; in score order; shape [N, 4]."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """A folder, and how much it counts against the others."""

    folder: Path
    weight: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Corpus:
        """`FOLDER` or `FOLDER=WEIGHT`.

        Raises:
            AntiphonError: there is no such folder, or the weight is not a number above 0.
        """
        path, separator, number = text.rpartition("=")
        if not separator or Path(text).is_dir():
            path, number = text, "1"
        try:
            weight = float(number)
        except ValueError:
            weight = 0.0
        if not (weight > 0 and math.isfinite(weight)):
            raise AntiphonError(f"weight of {path!r} is {number!r}; give a number above 0, as in {path}=0.5")
        if not Path(path).is_dir():
            raise AntiphonError(f"{path!r} is not a folder; name folders with MIDI files in them")
        return cls(Path(path), weight)

    @property
    def name(self) -> str:
        """The folder's own name, without its path."""
        return self.folder.resolve().name

    def files(self, split: str = "train") -> list[Path]:
        """Its files, sorted: those of `split` if a `manifest.csv` (columns file, split) tells, all otherwise."""
        splits = self.splits()
        if splits is not None:
            return sorted(path for path, named in splits.items() if named == split)
        return self.every_file()

    def every_file(self) -> list[Path]:
        """All files of music in the folder and those within it, sorted, whatever a manifest tells."""
        return sorted(_music_in(self.folder))

    def splits(self) -> dict[Path, str] | None:
        """The split of every file (train, valid or test), as `manifest.csv` in the folder tells; `None` without one.

        Raises:
            AntiphonError: a line of it is no file with its split.
        """
        manifest = self.folder / "manifest.csv"
        if not manifest.exists():
            return None
        return {self.folder / file: split for file, split in _read_manifest(manifest)}


def _music_in(folder: Path) -> Iterator[Path]:
    """All files of music in a folder and those within it, also through links, but none of these twice."""
    seen = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()  # A link that leads back.
            continue
        seen.add(real)
        yield from (Path(here, name) for name in names if name.lower().endswith(_SUFFIXES))


def _read_manifest(path: Path) -> Iterator[tuple[str, str]]:
    """File and split of each line. Raises AntiphonError, naming the line."""

    def refused(line: int, problem: str) -> AntiphonError:
        return AntiphonError(
            f"{path}:{line}: {problem}; wanted: UTF-8, columns file and split with commas between them, "
            f"splits {', '.join(_SPLITS)}"
        )

    lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()  # Some programs begin a text with a mark.
    texts = []
    for number, line in enumerate(lines, start=1):
        try:
            texts.append(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise refused(number, f"byte {line[error.start]:#04x} is no UTF-8") from error
    rows = csv.DictReader(texts)
    try:
        missing = {"file", "split"} - set(rows.fieldnames or ())
        if missing:
            raise refused(1, f"there is no column {' and no column '.join(sorted(missing))} in {texts[:1]}")
        for row in rows:
            if not row["file"] or row["split"] not in _SPLITS:
                raise refused(rows.line_num, f"file {row['file']!r} has split {row['split']!r}")
            yield row["file"], row["split"]
    except csv.Error as error:
        raise refused(rows.line_num, str(error)) from error


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of music."""

    parts: tuple[Notes, ...]
    """First all of it together; then, if there are several tracks, each that has a line of its own."""
    on_grid: bool
    """Whether its ticks are beats; otherwise they are real time, at 120 beats a minute."""


def read_pieces(path: Path, split: str = "train") -> Iterator[Piece]:
    """The piece in a MIDI file, or the chorales of one `split` in a JSON file. Drums are left out.

    Raises:
        AntiphonError: the file cannot be read.
    """
    if holds_chorales(path):
        for chorale in read_chorales(path, split):
            yield Piece(_parts(chorale_voices(chorale)), on_grid=True)
    else:
        yield _read_midi(path)


def read_midi(path: Path) -> FileNotes:
    """The notes in a MIDI file, read as everything else in Antiphon reads it.

    Raises:
        AntiphonError: the file cannot be read.
    """
    return notes_in(read_events(path))


def _read_midi(path: Path) -> Piece:
    file = read_midi(path)
    ticks = _tracks(file, 480 / file.tpq)
    on_grid = bool(ticks) and _is_on_grid(np.concatenate(ticks)[:, 0])
    tracks = ticks if on_grid else _tracks(file.to("second"), 960.0)
    if not tracks:
        raise AntiphonError(f"{path.name} has no notes (drums are left out)")
    return Piece(_parts(tracks), on_grid)


def _tracks(file: FileNotes, ticks_per_unit: float) -> list[Notes]:
    return [rows_of_table(track.notes, ticks_per_unit, "duration") for track in melodic(file)]


def _is_on_grid(onsets: NDArray[np.int64]) -> bool:
    """Whether most onsets share a grid of 40 ticks, wherever it begins."""
    offsets = np.bincount(onsets % _GRID_TICKS, minlength=_GRID_TICKS)
    return float((offsets + np.roll(offsets, 1) + np.roll(offsets, -1)).max()) > 0.75 * len(onsets)


def _parts(tracks: list[Notes]) -> tuple[Notes, ...]:
    parts = [np.concatenate(tracks)]
    if len(tracks) > 1:
        parts += [track for track in tracks if len(track) >= _MIN_PART_NOTES]
    return tuple(part[np.lexsort((part[:, 1], part[:, 0]))].astype(np.int64) for part in parts)


Chorale = list[list[float | None]]
"""A list of sixteenths, each a list of voices' pitches; silence is None, NaN or no pitch of MIDI."""


def holds_chorales(path: Path) -> bool:
    """Whether this is a file of chorales, by its name."""
    return path.suffix.lower() == ".json"


def read_chorales(path: Path, split: str) -> list[Chorale]:
    """The chorales of `split` in a JSON file: of each split a list of pieces, each of them as `Chorale` says.

    Raises:
        AntiphonError: it cannot be read, has no such split, or something in that is no chorale.
    """
    try:
        splits = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AntiphonError(f"{path.name} holds no chorales: {type(error).__name__}: {error}") from error
    if not isinstance(splits, dict) or not isinstance(splits.get(split), list):
        raise AntiphonError(
            f"{path.name} has no chorales under {split!r}; wanted: an object with a list for each split"
        )
    for number, chorale in enumerate(splits[split]):
        if not _is_chorale(chorale):
            raise AntiphonError(
                f"{path.name}: {split}[{number}] is no chorale; wanted: a list of sixteenths, each a list of pitches"
            )
    return splits[split]  # type: ignore[no-any-return]


def _is_chorale(value: Any) -> bool:
    def is_pitch(pitch: Any) -> bool:
        return pitch is None or (isinstance(pitch, int | float) and not isinstance(pitch, bool))

    return (
        isinstance(value, list)
        and all(isinstance(step, list) and all(map(is_pitch, step)) for step in value)
        and any(pitch is not None and 0 <= pitch < 128 for step in value for pitch in step)
    )


def chorale_voices(chorale: Chorale) -> list[Notes]:
    """The voices that sing, for a list of sixteenths, each a list of voices' pitches.

    The encoding tells no repeated note from a held one; they are taken as held. Silence is null, NaN or -1.
    """
    voices: list[list[list[int]]] = [[] for _ in range(max(len(step) for step in chorale))]
    sounding: list[float | None] = [None] * len(voices)
    for index, step in enumerate(chorale):
        for voice, pitch in enumerate(step):
            if pitch is None or not 0 <= pitch < 128:
                sounding[voice] = None
            elif pitch == sounding[voice]:
                voices[voice][-1][2] += STEP_TICKS
            else:
                voices[voice].append([STEP_TICKS * index, int(pitch), STEP_TICKS, 80])
                sounding[voice] = pitch
    return [np.array(voice, dtype=np.int64) for voice in voices if voice]
