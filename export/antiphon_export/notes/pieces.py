"""Pieces for models of notes: who plays each note, in free time or in beats, and where phrases end. It draws none.

A file whose onsets keep to sixteenths is read in beats; one whose touch varies is read in free time, pedals folded in;
one that does both, twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.music.note_rows import NoteRows
from antiphon.note_steps.controls import STYLES
from antiphon.note_steps.spans import Clock
from antiphon.notes import STEP_TICKS, TICKS_PER_BEAT
from antiphon_export.midi_folder import Corpus, chorale_voices, holds_chorales, read_chorales, read_midi
from antiphon_export.midi_notes import FileNotes, melodic, rows_of_table
from antiphon_export.notes.beats import Bars, lattice_offset, read_beats, signature_bars, without_upbeat
from antiphon_export.training.pieces import LEAST_PART_NOTES, TICKS_PER_SECOND, Piece, ReadPieces, files_of, read_score

_LATTICE_TICKS: Final = 40
"""Sixteenths and triplets of eighths are all multiples of this."""
_ON_LATTICE: Final = 0.75
_EXPRESSIVE: Final = 8
"""Velocities that a performance has at least; a score has one, or some."""
_PLAIN_VELOCITY: Final = 80
"""Of scores, where notes must have one."""
_REST_TICKS: Final = {"free": 3 * TICKS_PER_SECOND // 10, "beat": TICKS_PER_BEAT // 2}
"""Silence that ends a phrase."""
STYLE_OF_FOLDER: Final = {
    "pop909": "pop",
    "rolls": "roll",
    "giantmidi": "piano",
    "lieder": "song",
    "chopin": "chopin",
    "polish": "dance",
    "jsb": "chorale",
    "groove": "drums",
}
"""Styles of collections by their usual names."""


@dataclass(frozen=True, slots=True)
class NotePiece:
    """One piece by one clock; ticks are 960 a second in free time, else 480 a beat."""

    name: str
    clock: Clock
    rows: NoteRows
    """In score order; velocity 0 where none is told."""
    tracks: NDArray[np.int64]
    """Of each note, the number of its track; [N]."""
    phrase_ends: NDArray[np.int64]
    """Where the music comes to rest, ascending; the last is the piece's end."""
    bars: Bars | None = None
    drums: bool = False

    @property
    def track_count(self) -> int:
        """How many tracks there are."""
        return int(self.tracks.max()) + 1


@dataclass(frozen=True, slots=True)
class NoteShelf:
    """The pieces of one corpus by one clock."""

    name: str
    clock: Clock
    weight: float
    style: str | None
    pieces: tuple[NotePiece, ...]

    @property
    def notes(self) -> int:
        """Notes of all pieces together."""
        return sum(len(piece.rows) for piece in self.pieces)


def read_note_shelves(
    corpora: Sequence[Corpus],
    split: str,
    *,
    beats: Path | None = None,
    report: Callable[[str], None] = lambda _: None,
    advance: Callable[[], None] = lambda: None,
) -> list[NoteShelf]:
    """The pieces of `split` of every corpus, by each clock that suits them; `beats`: a folder of annotations.

    Where a corpus is read by both clocks, each gets half of its weight. A file that cannot be read is reported.

    Raises:
        AntiphonError: nothing could be read at all.
    """
    shelves: list[NoteShelf] = []
    for corpus in corpora:
        pieces: list[NotePiece] = []
        for path in files_of(corpus, split):
            try:
                pieces += read_note_pieces(path, split, beats)
            except AntiphonError as error:
                report(str(error))
            advance()
        clocks: list[Clock] = [clock for clock in ("free", "beat") if any(piece.clock == clock for piece in pieces)]
        style = STYLE_OF_FOLDER.get(corpus.name, corpus.name if corpus.name in STYLES else None)
        shelves += [
            NoteShelf(
                corpus.name,
                clock,
                corpus.weight / len(clocks),
                style,
                tuple(piece for piece in pieces if piece.clock == clock),
            )
            for clock in clocks
        ]
    if not shelves:
        raise AntiphonError(
            f"no music under {split!r} in {', '.join(str(corpus.folder) for corpus in corpora)}; "
            "a folder needs MIDI files, or a manifest.csv that names them with that split"
        )
    return shelves


