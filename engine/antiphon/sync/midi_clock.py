"""Tempo and place in the song, from the pulses of a MIDI clock and its start, stop and song position. It moves nothing.

Pulses come early and late: a DAW sends them when its audio buffers are done. So the beat is a straight line through the
latest four beats' worth of them (least squares). Pulses that are far off are left out, unless those that follow agree
with them: then the tempo has changed, and the line begins anew there.
"""

from __future__ import annotations

from itertools import pairwise
from operator import mul
from statistics import fmean, median
from typing import Final

from antiphon.notes import TICKS_PER_BEAT

PULSES_PER_BEAT: Final = 24
"""MIDI 1.0, system real-time messages."""
PULSE_TICKS: Final = TICKS_PER_BEAT // PULSES_PER_BEAT
PULSES_PER_STEP: Final = 6
"""Song positions count in sixteenths (MIDI 1.0, song position pointer)."""
LOST_SECONDS: Final = 2.0
"""A clock that has sent nothing for so long is gone; what it sends later begins anew."""

_WINDOW: Final = 4 * PULSES_PER_BEAT
_PROVEN: Final = 8
"""So many pulses on one line are a tempo, and not a guess."""
_FAR_SHARE: Final = 0.2
_FAR_SECONDS: Final = (0.004, 0.008)
"""A pulse is far off by this share of its length, but at least and at most by so much."""
_EXACT_SECONDS: Final = 0.0005
_MOST_JITTERS: Final = 5.0
_JITTER_SHARE: Final = 0.05
"""Share of each new pulse's distance from the line in what is taken for the usual one."""
_CHANGED: Final = 3
"""So many far pulses in a row are a new tempo, if they are on a line of their own."""
_LOST_THE_LINE: Final = 12
"""So many are, however they lie."""
_ALIKE: Final = 0.35
_ALIKE_SECONDS: Final = 0.004
"""How much the distances of pulses of one tempo may differ: by this share, or by so much."""
_LATEST: Final = 6
_DRIFT_SECONDS: Final = 0.0018
"""If the latest pulses lie off the line by this on average, the tempo moves: the older half no longer counts."""
_MISSING: Final = 1.75
"""Lengths of a pulse after which the next one was lost on the way."""
_GUESS_WEIGHT: Final = 0.5
_PROVEN_WEIGHT: Final = 144.0
"""How firmly a tempo from before holds against new pulses: as much as 12 of them."""
_SLOWEST_SECONDS, _FASTEST_SECONDS = 60 / (10 * PULSES_PER_BEAT), 60 / (500 * PULSES_PER_BEAT)


