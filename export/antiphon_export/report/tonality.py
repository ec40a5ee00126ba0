"""What key a phrase is in, and how another keeps to it. Its profiles are not those by which generators choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.music.note_rows import NoteRows
from antiphon_export.report.events import CHORD_TICKS, event_starts, top_line

# Temperley, Music and Probability, 2007, from the Kostka-Payne corpus: how often each pitch class occurs, tonic first.
_MAJOR: Final = (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400)
_MINOR: Final = (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330)
_FEWEST_CLASSES: Final = 3
_SECONDS: Final = (1, 2, 13)
"""Semitones between two notes that rub: the seconds, and the minor ninth."""


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic, and a mode."""

    tonic: int
    """Pitch class, 0 is C."""
    minor: bool

    @property
    def scale(self) -> frozenset[int]:
        """Its pitch classes; a minor key has both sevenths, since its dominant needs the leading note."""
        steps = (0, 2, 3, 5, 7, 8, 10, 11) if self.minor else (0, 2, 4, 5, 7, 9, 11)
        return frozenset((self.tonic + step) % 12 for step in steps)

    @property
    def tonic_triad(self) -> frozenset[int]:
        """The pitch classes of its first chord."""
        return frozenset((self.tonic + step) % 12 for step in ((0, 3, 7) if self.minor else (0, 4, 7)))


def find_key(rows: NoteRows) -> Key | None:
    """The key of `rows` [N, 4]: whose profile (Temperley 2007) correlates best with how often pitch classes are struck.

    None of fewer than three pitch classes: they tell no key.
    """
    weights = np.bincount(rows[:, 1] % 12, minlength=12)
    if np.count_nonzero(weights) < _FEWEST_CLASSES:
        return None
    keys = [(profile is _MINOR, tonic) for profile in (_MAJOR, _MINOR) for tonic in range(12)]
    fits = [np.corrcoef(weights, np.roll(_MINOR if minor else _MAJOR, tonic))[0, 1] for minor, tonic in keys]
    minor, tonic = keys[int(np.argmax(fits))]
    return Key(tonic, minor)


def share_in_key(rows: NoteRows, key: Key) -> float:
    """Of the notes, the share whose pitch class is in the key's scale; NaN of no note."""
    return _mean(np.isin(rows[:, 1] % 12, list(key.scale)))


def pitch_class_overlap(one: NoteRows, other: NoteRows) -> float:
    """How much of two phrases' pitch classes is common: the sum over classes of the smaller share; 0 to 1.

    The histogram intersection of Swain and Ballard, Color Indexing, 1991. NaN if either has no note.
    """
    if not len(one) or not len(other):
        return float("nan")
    return float(np.minimum(_shares(one), _shares(other)).sum())


def clashes(rows: NoteRows) -> float:
    """Of the events, the share in which a note struck lies a second or a minor ninth from another that sounds."""
    onsets, pitches, ends = rows[:, 0], rows[:, 1], rows[:, 0] + rows[:, 2]
    starts = event_starts(rows)
    clashing = []
    for first, after in zip(starts, [*starts[1:], len(rows)], strict=True):
        struck = np.arange(first, after)
        # What is let go while the chord is struck is no part of it.
        ringing = np.flatnonzero(ends[:first] > onsets[first] + CHORD_TICKS)
        sounding = pitches[np.concatenate([ringing, struck])]
        apart = np.abs(pitches[struck][:, None] - sounding[None, :])
        clashing.append(bool(np.isin(apart, _SECONDS).any()))
    return _mean(np.array(clashing))


def last_in_tonic_triad(rows: NoteRows, key: Key) -> float:
    """1 if the highest note of the last event is in the key's tonic triad, else 0; NaN of no note."""
    line = top_line(rows)
    return float(int(line[-1]) % 12 in key.tonic_triad) if len(line) else float("nan")


def last_bass_on_tonic(rows: NoteRows, key: Key) -> float:
    """1 if the lowest note that sounds with the last event is the tonic, else 0; NaN of no note."""
    if not len(rows):
        return float("nan")
    last = rows[event_starts(rows)[-1], 0]
    sounding = rows[rows[:, 0] + rows[:, 2] > last + CHORD_TICKS]
    bass = int((sounding if len(sounding) else rows[rows[:, 0] >= last])[:, 1].min())
    return float(bass % 12 == key.tonic)


def _shares(rows: NoteRows) -> NDArray[np.float64]:
    counts = np.bincount(rows[:, 1] % 12, minlength=12)
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares


def _mean(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float("nan")