def read_note_pieces(path: Path, split: str, beats: Path | None = None) -> list[NotePiece]:
    """The piece in a MIDI file by each clock that suits it, or the chorales in a JSON file.

    Raises:
        AntiphonError: it cannot be read, or has no notes.
    """
    if holds_chorales(path):
        return [
            _chorale(f"{path.name}[{split}][{number}]", chorale_voices(chorale))
            for number, chorale in enumerate(read_chorales(path, split))
        ]
    file = read_midi(path)
    if not file.tracks:
        raise AntiphonError(f"{path.name} has no notes")
    if all(track.is_drum for track in file.tracks):
        return [_free(path, file, drums=True)]
    found = []
    velocities = np.unique(np.concatenate([track.notes.velocity for track in melodic(file)]))
    expressive = len(velocities) >= _EXPRESSIVE
    if expressive:
        found.append(_free(path, file, drums=False))
    rows, owners = _rows(file, TICKS_PER_BEAT / file.tpq, "duration")
    if not expressive or _keeps_to_lattice(rows[:, 0]):
        found.append(_in_beats(path, file, rows, owners, beats, expressive))
    return found


def read_aligned(path: Path, split: str, beats: Path | None) -> list[Piece]:
    """As `training.pieces.read_score`, but with beats and bars where the music has them; none of what keeps to no beat.

    `beats`: a folder of annotations. Bars of one or two quarter notes are joined to bars of four.

    Raises:
        AntiphonError: it cannot be read, or has no notes.
    """
    return [
        Piece(piece.name, _by_track(piece), _joined_bars(piece.bars))
        for piece in read_note_pieces(path, split, beats)
        if piece.clock == "beat" and piece.bars is not None
    ]


def score_reader(align: bool, beats: Path | None) -> ReadPieces:
    """What reads scores: aligned, or with beats and bars as they are filed."""
    return (lambda path, split: read_aligned(path, split, beats)) if align else read_score


def _by_track(piece: NotePiece) -> tuple[NoteRows, ...]:
    """First all of a piece, then each track that has a line of its own."""
    rows = piece.rows.copy()
    rows[:, 3] = np.where(rows[:, 3] > 0, rows[:, 3], _PLAIN_VELOCITY)
    tracks = [rows[piece.tracks == track] for track in range(piece.track_count)]
    alone = [track for track in tracks if len(track) >= LEAST_PART_NOTES] if len(tracks) > 1 else []
    return (rows, *alone)


def _joined_bars(bars: Bars) -> NDArray[np.int64]:
    """Where bars begin, those of less than three quarter notes joined to bars of four."""
    kept: list[int] = []
    until = -1
    for start, length in zip(bars.starts.tolist(), bars.lengths.tolist(), strict=True):
        if start >= until:
            kept.append(start)
            until = start + (4 * TICKS_PER_BEAT if length <= 2 * TICKS_PER_BEAT else length)
    return np.array(kept, dtype=np.int64)


def _rows(
    file: FileNotes, scale: float, length: Literal["duration", "sounding"], *, drums: bool = False
) -> tuple[NoteRows, NDArray[np.int64]]:
    """Notes in score order, and the number of the track of each; times are those of `file` times `scale`."""
    parts = [rows_of_table(track.notes, scale, length) for track in file.tracks if track.is_drum == drums]
    together = np.concatenate(parts)
    owner = np.concatenate([np.full(len(part), number) for number, part in enumerate(parts)])
    order = np.lexsort((together[:, 1], together[:, 0]))
    return together[order], owner[order]


def _free(path: Path, file: FileNotes, *, drums: bool) -> NotePiece:
    rows, tracks = _rows(file.to("second"), TICKS_PER_SECOND, "sounding", drums=drums)
    return NotePiece(path.name, "free", rows, tracks, phrase_ends(rows, "free"), drums=drums)