class ClockFollower:
    """Follows one clock. Times are seconds of whatever clock the caller has."""

    def __init__(self, bpm: float, *, running: bool = True) -> None:
        """`bpm`: the tempo to expect, until pulses say otherwise. `running`: whether the transport is taken to run."""
        self.running = running
        """Whether the transport runs; a clock that never says is taken to."""
        self.placed = False
        """Whether the place in the song is known; else it counts from any pulse."""
        self.moved = False
        """Whether the place in the song was set anew by the latest pulse, rather than reached."""
        self.last_seconds: float | None = None
        """When the latest pulse came; None before the first."""
        self._period = 60 / (bpm * PULSES_PER_BEAT)
        self._expected = self._period
        self._weight = _GUESS_WEIGHT
        self._points: list[tuple[int, float]] = []  # number and seconds of pulses, the latest last
        self._far: list[tuple[int, float]] = []
        self._gaps: list[tuple[int, float]] = []  # each with a number as though none had been lost
        self._jitter = _FAR_SECONDS[0]
        self._counted = False
        self._number = 0
        self._believed_lost = 0
        self._song_offset = 0
        self._next_in_song: int | None = None
        self._place = (0.0, 0.0)

    @property
    def bpm(self) -> float:
        """Quarter notes a minute."""
        return 60 / (self._period * PULSES_PER_BEAT)

    @property
    def sure(self) -> bool:
        """Whether a whole beat of pulses tells the tempo."""
        return len(self._points) >= PULSES_PER_BEAT

    @property
    def settled(self) -> bool:
        """Whether there have been enough pulses to tell a tempo."""
        return len(self._points) >= _CHANGED or self._weight == _PROVEN_WEIGHT

    def ticks_at(self, seconds: float) -> float:
        """The place in the song at `seconds`, 480 a beat, as though the clock went on."""
        number, moment = self._place
        return PULSE_TICKS * (number + (seconds - moment) / self._period + self._song_offset)

    # ---- transport -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """From the next pulse on, the song runs from its beginning."""
        self.running, self._next_in_song = True, 0

    def resume(self) -> None:
        """From the next pulse on, the song runs from where it was stopped or put (MIDI's *continue*)."""
        self.running = True

    def stop(self) -> None:
        """The song stops here; pulses may go on."""
        if self.running and self.placed and self._next_in_song is None:
            self._next_in_song = self._number + 1 + self._song_offset
        self.running = False

    def locate(self, sixteenths: int) -> None:
        """The song is put to `sixteenths` from its beginning."""
        self._next_in_song = sixteenths * PULSES_PER_STEP

    # ---- pulses --------------------------------------------------------------------------------------------------

    def pulse(self, seconds: float) -> None:
        """A pulse came at `seconds`, not before the one before it."""
        if self.last_seconds is not None and seconds - self.last_seconds >= LOST_SECONDS:
            # Nobody knows how many pulses there were meanwhile.
            self._begin_line()
            self.placed = self.placed and not self.running
        in_song = self._next_in_song if self.running else None
        self.moved = in_song is not None
        steps = self._count(seconds) if in_song is None else 1
        self.last_seconds = seconds
        self._number += steps
        if in_song is not None:
            self._song_offset, self._next_in_song, self.placed = in_song - self._number, None, True
            if self._points and abs(self._seconds_off((self._number, seconds))) > self._far_seconds:
                self._begin_line()  # Its pulses are where the song begins, and not where they were.
        if steps:
            self._take((self._number, seconds))

    def _begin_line(self) -> None:
        """Where the pulses are must be found anew; their tempo still counts."""
        self._expect(self._period, _PROVEN_WEIGHT if len(self._points) >= _PROVEN else self._weight)
        self._points, self._far, self._gaps, self._believed_lost, self._counted = [], [], [], 0, False

    def _count(self, seconds: float) -> int:
        """How many pulses further this one is."""
        if self.last_seconds is None or not self._counted:
            return 1
        gap = (seconds - self.last_seconds) / self._period
        if gap < 0.5 and self._believed_lost:
            self._believed_lost -= 1  # It was not lost, but held up.
            return 0
        missing = round(gap) - 1
        off = abs(self._seconds_off((self._number + 1 + missing, seconds)))
        if gap < _MISSING or off > self._on_line_seconds:
            # In time; or the whole clock was held up: those that are lost leave the others where they were.
            self._gaps.clear()
            if gap > 0.5:
                self._believed_lost = 0
            return 1
        self._gaps.append((self._gaps[-1][0] + 1 if self._gaps else self._number + 1, seconds))
        if len(self._gaps) > _CHANGED:
            # Not lost: they come that slowly now.
            self._restart(self._gaps[:-1])
            self._gaps = []
            return 1
        self._believed_lost = missing
        return 1 + missing

    def _take(self, point: tuple[int, float]) -> None:
        off = abs(self._seconds_off(point)) if self._points else 0.0
        if off > self._far_seconds:
            self._far.append(point)
            if self._shift():
                return
            if _on_a_line(self._far[-_CHANGED:]):
                self._restart(self._far[-_CHANGED:])
            elif len(self._far) >= _LOST_THE_LINE:
                self._restart(self._far)
            return
        self._far.clear()
        self._jitter += _JITTER_SHARE * (off - self._jitter)
        self._points.append(point)
        del self._points[:-_WINDOW]
        if not self._counted and len(self._points) == _PROVEN:
            self._count_again()
        self._fit()
        latest = self._points[-_LATEST:]
        mean = sum(map(self._seconds_off, latest)) / len(latest)
        if len(self._points) > 2 * _LATEST and abs(mean) > _DRIFT_SECONDS:
            del self._points[: len(self._points) // 2]
            self._expect(self._period, 0.0)
            self._fit()

    def _count_again(self) -> None:
        """Now that there is a tempo: which of the pulses so far had others before them that were lost."""
        (first, began), moments = self._points[0], [moment for _, moment in self._points]
        gaps = [later - earlier for earlier, later in pairwise(moments)]
        usual = [gap for gap in gaps if gap < _MISSING * median(gaps)]
        if usual and len(usual) < len(gaps):
            length = fmean(usual)
            self._points = [(first + round((moment - began) / length), moment) for moment in moments]
            self._number = self._points[-1][0]
        self._counted = True

    def _shift(self) -> bool:
        """Whether the latest far pulses are on the line after all, and were only counted wrong; if so, count right."""
        latest = self._far[-2:]
        offs = [self._seconds_off(point) for point in latest]
        pulses = round(offs[-1] / self._period) if len(offs) == 2 else 0
        most = self._on_line_seconds
        if not pulses or any(abs(off - pulses * self._period) > most for off in offs) or abs(offs[1] - offs[0]) > most:
            return False
        self._points += [(number + pulses, moment) for number, moment in latest]
        self._far = []
        self._number = self._points[-1][0]
        self._fit()
        return True

    def _restart(self, points: list[tuple[int, float]]) -> None:
        """The tempo is another from `points` on."""
        self._points, self._far = list(points), []
        self._number, self._counted = points[-1][0], False
        self._expect(self._period, 0.0)
        self._fit()

    def _expect(self, period: float, weight: float) -> None:
        self._expected, self._weight = period, weight

    @property
    def _far_seconds(self) -> float:
        return min(max(_FAR_SHARE * self._period, _FAR_SECONDS[0]), _FAR_SECONDS[1])

    @property
    def _on_line_seconds(self) -> float:
        """How far off a pulse may be that is on the line: of a clock that is exact not far."""
        return min(_FAR_SHARE * self._period, max(_EXACT_SECONDS, _MOST_JITTERS * self._jitter))

    def _seconds_off(self, point: tuple[int, float]) -> float:
        """How much later than on the line a pulse came."""
        place, moment = self._place
        return point[1] - moment - (point[0] - place) * self._period

    def _fit(self) -> None:
        """The line through the points: least squares, with the expected tempo as one more witness."""
        count, (first, began) = len(self._points), self._points[0]
        # From the first of them on: the numbers of a whole night would cost digits.
        numbers = [number - first for number, _ in self._points]
        moments = [moment - began for _, moment in self._points]
        total, passed = sum(numbers), sum(moments)
        spread = sum(map(mul, numbers, numbers)) - total * total / count
        slope = sum(map(mul, numbers, moments)) - total * passed / count
        period = (slope + self._weight * self._expected) / max(1e-9, spread + self._weight)
        self._place = (first + total / count, began + passed / count)
        self._period = min(_SLOWEST_SECONDS, max(_FASTEST_SECONDS, period))


def _on_a_line(points: list[tuple[int, float]]) -> bool:
    """Whether there are enough points for a new tempo, and about as far from each other."""
    gaps = [(after[1] - before[1]) / max(1, after[0] - before[0]) for before, after in pairwise(points)]
    return len(points) == _CHANGED and min(gaps) > 0 and max(gaps) - min(gaps) < max(_ALIKE_SECONDS, _ALIKE * min(gaps))
