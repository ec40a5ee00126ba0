"""What the engine tells is in the journal before anybody looks at it, at any length, in as much memory as at first."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest

from antiphon.duet.commands import Decision
from antiphon.duet.events import Heard
from antiphon.duet.plan import Plan
from antiphon.duet.routing import output_names
from antiphon.duet.schedule import PLAYER, Send
from antiphon.music.messages import note_on
from antiphon.processes.protocol import Records, Report
from antiphon.processes.recorder import Closed, Recorder, Told
from antiphon.processes.runtime import Inbox
from antiphon.session.header import Header
from antiphon.session.journal import Record, read_session

HEADER = Header((Plan(),), output_names([Plan()]), {}, "2026-03-01T20:15:00+01:00")
PATIENCE_SECONDS = 60.0


class Scene:
    """A recorder, and what it passes on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.passed: Inbox[Told] = Inbox()
        self.recorder = Recorder(folder, HEADER, self.passed.put)

    def next(self) -> Told:
        item = self.passed.get(time.perf_counter() + PATIENCE_SECONDS)
        assert item is not None
        return item

    def close(self) -> list[Told]:
        self.recorder.close()
        told: list[Told] = []
        while not isinstance(item := self.next(), Closed):
            told.append(item)
        return told


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "session")


def played(number: int) -> Records:
    """A note that was heard and passed on."""
    message = note_on(0, 40 + number % 40, 80)
    return Records((Record(Heard(number, message)), Record(Send(0, message, number, PLAYER), 0.0001)))


def test_what_is_passed_on_is_in_the_journal_already(scene: Scene) -> None:
    for number in range(100):
        scene.recorder.put(played(number))
        assert scene.next() == played(number)
        assert read_session(scene.folder).records[-2:] == played(number).records
    scene.close()


def test_nothing_is_kept_of_what_was_looked_at(scene: Scene) -> None:
    def play(numbers: range) -> int:
        for number in numbers:
            scene.recorder.put(played(number))
            scene.next()
            scene.recorder.seen(2)
        return tracemalloc.get_traced_memory()[0]

    play(range(1000))
    tracemalloc.start()
    try:
        before = play(range(1000, 2000))
        assert play(range(2000, 12_000)) - before < 50_000, "as much as at first, but for a buffer here and there"
    finally:
        tracemalloc.stop()
    scene.close()


def test_what_nobody_looks_at_is_recorded_and_not_kept_for_the_screen(scene: Scene) -> None:
    chosen = Record(Decision("handover", 0, 5, "it is your turn"))
    for number in range(10_000):
        scene.recorder.put(played(number))
    scene.recorder.put(Records((chosen,)))
    told = scene.close()
    shown = [record for item in told if isinstance(item, Records) for record in item.records]
    assert len(shown) < 6000
    assert shown[-1] == chosen, "what is no note is shown all the same"
    assert [item.text for item in told if isinstance(item, Report)] == [
        "so much is played that not all of it is shown; all of it is recorded"
    ]
    assert len(read_session(scene.folder).records) == 20_001


def test_a_folder_that_cannot_be_made_is_told_of_once_and_so_is_its_end(tmp_path: Path) -> None:
    (tmp_path / "session").write_text("in the way")
    scene = Scene(tmp_path / "session")
    first = scene.next()
    assert isinstance(first, Report)
    assert first.text.startswith("nothing is recorded: ")
    scene.recorder.put(played(0))
    assert scene.next() == played(0)
    (tmp_path / "session").unlink()
    assert scene.next() == Report(f"recording again in {tmp_path / 'session'}: nothing is missing")
    assert scene.close() == []
    assert read_session(scene.folder).records == played(0).records
