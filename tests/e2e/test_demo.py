"""`antiphon demo` and the terminal: what somebody sees who has nothing but this program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import pytest

from antiphon.music.messages import note_on
from antiphon.music.midi_file import Score, Track, read_score, write_score
from antiphon.terminal.demo_keyboard import bundled

from .scene import CALL, CHORD, RELEASE
from .stage import Command, journal, melody, note_ons, sounding, wait_until

SHORT = """
import sys
from antiphon.cli import main
from antiphon.terminal import demo
demo._CALLS, demo._ANSWER_SECONDS = sys.argv[1], 2.0
del sys.argv[:2]
main()
"""
"""Its arguments: a phrase in place of the bundled one, and a command that is a demo."""

LOOKS = {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", "COLUMNS": "100", "LINES": "40"}


@pytest.fixture(scope="module")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder in which Matplotlib has found all fonts, which takes it seconds."""
    folder = str(tmp_path_factory.mktemp("fonts"))
    command = [sys.executable, "-c", "import matplotlib.font_manager"]
    subprocess.run(command, env={**os.environ, "MPLCONFIGDIR": folder}, capture_output=True, check=True)
    return folder


def note_count(path: Path) -> list[int]:
    """Notes of each track that has any."""
    tracks = [[m for m in track if m.type == "note_on" and m.velocity] for track in mido.MidiFile(path).tracks]
    return [len(notes) for notes in tracks if notes]


def assert_duet(folder: Path) -> None:
    """Both parts as a score, as sound, as a picture, and in numbers."""
    mine, its = note_count(folder / "duet.mid")
    assert mine > 0
    assert its > 0
    with wave.open(str(folder / "duet.wav")) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
        assert sound.getnframes() / sound.getframerate() > 2
    assert np.abs(samples.astype(float)).max() > 1_000
    for name in ("duet.png", "session.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    told = json.loads((folder / "session.json").read_text(encoding="utf-8"))
    assert told["notes_heard"] == mine
    assert told["notes_played"] == its
    assert told["answer_ms"]["n"] >= 1
    assert told["hanging_notes"] == 0


@pytest.mark.parametrize(("phrase", "least_seconds", "most_seconds"), [("call", 12, 18), ("wheel", 15, 22)])
def test_a_demo_takes_about_twenty_seconds(phrase: str, least_seconds: float, most_seconds: float) -> None:
    assert least_seconds < read_score(bundled(phrase)).timed_messages()[-1][0] < most_seconds


@pytest.mark.usefixtures("socket_ports", "no_jack_server")
def test_the_demo_plays_on_a_machine_with_nothing(start: Callable[..., Command], tmp_path: Path, fonts: str) -> None:
    folder = tmp_path / "duet"
    call = Track("call", tuple((round(960 * seconds), message) for seconds, message in melody(60, 64, 62, 65)))
    write_score(tmp_path / "short.mid", Score((call,)))
    short = (sys.executable, "-c", SHORT, str(tmp_path / "short"))
    demo = start("demo", "--output", folder, through=short, MPLCONFIGDIR=fonts)
    assert demo.wait() == 0, demo.said
    # The fallback may play on a machine that others keep busy.
    late = "it is late" in demo.said
    assert late or "notes answered in" in demo.said
    for name in ("duet.mid", "duet.wav", "duet.png", "session.json"):
        assert str(folder / name) in demo.said
    assert_duet(folder)
    told = json.loads((folder / "session.json").read_text(encoding="utf-8"))
    assert late or told["fallbacks"] == []
    replayed = start("replay", folder, "-o", tmp_path / "again.mid")
    assert replayed.wait() == 0, replayed.said
    assert (tmp_path / "again.mid").read_bytes() == (folder / "session.mid").read_bytes()


@pytest.mark.jack
@pytest.mark.usefixtures("jack_server")
def test_the_demo_on_jack_can_be_watched_and_quit(start: Callable[..., Command], tmp_path: Path, fonts: str) -> None:
    folder = tmp_path / "duet"
    demo = start("demo", "--output", folder, terminal=True, JACK_NO_AUDIO_RESERVATION="1", MPLCONFIGDIR=fonts, **LOOKS)
    demo.wait_for("answering")
    wait_until(lambda: any(line["is"] == "Send" and line["source"] == 0 for line in journal(folder)), "its notes")
    demo.press("q")
    assert demo.wait() == 0, demo.said
    assert "MIDI system jack" in demo.said
    assert_duet(folder)


@pytest.mark.usefixtures("socket_ports", "no_jack_server")
def test_the_terminal_shows_both_lanes_and_obeys_single_keys(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    session = tmp_path / "session"
    ports = ["--midi", "socket", "--in", "virtual", "--out", "virtual"]
    jam = start("jam", "evening", *ports, "--session", session, terminal=True, **LOOKS)
    before = jam.terminal_modes()
    jam.wait_for("keys: ? help, p panic, t tap tempo, m click, 1-9 preset, n next, q quit")
    assert jam.terminal_modes() != before, "keys are read one by one"
    assert all(text in jam.said for text in ("Antiphon", "· answer", "● ", "you", "notes"))
    listener = listen("Antiphon:out", backend="socket")
    play([*CHORD, *CALL, *RELEASE], to="Antiphon:in", backend="socket")

    def messages() -> list[bytes]:
        return [heard.message for heard in listener.heard()]

    wait_until(lambda: note_on(0, 65, 80) in messages(), "the call is heard")
    assert "▀" in jam.said or "▄" in jam.said or "█" in jam.said, "notes are drawn"
    jam.press("p")
    wait_until(lambda: bytes((0xBF, 120, 0)) in messages(), "panic on the last channel")
    wait_until(lambda: not sounding(messages()), "panic silences even the keys that are held")
    jam.press("2")
    jam.wait_for("· trade")
    wait_until(lambda: any(line["is"] == "Selected" and line["plan"] == 1 for line in journal(session)), "preset 2")
    jam.press("9")
    jam.press("q")
    assert jam.wait() == 0
    assert jam.terminal_modes() == before, "the terminal is as it was"
    assert len(note_ons(messages(), 0)) == 7
