"""Two generators that make a performance measurable: one even, one that never rests. No preset should name them.

They come through an entry point as a stranger's would, but through one that only a benchmark has: `enlist` writes it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from antiphon import Casting, Generator, GeneratorInfo, Note, Phrase, Request, hookimpl
from antiphon.generator import RegisterGenerator

METRONOME: Final = "bench-metronome"
BUSY: Final = "bench-busy"

NOTE_TICKS: Final = 20
"""From one note of the metronome to the next: at `TEMPO_BPM`, 50 notes a second."""
TEMPO_BPM: Final = 125.0
"""Tempo at which a tick is a millisecond."""
_BUSY_SHARE: Final = 0.85
"""How much of the time it is given the busy one uses up."""


class Metronome:
    """Plays one short note every `NOTE_TICKS`, up and down the keyboard."""

    def prime(self, heard: Phrase) -> None:
        """It plays the same whatever was played."""

    def extend(self, request: Request) -> Phrase:
        onsets = range(request.start_ticks, request.end_ticks, NOTE_TICKS)
        notes = (Note(onset, 36 + onset // NOTE_TICKS % 60, NOTE_TICKS // 2, 80) for onset in onsets)
        return Phrase(request.start_ticks, request.end_ticks, tuple(notes))

    def rewind(self, to_ticks: int) -> None:
        """There is nothing to forget."""


class Busy:
    """Computes in pure Python for most of the time there is, and then plays one note."""

    def __init__(self) -> None:
        self._end_ticks: int | None = None

    def prime(self, heard: Phrase) -> None:
        self._end_ticks = None

    def extend(self, request: Request) -> Phrase:
        # The first phrase has to be there at the hand-over; whatever follows may take its time, and does.
        if request.start_ticks == self._end_ticks:
            until = time.perf_counter() + _BUSY_SHARE * request.deadline_seconds
            while time.perf_counter() < until:
                pass
        self._end_ticks = request.end_ticks
        note = Note(request.start_ticks, 30, request.length_ticks // 2 or 1, 60)
        return Phrase(request.start_ticks, request.end_ticks, (note,))

    def rewind(self, to_ticks: int) -> None:
        self._end_ticks = None


@hookimpl
def register_generators(register: RegisterGenerator) -> None:
    """The metronome and the busy one."""
    register(GeneratorInfo(METRONOME, "one note every 20 ticks, for benchmarks"), _make_metronome)
    register(GeneratorInfo(BUSY, "computes all the time, for benchmarks"), _make_busy)


def _make_metronome(casting: Casting) -> Generator:
    return Metronome()


def _make_busy(casting: Casting) -> Generator:
    return Busy()


@contextmanager
def enlist(folder: Path) -> Iterator[None]:
    """Within, processes that are started find these generators: `folder` becomes a place to look for plugins."""
    information = folder / "antiphon_bench-0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: antiphon-bench\nVersion: 0\n", encoding="utf-8")
    (information / "entry_points.txt").write_text(f"[antiphon]\nbench = {__name__}\n", encoding="utf-8")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(folder), before)))
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
