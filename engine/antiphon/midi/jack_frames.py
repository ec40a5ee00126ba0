"""Between JACK's frames and `perf_counter` seconds, and the order in which messages leave."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from operator import itemgetter
from typing import Final

_WRAP: Final = 1 << 32
"""JACK counts frames in 32 bits: at 48 kHz it begins anew every 24.8 hours."""
_SMOOTHING: Final = 0.02
"""Share of each new reading that is believed; a reading is ± half a frame, and late when the thread was held up."""
_JUMP_SECONDS: Final = 0.005
"""A reading that differs by more means that periods were lost: believe it at once."""
_EARLY_SECONDS: Final = 0.0005
"""So does one that is earlier by more than this: a thread may be held up, so that those before were late."""

_frame = itemgetter(0)


class PeriodClock:
    """Knows which frame the present period began at, and when that was."""

    def __init__(self, sample_rate: int) -> None:
        """`sample_rate`: frames a second."""
        self.sample_rate = sample_rate
        self.frame = 0
        """First frame of the present period; does not wrap."""
        self.seconds = -math.inf
        """When that was, in `time.perf_counter()` seconds."""
        self._counter = 0

    def begin(self, counter: int, frames_since: int, now_seconds: float) -> None:
        """A period begins at JACK's frame `counter`; `frames_since` frames of it had passed at `now_seconds`."""
        passed = (counter - self._counter) % _WRAP
        self._counter = counter
        self.frame += passed
        measured = now_seconds - frames_since / self.sample_rate
        predicted = self.seconds + passed / self.sample_rate
        error = measured - predicted
        self.seconds = predicted + _SMOOTHING * error if -_EARLY_SECONDS < error < _JUMP_SECONDS else measured

    def frame_at(self, seconds: float) -> int:
        """The frame nearest to `seconds`."""
        return self.frame + round((seconds - self.seconds) * self.sample_rate)

    def seconds_at(self, frame: int) -> float:
        """When `frame` is, in `time.perf_counter()` seconds."""
        return self.seconds + (frame - self.frame) / self.sample_rate


class Outbox:
    """Messages on their way to one port. Any thread puts them in, JACK's thread takes them out; no lock between.

    A message due at a time leaves exactly one period later, so that what is handed over by then is never late. One
    without a time leaves at the first chance, but never before what was due earlier: no note-off overtakes its note-on.
    """

    def __init__(self) -> None:
        self._arrivals: deque[tuple[bytes, float, bool]] = deque()
        self._pending: list[tuple[int, bytes]] = []  # by frame; a frame of 0 means: at the first chance

    def __len__(self) -> int:
        return len(self._arrivals) + len(self._pending)

    def put(self, message: bytes, due_seconds: float, immediate: bool) -> None:
        """`due_seconds`: when it is due, or, if `immediate`, when it was handed over."""
        self._arrivals.append((message, due_seconds, immediate))

    def due(self, clock: PeriodClock, period_frames: int, most: int) -> list[tuple[int, bytes]]:
        """At most `most` messages to write in the present period, in order, each with its offset in frames.

        Those that were written are to be reported by `taken`; the others are offered again.
        """
        for _ in range(min(most, len(self._arrivals))):
            message, due_seconds, immediate = self._arrivals.popleft()
            frame = clock.frame_at(due_seconds) + period_frames
            place = bisect_right(self._pending, frame, key=_frame)
            if immediate:
                frame = self._pending[place - 1][0] if place else 0
            self._pending.insert(place, (frame, message))
        end = bisect_right(self._pending, clock.frame + period_frames - 1, hi=min(most, len(self._pending)), key=_frame)
        return [(max(0, frame - clock.frame), message) for frame, message in self._pending[:end]]

    def taken(self, count: int) -> None:
        """The first `count` messages of those offered have been written."""
        del self._pending[:count]

    def drop(self) -> None:
        """Forget everything that has not left."""
        self._arrivals.clear()
        self._pending.clear()
