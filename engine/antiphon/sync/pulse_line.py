"""The straight line through the pulses of a clock, and the cheapest explanation of those that do not lie on it.

A pulse may be late by anything up to an audio buffer, so single pulses prove nothing. Whatever is said of them is
weighed over all of them, by what it costs (the minimum description length): the squared distances from the line that
are left, plus a price for each pulse that is said to be lost, and for a tempo that is said to be another. What saves
less than its price is not said. It knows no song and no time of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Final

from antiphon.notes import TICKS_PER_BEAT

PULSES_PER_BEAT: Final = 24
"""MIDI 1.0, system real-time messages."""
PULSE_TICKS: Final = TICKS_PER_BEAT // PULSES_PER_BEAT

ClockPulse = tuple[int, float]
"""A pulse's number, and when it came, in seconds."""

_SLOWEST_SECONDS, _FASTEST_SECONDS = 60 / (10 * PULSES_PER_BEAT), 60 / (500 * PULSES_PER_BEAT)
_LOST_PRICE: Final = 4.0
_MANY_LOST_PRICE: Final = 6.5
_TEMPO_PRICE: Final = 12.0
"""In squares of how unevenly the pulses come."""
_LEAST_UNEVEN: Final = 0.1
"""As unevenly as this share of a period they always count as coming."""
_MOST_UNEVEN: Final = 1 / 16
"""Beyond a period, only so much of their square counts: what buffers spread evens out over a few pulses."""
_LEAST_OF_TEMPO: Final = 8
"""A new tempo shows in so many pulses: fewer that are late come after one that was lost, or were held up."""
_RECENT: Final = 8 * PULSES_PER_BEAT
"""What lies further back has been weighed often enough."""
_GAP: Final = 0.4
"""Periods after which a pulse may have been lost on the way."""
_BUFFERS_SECONDS: Final = tuple(frames / rate for frames in (256, 512, 1024, 2048) for rate in (44100, 48000))
_WHOLE_BUFFERS: Final = 3e-4
"""Two clocks of one machine agree to this share, or to half a millisecond over the time that they are compared."""
_AGREED_SECONDS: Final = 0.0005


@dataclass(frozen=True, slots=True)
class PulseLine:
    """Where pulses are due: at `seconds` the one numbered `number`, then one each `period` (in seconds)."""

    period: float
    number: float = 0.0
    seconds: float = 0.0
    spread: float = 0.0
    """How many seconds apart the earliest and the latest pulse are, beside the line, if all between is as frequent."""

    def due(self, number: float) -> float:
        """When the pulse of this number is due."""
        return self.seconds + (number - self.number) * self.period

    def late(self, pulse: ClockPulse) -> float:
        """How many seconds after it was due a pulse came."""
        return pulse[1] - self.seconds - (pulse[0] - self.number) * self.period


@dataclass(frozen=True, slots=True)
class Change:
    """What explains the pulses from `index` on: so many `lost` before (below 0: fewer than was thought), or a tempo."""

    index: int
    lost: int


def line_through(pulses: Sequence[ClockPulse], expected: float, weight: float) -> PulseLine:
    """Least squares, with the period to expect as one more witness, of this weight."""
    sums = _Sums.of(pulses)
    period = (sums.xy + weight * expected) / max(1e-9, sums.xx + weight)
    period = min(_SLOWEST_SECONDS, max(_FASTEST_SECONDS, period))
    left = max(0.0, sums.yy - 2 * period * sums.xy + period**2 * sums.xx)
    first, began = pulses[0]
    return PulseLine(
        period, first + sums.x / sums.count, began + sums.y / sums.count, math.sqrt(12 * left / sums.count)
    )


def cheapest_change(pulses: Sequence[ClockPulse], least: int) -> Change | None:
    """The one change that makes the pulses cheapest; None if none is worth its price.

    `least`: how many pulses there have to be after it.
    """
    found = max(_changes(pulses, least), default=None, key=_saved)
    return None if found is None else found[1]


def whole_buffers(pulses: Sequence[ClockPulse], change: Change) -> bool:
    """Whether, with those that were lost, each pulse would come just a whole audio buffer after another.

    Then none was lost: buffer by buffer the clock slips, until there is one without a pulse.
    """
    counted = [*pulses[: change.index], *((number + change.lost, at) for number, at in pulses[change.index :])]
    period, span = _Sums.of(counted).slope, pulses[-1][1] - pulses[0][1]
    near = _WHOLE_BUFFERS + _AGREED_SECONDS / span
    return any(abs(period * max(1, round(buffer / period)) / buffer - 1) < near for buffer in _BUFFERS_SECONDS)


