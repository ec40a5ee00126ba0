"""Threads, processes and queues: the only module that has any.

A performance is a handful of processes around one hub, the engine. Each has a `Heartbeat` in shared memory; the
command's own process, the supervisor, watches, and replaces what stops beating. Messages travel over `Link`s, whose
threads keep a slow or dead peer from ever blocking its other end.
"""

from __future__ import annotations

import contextlib
import dataclasses
import faulthandler
import functools
import importlib
import io
import operator
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Client, Listener
from multiprocessing.connection import Connection as Connection  # Others name the type; only here is one made.
from pathlib import Path
from typing import IO, Any, Final, Generic, TypeVar

from antiphon.processes.heartbeat import MOST_PLACES
from antiphon.processes.shared_folder import SharedFolder

BEAT_SECONDS: Final = 0.2
"""How often an idle process beats."""

_PATIENCE_SECONDS: Final = 0.05
"""Time between two attempts to reach a hub that is not there (yet, or again)."""
_HUB_SECONDS: Final = 60.0
"""Longest time without a hub that a living supervisor lets pass."""
_SPIN_SECONDS: Final = 0.00015
"""The last bit of a wait is spent looking at the clock: sleeping is no more exact than this."""
_SWITCH_SECONDS: Final = 1e-4
"""Longest time a thread of the engine may keep the interpreter from another; Python's own is fifty times that."""
_REALTIME_PRIORITY: Final = 60

_ROLES: Final = {
    "engine": "antiphon.processes.engine",
    "player": "antiphon.processes.players",
    "sound": "antiphon.processes.sound",
    "keyboard": "antiphon.terminal.demo_keyboard",
    "afterwards": "antiphon.processes.afterwards",
}
"""Roles a process can be started in, and the module whose `run_ROLE(shared)` it runs."""


Item = TypeVar("Item")
Incoming = TypeVar("Incoming")
Outgoing = TypeVar("Outgoing")


def spawn_thread(work: Callable[[], None], name: str) -> None:
    """Run `work` in a daemon thread called `name`."""
    threading.Thread(target=work, name=name, daemon=True).start()


class Inbox(Generic[Item]):
    """Where an event loop receives everything: a queue with an exact time-out."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Item] = queue.SimpleQueue()

    def put(self, item: Item) -> None:
        """Leave `item`, from any thread."""
        self._queue.put(item)

    def __len__(self) -> int:
        return self._queue.qsize()

    def empty(self) -> bool:
        """Whether nothing waits."""
        return self._queue.empty()

    def get(self, until_seconds: float) -> Item | None:
        """The next item, as soon as there is one; None at `until_seconds` (of `time.perf_counter`)."""
        remaining = until_seconds - time.perf_counter()
        if remaining > _SPIN_SECONDS:
            with contextlib.suppress(queue.Empty):
                return self._queue.get(timeout=remaining - _SPIN_SECONDS)
        while time.perf_counter() < until_seconds and self._queue.empty():
            pass
        with contextlib.suppress(queue.Empty):
            return self._queue.get_nowait()
        return None


@dataclass(frozen=True, slots=True)
class Gone:
    """The last that arrives from a peer."""

    name: str


class Link(Generic[Incoming, Outgoing]):
    """One end of a connection between two processes. Sending never blocks; what arrives is put into an inbox."""

    def __init__(
        self, connection: Connection[Outgoing, Incoming], put: Callable[[Incoming | Gone], None], name: str
    ) -> None:
        """`put`: called with each message that arrives, in another thread, and in the end with `Gone`."""
        self.name = name
        self._connection = connection
        self._put = put
        self._outbox: queue.SimpleQueue[Outgoing | None] = queue.SimpleQueue()
        self._sent = threading.Event()
        spawn_thread(self._receive, f"from {name}")
        spawn_thread(self._deliver, f"to {name}")

    def send(self, message: Outgoing) -> None:
        """Send `message` as soon as the peer takes it."""
        self._outbox.put(message)

    def close(self, wait_seconds: float = 0.0, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Close; first give what is being sent `wait_seconds` to get through, and call `meanwhile` now and then."""
        self._outbox.put(None)
        until = time.perf_counter() + wait_seconds
        while (left := until - time.perf_counter()) > 0 and not self._sent.wait(min(left, BEAT_SECONDS)):
            meanwhile()
        with contextlib.suppress(OSError):
            self._connection.close()

    def _receive(self) -> None:
        try:
            while True:
                self._put(self._connection.recv())
        except (EOFError, OSError):
            self._put(Gone(self.name))

    def _deliver(self) -> None:
        try:
            while (message := self._outbox.get()) is not None:
                self._connection.send_bytes(_packed(message))
        except (OSError, ValueError):
            pass  # The peer is gone, as `_receive` has noticed as well.
        self._sent.set()


