"""Which key and scale music keeps to, so that an answer can keep to them, too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from antiphon.notes import Note

if TYPE_CHECKING:
    pass

# Krumhansl and Kessler, Tracing the Dynamic Changes in Perceived Tonal Organization, 1982: how well each pitch class
# fits a key, from the tonic up.
_MAJOR: Final = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR: Final = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)

_SCALES: Final = (
    (_MAJOR, frozenset({0, 2, 4, 5, 7, 9, 11})),
    # With both sevenths: the leading note belongs to minor music as much as the one it replaces.
    (_MINOR, frozenset({0, 2, 3, 5, 7, 8, 10, 11})),
)
_NOTES: Final = 64
"""How many of the last notes count."""
_FADE: Final = 0.98
"""What a note counts against the one after it, so that a change of key is followed."""
_CHORD_TICKS: Final = 40
_FEWEST: Final = 3
"""From fewer pitch classes no scale can be told."""
_SHARE: Final = 0.06
"""A pitch class outside the scale that has this share of the music belongs to it all the same."""


_CLEAR: Final = 0.15
"""By so much a key fits better than the next one, as correlations, where it is sure."""
_LAST_WORD: Final = 0.15
"""What the last bass and the last highest note are worth against all others: a phrase comes home at its end."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it was heard: where it is at home, and what it is made of."""

    tonic: int
    """Pitch class of the tonic, 0 (C) to 11."""
    minor: bool
    scale: frozenset[int]
    """Pitch classes of its scale, and those foreign to it that were played often."""
    confidence: float = 1.0
    """How sure it is, above 0 and up to 1."""

    @property
    def triad(self) -> frozenset[int]:
        """Pitch classes of the tonic triad."""
        return frozenset({self.tonic, (self.tonic + (3 if self.minor else 4)) % 12, (self.tonic + 7) % 12})


def heard_key(notes: Sequence[Note]) -> Key | None:
    """The key that the last of `notes`, in score order, keep to; None if they tell none."""
    notes = notes[-_NOTES:]
    weights = _weights(notes)
    fits = _fits(weights)
    if fits is None:
        return None
    size = math.sqrt(sum((weight - sum(weights) / 12) ** 2 for weight in weights)) or 1.0
    at_end = _last_sounds(notes)
    judged = sorted(
        (fit / size + _LAST_WORD * sum(note.pitch % 12 == tonic for note in at_end) / 2, -minor, -tonic)
        for (tonic, minor), fit in fits.items()
    )
    (best, minus_minor, minus_tonic), (second, *_) = judged[-1], judged[-2]
    tonic, minor = -minus_tonic, -minus_minor
    scale = _scale(tonic, minor, weights)
    if scale is None:
        return None
    # Notes that many keys share say which scale it is, or nearly, before they say where it is at home.
    outside = sum(weights[pitch_class] for pitch_class in range(12) if pitch_class not in scale) / sum(weights)
    confidence = max(0.0, 1 - 8 * outside) * min(1.0, 0.7 + 0.3 * (best - second) / _CLEAR)
    return Key(tonic, bool(minor), scale, confidence) if confidence > 0 else None


def scale_of(notes: Sequence[Note]) -> frozenset[int] | None:
    """Pitch classes (0 is C) of the scale that the last of `notes` keep to; None if they tell no scale."""
    weights = _weights(notes[-_NOTES:])
    fits = _fits(weights)
    if fits is None:
        return None
    return _scale(*max(fits, key=lambda key: (fits[key], tuple(-part for part in key[::-1]))), weights)


def _weights(notes: Sequence[Note]) -> list[float]:
    """How much there is of each pitch class, the last notes counting most."""
    weights = [0.0] * 12
    weight = 1.0
    for note in reversed(notes):
        weights[note.pitch % 12] += weight
        weight *= _FADE
    return weights


def _fits(weights: Sequence[float]) -> dict[tuple[int, int], float] | None:
    """How well each key fits, by tonic and whether it is minor; None if there is too little to go by."""
    if sum(weight > 0 for weight in weights) < _FEWEST:
        return None
    return {
        (tonic, minor): _fit(weights, profile, tonic)
        for minor, (profile, _) in enumerate(_SCALES)
        for tonic in range(12)
    }


def _scale(tonic: int, minor: int, weights: Sequence[float]) -> frozenset[int] | None:
    most = sum(weights)
    scale = frozenset((step + tonic) % 12 for step in _SCALES[minor][1])
    scale |= {pitch_class for pitch_class in range(12) if weights[pitch_class] >= _SHARE * most}
    return scale if len(scale) < 12 else None


def _last_sounds(notes: Sequence[Note]) -> tuple[Note, Note]:
    """The lowest and the highest of the notes struck last."""
    last = [note for note in notes if notes[-1].start_ticks - note.start_ticks <= _CHORD_TICKS]
    return min(last, key=lambda note: note.pitch), max(last, key=lambda note: note.pitch)


def _fit(weights: Sequence[float], profile: Sequence[float], tonic: int) -> float:
    """The correlation of pitch-class weights with a key's profile, but for a factor that is the same for all keys."""
    mean = sum(profile) / 12
    length = math.sqrt(sum((fit - mean) ** 2 for fit in profile))
    return sum(weights[(tonic + step) % 12] * (profile[step] - mean) for step in range(12)) / length
