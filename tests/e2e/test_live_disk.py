"""A disk that is full, or whose folder vanishes or never was there, ends no music: real processes, real files."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon.music.messages import note_off, note_on

from .stage import Command, Timed, journal, note_ons, wait_until

pytestmark = pytest.mark.usefixtures("socket_ports")

PORTS = ("--in", "virtual", "--out", "virtual", "--midi", "socket")
SCALE: Timed = [
    event
    for number in range(20)
    for event in ((0.1 * number, note_on(0, 40 + number, 80)), (0.1 * number + 0.05, note_off(0, 40 + number)))
]


class Stage:
    """A jam, somebody who plays a scale, and somebody who hears it."""

    def __init__(self, start: Callable[..., Command], listen, play, folder: Path) -> None:
        self.session = folder / "session"
        self._start, self._listen, self._play = start, listen, play
        self._notes = 0

    def begin(self) -> Command:
        self.jam = self._start("jam", "markov", *PORTS, "--session", self.session)
        self.jam.wait_for("ready in")
        self.listener = self._listen("Antiphon:out", backend="socket")
        return self.jam

    def play_scale(self) -> None:
        """It passes, whatever becomes of the record."""
        self._play(SCALE, to="Antiphon:in", backend="socket").wait()
        self._notes += len(SCALE) // 2
        heard = self.listener.heard
        wait_until(lambda: len(note_ons([m.message for m in heard()], 0)) == self._notes, "the scale is heard")

    def limit(self, spare_bytes: int | None) -> None:
        """Let the command's files grow by so much, and no further; None: without limit."""
        stat = Path(f"/proc/{self.jam.processes()['engine']}/stat").read_text()
        command = int(stat.rpartition(")")[2].split()[1])
        size = (self.session / "journal.jsonl").stat().st_size
        most = resource.RLIM_INFINITY if spare_bytes is None else size + spare_bytes
        resource.prlimit(command, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    def is_all_recorded(self) -> bool:
        heard = [bytes.fromhex(line["message"]) for line in journal(self.session) if line["is"] == "Heard"]
        return len(note_ons(heard, 0)) == self._notes

    def end(self) -> None:
        """All of it is on record, and plays again."""
        assert self.jam.stop() == 0, self.jam.said
        assert self.is_all_recorded()
        again = self._start("replay", self.session, "-o", self.session / "again.mid")
        assert again.wait() == 0, again.said
        assert "to the bit" in again.said
        assert again_equals(self.session)


def again_equals(session: Path) -> bool:
    return (session / "again.mid").read_bytes() == (session / "session.mid").read_bytes()


@pytest.fixture
def stage(start: Callable[..., Command], listen, play, tmp_path: Path) -> Stage:
    return Stage(start, listen, play, tmp_path)


def test_a_full_disk_is_told_of_once_and_what_was_played_meanwhile_is_recorded_later(stage: Stage) -> None:
    jam = stage.begin()
    stage.play_scale()
    stage.limit(300)
    stage.play_scale()
    jam.wait_for("nothing is recorded: ")
    stage.play_scale()
    assert not stage.is_all_recorded()
    stage.limit(None)
    jam.wait_for("recording again")
    assert jam.said.count("nothing is recorded: ") == 1
    stage.play_scale()
    stage.end()


def test_a_folder_that_vanishes_is_made_again_with_all_that_was_in_it(stage: Stage) -> None:
    stage.begin()
    stage.play_scale()
    shutil.rmtree(stage.session)
    stage.play_scale()
    wait_until(lambda: stage.session.exists() and stage.is_all_recorded(), "it is all there again")
    stage.end()


def test_a_start_with_nowhere_to_write_says_so_and_plays(stage: Stage) -> None:
    stage.session.write_text("in the way")
    jam = stage.begin()
    jam.wait_for("nothing is recorded: ")
    stage.play_scale()
    assert jam.stop() == 0, jam.said
    assert "nothing was recorded" in jam.said
    assert "Traceback" not in jam.said


def test_a_disk_that_is_full_to_the_end_leaves_what_was_recorded_before(stage: Stage) -> None:
    jam = stage.begin()
    stage.play_scale()
    stage.limit(0)
    stage.play_scale()
    jam.wait_for("nothing is recorded: ")
    os.kill(int(jam.processes()["engine"]), signal.SIGKILL)
    jam.wait_for("engine restarted")
    assert jam.stop() == 0, jam.said
    assert "what was played last is not recorded" in jam.said
    assert "Traceback" not in jam.said
    assert len([line for line in journal(stage.session) if line["is"] == "Heard"]) >= len(SCALE)


def test_the_end_of_a_long_session_does_not_wait_for_its_files(stage: Stage) -> None:
    jam = stage.begin()
    stage.play_scale()
    file = stage.session / "journal.jsonl"
    size = -1
    while size != file.stat().st_size:  # The answer goes on: what is added must be the latest.
        size = file.stat().st_size
        time.sleep(3)
    last = max(line["ticks"] for line in journal(stage.session) if "ticks" in line)
    with file.open("a") as growing:
        growing.write(f'{{"is":"Heard","ticks":{last},"message":"b01405"}}\n' * 200_000)  # As after an hour of playing.
    assert jam.stop() == 0, jam.said
    assert "will be in" in jam.said, "whoever has ended it has the prompt back before the files are there"
    wait_until(lambda: (stage.session / "session.png").exists(), "the files are made all the same", 300)
    wait_until(lambda: not jam.processes(), "nothing is left running")
    assert jam.leftovers() == []