def _in_beats(
    path: Path, file: FileNotes, rows: NoteRows, tracks: NDArray[np.int64], beats: Path | None, played: bool
) -> NotePiece:
    annotated = read_beats(beats, path.stem) if beats is not None else None
    if annotated is not None:
        seconds, tracks = _rows(file.to("second"), TICKS_PER_SECOND, "duration")
        onset = annotated.ticks_of(seconds[:, 0] / TICKS_PER_SECOND)
        end = annotated.ticks_of((seconds[:, 0] + seconds[:, 2]) / TICKS_PER_SECOND)
        offset = lattice_offset(onset)
        rows = _on_sixteenths(seconds, onset - offset, end - offset)
        bars = annotated.bars
    else:
        offset = lattice_offset(rows[:, 0], _LATTICE_TICKS)
        if played:
            offset = lattice_offset(rows[:, 0])
            beginning = rows[:, 0] - np.float64(offset)
            rows = _on_sixteenths(rows, beginning, beginning + rows[:, 2])
        scale = TICKS_PER_BEAT / file.tpq
        changes = [(round(c.time * scale), c.numerator, c.denominator) for c in file.time_signatures]
        end_ticks = int((rows[:, 0] + rows[:, 2]).max())
        bars = without_upbeat(signature_bars(changes or [(0, 4, 4)], end_ticks), rows)
    order = np.lexsort((rows[:, 1], rows[:, 0]))
    rows, tracks = rows[order], tracks[order]
    rows, bars = _from_zero(rows, bars)
    if not played:
        rows[:, 3] = 0
    return NotePiece(path.name, "beat", rows, tracks, phrase_ends(rows, "beat"), bars)


def _from_zero(rows: NoteRows, bars: Bars) -> tuple[NoteRows, Bars]:
    """Both moved by whole bars, if there are notes before tick 0."""
    first = int(rows[:, 0].min())
    if first >= 0 or not len(bars.starts):
        return _later(rows, -min(0, first)), bars
    length = int(bars.lengths[0])
    by = -(first // length) * length
    return _later(rows, by), Bars(bars.starts + by, bars.lengths)


def _later(rows: NoteRows, by_ticks: int) -> NoteRows:
    moved = rows.copy()
    moved[:, 0] += by_ticks
    return moved


def _on_sixteenths(rows: NoteRows, onset: NDArray[np.float64], end: NDArray[np.float64]) -> NoteRows:
    """`rows` with these onsets and ends in ticks, on the nearest sixteenth."""
    onset_steps, end_steps = np.round(onset / STEP_TICKS), np.round(end / STEP_TICKS)
    length = np.maximum(1, end_steps - onset_steps)
    moved = rows.copy()
    moved[:, 0], moved[:, 2] = onset_steps * STEP_TICKS, length * STEP_TICKS
    return moved


def _chorale(name: str, voices: Sequence[NoteRows]) -> NotePiece:
    rows = np.concatenate(list(voices))
    tracks = np.concatenate([np.full(len(voice), number) for number, voice in enumerate(voices)])
    order = np.lexsort((rows[:, 1], rows[:, 0]))
    rows, tracks = rows[order], tracks[order]
    rows[:, 3] = 0
    end_ticks = int((rows[:, 0] + rows[:, 2]).max())
    bars = without_upbeat(signature_bars([(0, 4, 4)], end_ticks), rows)
    return NotePiece(name, "beat", rows, tracks, phrase_ends(rows, "beat"), bars)


def _keeps_to_lattice(onsets: NDArray[np.int64]) -> bool:
    """Whether most onsets share a lattice of 40 ticks, wherever it begins."""
    places = np.bincount(onsets % _LATTICE_TICKS, minlength=_LATTICE_TICKS)
    return float((places + np.roll(places, 1) + np.roll(places, -1)).max()) > _ON_LATTICE * len(onsets)


def phrase_ends(rows: NoteRows, clock: Clock) -> NDArray[np.int64]:
    """Where all notes have ended and none begins for a while, ascending; the last is the end of all."""
    sounding_until = np.maximum.accumulate(rows[:, 0] + rows[:, 2])
    rests = rows[1:, 0] - sounding_until[:-1] >= _REST_TICKS[clock]
    return np.append(sounding_until[:-1][rests], sounding_until[-1])
