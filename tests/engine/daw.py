"""A DAW that sends a MIDI clock as real ones do: its pulses leave when an audio buffer is done, some late or never."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Literal

Jitter = Literal["none", "uniform", "buffers", "stalls"]

BUFFER_SECONDS = 0.0031
"""So that pulses of 20.83 ms arrive 18.6 to 21.7 ms apart, as was measured."""


class Daw:
    """Knows exactly where its song is; what it sends is less exact."""

    def __init__(self, random: Random, jitter: Jitter = "uniform", *, lost: float = 0.0, seconds: float = 0.0) -> None:
        """`lost`: share of the pulses that never arrive. `seconds`: when its first pulse is due."""
        self.seconds = seconds
        self.song_pulse = 0
        """The next pulse of the song."""
        self.running = False
        self._random = random
        self._jitter = jitter
        self._lost = lost
        self._phase = random.random() * BUFFER_SECONDS
        self._arrived = seconds

    def pulses(self, beats: float, bpm: float, to_bpm: float | None = None) -> Iterator[tuple[float, float | None]]:
        """For each pulse of so many beats: when it is due, and when it arrives; `to_bpm`: a ramp to this tempo."""
        count = round(24 * beats)
        for number in range(count):
            arrives = None if self._random.random() < self._lost else self._arrival()
            yield self.seconds, arrives
            now_bpm = bpm if to_bpm is None else bpm + (to_bpm - bpm) * number / count
            self.seconds += 60 / now_bpm / 24
            self.song_pulse += self.running

    def _arrival(self) -> float:
        due = self.seconds
        if self._jitter == "buffers":
            due = round((due + self._phase) / BUFFER_SECONDS) * BUFFER_SECONDS - self._phase
        elif self._jitter != "none":
            due += self._random.uniform(-BUFFER_SECONDS, BUFFER_SECONDS) / 2
        if self._jitter == "stalls" and self._random.random() < 0.01:
            due += self._random.expovariate(1 / 0.02)
        self._arrived = max(self._arrived, due)
        return self._arrived
