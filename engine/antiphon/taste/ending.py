"""How an answer of known length ends: where its last chord falls, and until when it rings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from antiphon.generator import Request
from antiphon.music.pulse import Pulse
from antiphon.notes import TICKS_PER_BEAT

_LAST_BEATS, _SLOW_BEATS = 1.0, 2.0
"""The last chord falls on the last beat that leaves it so long; in music that goes in beats, and no faster, longer."""
_PART, _MOST_BEATS = 3 / 16, 3.0
"""And where it is known how long the whole answer is, such a part of it, if that is more, up to so many beats."""
_SLOW_SHARE: Final = 0.8
"""Of the onsets that fall on beats, in such music."""
_REST_BEATS: Final = 0.25
"""So long before the end it is over."""
_FALLS_BEATS: Final = 2.0
"""For so long before it, less and less begins."""

_HUSH_BEATS: Final = 0.2
"""And for so long nothing at all."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of an answer, in the ticks of its requests."""

    falls_ticks: float
    """From here on less begins."""
    hush_ticks: float
    """From here on nothing begins before the last chord does."""
    last_ticks: float
    """Where the last chord falls."""
    rest_ticks: int
    """Where it is over."""

    @classmethod
    def of(cls, request: Request, pulse: Pulse | None) -> Ending | None:
        """The end that `request` leads to; None if it is not known. On a beat of `pulse`, or else of the request."""
        if request.left_ticks is None and not request.final:
            return None
        end = request.start_ticks + (request.length_ticks if request.left_ticks is None else request.left_ticks)
        beat, origin = (TICKS_PER_BEAT, 0.0) if pulse is None else (pulse.beat_ticks, pulse.origin_ticks)
        long = _SLOW_BEATS if pulse is not None and pulse.shares[0] >= _SLOW_SHARE else _LAST_BEATS
        if request.answer_ticks is not None:
            long = max(long, min(_PART * (end - request.answer_ticks) / beat, _MOST_BEATS))
        last = origin + math.floor((end - long * beat - origin) / beat + 1e-6) * beat
        return cls(
            last - _FALLS_BEATS * beat,
            last - _HUSH_BEATS * beat,
            last,
            max(round(last) + 1, round(end - _REST_BEATS * beat)),
        )

    def is_due(self, ticks: int) -> bool:
        """Whether the next chord at `ticks` is the last one."""
        return ticks >= self.last_ticks - 0.01 * TICKS_PER_BEAT
