"""A musician and a listener in processes of their own, who note to the microsecond what they send and hear.

`python -m antiphon_export.bench.witness keyboard|listener FOLDER BACKEND`; in FOLDER they meet whoever measures.
"""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path
from typing import Final

from antiphon.errors import AntiphonError
from antiphon.midi.backend import Backend, InputPort, Receive
from antiphon.midi.backends import find_backend
from antiphon.output import OutputPort
from antiphon.processes.runtime import is_orphan, request_real_time, spawn_thread
from antiphon.processes.shared_folder import Entry, SharedFolder

ENGINE_INPUT: Final = "Antiphon:in"
ENGINE_OUTPUT: Final = "Antiphon:out"
_LOOK_SECONDS: Final = 0.05

Timed = list[tuple[float, bytes]]
"""Messages with seconds: from the downbeat where they are to be played, of `perf_counter` once they have been."""

SCORE: Final[Entry[Timed]] = Entry("score")
KEYBOARD_READY: Final[Entry[bool]] = Entry("keyboard ready")
LISTENER_READY: Final[Entry[bool]] = Entry("listener ready")
DOWNBEAT: Final[Entry[float]] = Entry("downbeat")
"""`perf_counter` seconds."""
OVER: Final[Entry[bool]] = Entry("over")
SENT: Final[Entry[Timed]] = Entry("sent")
HEARD: Final[Entry[Timed]] = Entry("heard")


def play(shared: SharedFolder, backend: Backend) -> None:
    """Reads `SCORE`, leaves `KEYBOARD_READY`, waits for `DOWNBEAT`, plays, leaves `SENT`."""
    score = shared.read(SCORE)
    port = _wait_for_output(backend)
    shared.leave(KEYBOARD_READY, True)
    while (downbeat := shared.find(DOWNBEAT)) is None:
        _rest()
    gc.disable()
    request_real_time()
    sent: Timed = []
    for seconds, message in score:
        remaining = downbeat + seconds - time.perf_counter()
        if remaining > 0:
            time.sleep(remaining)
        sent.append((time.perf_counter(), message))
        port.send(message)
    shared.leave(SENT, sent)


def listen(shared: SharedFolder, backend: Backend) -> None:
    """Leaves `LISTENER_READY`, waits for `OVER`, leaves `HEARD`."""
    request_real_time()  # A thread that is held up with the interpreter in its hands holds up JACK's.
    heard: Timed = []
    _wait_for_input(backend, lambda message, seconds: heard.append((seconds, message)))
    shared.leave(LISTENER_READY, True)
    while shared.find(OVER) is None:
        _rest()
    shared.leave(HEARD, list(heard))


def _wait_for_output(backend: Backend) -> OutputPort:
    while True:
        try:
            return backend.open_output(ENGINE_INPUT)
        except AntiphonError:
            _rest()  # The engine is still opening its ports.


def _wait_for_input(backend: Backend, receive: Receive) -> InputPort:
    while True:
        try:
            return backend.open_input(ENGINE_OUTPUT, receive)
        except AntiphonError:
            _rest()


def _rest() -> None:
    time.sleep(_LOOK_SECONDS)
    if is_orphan():
        sys.exit("whoever measures is gone")


def main() -> None:
    """Play or listen, and stay until ended: a port that closes too early takes its last messages along."""
    what, folder, kind = sys.argv[1:]
    backend = find_backend(f"Bench {what}", spawn_thread, kind)
    shared = SharedFolder(Path(folder), -1)
    (play if what == "keyboard" else listen)(shared, backend)
    while True:
        _rest()


if __name__ == "__main__":
    main()
