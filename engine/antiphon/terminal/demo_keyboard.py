"""A keyboard that plays by itself: a process that sends a bundled phrase into a real port."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from antiphon.errors import AntiphonError
from antiphon.midi.backends import find_backend
from antiphon.music.midi_file import read_score
from antiphon.output import OutputPort
from antiphon.processes.runtime import BEAT_SECONDS, is_orphan, request_real_time, spawn_thread
from antiphon.processes.shared_folder import Entry, SharedFolder

KEYBOARD_NAME: Final = "Demo keyboard"
PHRASE: Final[Entry[str]] = Entry("phrase")
"""Which bundled phrase to play."""
KEYBOARD: Final[Entry[tuple[str, str]]] = Entry("keyboard")
"""Its MIDI system and its port."""
DOWNBEAT: Final[Entry[float]] = Entry("downbeat")
"""The `perf_counter` seconds of the first beat."""
_LOOK_SECONDS: Final = 0.01
_PHRASES: Final = Path(__file__).parent / "phrases"


def run_keyboard(shared: SharedFolder) -> None:
    """Open a port, say where, wait to be started, play; stay until the supervisor goes.

    Reads `PHRASE`, leaves `KEYBOARD`, waits for `DOWNBEAT`.
    """
    backend = find_backend(KEYBOARD_NAME, spawn_thread)
    if not backend.virtual:  # Windows: processes can still reach each other through a socket.
        backend.close()
        backend = find_backend(KEYBOARD_NAME, spawn_thread, "socket")
    port = backend.open_output("keys", virtual=True)
    shared.leave(KEYBOARD, (backend.name, port.name))
    request_real_time()
    try:
        _play(shared, port)
        while not is_orphan():
            time.sleep(BEAT_SECONDS)
    finally:
        port.close()
        backend.close()


def _play(shared: SharedFolder, port: OutputPort) -> None:
    timed = read_score(bundled(shared.read(PHRASE))).timed_messages()
    downbeat = None
    while downbeat is None and not is_orphan():
        time.sleep(_LOOK_SECONDS)
        downbeat = shared.find(DOWNBEAT)
    if downbeat is None:
        return
    for seconds, message in timed:
        time.sleep(max(0.0, downbeat + seconds - time.perf_counter()))
        port.send(message)


def bundled(name: str) -> Path:
    """Path of a phrase that comes with Antiphon. Raises AntiphonError if there is none of that name."""
    path = _PHRASES / f"{name}.mid"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in _PHRASES.glob("*.mid")))
        raise AntiphonError(f"no bundled phrase {name!r}; there are: {known}")
    return path
