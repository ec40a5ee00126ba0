"""What the figures were measured on, and what a process takes of it. Of processes only Linux tells."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from antiphon.errors import AntiphonError

_PROC: Final = Path("/proc")
_ROLE_MODULE: Final = "antiphon.processes.runtime"


@dataclass(frozen=True, slots=True)
class Machine:
    """Enough to tell whether two sets of figures may be compared."""

    processor: str
    cores: int
    """Cores that this process may use."""
    system: str
    python: str
    real_time: bool
    """Whether a thread may have real-time priority."""
    load: float | None
    """How many processes wanted to run, on average over the last minute; None where the system does not say."""

    def __str__(self) -> str:
        rights = "real-time rights" if self.real_time else "NO real-time rights"
        busy = "" if self.load is None else f", load {self.load:.1f}"
        return f"{self.processor}, {self.cores} cores, {self.system}, Python {self.python}, {rights}{busy}"


def this_machine() -> Machine:
    """The machine this runs on, as it is now."""
    return Machine(
        _processor(),
        len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1,
        platform.platform(terse=True),
        platform.python_version(),
        may_run_in_real_time(),
        os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )


def may_run_in_real_time() -> bool:
    """Whether this user may use SCHED_FIFO, as the engine does."""
    if sys.platform != "linux":
        return False
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        return False
    os.sched_setscheduler(0, policy, parameters)
    return True


def _processor() -> str:
    try:
        lines = (_PROC / "cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, None) or platform.processor() or platform.machine() or "unknown processor"


def family(pid: int, proc: Path = _PROC) -> dict[str, int] | None:
    """Process ids of the performance that process `pid` supervises, by what they do, itself as `supervisor`."""
    if not (proc / str(pid)).exists():
        return None
    found = {"supervisor": pid}
    for folder in proc.glob("[0-9]*"):
        try:
            parent = int(_stat(folder)[1])
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except (OSError, LookupError, ValueError):
            continue  # It has ended.
        if parent == pid and _ROLE_MODULE in words:
            role, _, place = words[words.index(_ROLE_MODULE) + 1 :][:3]
            found[f"player {place}" if role == "player" else role] = int(folder.name)
    return found


def resident_megabytes(pid: int, proc: Path = _PROC) -> float:
    """Memory that process `pid` holds, in units of 1,000,000 bytes: its own and the libraries it uses.

    Memory shared with a server is not counted: JACK's is 100 MB, whoever connects to it, and there only once.

    Raises:
        AntiphonError: the process has ended.
    """
    try:
        lines = (proc / str(pid) / "status").read_text(encoding="utf-8").splitlines()
        held = {name: words.split()[0] for name, _, words in (line.partition(":") for line in lines) if words.strip()}
        return (int(held["VmRSS"]) - int(held["RssShmem"])) * 1024 / 1e6
    except (OSError, LookupError, ValueError) as error:
        raise AntiphonError(f"process {pid} has ended while it was measured") from error


def processor_seconds(pid: int, proc: Path = _PROC) -> float:
    """Time that process `pid` has spent on a core, all its threads together. Raises AntiphonError if it has ended."""
    try:
        # Kept in nanoseconds; the sums in `stat` miss what is shorter than a clock tick.
        spent = [int(file.read_text().split()[0]) for file in (proc / str(pid) / "task").glob("*/schedstat")]
        if spent:
            return sum(spent) / 1e9
        user, system = _stat(proc / str(pid))[11:13]
        return (int(user) + int(system)) / float(os.sysconf("SC_CLK_TCK"))
    except (OSError, LookupError, ValueError) as error:
        raise AntiphonError(f"process {pid} has ended while it was measured") from error


def _stat(folder: Path) -> list[str]:
    """The fields of a process from its state on; what comes before may hold blanks and parentheses."""
    return (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
