"""In an Ableton Link session with another program, as that program's own clock and beats have it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any

import pytest

from antiphon.music.messages import control_change, note_off, note_on

from .stage import Command, decisions, journal, note_ons, wait_until

HERE = Path(__file__).parent
PRESET = """
sync = "link"
tempo_bpm = 96
[tempo_control]
cc = 20
low_bpm = 60
high_bpm = 180
[[voice]]
launch = "bar"
answer_bars = 1
channel = 2
[voice.handover]
by = "bars"
bars = 1
"""
LOOPBACK_UP = """
import fcntl, socket, struct, sys
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh22x", b"lo", 0x41))  # SIOCSIFFLAGS: up and running
print("up", flush=True)
sys.stdin.read()
"""


class Peer:
    """`link_peer.py` in a process of its own."""

    def __init__(self, bpm: float, network: tuple[str, ...]) -> None:
        self.said: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [*network, sys.executable, str(HERE / "link_peer.py"), str(bpm)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def tell(self, *words: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()

    def latest(self, what: str) -> Any:
        """What it said last of its peers or its tempo."""
        return next((line[what] for line in reversed(self.said) if what in line), None)

    def notes(self) -> list[dict[str, Any]]:
        """The answers' notes that it has heard begin."""
        return [line for line in self.said if "message" in line and note_ons([bytes(line["message"])], 1)]

    def tone(self) -> None:
        self.tell("send", *note_on(0, 60, 80))
        self.tell("send", *note_off(0, 60))

    def close(self) -> None:
        self._process.communicate(timeout=10)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(json.loads(line))


