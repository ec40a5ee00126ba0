"""Ardour in a process of its own, led by `ardour.lua`: it leads by MIDI clock, and records. It judges nothing."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .stage import wait_until

PROGRAM = "ardour7-lua"
CLOCK = "ardour:MIDI Clock out"
_STARTS = 8
"""While Ardour starts, two of its threads may speak to JACK at once, which garbles what they say. About one start in
four ends so, and is tried again."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A note as Ardour has it on a track."""

    sample: int
    """Where it begins in the song."""
    ticks: int
    """The same, 1,920 a quarter note."""
    bar: tuple[int, int, int]
    """The same: bar and beat, from 1 on, and ticks."""
    length: int
    """In ticks."""
    channel: int
    """1 to 16."""
    pitch: int


class Ardour:
    """A session in Ardour, its tracks armed, its transport stopped."""

    def __init__(self, folder: Path, tempo_bpm: float, tracks: Mapping[str, int]) -> None:
        """`folder`: where there is nothing yet. `tracks`: the name of each, and the channel that it records."""
        folder.mkdir()
        self._said = folder / "said.txt"
        script = Path(__file__).with_suffix(".lua")
        words = [PROGRAM, script, folder / "session", tempo_bpm, *(f"{name}={tracks[name]}" for name in tracks)]
        with self._said.open("wb") as file:
            self._process = subprocess.Popen(
                [str(word) for word in words],
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                env=os.environ | {"XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)},
                text=True,
            )

    @property
    def alive(self) -> bool:
        """Whether it has got as far as a session on JACK; waits until that is known."""
        wait_until(lambda: self._told() or self._process.poll() is not None, f"Ardour is ready; see {self._said}")
        return self._process.poll() is None and bool(self._told()[0]["alive"])

    def do(self, command: str) -> dict[str, Any]:
        """Have it do something that `ardour.lua` knows; what it says once it has."""
        before = len(self._done())
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        wait_until(lambda: len(self._done()) > before, f"Ardour does {command}; see {self._said}")
        return self._done()[-1]

    def wait_until(self, **state: bool) -> None:
        """Until it is `rolling` or `recording`, or is not."""
        wait_until(lambda: state.items() <= self.do("look").items(), f"Ardour: {state}; see {self._said}")

    def notes(self) -> dict[str, list[Recorded]]:
        """What is on record on each track, in order."""
        before = len(self._told())
        self.do("notes")
        found: dict[str, list[Recorded]] = {}
        for line in self._told()[before:-1]:
            track = found.setdefault(line.pop("track"), [])
            track.append(Recorded(**line | {"bar": tuple(line["bar"])}))
        return found

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _told(self) -> list[dict[str, Any]]:
        lines = self._said.read_text(encoding="utf-8", errors="replace").rpartition("\n")[0].splitlines()
        return [json.loads(line[1:]) for line in lines if line.startswith("@")]

    def _done(self) -> list[dict[str, Any]]:
        return [line for line in self._told() if "recording" in line]


@contextmanager
def ardour(folder: Path, tempo_bpm: float, tracks: Mapping[str, int]) -> Iterator[Ardour]:
    """An `Ardour` that is alive, until the end of the block."""
    for number in range(_STARTS):
        daw = Ardour(folder / f"ardour-{number}", tempo_bpm, tracks)
        try:
            if daw.alive:
                yield daw
                return
        finally:
            daw.close()
    raise AssertionError(f"Ardour lost JACK at each of {_STARTS} starts; see {folder}")
