"""Tempo and place in the song, from the pulses of a MIDI clock and its start, stop and song position.

A DAW sends pulses when its audio buffers are done: they come late, by up to a buffer, and several at once where buffers
are long. So the beat is a straight line through the pulses of the latest beats (`pulse_line`), and how far they are
spread about it says what a single one proves. Of a clock that comes **evenly**, a few far pulses in a row are a new
tempo, or come after others that were lost. Of one that comes **bunched**, only all of its pulses together say so.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

from antiphon.sync.pulse_line import (
    PULSE_TICKS,
    PULSES_PER_BEAT,
    Change,
    ClockPulse,
    PulseLine,
    cheapest_change,
    line_through,
    rather_slower,
    whole_buffers,
)

__all__ = ["LOST_SECONDS", "PULSES_PER_BEAT", "PULSES_PER_STEP", "PULSE_TICKS", "ClockFollower"]

PULSES_PER_STEP: Final = 6
"""Song positions count in sixteenths (MIDI 1.0, song position pointer)."""
LOST_SECONDS: Final = 2.0
"""A clock that has sent nothing for so long is gone; what it sends later begins anew."""

_EVEN_WINDOW, _BUNCHED_WINDOW = 4 * PULSES_PER_BEAT, 16 * PULSES_PER_BEAT
_BUNCHED: Final = 0.3
"""A clock whose pulses are spread over more than this share of their distance comes bunched."""
_FAR_SHARE: Final = 0.2
_FAR_SECONDS: Final = (0.004, 0.008)
"""A pulse is far off by this share of its length, but at least and at most by so much."""
_FAR_MOST_SHARE: Final = 0.3
_BEYOND_SECONDS: Final = 0.002
"""And at least by so much beyond the usual spread."""
_EXACT_SECONDS: Final = 0.0005
_HELD_UP: Final = 1.5
"""Of a clock that comes bunched, a pulse is far off if it is later by so many of its lengths: one may be lost."""
_AT_ONCE: Final = 0.3
"""Pulses that come within this share of their distance were held up together."""
_CHANGED: Final = 3
"""So many far pulses in a row are a new tempo of a clock that comes evenly."""
_LOST_THE_LINE: Final = 12
"""So many are, however they lie."""
_ALIKE: Final = 0.35
_ALIKE_SECONDS: Final = 0.004
"""How much the distances of pulses of one tempo may differ: by this share, or by so much."""
_KNOWN: Final = 180
"""After so many pulses on a line it is known how far they are spread; until then, what is far may be its edge."""
_SELDOM: Final = 48
"""If of so many pulses some seem to be lost, perhaps the clock is slower."""
_LATEST: Final = 6
_DRIFT_SECONDS: Final = 0.0018
"""If the latest pulses lie off the line by this on average, the tempo moves: the older half no longer counts."""
_DRIFT_SHARE: Final = 0.3
"""But at least by so much of their spread."""
_PROVEN: Final = 8
"""So many pulses on one line are a tempo, and not a guess."""
_GUESS_WEIGHT: Final = 0.5
_PROVEN_WEIGHT: Final = 144.0
"""How firmly a tempo from before holds against new pulses: as much as 12 of them."""
_HINGE: Final = 12
"""As firmly as so many pulses a new tempo begins where the old one led."""
_TOLD: Final = 0.12
"""A tempo is told by pulses that are spread over no more than this share of the time that they took."""


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
        self._line = PulseLine(60 / (bpm * PULSES_PER_BEAT))
        self._expected = self._line.period
        self._weight = _GUESS_WEIGHT
        self._points: list[ClockPulse] = []  # the latest last
        self._far: list[ClockPulse] = []
        self._spread = 0.0
        self._known_spread = 0.0  # from before the tempo changed: a few pulses do not show it
        self._since = 0
        self._explained = 0
        self._number = 0
        self._song_offset = 0
        self._next_in_song: int | None = None

    @property
    def bpm(self) -> float:
        """Quarter notes a minute."""
        return 60 / (self._line.period * PULSES_PER_BEAT)

    @property
    def sure(self) -> bool:
        """Whether a whole beat of pulses tells the tempo."""
        return len(self._points) >= PULSES_PER_BEAT

    @property
    def spread_seconds(self) -> float:
        """From the earliest of its pulses to the latest, beside the line: an audio buffer, if it comes bunched."""
        return self._spread

    @property
    def settled(self) -> bool:
        """Whether there have been enough pulses to tell a tempo."""
        if self._weight == _PROVEN_WEIGHT:
            return True
        points = self._points
        return len(points) >= _CHANGED and self._spread <= _TOLD * (points[-1][1] - points[0][1])

    def ticks_at(self, seconds: float) -> float:
        """The place in the song at `seconds`, 480 a beat, as though the clock went on."""
        line = self._line
        return PULSE_TICKS * (line.number + (seconds - line.seconds) / line.period + self._song_offset)

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
        at_once = self.last_seconds is not None and seconds - self.last_seconds < _AT_ONCE * self._line.period
        self.last_seconds = seconds
        self._number += 1
        pulse = (self._number, seconds)
        if in_song is not None:
            self._song_offset, self._next_in_song, self.placed = in_song - self._number, None, True
            doubtful = self._bunched and self._number - self._since < _KNOWN
            if self._points and (doubtful or self._is_far(pulse)):
                self._begin_line()  # Its pulses are where the song begins, and not where they were.
        self._take(pulse, at_once=at_once)

    def _begin_line(self) -> None:
        """Where the pulses are must be found anew; their tempo still counts."""
        weight = _PROVEN_WEIGHT if len(self._points) >= _PROVEN else self._weight
        self._expected, self._weight = self._line.period, weight
        self._points, self._far, self._since = [], [], self._number
        self._spread = self._known_spread = 0.0

    def _take(self, pulse: ClockPulse, *, at_once: bool) -> None:
        """`at_once`: whether it came together with the one before it."""
        if len(self._points) < _CHANGED or not self._is_far(pulse):
            # Those before it were held up: they count as come when they were due.
            self._accept(*((number, self._line.due(number)) for number, _ in self._far), pulse)
            return
        self._far.append(pulse)
        if self._bunched:
            if len(self._far) >= _LATEST:
                self._accept(*self._far)
        elif len(self._far) >= _LOST_THE_LINE:
            self._restart(self._far)
        elif not at_once:
            self._weigh_far()
        elif len(self._far) > 1 and (len(self._points) < _PROVEN or self._line.late(pulse) < 0):
            self._accept(*self._far)  # Not held up: so it comes.

    def _accept(self, *pulses: ClockPulse) -> None:
        self._points += pulses
        self._far = []
        window = _BUNCHED_WINDOW if self._bunched else _EVEN_WINDOW
        if len(self._points) > window:
            del self._points[:-window]
        if self._bunched and len(self._points) >= _LOST_THE_LINE:
            if self._number - self._explained >= _LATEST:
                self._explained = self._number
                self._fit()
                self._explain()
            return
        self._fit()
        latest = self._points[-_LATEST:]
        mean = sum(map(self._line.late, latest)) / len(latest)
        if len(self._points) > 2 * _LATEST and abs(mean) > max(_DRIFT_SECONDS, _DRIFT_SHARE * self._spread):
            self._restart(self._points[len(self._points) // 2 :])

    # ---- what pulses off the line mean ---------------------------------------------------------------------------

    def _weigh_far(self) -> None:
        """Of a clock that comes evenly: whether the far pulses are enough to say what they mean."""
        far, period = self._far, self._line.period
        offs = [self._line.late(pulse) for pulse in far]
        near = min(_FAR_SHARE * period, max(_EXACT_SECONDS, self._spread))
        lost = [round(off / period) if abs(off - round(off / period) * period) <= near else 0 for off in offs]
        if len(far) > 1 and lost[-1] == lost[-2] > 0:
            if lost[-1] == 1 and whole_buffers([*self._points, *far], Change(len(self._points), 1)):
                self._accept(*far)
                return
            self._number += lost[-1]
            self._accept(*((number + more, at) for (number, at), more in zip(far, lost, strict=True) if more))
        elif len(far) < _CHANGED:
            return
        elif len(self._points) < _PROVEN or (
            max(offs) - min(offs) <= self._spread + self._far_seconds and self._number - self._since < _KNOWN
        ):
            self._accept(*far)
        elif _on_a_line(far[-_CHANGED:]):
            self._restart(far[-_CHANGED:])

    def _explain(self) -> None:
        """Of a clock that comes bunched: whether some were lost, or its tempo is another."""
        least = 1 + math.ceil(self._spread / self._line.period)
        if (counted := rather_slower(self._points, _SELDOM, least)) is not None:
            self._points, self._number = counted, counted[-1][0]
        # What buffers do evens out over twice the square of the pulses in one.
        enough = max(_LOST_THE_LINE, 2 * least * least)
        while len(self._points) >= enough and (change := cheapest_change(self._points, least)) is not None:
            if change.lost > 0 and whole_buffers(self._points, change):
                return
            index, points = change.index, self._points
            if change.lost:
                self._points = points[:index] + [(number + change.lost, at) for number, at in points[index:]]
                self._number += change.lost
                self._fit()
            else:
                before = line_through(points[:index], self._expected, self._weight)
                hinge = points[index][0]
                self._restart([(hinge, before.due(hinge))] * _HINGE + points[index:])

    def _restart(self, points: list[ClockPulse]) -> None:
        """The tempo is another from `points` on."""
        known = self._bunched and len(self._points) >= 2 * PULSES_PER_BEAT
        self._known_spread = self._spread if known else 0.0
        self._points, self._far, self._since = list(points), [], self._number
        self._weight = 0.0
        self._fit()

    @property
    def _bunched(self) -> bool:
        return self._spread > _BUNCHED * self._line.period

    @property
    def _far_seconds(self) -> float:
        period, (least, most) = self._line.period, _FAR_SECONDS
        return min(max(_FAR_SHARE * period, min(least, _FAR_MOST_SHARE * period)), most)

    def _is_far(self, pulse: ClockPulse) -> bool:
        late = self._line.late(pulse)
        if self._bunched:
            return late > self._spread / 2 + _HELD_UP * self._line.period
        return abs(late) > max(self._far_seconds, self._spread / 2 + _BEYOND_SECONDS)

    def _fit(self) -> None:
        self._line = line_through(self._points, self._expected, self._weight)
        known = 0.0 if len(self._points) >= _EVEN_WINDOW else self._known_spread
        self._spread = max(self._line.spread, known)


def _on_a_line(pulses: list[ClockPulse]) -> bool:
    """Whether they come about as far from each other."""
    gaps = [later[1] - earlier[1] for earlier, later in pairwise(pulses)]
    return min(gaps) > 0 and max(gaps) - min(gaps) < max(_ALIKE_SECONDS, _ALIKE * min(gaps))
