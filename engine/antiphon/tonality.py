"""Which scale a stretch of music keeps to, so that an answer can keep to it, too. It judges no single note."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from antiphon.generator import Constraints
from antiphon.notes import Note

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
_FEWEST: Final = 3
"""From fewer pitch classes no scale can be told."""
_SHARE: Final = 0.06
"""A pitch class outside the scale that has this share of the music belongs to it all the same."""


def scale_of(notes: Sequence[Note]) -> frozenset[int] | None:
    """Pitch classes (0 is C) of the scale that the last of `notes` keep to; None if they tell no scale."""
    weights = [0.0] * 12
    weight = 1.0
    for note in reversed(notes[-_NOTES:]):
        weights[note.pitch % 12] += weight
        weight *= _FADE
    if sum(weight > 0 for weight in weights) < _FEWEST:
        return None
    _, scale = max(
        (
            (_fit(weights, profile, tonic), frozenset((step + tonic) % 12 for step in steps))
            for profile, steps in _SCALES
            for tonic in range(12)
        ),
        key=lambda found: found[0],
    )
    most = sum(weights)
    scale |= {pitch_class for pitch_class in range(12) if weights[pitch_class] >= _SHARE * most}
    return scale if len(scale) < 12 else None


def within_scale(constraints: Constraints, notes: Sequence[Note]) -> Constraints:
    """`constraints`, narrowed to the scale of `notes` if they tell one that has a note in range."""
    scale = scale_of(notes)
    pitches = range(constraints.low_pitch, constraints.high_pitch + 1)
    if scale is None or not any(pitch % 12 in scale for pitch in pitches):
        return constraints
    return replace(constraints, scale=scale)


def _fit(weights: Sequence[float], profile: Sequence[float], tonic: int) -> float:
    """The correlation of pitch-class weights with a key's profile, but for a factor that is the same for all keys."""
    mean = sum(profile) / 12
    length = math.sqrt(sum((fit - mean) ** 2 for fit in profile))
    return sum(weights[(tonic + step) % 12] * (profile[step] - mean) for step in range(12)) / length
