"""Where seconds come from: the system's clock on stage, a hand-turned one in tests and offline."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since the session began; never runs backwards."""

    def now(self) -> float:
        """The present, in seconds since the session began."""
        ...


class SystemClock:
    """The system's monotonic clock, which all processes of one machine share."""

    def __init__(self, origin: float | None = None) -> None:
        """`origin`: the `time.perf_counter()` reading, in seconds, at which the session began; now, if None."""
        self.origin = time.perf_counter() if origin is None else origin

    def now(self) -> float:
        return time.perf_counter() - self.origin


class ManualClock:
    """A clock that stands still until it is told to move; a whole evening passes in a test's blink."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds

    def now(self) -> float:
        return self._seconds

    def advance_to(self, seconds: float) -> None:
        """Move to `seconds`. Raises ValueError if that lies in the past."""
        if seconds < self._seconds:
            raise ValueError(f"the clock shows {self._seconds} s and cannot go back to {seconds} s")
        self._seconds = seconds

    def advance(self, by_seconds: float) -> None:
        """Move on by `by_seconds`. Raises ValueError if negative."""
        self.advance_to(self._seconds + by_seconds)
