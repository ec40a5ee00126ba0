"""A JACK server without sound hardware, and witnesses in processes of their own."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from .scene import Scene
from .stage import PATIENCE_SECONDS, Command, on_stage

HERE = Path(__file__).parent
# importlib mode leaves sys.path alone; the toys lie beside the engine's tests.
sys.path.insert(0, str(HERE.parent / "engine"))
SAMPLE_RATE = 48_000
PERIOD_FRAMES = 128


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as the listener saw it arrive."""

    seconds: float
    """`time.perf_counter()`, which all processes share."""
    frame: int | None
    """JACK's frame, where the listener listens with JACK-Client."""
    message: bytes


class JackServer:
    """`jackd` with its dummy driver; to be killed and started again at will."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it serves. Raises RuntimeError with its log if it does not."""
        rights = ["-R", "-P", "70"] if may_run_in_real_time() else ["--no-realtime"]
        # Synchronous (-S): without it, bursts lose and double messages.
        driver = ["-S", "-d", "dummy", "-r", str(SAMPLE_RATE), "-p", str(PERIOD_FRAMES)]
        with self.log.open("ab") as log:
            # It does not outlive a test run that is killed, or its name would be taken in the next.
            dying_with_us = ["setpriv", "--pdeathsig", "KILL"]
            command = [*dying_with_us, "jackd", "-n", self.name, *rights, *driver]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        waiting = ["jack_wait", "-s", self.name, "-w", "-t", "10"]
        waited = subprocess.run(waiting, capture_output=True, text=True, check=False)
        if waited.returncode or "timeout" in waited.stdout or self._process.poll() is not None:
            self.kill()
            raise RuntimeError(
                f"jackd did not start:\n{self.log.read_text(encoding='utf-8', errors='replace')[-2000:]}"
            )

    def kill(self) -> None:
        """End it without a chance to say good-bye."""
        self._end(subprocess.Popen.kill)

    def stop(self) -> None:
        """End it in good order."""
        self._end(subprocess.Popen.terminate)

    def _end(self, end: Callable[[subprocess.Popen[bytes]], None]) -> None:
        if self._process is not None:
            end(self._process)
            self._process.wait(PATIENCE_SECONDS)
            self._process = None


def may_run_in_real_time() -> bool:
    """Whether this user may use SCHED_FIFO."""
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(70))
    except PermissionError:
        return False
    os.sched_setscheduler(0, policy, parameters)
    return True


def require_programs(*programs: str) -> None:
    """Skip where one of them is not installed; fail where it has to be."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        reason = f"{' and '.join(missing)} not installed; tests/system-packages.sh installs them"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def reserved_server_name() -> Iterator[str]:
    """A name that no other test run uses now, out of a few.

    JACK knows at most eight servers at a time, and one that was killed keeps its place until its name is used again:
    a new name for every run would end in "Too many servers already active".
    """
    for number in range(8):
        with Path(tempfile.gettempdir(), f"antiphon-tests-{os.getuid()}-{number}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield f"antiphon-tests-{number}"
            return
    raise RuntimeError("eight test runs at once are using JACK")


@pytest.fixture(scope="session")
def jack_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JackServer]:
    """A running server, the default one for this process and its children. Who kills it, starts it again."""
    require_programs("jackd", "jack_wait")
    with reserved_server_name() as name, pytest.MonkeyPatch.context() as patch:
        server = JackServer(name, tmp_path_factory.mktemp("jack") / "jackd.log")
        patch.setenv("JACK_DEFAULT_SERVER", server.name)
        patch.setenv("JACK_NO_START_SERVER", "1")
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def xruns(jack_server: JackServer) -> Iterator[list[float]]:
    """Grows when JACK says that it was held up, by the moment (`time.perf_counter()`): its frames then fall behind the
    clock by some milliseconds, and what is on its way may be lost, whoever sent it.
    """
    jack = pytest.importorskip("jack")
    client = jack.Client("xruns", no_start_server=True)
    found: list[float] = []
    client.set_xrun_callback(lambda _: found.append(time.perf_counter()))
    client.activate()
    yield found
    client.deactivate()
    client.close()


def is_calm(seconds: float, xruns: Iterable[float], settle_seconds: float) -> bool:
    """Whether nothing has held up JACK in the `settle_seconds` before a moment; JACK tells of it a little later."""
    return not any(-settle_seconds < xrun - seconds < 0.1 for xrun in xruns)


@pytest.fixture
def no_jack_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """For this test, no JACK server runs."""
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "antiphon-no-such-server")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")


@pytest.fixture
def socket_ports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of announcements of this test's own."""
    folder = tmp_path / "socket ports"
    monkeypatch.setenv("ANTIPHON_SOCKET_PORTS", str(folder))
    return folder


