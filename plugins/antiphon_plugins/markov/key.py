"""Which key a handful of pitch classes suggests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Krumhansl and Kessler 1982: how well each pitch class fits a key, from the tonic up.
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def _all_keys() -> NDArray[np.float64]:
    """Profiles of C to B major, then C to B minor, each with mean 0 and length 1; shape [24, 12]."""
    profiles = np.array([np.roll(profile, tonic) for profile in (_MAJOR, _MINOR) for tonic in range(12)])
    profiles -= profiles.mean(axis=1, keepdims=True)
    profiles /= np.linalg.norm(profiles, axis=1, keepdims=True)
    return profiles


_KEYS = _all_keys()

MAJOR_SCALE = frozenset({0, 2, 4, 5, 7, 9, 11})
"""Degrees of the scale, in semitones above the home."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key, known by its tonic and by the home of its scale."""

    tonic: int
    """Pitch class of the tonic, 0 (C) to 11."""
    minor: bool = False

    @property
    def home(self) -> int:
        """Pitch class from which degrees are counted: the tonic, in minor that of the relative major."""
        return (self.tonic + 3) % 12 if self.minor else self.tonic

    @property
    def triad(self) -> frozenset[int]:
        """Pitch classes of the tonic triad."""
        return frozenset({self.tonic, (self.tonic + (3 if self.minor else 4)) % 12, (self.tonic + 7) % 12})


def find_keys(histograms: ArrayLike) -> NDArray[np.intp]:
    """For histograms of pitch classes, shape [N, 12]: the index of the best key, 0 to 11 major, 12 to 23 minor."""
    # The correlation with each profile; its own norm changes no maximum, and an empty histogram gives C major.
    best: NDArray[np.intp] = np.argmax(np.asarray(histograms, dtype=np.float64) @ _KEYS.T, axis=1)
    return best


def find_key(histogram: ArrayLike) -> Key:
    """The key that a histogram of pitch classes, shape [12], suggests."""
    index = int(find_keys(np.asarray(histogram)[None])[0])
    return Key(index % 12, minor=index >= 12)
