"""The example plugin on a stage: three parts, each on a channel, to an output that it brought itself, and on record."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from antiphon.music.messages import channel, is_note_on
from antiphon.music.midi_file import read_score

from .scene import CALL
from .stage import Command, install, note_ons, sounding, wait_until

pytestmark = pytest.mark.usefixtures("socket_ports")

PRESET = """
outputs = ["virtual", "datagrams"]
[[voice]]
generator = "canon-trio"
answer_bars = 2
controls = { entry = 1 }
[voice.handover]
by = "pedal"
[voice.parts.high]
channel = 3
[voice.parts.middle]
channel = 4
output = "virtual"
[voice.parts.low]
channel = 5
program = 33
"""


@pytest.fixture
def lights() -> Iterator[socket.socket]:
    """Who listens to datagrams."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)
        yield listener


def arrived(listener: socket.socket) -> list[bytes]:
    messages = []
    while True:
        try:
            messages.append(listener.recv(1000))
        except BlockingIOError:
            return messages


def test_three_parts_go_their_ways_and_are_tracks_of_their_own(
    start: Callable[..., Command], listen, play, tmp_path: Path, lights: socket.socket
) -> None:
    preset, session = tmp_path / "trio.toml", tmp_path / "session"
    preset.write_text(PRESET, encoding="utf-8")
    (tmp_path / "plugins").mkdir()
    environment = {
        "PYTHONPATH": install("antiphon_canon", tmp_path / "plugins"),
        "ANTIPHON_DATAGRAMS": str(lights.getsockname()[1]),
    }
    jam = start("jam", preset, "--midi", "socket", "--in", "virtual", "--session", session, **environment)
    jam.wait_for("ready in")
    listener = listen("Antiphon:out", backend="socket")
    play(CALL, to="Antiphon:in", backend="socket")
    for part in (2, 3, 4):
        wait_until(
            lambda part=part: note_ons([h.message for h in listener.heard()], part), f"part on channel {part + 1}"
        )
    assert jam.stop() == 0, jam.said
    wait_until(lambda: not sounding(heard.message for heard in listener.heard()), "the last notes end")
    seen = arrived(lights)
    assert {channel(message) for message in seen if is_note_on(message)} == {0, 2, 4}
    assert not sounding(seen)
    assert b"\xc4\x20" in seen
    names = ["antiphon 1 canon-trio high", "antiphon 1 canon-trio middle", "antiphon 1 canon-trio low"]
    score = read_score(session / "session.mid")
    assert [track.name for track in score.tracks if track.name.startswith("antiphon")] == names
    parts = start("parts", session, "-o", tmp_path / "parts", **environment)
    assert parts.wait() == 0, parts.said
    files = sorted(path.name for path in (tmp_path / "parts").glob("antiphon*.mid"))
    assert files == sorted(f"{name.replace(' ', '-')}.mid" for name in names)
    replayed = start("replay", session, "-o", tmp_path / "again.mid", **environment)
    assert replayed.wait() == 0, replayed.said
