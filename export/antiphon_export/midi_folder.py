"""Folders of music as arrays of notes, ready to learn from. What cannot be read is reported, never fatal."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.notes import STEP_TICKS

_GRID_TICKS = 40
"""Sixteenths and eighth triplets all fall on multiples of this, at 480 ticks a beat."""
_MIN_PART_NOTES = 40
"""A track with fewer notes teaches nothing by itself."""

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
        if not weight > 0:
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
        found = [*self.folder.rglob("*.mid"), *self.folder.rglob("*.midi"), *self.folder.rglob("*.json")]
        return sorted(found)

    def splits(self) -> dict[Path, str] | None:
        """The split of every file, as `manifest.csv` in the folder tells; `None` without one."""
        manifest = self.folder / "manifest.csv"
        if not manifest.exists():
            return None
        with manifest.open(newline="", encoding="utf-8") as file:
            return {self.folder / row["file"]: row["split"] for row in csv.DictReader(file)}


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
    try:
        if path.suffix == ".json":
            yield from _read_chorales(path, split)
        else:
            yield _read_midi(path)
    except AntiphonError:
        raise
    except Exception as error:  # The readers raise whatever a broken file makes them stumble over.
        raise AntiphonError(f"{path.name}: {type(error).__name__}: {error}") from error


def read_midi(path: Path) -> Any:
    """The score in a MIDI file, as symusic reads it.

    Raises:
        AntiphonError: the file cannot be read, or symusic is not installed.
    """
    try:
        import symusic
    except ImportError as error:
        raise AntiphonError(
            "training reads MIDI with symusic; install it with: pip install 'antiphon[train]'"
        ) from error
    try:
        return symusic.Score(path)
    except Exception as error:  # The reader raises whatever a broken file makes it stumble over.
        raise AntiphonError(f"{path.name}: {type(error).__name__}: {error}") from error


def _read_midi(path: Path) -> Piece:
    score = read_midi(path)
    ticks = _tracks(score, 480 / score.tpq)
    on_grid = bool(ticks) and _is_on_grid(np.concatenate(ticks)[:, 0])
    tracks = ticks if on_grid else _tracks(score.to("second"), 960.0)
    if not tracks:
        raise AntiphonError(f"{path.name} has no notes")
    return Piece(_parts(tracks), on_grid)


def _tracks(score: Any, ticks_per_unit: float) -> list[Notes]:
    tracks = []
    for track in score.tracks:
        if track.is_drum or not len(track.notes):
            continue
        columns = track.notes.numpy()
        onset, length = (np.round(columns[name] * ticks_per_unit).astype(np.int64) for name in ("time", "duration"))
        tracks.append(np.column_stack([onset, columns["pitch"], np.maximum(1, length), columns["velocity"]]))
    return tracks


def _is_on_grid(onsets: NDArray[np.int64]) -> bool:
    """Whether most onsets share a grid of 40 ticks, wherever it begins."""
    offsets = np.bincount(onsets % _GRID_TICKS, minlength=_GRID_TICKS)
    return float((offsets + np.roll(offsets, 1) + np.roll(offsets, -1)).max()) > 0.75 * len(onsets)


def _parts(tracks: list[Notes]) -> tuple[Notes, ...]:
    parts = [np.concatenate(tracks)]
    if len(tracks) > 1:
        parts += [track for track in tracks if len(track) >= _MIN_PART_NOTES]
    return tuple(part[np.lexsort((part[:, 1], part[:, 0]))].astype(np.int64) for part in parts)


def _read_chorales(path: Path, split: str) -> Iterator[Piece]:
    """Chorales as JSON: of each split a list of pieces, each a list of sixteenths, each a list of voices' pitches."""
    splits = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(splits, dict) or split not in splits:
        raise AntiphonError(f"{path.name} has no chorales under {split!r}")
    for chorale in splits[split]:
        yield Piece(_parts(chorale_voices(chorale)), on_grid=True)


def chorale_voices(chorale: list[list[int | None]]) -> list[Notes]:
    """The voices that sing, for a list of sixteenths, each a list of voices' pitches.

    The encoding tells no repeated note from a held one; they are taken as held. Silence is null, NaN or -1.
    """
    voices: list[list[list[int]]] = [[] for _ in range(max(len(step) for step in chorale))]
    sounding: list[int | None] = [None] * len(voices)
    for index, step in enumerate(chorale):
        for voice, pitch in enumerate(step):
            if pitch is None or not 0 <= pitch < 128:
                sounding[voice] = None
            elif pitch == sounding[voice]:
                voices[voice][-1][2] += STEP_TICKS
            else:
                voices[voice].append([STEP_TICKS * index, int(pitch), STEP_TICKS, 80])
                sounding[voice] = int(pitch)
    return [np.array(voice, dtype=np.int64) for voice in voices if voice]
