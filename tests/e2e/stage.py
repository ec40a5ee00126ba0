"""The `antiphon` command on trial: started as a musician starts it, watched from outside. It asserts nothing itself."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

from antiphon.music.messages import note_off, note_on

PLUGINS = Path(__file__).parent / "plugins"
EXAMPLE = Path(__file__).parents[1] / "example_plugin"
ANTIPHON = str(Path(sys.executable).with_name("antiphon"))

PATIENCE_SECONDS = 100.0
"""For what takes a second or two on a quiet machine."""

Timed = list[tuple[float, bytes]]
"""What a keyboard plays: seconds and messages."""


def wait_until(happened: Callable[[], Any], what: str, patience_seconds: float = PATIENCE_SECONDS) -> Any:
    """What `happened` returns, once that is true. Raises AssertionError, naming `what`, if it never is."""
    deadline = time.perf_counter() + patience_seconds
    while True:
        began = time.perf_counter()
        if result := happened():
            return result
        assert time.perf_counter() < deadline, f"it never happened: {what}"
        # Whoever looks all the time keeps the machine from what is to happen.
        time.sleep(max(0.02, 3 * (time.perf_counter() - began)))


def melody(*pitches: int, gap_seconds: float = 0.12, start_seconds: float = 0.0) -> Timed:
    """The pitches one after the other, detached."""
    timed: Timed = []
    for number, pitch in enumerate(pitches):
        begin = start_seconds + number * gap_seconds
        timed += [(begin, note_on(0, pitch, 80)), (begin + 0.8 * gap_seconds, note_off(0, pitch))]
    return timed


def sounding(messages: Iterable[bytes]) -> set[tuple[int, int]]:
    """Channel and pitch of every note that was begun and not ended."""
    notes: set[tuple[int, int]] = set()
    for message in messages:
        kind, key = message[0] & 0xF0, (message[0] & 0x0F, message[1])
        if kind == 0x90 and message[2]:
            notes.add(key)
        elif kind in (0x80, 0x90):
            notes.discard(key)
    return notes


def note_ons(messages: Iterable[bytes], channel: int | None = None) -> list[bytes]:
    """The note-ons among `messages`, of one channel or of all."""
    return [m for m in messages if m[0] & 0xF0 == 0x90 and m[2] and channel in (None, m[0] & 0x0F)]


class Command:
    """`antiphon …` in a process of its own, with all its processes and what it says."""

    def __init__(
        self,
        arguments: Iterable[str],
        folder: Path,
        environment: Mapping[str, str],
        terminal: bool,
        through: Sequence[str] = (),
    ) -> None:
        """`folder`: an empty one, for its temporary files. `terminal`: whether it thinks that a person looks on.

        `through`: a command that starts it.
        """
        self._folder = folder
        self._said = bytearray()
        self._read_from, write_to = pty.openpty() if terminal else os.pipe()
        self._terminal = self._read_from if terminal else None
        self._process = subprocess.Popen(
            [*through, ANTIPHON, *arguments],
            stdin=write_to if terminal else subprocess.DEVNULL,
            stdout=write_to,
            stderr=write_to,
            env={**os.environ, **environment, "TMPDIR": str(folder)},
            start_new_session=True,
        )
        os.close(write_to)
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def said(self) -> str:
        """Everything on stdout and stderr so far."""
        return self._said.decode(errors="replace")

    @property
    def _lately(self) -> str:
        """A screen that was redrawn a hundred times helps nobody."""
        return self.said[-4000:]

    def wait_for(self, text: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Until it has said `text`."""
        try:
            wait_until(lambda: text in self.said or self._process.poll() is not None, text, patience_seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said:\n{self._lately}") from None
        # What it said at its very end may still be on its way.
        if text not in self.said:
            self._reader.join(5)
        assert text in self.said, f"it ended with {self._process.poll()} and never said {text!r}:\n{self._lately}"

    def press(self, keys: str) -> None:
        """Press keys in its terminal."""
        assert self._terminal is not None, "it has no terminal"
        os.write(self._terminal, keys.encode())

    def terminal_modes(self) -> list[Any]:
        """How its terminal is set, to compare."""
        assert self._terminal is not None, "it has no terminal"
        return termios.tcgetattr(self._terminal)

    def processes(self) -> dict[str, int]:
        """Process id of everything it has started and that still runs: `engine`, `player 2`, `sound`, …"""
        found = {}
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if "antiphon.processes.runtime" in words and words[-3].startswith(str(self._folder)):
                    role, place = words[-4], words[-2]
                    found[role if role in ("engine", "sound") else f"{role} {place}"] = int(entry.name)
        return found

    def leftovers(self) -> list[str]:
        """Temporary files that are still there."""
        return sorted(path.name for path in self._folder.iterdir())

    def signal(self, number: int, process: str | None = None) -> None:
        """Send a signal to the command itself, or to one of its processes."""
        os.kill(self._process.pid if process is None else self.processes()[process], number)

    def wait(self, patience_seconds: float = PATIENCE_SECONDS) -> int:
        """Its exit code, once it has ended by itself."""
        try:
            code = self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end; it said:\n{self._lately}") from None
        self._reader.join(5)
        return code

    def stop(self) -> int:
        """Press Ctrl-C, so to speak; the exit code."""
        self.signal(signal.SIGINT)
        return self.wait()

    def kill_everything(self) -> None:
        """Kill the command and all its processes."""
        for _ in range(3):  # One may just be starting another.
            for pid in [*([self._process.pid] if self._process.poll() is None else []), *self.processes().values()]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        """Leave nothing of it behind."""
        self.kill_everything()
        self._reader.join(5)
        os.close(self._read_from)

    def _read(self) -> None:
        # At the end a pipe is empty; a terminal is an error.
        with suppress(OSError):
            while data := os.read(self._read_from, 65_536):
                self._said += data


@contextmanager
def on_stage(home: Path) -> Iterator[Callable[..., Command]]:
    """Gives `start(*arguments, terminal=False, through=(), **environment)`; `home`: for the user's own files.

    Afterwards nothing of it runs any more, and no file of it is left outside `home`.
    """
    commands: list[Command] = []
    # Not below `home`: a socket's path may not be longer than some 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="stage-"))
    own = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "CACHE", "STATE")}

    def start(
        *arguments: str | Path, terminal: bool = False, through: Sequence[str] = (), **environment: str
    ) -> Command:
        commands.append(Command(map(str, arguments), folder, {**own, **environment}, terminal, through))
        return commands[-1]

    try:
        yield start
    finally:
        for command in commands:
            command.close()
        shutil.rmtree(folder)


def install(module: str, folder: Path) -> str:
    """Make a module or a package a distribution in `folder`; the value of PYTHONPATH with which it is found.

    It is `plugins/MODULE.py`, or MODULE of the example plugin.
    """
    if (EXAMPLE / module).is_dir():
        shutil.copytree(EXAMPLE / module, folder / module)
    else:
        shutil.copy(PLUGINS / f"{module}.py", folder)
    distribution = folder / f"{module}-1.0.dist-info"
    distribution.mkdir()
    (distribution / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", encoding="utf-8")
    (distribution / "entry_points.txt").write_text(f"[antiphon]\n{module} = {module}\n", encoding="utf-8")
    return os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))


def journal(session: Path) -> list[dict[str, Any]]:
    """Every line of a session's journal but the header; one that a crash has cut off is left out."""
    lines = (session / "journal.jsonl").read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
    return [json.loads(line) for line in lines[1:]]


def decisions(session: Path, kind: str) -> list[dict[str, Any]]:
    """The decisions of one kind in a session's journal."""
    return [line for line in journal(session) if line["is"] == "Decision" and line["kind"] == kind]
