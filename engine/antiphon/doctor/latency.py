"""How long a note takes out of one port and back into another, and the offset for that. It opens no port."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from antiphon.errors import AntiphonError
from antiphon.music.messages import is_note_on, note_off, note_on
from antiphon.session.percentiles import percentile

NOTES: Final = 100
"""How many notes are timed."""
MOST_MS: Final = 100.0
"""Largest offset that a preset may give an output, either way."""

_CHANNEL: Final = 15
_LOWEST_PITCH, _PITCHES = 36, 48
"""Each note has another pitch than those around it, so that an echo that comes late is not taken for the next one's."""
_LOST_SECONDS: Final = 0.5
"""A note that has not come back after so long is lost."""
_GAP_SECONDS: Final = 0.005
"""Least time from an echo to the next note; up to four times as long, so that no note keeps step with a driver."""
_GOLDEN: Final = 0.618

Send = Callable[[bytes, float | None], None]
"""Sends a message: at a time, in `time.perf_counter()` seconds, or at once."""


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """What was measured."""

    sent: int
    """How many notes were sent."""
    seconds: tuple[float, ...]
    """How long each one took that came back, at least one."""

    @property
    def lost(self) -> int:
        """How many did not come back."""
        return self.sent - len(self.seconds)

    def milliseconds(self) -> dict[str, float]:
        """Percentiles of the round trip: p50, p95, p99 and max."""
        percents = {"p50": 50, "p95": 95, "p99": 99, "max": 100}
        return {name: round(1000 * percentile(self.seconds, percent), 3) for name, percent in percents.items()}

    def offset_ms(self, *, one_way: bool) -> float:
        """The offset that makes up for the way there, in milliseconds; 0 if it is less than a tenth.

        A note that is sent so much earlier is in time. Of a round trip it is half: nobody can tell how much of it was
        the way there, but both go through the same driver and cable. `one_way`: the way back was not counted.
        """
        median = 1000 * percentile(self.seconds, 50)
        return -min(MOST_MS, round(median if one_way else median / 2, 1)) + 0.0


class Returns:
    """What comes back. The port's driver calls `receive`, in a thread of its own."""

    def __init__(self) -> None:
        self._heard: deque[tuple[int, float]] = deque()

    def receive(self, message: bytes, seconds: float) -> None:
        """A message came at `seconds`. On whatever channel: who passes it on may have changed that."""
        if message and is_note_on(message):
            self._heard.append((message[1], seconds))

    def wait_for(self, pitch: int, until_seconds: float) -> float | None:
        """When the note of this pitch came back; None if it has not until then. Other notes are forgotten."""
        while True:
            while self._heard:
                heard, seconds = self._heard.popleft()
                if heard == pitch:
                    return seconds
            if time.perf_counter() >= until_seconds:
                return None
            time.sleep(_GAP_SECONDS / 20)


def time_notes(send: Send, returns: Returns, patience_seconds: float, count: int = NOTES) -> RoundTrips:
    """Send `count` soft, short notes, one after the other, and time them.

    The first of them is repeated until it comes back, for `patience_seconds` at most: somebody may have to make a
    connection yet.

    Raises:
        AntiphonError: nothing came back.
    """
    give_up = time.perf_counter() + patience_seconds
    while _time_note(send, returns, _LOWEST_PITCH + _PITCHES) is None:
        if time.perf_counter() >= give_up:
            raise AntiphonError(
                f"no note came back within {patience_seconds:g} s; connect the output to the input, by a cable or in "
                "your DAW (a track that passes MIDI on), and try again"
            )
    times = []
    for number in range(count):
        times.append(_time_note(send, returns, _LOWEST_PITCH + number % _PITCHES))
        time.sleep(_GAP_SECONDS * (1 + 3 * (number * _GOLDEN % 1)))
    return RoundTrips(count, tuple(seconds for seconds in times if seconds is not None))


def _time_note(send: Send, returns: Returns, pitch: int) -> float | None:
    """Seconds that one note took; None if it is lost."""
    begun = time.perf_counter()
    try:
        send(note_on(_CHANNEL, pitch, 1), begun)  # As what a voice plays: a port that stamps gives it its place.
        returned = returns.wait_for(pitch, begun + _LOST_SECONDS)
    finally:
        send(note_off(_CHANNEL, pitch), None)
    return None if returned is None else max(0.0, returned - begun)
