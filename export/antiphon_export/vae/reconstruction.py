"""How many notes of a window come back from its code: precision, recall and F1. It hears nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.rolls.roll import ONSET, Roll

THRESHOLDS: Final = tuple(round(0.05 * number, 2) for number in range(4, 20))
"""Probabilities from which an onset may be taken for a note."""

Rebuild = Callable[[Roll], Roll]
"""Rolls [B, T, 3, 88] as they come back from their codes' means, with probabilities."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Notes of some windows: a note is right if its step and its key are."""

    right: int
    played: int
    """Notes that came back, right or wrong."""
    wanted: int
    """Notes that there were."""

    def __add__(self, other: Hits) -> Hits:
        return Hits(self.right + other.right, self.played + other.played, self.wanted + other.wanted)

    @property
    def precision(self) -> float:
        """Share of the notes that came back which are right."""
        return self.right / max(1, self.played)

    @property
    def recall(self) -> float:
        """Share of the notes that there were which came back."""
        return self.right / max(1, self.wanted)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / max(1, self.played + self.wanted)


def hits(batches: Iterable[Roll], rebuild: Rebuild, thresholds: tuple[float, ...] = (0.5,)) -> list[Hits]:
    """Of all windows in `batches` together, for each of `thresholds`."""
    found = [Hits(0, 0, 0)] * len(thresholds)
    for rolls in batches:
        wanted = rolls[:, :, ONSET] > 0
        rebuilt = rebuild(rolls)[:, :, ONSET]
        for place, threshold in enumerate(thresholds):
            played = rebuilt >= threshold
            found[place] += Hits(int((played & wanted).sum()), int(played.sum()), int(wanted.sum()))
    return found


def evenly(count: int, wanted: int) -> NDArray[np.int64]:
    """`wanted` of the numbers below `count`, evenly spread; all of them if there are no more."""
    if wanted >= count:
        return np.arange(count)
    return np.arange(wanted) * count // wanted
