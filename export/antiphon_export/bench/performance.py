"""A real performance with a scripted musician: supervisor, engine and players as in `jam`, witnesses at both ends."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from antiphon.duet.plan import Plan
from antiphon.errors import AntiphonError
from antiphon.processes.shared_folder import Content, Entry, SharedFolder, open_shared_folder
from antiphon.processes.supervisor import Supervisor
from antiphon.session.journal import Session, read_session
from antiphon_export.bench.programs import module, running
from antiphon_export.bench.witness import DOWNBEAT, HEARD, KEYBOARD_READY, LISTENER_READY, OVER, SCORE, SENT, Timed

VIRTUAL: Final = ("virtual",)
"""Inputs and outputs of a plan that is to be measured: the witnesses come to the engine's own ports."""
_WATCH_SECONDS: Final = 0.05
_LEAD_SECONDS: Final = 0.5
_PATIENCE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Performance:
    """What became of a scripted performance, by the engine's own record and by the witnesses'."""

    session: Session
    origin_seconds: float
    """`perf_counter` seconds at which the session began."""
    sent: Timed
    """What the musician sent, and the `perf_counter` seconds just before."""
    heard: Timed
    """What the listener heard, and the `perf_counter` seconds at which it arrived."""


def perform(
    plan: Plan,
    score: Timed,
    folder: Path,
    backend: str,
    tail_seconds: float,
    watch: Callable[[float], None] = lambda seconds: None,
) -> Performance:
    """Play `score` to `plan`, and go on for `tail_seconds` after its last message.

    `folder`: where the session and the logs go. `backend`: the MIDI system, see `find_backend`. `watch`: called again
    and again while it plays, with the seconds since the score began; this process is then the supervisor.

    Raises:
        AntiphonError: a process does not start, or does not get through in time.
    """
    folder.mkdir(parents=True)
    shared = open_shared_folder()
    shared.leave(SCORE, score)
    length = (score[-1][0] if score else 0.0) + tail_seconds
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, shared.folder, ignore_errors=True)
        # The supervisor goes first when all is over: a witness that went before would take part in what is measured.
        for what in ("keyboard", "listener"):
            command = module("antiphon_export.bench.witness", what, str(shared.folder), backend)
            stack.enter_context(running(command, folder / f"{what}.log"))
        supervisor = stack.enter_context(Supervisor([plan], folder / "session", backend=backend))
        stage = _Stage(supervisor, shared, folder)
        stage.watch_until(lambda: supervisor.ready, _PATIENCE_SECONDS)
        stage.wait_for(KEYBOARD_READY)
        stage.wait_for(LISTENER_READY)
        origin = time.perf_counter() - supervisor.clock_seconds
        downbeat = time.perf_counter() + _LEAD_SECONDS
        shared.leave(DOWNBEAT, downbeat)

        def over() -> bool:
            watch(time.perf_counter() - downbeat)
            return time.perf_counter() >= downbeat + length

        stage.watch_until(over, length + _PATIENCE_SECONDS)
        sent = stage.wait_for(SENT)
        shared.leave(OVER, True)
        heard = stage.wait_for(HEARD)
    return Performance(read_session(folder / "session"), origin, sent, heard)


class _Stage:
    """Lets the supervisor watch over the performance while something is waited for."""

    def __init__(self, supervisor: Supervisor, shared: SharedFolder, folder: Path) -> None:
        self._supervisor = supervisor
        self._shared = shared
        self._folder = folder

    def watch_until(self, happened: Callable[[], bool], patience_seconds: float) -> None:
        deadline = time.perf_counter() + patience_seconds
        while not happened():
            if time.perf_counter() > deadline:
                raise AntiphonError(f"the performance does not get through; see the logs in {self._folder}")
            self._supervisor.run_for(_WATCH_SECONDS)

    def wait_for(self, entry: Entry[Content]) -> Content:
        """What a witness leaves there."""
        self.watch_until(lambda: self._shared.find(entry) is not None, _PATIENCE_SECONDS)
        return self._shared.read(entry)
