"""How long a process has had the processor, or nothing to wait for, and still not beaten. It kills nobody.

One that only does not get the processor is not blamed: where the system tells (`/proc`), time in which any of its
threads could run counts only as far as they ran. What the watch itself slept through is held against nobody anywhere.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

_LONGEST_LOOK_SECONDS: Final = 0.25
"""If more has passed since the last look, the machine was not ours."""
_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Patience:
    """What one process is blamed for, look by look."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._looked_seconds = time.perf_counter()
        self._ran_seconds = 0.0
        self._beat: float | None = None
        self._blamed_seconds = 0.0

    def blame(self, beat: float | None) -> float:
        """Seconds in which it could have beaten and did not. `beat`: which beat was its last, None before the first."""
        now = time.perf_counter()
        passed = min(now - self._looked_seconds, _LONGEST_LOOK_SECONDS)
        self._looked_seconds = now
        told = _processor_time(self._pid)
        if told is not None:
            could_run, ran_seconds = told
            ran, self._ran_seconds = ran_seconds - self._ran_seconds, ran_seconds
            passed = min(passed, ran) if could_run else passed
        if beat != self._beat:
            self._beat, self._blamed_seconds = beat, 0.0
        else:
            self._blamed_seconds += passed
        return self._blamed_seconds


def _processor_time(pid: int) -> tuple[bool, float] | None:
    """Whether any of its threads runs, could run, or waits for a disk; seconds it ran. None: nobody tells."""
    try:
        stats = [_stat(task) for task in Path(f"/proc/{pid}/task").iterdir()]
    except (OSError, ValueError, IndexError):
        return None
    return any(state in "RD" for state, _ in stats), sum(ran for _, ran in stats)


def _stat(task: Path) -> tuple[str, float]:
    state, *numbers = (task / "stat").read_text().rpartition(")")[2].split()
    return state, (int(numbers[10]) + int(numbers[11])) / _TICKS_A_SECOND
