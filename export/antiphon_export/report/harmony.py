"""How an accompaniment goes with a melody: chords under its strong notes, and when they change. It makes none."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.music.note_rows import NoteRows
from antiphon.notes import TICKS_PER_BEAT

NO_CHORD: Final = -1
_STRONG_TICKS: Final = 360
"""A melody note of three quarters of a beat or more is strong: length accents it, wherever the beat is."""
_OUTSIDE: Final = 1.0
"""What a sounding pitch class beside a triad takes from its fit, where one within adds 1."""
_BASS: Final = 0.5
"""What the root in the bass adds, as a share of all that sounds."""
MOST_BEATS: Final = 4
"""A change that is not followed within so many beats counts as so late."""


def chord_between(rows: NoteRows, start_ticks: int, end_ticks: int) -> int:
    """The triad that notes make in a span: 0 to 11 major on C to B, 12 to 23 minor, or `NO_CHORD` where none sounds.

    Template matching (Fujishima, Realtime Chord Recognition of Musical Sound, 1999) on pitch classes weighed by how
    long they sound there: what lies in the triad, less what lies outside, and half of all for a root in the bass.
    """
    within = np.minimum(rows[:, 0] + rows[:, 2], end_ticks) - np.maximum(rows[:, 0], start_ticks)
    sounding = within > 0
    if not sounding.any():
        return NO_CHORD
    weights = np.bincount(rows[sounding, 1] % 12, within[sounding], minlength=12)
    bass = int(rows[sounding, 1].min()) % 12
    fits = []
    for third in (4, 3):
        for root in range(12):
            inside = weights[[root, (root + third) % 12, (root + 7) % 12]].sum()
            fits.append(inside - _OUTSIDE * (weights.sum() - inside) + _BASS * weights.sum() * (root == bass))
    return int(np.argmax(fits))


def chord_classes(chord: int) -> frozenset[int]:
    """Pitch classes of a chord of `chord_between`; none of `NO_CHORD`."""
    if chord == NO_CHORD:
        return frozenset()
    return frozenset((chord + step) % 12 for step in ((0, 4, 7) if chord < 12 else (0, 3, 7)))


def chords(rows: NoteRows, start_ticks: int, end_ticks: int, every_ticks: int) -> NDArray[np.int64]:
    """The chord of each span of `every_ticks`, one after the other."""
    spans = range(start_ticks, end_ticks, every_ticks)
    return np.array([chord_between(rows, start, start + every_ticks) for start in spans], dtype=np.int64)


def chord_tones_under(melody: NoteRows, accompaniment: NoteRows) -> float:
    """Of the melody's strong notes, the share that belongs to the triad played while they sound.

    A note under which nothing sounds belongs to none. NaN if no note is strong.
    """
    strong = melody[melody[:, 2] >= _STRONG_TICKS]
    if not len(strong):
        return float("nan")
    belongs = [
        pitch % 12 in chord_classes(chord_between(accompaniment, onset, onset + length))
        for onset, pitch, length, _ in strong.tolist()
    ]
    return float(np.mean(belongs))


def chord_agreement(one: NoteRows, other: NoteRows, start_ticks: int, end_ticks: int) -> float:
    """Of the half bars in which `other` has a chord, the share in which `one` has the same."""
    ours, theirs = (chords(rows, start_ticks, end_ticks, 2 * TICKS_PER_BEAT) for rows in (one, other))
    known = theirs != NO_CHORD
    return float((ours[known] == theirs[known]).mean()) if known.any() else float("nan")


def change_delay_beats(one: NoteRows, other: NoteRows, start_ticks: int, end_ticks: int) -> float:
    """Mean time from a change of `other`'s harmony to the first beat in which `one` has the new chord.

    A change is a beat with another chord than before that lasts for two beats at least. Four beats where `one` does
    not get there, or only after the next change. NaN if nothing changes.
    """
    ours, theirs = (chords(rows, start_ticks, end_ticks, TICKS_PER_BEAT) for rows in (one, other))
    places = [
        beat
        for beat in range(1, len(theirs) - 1)
        if theirs[beat] not in (NO_CHORD, theirs[beat - 1]) and theirs[beat] == theirs[beat + 1]
    ]
    delays = []
    for place, after in pairwise([*places, len(theirs)]):
        until = min(after, place + MOST_BEATS)
        there = np.flatnonzero(ours[place:until] == theirs[place])
        delays.append(int(there[0]) if len(there) else MOST_BEATS)
    return float(np.mean(delays)) if delays else float("nan")
