"""When what a MIDI clock says counts as having come: its port may be late, or be meant to be. It follows no clock."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from operator import attrgetter


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message of a clock."""

    port: str
    """The input it came by."""
    message: bytes
    seconds: float
    """When it counts as having come."""


_seconds = attrgetter("seconds")


class ClockArrivals:
    """What has come by all ports, and counts at the same time or later. Each port keeps its order."""

    def __init__(self) -> None:
        self._waiting: list[Arrival] = []
        self._latest_seconds: dict[str, float] = {}

    def put(self, port: str, message: bytes, seconds: float, offset_seconds: float) -> None:
        """`message` came at `seconds`, and counts so much later; or earlier, if `offset_seconds` is negative."""
        counts = max(seconds + offset_seconds, self._latest_seconds.get(port, 0.0))
        self._latest_seconds[port] = counts
        insort(self._waiting, Arrival(port, message, counts), key=_seconds)

    def next_seconds(self) -> float | None:
        """When the next message counts; None if none waits."""
        return self._waiting[0].seconds if self._waiting else None

    def due(self, now_seconds: float) -> list[Arrival]:
        """Take the messages that count by now, in order."""
        end = sum(arrival.seconds <= now_seconds for arrival in self._waiting)
        taken, self._waiting = self._waiting[:end], self._waiting[end:]
        return taken
