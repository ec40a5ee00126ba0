"""Programs that are started for a measurement: witnesses, a JACK server, a whole `antiphon jam`. Only here are any."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from antiphon.errors import AntiphonError
from antiphon.midi.backend import BackendUnusable, ServerDown
from antiphon.midi.backends import open_backend
from antiphon.processes.runtime import spawn_thread
from antiphon_export.bench.machine import may_run_in_real_time

SAMPLE_RATE: Final = 48_000
PERIOD_FRAMES: Final = 128
_JACK_NAME: Final = "antiphon-bench"
_PATIENCE_SECONDS: Final = 10.0
_END_SECONDS: Final = 5.0


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Within, these environment variables are set, for this process and those it starts."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class Program:
    """A running program; its output goes to a log, or can be read line by line."""

    def __init__(self, command: Sequence[str], log: Path | None = None) -> None:
        """`log`: where its output goes; None: to `lines`."""
        self.started_seconds = time.perf_counter()
        if log is None:
            self._process = self._start(command, subprocess.PIPE)
        else:
            with log.open("ab") as file:
                self._process = self._start(command, file)

    def _start(self, command: Sequence[str], output: int | IO[bytes]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def lines(self) -> Iterator[str]:
        """What it prints, as it prints it, until it ends."""
        assert self._process.stdout is not None
        yield from self._process.stdout

    def stop(self) -> None:
        """Ask it to end; kill it if it does not."""
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextmanager
def running(command: Sequence[str], log: Path | None = None) -> Iterator[Program]:
    """A program that ends with the block."""
    program = Program(command, log)
    try:
        yield program
    finally:
        program.stop()


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs a module of ours."""
    return [sys.executable, "-P", "-m", name, *arguments]


@contextmanager
def jack_server(folder: Path) -> Iterator[str | None]:
    """A JACK server of our own, without sound hardware, within the block; or why there is none, and what to do."""
    problem = _jack_problem()
    if problem is not None:
        yield problem
        return
    rights = ["-R", "-P", "70"] if may_run_in_real_time() else ["--no-realtime"]
    # Synchronous (-S): without it, bursts lose and double messages.
    driver = ["-S", "-d", "dummy", "-r", str(SAMPLE_RATE), "-p", str(PERIOD_FRAMES)]
    with (
        environment(JACK_DEFAULT_SERVER=_JACK_NAME, JACK_NO_START_SERVER="1"),
        running(["jackd", "-n", _JACK_NAME, *rights, *driver], folder / "jackd.log") as server,
    ):
        yield _wait_for_jack(server, folder)


def _jack_problem() -> str | None:
    if shutil.which("jackd") is None:
        return "jackd is not installed (on Debian: apt-get install jackd2)"
    try:
        open_backend("jack", "Antiphon bench", spawn_thread).close()
    except ServerDown:
        return None
    except BackendUnusable as unusable:
        return str(unusable)
    return None


def _wait_for_jack(server: Program, folder: Path) -> str | None:
    until = time.perf_counter() + _PATIENCE_SECONDS
    while server.running and time.perf_counter() < until:
        try:
            open_backend("jack", "Antiphon bench", spawn_thread).close()
        except AntiphonError:
            time.sleep(0.05)
        else:
            return None
    return f"jackd does not start: {(folder / 'jackd.log').read_text(errors='replace')[-300:]!r}"
