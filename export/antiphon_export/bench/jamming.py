"""Figures of `antiphon jam` as a person starts it: how soon it is ready, what it takes while nobody plays."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from antiphon.errors import AntiphonError
from antiphon_export.bench.figures import Row, Target, Unmeasured, figure
from antiphon_export.bench.machine import family, processor_seconds, resident_megabytes
from antiphon_export.bench.programs import Program, environment, running

_READY: Final = Target("p95", 1.5)
_RESIDENT: Final = Target("max", 80)
_IDLE: Final = Target("max", 3)
_READY_LINE: Final = re.compile(r"ready in ([0-9.]+) s")
_SETTLE_SECONDS: Final = 3.0
"""After the start: what was imported last has been compiled, and the first pauses are over."""
NO_PROC: Final = "this system does not tell through /proc; see its own monitor of processes"


def readiness(
    folder: Path, backend: str, times: int, preset: str | None = "answer", target: Target = _READY
) -> list[Row]:
    """Start the command line `times` times. `preset`: what it is told to play; None: nothing."""
    whole, own = [], []
    with _jam(folder / "first", backend, preset) as program:
        _wait_until_ready(program)  # The first start after an installation may have to compile; it does not count.
    for number in range(times):
        with _jam(folder / str(number), backend, preset) as program:
            seconds, told = _wait_until_ready(program)
            whole.append(seconds)
            own.append(told)
    return [
        figure(f"jam{f' {preset}' if preset else ''}: from the command to ready", "s", whole, target),
        figure("  of these, after its own imports", "s", own),
    ]


def idleness(folder: Path, backend: str, seconds: float) -> list[Row]:
    """Start it, leave it alone for `seconds`, look at its processes."""
    with _jam(folder, backend, "answer") as program:
        _wait_until_ready(program)
        time.sleep(_SETTLE_SECONDS)
        processes = family(program.pid)
        if processes is None:
            return [Unmeasured("memory and idle CPU", NO_PROC)]
        if "engine" not in processes:
            raise AntiphonError("the engine does not stay alive")
        before = {role: processor_seconds(pid) for role, pid in processes.items()}
        began = time.perf_counter()
        time.sleep(seconds)
        passed = time.perf_counter() - began
        after = {role: processor_seconds(pid) for role, pid in processes.items()}
        memory = {role: resident_megabytes(pid) for role, pid in processes.items()}
    shares = {role: 100 * (after[role] - before[role]) / passed for role in processes}
    return [
        figure("resident memory of the engine", "MB", [memory.pop("engine")], _RESIDENT),
        *(figure(f"  {role}", "MB", [size]) for role, size in memory.items()),
        figure("idle CPU, all processes", "%", [sum(shares.values())], _IDLE),
        *(figure(f"  {role}", "%", [share]) for role, share in shares.items()),
        *([] if "sound" in processes else [Unmeasured("  sound", "no audio device, so its process has ended")]),
    ]


@contextmanager
def _jam(folder: Path, backend: str, preset: str | None) -> Iterator[Program]:
    start = [sys.executable, "-P", "-c", "from antiphon.cli import main; main()"]
    chosen = [] if preset is None else [preset]
    # Bytecode is kept, as by everybody who has not forbidden it; and a line is read when it is printed.
    with (
        environment(PYTHONDONTWRITEBYTECODE="", PYTHONUNBUFFERED="1"),
        running([*start, "jam", *chosen, "--midi", backend, "--session", str(folder)]) as program,
    ):
        yield program


def _wait_until_ready(program: Program) -> tuple[float, float]:
    """Seconds from the start of the process to its ready line, and those the line tells."""
    said = []
    for line in program.lines():
        said.append(line)
        if found := _READY_LINE.search(line):
            return time.perf_counter() - program.started_seconds, float(found[1])
    raise AntiphonError(f"`antiphon jam` ended before it was ready: {''.join(said)[-300:]!r}")