def _unmeasured() -> dict[str, str]:
    """The environment without coverage, which would make an independent witness miss what it has to see."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


class Listener:
    """`listener.py` in a process of its own."""

    def __init__(self, file: Path, backend: str, source: str | None, name: str) -> None:
        self._file = file
        options = ["--backend", backend, "--name", name, *(["--source", source] if source else [])]
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "listener.py"), str(file), *options],
            env=_unmeasured(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        _await_line(self._process, "ready")

    def heard(self) -> list[Heard]:
        """All messages so far."""
        # The last line may still be on its way to the disk.
        whole_lines = self._file.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
        records = [json.loads(line) for line in whole_lines]
        return [Heard(record["seconds"], record["frame"], bytes(record["message"])) for record in records]

    def wait_for(self, count: int, patience_seconds: float = 10.0) -> list[Heard]:
        """All messages so far, once there are `count`, or when none has come for so long."""
        before, deadline = 0, time.perf_counter() + patience_seconds
        while len(heard := self.heard()) < count and time.perf_counter() < deadline:
            if len(heard) > before:
                before, deadline = len(heard), time.perf_counter() + patience_seconds
            time.sleep(0.05)
        return heard

    def close(self) -> list[Heard]:
        """End the process and return all it has heard."""
        if self._process.stdout is not None and not self._process.stdout.closed:
            try:
                self._process.communicate(timeout=PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.communicate()
        return self.heard()


class Keyboard:
    """`terminal/demo_keyboard.py` in a process of its own."""

    def __init__(self, file: Path, backend: str, to: str | None, name: str, settle_seconds: float) -> None:
        options = ["--backend", backend, "--name", name, "--settle", str(settle_seconds), *(["--to", to] if to else [])]
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "keyboard.py"), str(file), *options],
            env=_unmeasured(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        _await_line(self._process, "ready")

    def started_seconds(self) -> float:
        """Waits until it plays; when its second 0 was, in `time.perf_counter()` seconds."""
        return float(_await_line(self._process, "playing").split()[1])

    def wait(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Until it has played all."""
        self._process.communicate(timeout=patience_seconds)

    def close(self) -> None:
        """End the process, whether it has played all or not."""
        if self._process.stdout is not None and not self._process.stdout.closed:
            self._process.kill()
            self._process.communicate()


def _await_line(process: subprocess.Popen[str], start: str) -> str:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        if line.startswith(start):
            return line
        said.append(line)
    process.communicate()
    raise RuntimeError(f"{process.args!r} ended with {process.returncode} before it said '{start}':\n{''.join(said)}")


@pytest.fixture
def listen(tmp_path: Path) -> Iterator[Callable[..., Listener]]:
    """`listen(source=None, backend="jack", name="listener")` starts a `Listener`."""
    listeners: list[Listener] = []

    def start(source: str | None = None, *, backend: str = "jack", name: str = "listener") -> Listener:
        listeners.append(Listener(tmp_path / f"heard-{len(listeners)}.jsonl", backend, source, name))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.close()


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[..., Keyboard]]:
    """`play(score, to=None, backend="jack", name="keyboard")` starts a `Keyboard`; score: (seconds, message) pairs."""
    keyboards: list[Keyboard] = []

    def start(
        score: list[tuple[float, bytes]],
        to: str | None = None,
        *,
        backend: str = "jack",
        name: str = "keyboard",
        settle_seconds: float = 0.2,
    ) -> Keyboard:
        file = tmp_path / f"score-{len(keyboards)}.json"
        file.write_text(json.dumps([[seconds, list(message)] for seconds, message in score]), encoding="utf-8")
        keyboards.append(Keyboard(file, backend, to, name, settle_seconds))
        return keyboards[-1]

    yield start
    for keyboard in keyboards:
        keyboard.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """`start("jam", …, terminal=False, NAME=value)` runs `antiphon jam …` with such an environment."""
    with on_stage(tmp_path) as start:
        yield start


@pytest.fixture
def scene(tmp_path: Path, start: Callable[..., Command], listen, play) -> Scene:
    """A held chord and a voice that plays on, once `begin` is called."""
    return Scene(start, listen, play, tmp_path)