class _Packer(pickle.Pickler):
    """Takes dataclasses apart by their fields, three times as fast as they do it themselves."""

    def reducer_override(self, value: Any) -> Any:
        kind: Any = type(value)
        fields_of = _taking_apart(kind)
        return NotImplemented if fields_of is None else (kind, fields_of(value))


@functools.cache
def _taking_apart(kind: type) -> Callable[[Any], tuple[Any, ...]] | None:
    """What gives the fields of a value of this kind; None if it is no dataclass."""
    if not dataclasses.is_dataclass(kind):
        return None
    names = [field.name for field in dataclasses.fields(kind)]
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda value: tuple([getattr(value, name) for name in names])


def _packed(message: object) -> memoryview:
    buffer = io.BytesIO()
    _Packer(buffer, pickle.HIGHEST_PROTOCOL).dump(message)
    return buffer.getbuffer()


def serve_hub(
    shared: SharedFolder, greeting: type[Item], welcome: Callable[[Connection[Any, Any], Item], None]
) -> None:
    """Listen on the hub; every process that comes is handed, with its greeting, to `welcome`, in another thread.

    `greeting`: what each of them says first.
    """
    if sys.platform != "win32":
        Path(shared.address).unlink(missing_ok=True)  # An engine that was killed could not tidy up.
    listener = Listener(shared.address, backlog=MOST_PLACES, authkey=shared.key)

    def accept() -> None:
        while True:
            try:
                connection = listener.accept()
                said = connection.recv()
                if isinstance(said, greeting):
                    welcome(connection, said)
            except Exception:  # A visitor without the key, or one that died at the door
                continue

    spawn_thread(accept, "hub")


def all_waiting(connection: Connection[Any, Incoming]) -> list[Incoming]:
    """The next message, waited for, and all that came with it."""
    messages = [connection.recv()]
    while connection.poll(0):
        messages.append(connection.recv())
    return messages


def join_hub(
    shared: SharedFolder,
    greeting: object,
    give_up: Callable[[], bool] | None = None,
    beat: Callable[[], None] = lambda: None,
) -> Connection[Any, Any] | None:
    """Reach the hub, however long it takes, and say who comes.

    None once `give_up` says so; unless given, that is when the process that started this one is gone, or when there
    has been no hub for so long that it must be (not every system tells an orphan). `beat`: called again and again
    meanwhile, so that who waits for an engine that is slow to start is not taken for hung.
    """
    until = time.perf_counter() + _HUB_SECONDS
    give_up = give_up or (lambda: is_orphan() or time.perf_counter() > until)
    while not give_up() and shared.folder.exists():
        beat()
        try:
            connection = Client(shared.address, authkey=shared.key)
            connection.send(greeting)
        except Exception:  # Not there yet; or dying as we speak, whatever that raises.
            time.sleep(_PATIENCE_SECONDS)
        else:
            return connection
    return None


_PARENT: Final = os.getppid()


def is_orphan() -> bool:
    """Whether the process that started this one is gone, however it went."""
    return os.getppid() != _PARENT


class Process:
    """A child process in one of the roles. It cannot be interrupted from the keyboard: the supervisor ends it."""

    def __init__(self, role: str, shared: SharedFolder, place: int, log: Path) -> None:
        """`log`: where its output goes, so that nothing disturbs the screen; nowhere, if it cannot be written."""
        # -P: a stray random.py in the folder that a musician happens to be in must not become a part of the show.
        command = [sys.executable, "-P", "-m", "antiphon.processes.runtime", role, str(shared.folder), str(place)]
        with contextlib.ExitStack() as stack:
            try:
                file: IO[bytes] | int = stack.enter_context(log.open("ab"))
            except OSError:
                file = subprocess.DEVNULL
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
            )
        self.role = role
        self.place = place
        self.log = log
        self.started_seconds = time.perf_counter()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def stop(self, wait_seconds: float) -> None:
        """Ask it to end; kill it if it has not after `wait_seconds`."""
        self._process.terminate()
        self.wait(wait_seconds)

    def wait(self, wait_seconds: float) -> None:
        """Let it end by itself; kill it if it has not after `wait_seconds`."""
        if not self.ends(wait_seconds):
            self.kill()

    def ends(self, wait_seconds: float) -> bool:
        """Whether it ends by itself within `wait_seconds`."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(wait_seconds)
        return self._process.poll() is not None


def request_real_time() -> bool:
    """Make the calling thread punctual: real-time priority where the system allows it (whether it did is returned)."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_REALTIME_PRIORITY))
    except (AttributeError, OSError):  # Not on this system, or no right to it.
        return False
    return True


def main() -> None:
    """Run one role, as in `python -m antiphon.processes.runtime ROLE FOLDER PLACE`. Only the supervisor starts it."""
    role, folder, place = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()  # A crash below Python tells the log where it was.
    module = importlib.import_module(_ROLES[role])
    getattr(module, f"run_{role}")(SharedFolder(Path(folder), int(place)))


if __name__ == "__main__":
    main()
