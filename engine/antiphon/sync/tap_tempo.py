"""A tempo from the moments at which somebody taps the beat. It reads no clock and moves nothing.

Hands are some hundredths of a second early and late: so the beat is a straight line through the latest taps (least
squares), and not the distance of the last two.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import Final

from antiphon.duet.plan import FASTEST_BPM, SLOWEST_BPM
from antiphon.notes import TICKS_PER_BEAT

PAUSE_SECONDS: Final = 2.0
"""Who pauses for so long begins anew."""
_LATEST: Final = 6
"""How many taps count: enough for half a per cent with taps that scatter by 10 ms, few enough to follow a hand."""
_OUTLYING: Final = 0.3
"""A tap that comes so much too early or too late, as a share of the beat, begins anew."""


@dataclass(frozen=True, slots=True)
class Tapped:
    """What the taps so far say."""

    bpm: float
    """Quarter notes a minute, to a tenth, `SLOWEST_BPM` to `FASTEST_BPM`."""
    beat_seconds: float
    """When the beat of the latest tap is, by all of them: near it, but steadier."""


class TapTempo:
    """The latest taps that belong together. Times are seconds of whatever clock the caller has."""

    def __init__(self) -> None:
        self._taps: list[float] = []

    def forget(self) -> None:
        """The next tap is the first."""
        self._taps.clear()

    def tap(self, seconds: float, beat_ticks: int) -> Tapped | None:
        """A tap at `seconds`, not before the one before it, on a beat of `beat_ticks`; None for the first of a row.

        A tap sooner than the fastest tempo has beats is a key that bounces, and is left out.
        """
        quarters = beat_ticks / TICKS_PER_BEAT
        if self._taps and 0 <= seconds - self._taps[-1] < quarters * 60 / FASTEST_BPM:
            return None
        if not self._goes_on(seconds):
            self.forget()
        self._taps = [*self._taps[1 - _LATEST :], seconds]
        if len(self._taps) < 2:
            return None
        period, beat_seconds = self._line()
        bpm = round(quarters * 60 / period, 1)
        if not SLOWEST_BPM <= bpm <= FASTEST_BPM:
            self._taps = [seconds]
            return None
        return Tapped(bpm, beat_seconds)

    def _goes_on(self, seconds: float) -> bool:
        """Whether a tap at `seconds` belongs to those before it."""
        taps = self._taps
        if not taps or not 0 < seconds - taps[-1] < PAUSE_SECONDS:
            return False
        if len(taps) == 1:
            return True
        usual = (taps[-1] - taps[0]) / (len(taps) - 1)
        return abs(seconds - taps[-1] - usual) <= _OUTLYING * usual

    def _line(self) -> tuple[float, float]:
        """Seconds between the beats, and when the latest one is: least squares through all taps."""
        numbers = range(len(self._taps))
        middle, mean = fmean(numbers), fmean(self._taps)
        slope = sum((number - middle) * (tap - mean) for number, tap in zip(numbers, self._taps, strict=True))
        period = slope / sum((number - middle) ** 2 for number in numbers)
        return period, mean + period * (numbers[-1] - middle)
