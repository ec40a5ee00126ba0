"""Between two clocks of one machine that count from elsewhere and drift apart. It keeps no time of its own.

One reading of the other clock between two of ours says where it is, as exactly as those two lie close together. So of
several readings in a row the tightest counts; and an older one counts on until a newer one is tighter than the drift
that may have come in between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_READINGS: Final = 5
"""So many in a row: whoever interrupts one of them leaves the others alone."""
_MOST_DRIFT: Final = 1e-3
"""Seconds a second; an NTP daemon slews a clock by half of that at most, and a quartz is ten times better."""


class ClockPair:
    """Our clock, in seconds, beside another one, in microseconds."""

    def __init__(self, ours: Callable[[], float], other: Callable[[], int]) -> None:
        """Both are read on the spot: for that, nothing may be in the way."""
        self._ours = ours
        self._other = other
        self._seconds = 0.0
        self._micros = 0.0
        self._error_seconds = float("inf")
        self.pair()

    def pair(self) -> None:
        """Read both. Call it now and then, the more often the better; it takes some microseconds."""
        best = self._error_seconds + _MOST_DRIFT * abs(self._ours() - self._seconds)
        for _ in range(_READINGS):
            before = self._ours()
            micros = self._other()
            after = self._ours()
            if (error := (after - before) / 2) <= best:
                best = self._error_seconds = error
                self._seconds, self._micros = (before + after) / 2, micros

    def micros_at(self, seconds: float) -> int:
        """What the other clock shows when ours shows `seconds`."""
        return round(self._micros + 1e6 * (seconds - self._seconds))

    def seconds_at(self, micros: int) -> float:
        """What our clock shows when the other one shows `micros`."""
        return self._seconds + (micros - self._micros) / 1e6
