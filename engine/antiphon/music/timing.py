"""Between seconds and musical time: tempo, beats and bars. It reads no clock."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.notes import TICKS_PER_BEAT

_ROUNDING = 1e-6
"""Ticks by which a tick may seem early through floating point alone."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, in all the units that anybody asks for."""

    seconds: float
    """Seconds since the session began."""
    ticks: int
    """Musical time: the last tick that has been reached."""
    bar: int
    """Number of the bar it falls in, from 0."""
    bpm: float
    """Tempo there, quarter notes a minute."""


@dataclass(frozen=True, slots=True)
class TimeSignature:
    """Beats in a bar, and which note value is a beat."""

    beats: int = 4
    """Beats in a bar, 1 to 32."""
    unit: int = 4
    """Note value of a beat: 2, 4, 8 or 16."""

    @property
    def beat_ticks(self) -> int:
        """Length of one beat in ticks (480 for a quarter note)."""
        return TICKS_PER_BEAT * 4 // self.unit

    @property
    def bar_ticks(self) -> int:
        """Length of one bar in ticks."""
        return self.beats * self.beat_ticks

    @property
    def felt_beat_ticks(self) -> int:
        """Length of the beat that one taps one's foot to: three units in 6/8, 9/8, 12/8 and the like, else one."""
        compound = self.unit >= 8 and self.beats > 3 and self.beats % 3 == 0
        return 3 * self.beat_ticks if compound else self.beat_ticks

    def __str__(self) -> str:
        return f"{self.beats}/{self.unit}"


@dataclass(frozen=True, slots=True)
class TempoChange:
    """From here on, this tempo."""

    seconds: float
    ticks: int
    bpm: float


class Timeline:
    """The session's tempo map: turns seconds into ticks and back, and knows where beats and bars begin."""

    def __init__(
        self, bpm: float = 120.0, signature: TimeSignature | None = None, changes: Sequence[TempoChange] = ()
    ) -> None:
        """`changes`: the tempo map to go on with, as `changes` gave it; else `bpm` from the start."""
        self.signature = signature or TimeSignature()
        self._changes = list(changes) or [TempoChange(0.0, 0, bpm)]

    @property
    def changes(self) -> tuple[TempoChange, ...]:
        """All tempo changes so far, the first at 0."""
        return tuple(self._changes)

    @property
    def bpm(self) -> float:
        """The tempo in force at the end of the map, quarter notes a minute."""
        return self._changes[-1].bpm

    def set_tempo(self, bpm: float, at_ticks: int) -> None:
        """Change the tempo from `at_ticks` on. Raises ValueError before the last change, or for bpm <= 0."""
        last = self._changes[-1]
        if not bpm > 0:
            raise ValueError(f"tempo is {bpm} bpm; it must be greater than 0")
        if at_ticks < last.ticks:
            raise ValueError(f"tempo change at tick {at_ticks} lies before the last one at tick {last.ticks}")
        change = TempoChange(self.seconds_at(at_ticks), at_ticks, bpm)
        if at_ticks == last.ticks:
            self._changes[-1] = change
        else:
            self._changes.append(change)

    def jump(self, at_ticks: int, to_ticks: int) -> None:
        """Skip from `at_ticks` to `to_ticks` in no time: what lies between is never played.

        Raises ValueError if that is a way back, or lies before the last change.
        """
        if to_ticks < at_ticks:
            raise ValueError(f"jump from tick {at_ticks} back to tick {to_ticks}; musical time never runs backwards")
        if at_ticks < self._changes[-1].ticks:
            raise ValueError(f"jump at tick {at_ticks} lies before the last change at tick {self._changes[-1].ticks}")
        self._changes.append(TempoChange(self.seconds_at(at_ticks), to_ticks, self.bpm))

    def ticks_at(self, seconds: float) -> int:
        """The last tick reached at `seconds`; so nothing is ever due before its time."""
        change = self._changes[-1]
        if seconds < change.seconds:
            change = self._changes[max(0, bisect_right(self._changes, seconds, key=lambda c: c.seconds) - 1)]
        ticks = (seconds - change.seconds) * change.bpm * (TICKS_PER_BEAT / 60)
        return change.ticks + math.floor(ticks + _ROUNDING)

    def seconds_at(self, ticks: int) -> float:
        """When `ticks` is reached, or skipped, in seconds."""
        index = self._change_before(ticks)
        change = self._changes[index]
        seconds = change.seconds + (ticks - change.ticks) * 60 / (change.bpm * TICKS_PER_BEAT)
        return min(seconds, self._changes[index + 1].seconds) if index + 1 < len(self._changes) else seconds

    def moment(self, seconds: float) -> Moment:
        """`seconds` in all units."""
        return self._moment(seconds, self.ticks_at(seconds))

    def moment_at(self, ticks: int) -> Moment:
        """The moment at which `ticks` is reached."""
        return self._moment(self.seconds_at(ticks), ticks)

    def _moment(self, seconds: float, ticks: int) -> Moment:
        return Moment(seconds, ticks, ticks // self.signature.bar_ticks, self._changes[self._change_before(ticks)].bpm)

    def _change_before(self, ticks: int) -> int:
        """The number of the change in force at `ticks`: mostly the last."""
        if ticks >= self._changes[-1].ticks:
            return len(self._changes) - 1
        return max(0, bisect_right(self._changes, ticks, key=lambda c: c.ticks) - 1)


def seconds_to_ticks(seconds: float, bpm: float) -> int:
    """A span of time as ticks at `bpm`, rounded to the nearest."""
    return round(seconds * bpm * (TICKS_PER_BEAT / 60))


def next_multiple(ticks: int, unit_ticks: int) -> int:
    """The first multiple of `unit_ticks` at or after `ticks`."""
    return -(-ticks // unit_ticks) * unit_ticks


def bar_line_from(signatures: Sequence[tuple[int, TimeSignature]], ticks: int) -> tuple[int, TimeSignature]:
    """The first bar line at or after `ticks`, and the metre in force there.

    `signatures`: (tick, metre) in order, each at a bar line that bars count from; 4/4 from tick 0 until the first.
    """
    since_ticks, signature = 0, TimeSignature()
    for at_ticks, metre in signatures:
        if at_ticks > ticks:
            break
        since_ticks, signature = at_ticks, metre
    return since_ticks + next_multiple(ticks - since_ticks, signature.bar_ticks), signature
