"""A terminal that takes no output, or is gone, ends the show on it and nothing else: real terminals, real pipes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from antiphon.music.messages import note_off, note_on

from .stage import Command, Timed, journal, wait_until

pytestmark = pytest.mark.usefixtures("socket_ports")

LOOKS = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "30", "PYTHONUTF8": "1"}
PORTS = ("--in", "virtual", "--out", "virtual", "--midi", "socket")
PRESET = '[[voice]]\ngenerator = "markov"\nmode = "continue"\nchannel = 2\n'
HOLD, LET_GO, SUSPEND = "\x13", "\x11", "\x1a"
SCALE: Timed = [
    event
    for number in range(40)
    for event in (
        (0.1 * number, note_on(0, 40 + number, 80)),
        (0.1 * number + 0.05, note_off(0, 40 + number)),
    )
]


class Stage:
    """A jam with its output here or there, and somebody who plays a scale."""

    def __init__(self, start: Callable[..., Command], play, folder: Path) -> None:
        self.session = folder / "session"
        self._start = start
        self._play = play
        self._preset = folder / "on.toml"
        self._preset.write_text(PRESET)

    def begin(self, *options: str, through: Sequence[str] = (), terminal: bool = False) -> Command:
        arguments = (self._preset, *PORTS, "--session", self.session, *options)
        self.jam = self._start("jam", *arguments, terminal=terminal, through=through, **LOOKS)
        wait_until(lambda: self.session.exists() and self.lines("PlayerReady") >= 2, "both players are seated")
        return self.jam

    def lines(self, kind: str) -> int:
        return sum(line["is"] == kind for line in journal(self.session))

    def play_scale(self) -> None:
        """Play 40 notes, and see that each of them comes into the journal while it is played."""
        before = self.lines("Heard")
        self._play(SCALE, to="Antiphon:in", backend="socket").wait()
        wait_until(lambda: self.lines("Heard") >= before + len(SCALE), "all of it is in the journal", 10)

    def command(self) -> int:
        """The process id of the command itself, whoever started it."""
        stat = Path(f"/proc/{self.jam.processes()['engine']}/stat").read_text()
        return int(stat.rpartition(")")[2].split()[1])

    def replay(self) -> None:
        assert (self.session / "session.mid").exists()
        again = self._start("replay", self.session, "-o", self.session / "again.mid")
        assert again.wait() == 0, again.said
        assert "to the bit" in again.said


@pytest.fixture
def stage(start: Callable[..., Command], play, tmp_path: Path) -> Stage:
    return Stage(start, play, tmp_path)


def test_a_held_terminal_holds_up_neither_the_journal_nor_the_watch_nor_the_end(stage: Stage) -> None:
    jam = stage.begin(terminal=True)
    jam.wait_for("listening: it is your turn")
    jam.press(HOLD)
    stage.play_scale()
    player = next(name for name in jam.processes() if name.startswith("player"))
    jam.signal(signal.SIGKILL, player)
    seated = stage.lines("PlayerReady")
    wait_until(lambda: stage.lines("PlayerReady") > seated, "the player is replaced")
    stage.play_scale()
    assert jam.stop() == 0
    stage.replay()


def test_a_terminal_that_is_let_go_shows_what_happens_now(stage: Stage) -> None:
    jam = stage.begin(terminal=True)
    jam.wait_for("listening: it is your turn")
    jam.press(HOLD)
    stage.play_scale()
    jam.press(LET_GO)
    jam.press("?")
    jam.wait_for("the metronome, on or off")
    jam.press("q")
    assert jam.wait() == 0, jam.said
    stage.replay()


@pytest.mark.parametrize(
    "where",
    ['"$@" >&-', '"$@" | true', '"$@" 2>&1 | head -n 1', '{ yes | head -c 65536; "$@"; } | sleep 60'],
    ids=["closed", "broken", "broken after a line", "full"],
)
def test_output_that_nobody_takes_ends_nothing(stage: Stage, where: str) -> None:
    stage.begin(through=("sh", "-c", where, "sh"))
    stage.play_scale()
    command = stage.command()
    os.kill(command, signal.SIGINT)
    wait_until(lambda: not Path(f"/proc/{command}").exists(), "it ends", 30)
    stage.replay()


def test_after_ctrl_z_and_fg_the_keys_work_and_the_journal_has_missed_nothing(stage: Stage, play) -> None:
    # A shell with job control, on a terminal of its own; what it does by itself after the first line is our `fg`.
    shell = ("setsid", "--ctty", "--wait", "bash", "-ic", '"$@"; echo "has stopped"; read -r line; fg', "bash")
    jam = stage.begin(terminal=True, through=shell)
    jam.wait_for("listening: it is your turn")
    jam.press(SUSPEND)
    jam.wait_for("has stopped")
    heard = stage.lines("Heard")
    play(SCALE, to="Antiphon:in", backend="socket").wait()
    assert stage.lines("Heard") == heard
    jam.press("go on\n")
    wait_until(lambda: stage.lines("Heard") >= heard + len(SCALE), "what was played meanwhile is in the journal")
    jam.press("?")
    jam.wait_for("the metronome, on or off")
    stage.play_scale()
    jam.press("q")
    jam.wait()
    stage.replay()