def rather_slower(pulses: Sequence[ClockPulse], latest: int, least: int) -> list[ClockPulse] | None:
    """The pulses, counted as though none of the `latest` had been lost, if a slower tempo explains them cheaper."""
    counted = list(pulses)
    for index in range(max(1, len(pulses) - latest), len(pulses)):
        step = max(0, pulses[index][0] - pulses[index - 1][0])
        counted[index] = (counted[index - 1][0] + min(step, 1), pulses[index][1])
    lost = pulses[-1][0] - counted[-1][0]
    slower = max(_changes(counted, least), default=None, key=_saved) if lost else None
    if slower is None or slower[1].lost:
        return None
    sums = _Sums.of(pulses)
    price = lost * (_LOST_PRICE if lost == 1 else _MANY_LOST_PRICE) * sums.square(sums.left)
    with_losses = sums.left + price - max(map(_saved, _changes(pulses, least)), default=0.0)
    return counted if _Sums.of(counted).left - slower[0] < with_losses else None


def _saved(found: tuple[float, Change]) -> float:
    return found[0]


@dataclass(frozen=True, slots=True)
class _Sums:
    """Of pulses counted (x) and timed (y) from the first of them on: the numbers of a whole night would cost digits."""

    count: int
    x: float
    y: float
    xx: float
    """Sum of squares about the mean, as are the next two."""
    xy: float
    yy: float

    @staticmethod
    def of(pulses: Sequence[ClockPulse]) -> _Sums:
        first, began = pulses[0]
        xs, ys = [number - first for number, _ in pulses], [at - began for _, at in pulses]
        count, x, y = len(pulses), sum(xs), sum(ys)
        xx, xy, yy = sum(map(mul, xs, xs)), sum(map(mul, xs, ys)), sum(map(mul, ys, ys))
        return _Sums(count, x, y, xx - x * x / count, xy - x * y / count, yy - y * y / count)

    @property
    def slope(self) -> float:
        return self.xy / self.xx if self.xx else 0.0

    @property
    def left(self) -> float:
        """Sum of squares that the straight line leaves."""
        return self.yy - self.xy * self.slope

    def square(self, unexplained: float) -> float:
        """How unevenly pulses come that leave so much: evenly spread over a range, 12 times that is its square."""
        uneven, period = 12 * unexplained / self.count, self.slope
        return min(max(uneven, (_LEAST_UNEVEN * period) ** 2), max(period**2, _MOST_UNEVEN * uneven))


def _changes(pulses: Sequence[ClockPulse], least: int) -> Iterator[tuple[float, Change]]:
    """What each change would save, where it saves anything. Needs only sums over the pulses from there on."""
    whole = _Sums.of(pulses)
    period, count = whole.slope, whole.count
    if period <= 0:
        return
    left, square = whole.left, whole.square
    first, began = pulses[0]
    after = 0
    x = y = xx = xy = 0.0
    for index in range(count - 1, max(2, count - _RECENT), -1):
        number, at = pulses[index][0] - first, pulses[index][1] - began
        after, x, y = after + 1, x + number, y + at
        xx, xy = xx + number * number, xy + number * at
        if after < least:
            continue
        step = number - (pulses[index - 1][0] - first)
        late = at - (pulses[index - 1][1] - began) >= _GAP * period
        for lost in (*((1,) if late else ()), *((-1,) if step > 1 and index >= count // 4 else ())):
            moved_xx = whole.xx + 2 * lost * (x - after * whole.x / count) + lost**2 * after * (1 - after / count)
            moved_xy = whole.xy + lost * (y - after * whole.y / count)
            unexplained = whole.yy - moved_xy**2 / moved_xx
            price = _LOST_PRICE * (square(unexplained) if lost > 0 else -square(left))
            if left - unexplained > price:
                yield left - unexplained - price, Change(index, lost)
        if after < max(_LEAST_OF_TEMPO, 2 * least) or index < 4:
            continue
        # A bend in the line: one more column, how far beyond `index` a pulse is.
        bend, bend_bend = x - after * number, xx - 2 * number * x + after * number**2
        bend_x = xx - number * x - bend * whole.x / count
        bend_y = xy - number * y - bend * whole.y / count - bend_x * whole.xy / whole.xx
        bend_bend += -bend * bend / count - bend_x**2 / whole.xx
        saved = bend_y**2 / bend_bend if bend_bend > 1e-9 else 0.0
        price = _TEMPO_PRICE * square(left - saved)
        if saved > price:
            yield saved - price, Change(index, 0)
