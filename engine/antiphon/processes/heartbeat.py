"""When each process of a performance last showed that it lives, where all of them can see it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from antiphon.processes.shared_folder import shared_memory

MOST_PLACES: Final = 64
"""Most processes of a performance."""
_PLACE_BYTES: Final = 8


class Heartbeat:
    """When each process last beat, in memory that all of them share. Slot 0 is the engine's, 1 the sound's."""

    ENGINE: Final = 0
    SOUND: Final = 1
    FIRST_PLAYER: Final = 2

    def __init__(self, folder: Path) -> None:
        self._memory = shared_memory(folder / "heartbeat", MOST_PLACES * _PLACE_BYTES)
        self._view = memoryview(self._memory).cast("d")

    def beat(self, slot: int) -> None:
        """Say: I am alive, and not stuck."""
        self._view[slot] = time.perf_counter()

    def reset(self, slot: int) -> None:
        """Wait for the first beat of a process that is being started."""
        self._view[slot] = 0.0

    def last(self, slot: int) -> float | None:
        """When it beat last; None before the first beat."""
        last: float = self._view[slot]
        return last or None

    def silent_seconds(self, slot: int) -> float | None:
        """Time since the last beat; None before the first."""
        last: float = self._view[slot]
        return time.perf_counter() - last if last else None