@pytest.fixture(scope="module")
def network() -> Iterator[tuple[str, ...]]:
    """What a command begins with that is to be alone with its like: a network of their own.

    Who plays with Link in the same room is not to be joined. Where no such network can be made, and nobody is there,
    the machine's does as well.
    """
    pytest.importorskip("link", reason="the extra 'link' is not installed")
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        require_link_on_this_machine()
        yield ()
        return
    with subprocess.Popen(
        ["unshare", "--map-root-user", "--net", sys.executable, "-c", LOOPBACK_UP],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        if holder.stdout.readline() == "up\n":
            yield ("nsenter", "--target", str(holder.pid), "--user", "--net", "--preserve-credentials")
        else:
            require_link_on_this_machine()
            yield ()
        holder.communicate(timeout=10)


def require_link_on_this_machine() -> None:
    """Skip where others play; skip, or fail where it has to work, where two programs do not find each other."""
    first = Peer(120, ())
    try:
        if happens(lambda: first.latest("peers"), within_seconds=3):
            pytest.skip("somebody plays with Ableton Link on this network")
        second = Peer(120, ())
        try:
            if not happens(lambda: second.latest("peers"), within_seconds=20):
                reason = "no multicast on this machine: two programs with Ableton Link do not find each other"
                (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
        finally:
            second.close()
    finally:
        first.close()


def happens(what: Callable[[], Any], within_seconds: float) -> bool:
    """Whether it does."""
    try:
        wait_until(what, "it happens", within_seconds)
    except AssertionError:
        return False
    return True


@pytest.fixture
def join(network: tuple[str, ...], socket_ports: Path) -> Iterator[Callable[[float], Peer]]:
    """`join(bpm)` starts a `Peer`."""
    peers: list[Peer] = []

    def start(bpm: float) -> Peer:
        peers.append(Peer(bpm, network))
        return peers[-1]

    yield start
    for peer in peers:
        peer.close()


@pytest.fixture
def jam(network: tuple[str, ...], start: Callable[..., Command], tmp_path: Path) -> Callable[[], Command]:
    """`jam()` starts one, in the same network."""

    def play() -> Command:
        preset = tmp_path / "linked.toml"
        preset.write_text(PRESET, encoding="utf-8")
        ports = ["--midi", "socket", "--in", "virtual", "--out", "virtual", "--session", tmp_path / "session"]
        playing = start("jam", preset, *ports, through=network)
        playing.wait_for("ready in")
        return playing

    return play


@pytest.mark.timed
def test_its_notes_fall_on_the_peer_s_beats_and_start_and_stop_are_followed(
    jam: Callable[[], Command], join: Callable[[float], Peer], start: Callable[..., Command], tmp_path: Path
) -> None:
    session = tmp_path / "session"
    peer = join(300)
    playing = jam()
    playing.wait_for("Ableton Link: in time with another program at 300.0 bpm")
    peer.tell("listen", "Antiphon:out")
    peer.tell("connect", "Antiphon:in")
    peer.tell("play")
    for number in range(2):
        # Anywhere in a bar: the answer begins at the bar line that follows the next one.
        peer.tone()
        wait_until(lambda: len(decisions(session, "end")) > number, "the answer is over")  # noqa: B023
    meant = [line["ticks"] for line in decisions(session, "answer")]
    assert len(meant) == 2
    assert all(ticks % 1920 == 0 for ticks in meant)
    sent = [
        line["due_ticks"]
        for line in journal(session)
        if line["is"] == "Send" and note_ons([bytes.fromhex(line["message"])], 1)
    ]
    heard = peer.notes()
    assert len(heard) == len(sent) >= 2
    off_ticks = [(480 * note["beats"] - ticks + 960) % 1920 - 960 for note, ticks in zip(heard, sent, strict=True)]
    # From our tick to the peer's beat, with the sockets' way between; a machine that stalls may hold up some notes.
    assert median(abs(ticks) * 60_000 / (480 * 300) for ticks in off_ticks) < 5.0, off_ticks
    peer.tell("stop")
    playing.wait_for("Ableton Link: the transport is stopped")
    peer.tone()
    playing.signal(signal.SIGKILL, "engine")
    wait_until(lambda: playing.said.count("in time with another program") == 2, "the next engine has joined")
    assert "the transport runs" not in playing.said
    peer.tell("play")
    playing.wait_for("Ableton Link: the transport runs")
    assert len(peer.notes()) == len(heard)
    assert playing.stop() == 0, playing.said
    again = start("replay", session, "-o", tmp_path / "again.mid")
    assert again.wait() == 0, again.said
    assert "to the bit" in again.said


def test_tempo_goes_both_ways_and_who_comes_later_finds_ours(
    jam: Callable[[], Command], join: Callable[[float], Peer], tmp_path: Path
) -> None:
    playing = jam()
    playing.wait_for("Ableton Link: nobody else is there; playing at 96.0 bpm")
    peer = join(150)
    playing.wait_for("Ableton Link: in time with another program at 96.0 bpm")
    wait_until(lambda: peer.latest("tempo") == 96, "the peer has our tempo")
    peer.tell("connect", "Antiphon:in")
    peer.tell("send", *control_change(0, 20, 127))
    wait_until(lambda: peer.latest("tempo") == 180, "the peer has the tempo that the player turned")
    peer.tell("tempo", 120)
    wait_until(lambda: abs(tempo_of(tmp_path / "session") - 120) < 0.1, "we have the peer's tempo")
    assert playing.stop() == 0, playing.said
    wait_until(lambda: peer.latest("peers") == 0, "we have left")


def tempo_of(session: Path) -> float:
    """The latest tempo."""
    return next((line["bpm"] for line in reversed(journal(session)) if line["is"] == "TempoChanged"), 0.0)


def test_without_the_extra_the_jam_says_what_to_install(start: Callable[..., Command], tmp_path: Path) -> None:
    (tmp_path / "link.py").write_text("raise ImportError\n", encoding="utf-8")
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    playing = start("jam", "markov", "--sync", "link", "--midi", "socket", "--out", "virtual", PYTHONPATH=path)
    assert playing.wait() == 1, playing.said
    assert "-m pip install LinkPython-extern" in playing.said.replace("\r\n", " ").replace("\n", " ")
    assert "Traceback" not in playing.said
