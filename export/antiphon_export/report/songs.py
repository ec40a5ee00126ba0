"""Melodies with their accompaniments, from files whose tracks are named so. It plays nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from antiphon.errors import AntiphonError
from antiphon.music.note_rows import NoteRows, rows_of
from antiphon.notes import TICKS_PER_BEAT, Phrase
from antiphon_export.midi_folder import Corpus, holds_chorales, read_midi
from antiphon_export.midi_notes import rows_of_table
from antiphon_export.report.excerpts import displacement, phrase_of
from antiphon_export.report.musician import BAR_TICKS
from antiphon_export.training.pieces import TICKS_PER_SECOND, files_of

MELODY, ACCOMPANIMENT = "MELODY", "PIANO"
"""Names of tracks, as in POP909."""
SONG_BARS: Final = 8
_FEWEST_NOTES: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Song:
    """Eight bars of a melody from the middle of a piece, and what the piece's pianist plays under it."""

    melody: Phrase
    accompaniment: NoteRows


def songs(corpus: Corpus, split: str, most: int, *, to_the_beat: bool) -> list[Song]:
    """One of each piece of a split that has both tracks; ticks are beats, or 1/960 s."""
    found: list[Song] = []
    for path in files_of(corpus, split):
        if len(found) == most:
            break
        if holds_chorales(path):
            continue
        try:
            song = _song(path, to_the_beat)
        except AntiphonError:
            continue
        if song is not None:
            found.append(song)
    return found


def _song(path: Path, to_the_beat: bool) -> Song | None:
    file = read_midi(path)
    scale = TICKS_PER_BEAT / file.tpq if to_the_beat else TICKS_PER_SECOND
    if not to_the_beat:
        file = file.to("second")
    tracks = {track.name: track for track in file.tracks}
    if MELODY not in tracks or ACCOMPANIMENT not in tracks:
        return None
    melody, accompaniment = (rows_of_table(tracks[name].notes, scale, "duration") for name in (MELODY, ACCOMPANIMENT))
    start = int(melody[len(melody) // 2, 0]) // BAR_TICKS * BAR_TICKS
    if to_the_beat:
        start += displacement(accompaniment[:, 0])
    span = SONG_BARS * BAR_TICKS
    heard = phrase_of(melody - np.array([start, 0, 0, 0]), 0, span)
    played = rows_of(phrase_of(accompaniment - np.array([start, 0, 0, 0]), 0, span).notes)
    return Song(heard, played) if min(len(heard.notes), len(played)) >= _FEWEST_NOTES else None
