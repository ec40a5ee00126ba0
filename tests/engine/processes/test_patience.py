"""A process that hangs is blamed, whichever way; one that does not get the processor is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from antiphon.processes.patience import Patience

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long a process ran")

SPIN = "while True: pass"
SLEEP = "import time; time.sleep(1000)"


@contextmanager
def running(code: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-S", "-c", f"print(flush=True)\n{code}"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def looked_at(process: subprocess.Popen[bytes], looks: int = 20) -> float:
    patience = Patience(process.pid)
    for _ in range(looks):
        time.sleep(0.02)
        patience.blame(1.0)
    return patience.blame(1.0)


@pytest.mark.parametrize("blow", [None, signal.SIGSTOP])
def test_one_that_waits_or_is_stopped_is_blamed_for_all_of_the_time(blow: signal.Signals | None) -> None:
    with running(SLEEP) as process:
        if blow is not None:
            process.send_signal(blow)
            time.sleep(0.1)
        assert looked_at(process) > 0.3


def test_one_that_could_run_is_blamed_only_for_what_it_ran() -> None:
    processor = {min(os.sched_getaffinity(0))}
    with running(SPIN) as rival, running(SPIN) as process:
        for each in (rival, process):
            os.sched_setaffinity(each.pid, processor)
        os.sched_setscheduler(process.pid, os.SCHED_IDLE, os.sched_param(0))
        began = time.perf_counter()
        blamed = looked_at(process)
        assert blamed < (time.perf_counter() - began) / 2


def test_a_beat_forgives_everything() -> None:
    with running(SLEEP) as process:
        patience = Patience(process.pid)
        time.sleep(0.05)
        patience.blame(1.0)
        time.sleep(0.05)
        assert patience.blame(1.0) > 0
        assert patience.blame(2.0) == 0


def test_what_the_watch_slept_through_is_held_against_nobody() -> None:
    with running(SLEEP) as process:
        patience = Patience(process.pid)
        patience.blame(1.0)
        time.sleep(1.0)
        assert patience.blame(1.0) < 0.3
