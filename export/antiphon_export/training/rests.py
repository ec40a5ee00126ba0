"""Long rests shortened, so that what is far away from all else does not fill windows with silence. It drops no note."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Ticks = NDArray[np.int64]


def shortening(places: Ticks, most_ticks: Ticks, unit_ticks: Ticks) -> Callable[[Ticks], Ticks]:
    """A function that moves ticks to where they are once no time between two of `places` is long.

    `places` [N]: ascending, where something begins; all that is moved lies at or after the first. After each, whole
    multiples of `unit_ticks` [N] are taken out, so that `most_ticks` [N] and less than a unit more are left before the
    next. What lasts beyond what is left ends there; after the last place, `most_ticks` are left.
    """
    spans = np.diff(places)
    taken_out = np.maximum(0, spans - most_ticks[:-1]) // unit_ticks[:-1] * unit_ticks[:-1]
    left = np.append(spans - taken_out, most_ticks[-1])
    earlier = np.concatenate([[0], np.cumsum(taken_out)])

    def moved(ticks: Ticks) -> Ticks:
        index = np.searchsorted(places, ticks, side="right") - 1
        result: Ticks = np.minimum(ticks, places[index] + left[index]) - earlier[index]
        return result

    return moved
