"""The modulation wheel leads from what was played to what the preset holds, with real ports and processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from toy_roll_model import write_toy_vae

from antiphon.music.messages import control_change
from antiphon.presets.step_notation import parse_steps

from .stage import Command, melody, note_ons, sounding, wait_until

pytestmark = [pytest.mark.timed, pytest.mark.usefixtures("socket_ports")]

BAR_SECONDS = 0.75
PRESET = """
tempo_bpm = 320
[[voice]]
generator = "vae"
model = "toy.onnx"
mode = "morph"
channel = 2
[voice.handover]
by = "pedal"
[voice.morph]
b = "F#4 - G#4 - A#4 - F#4 - C#5 - G#4 - A#4 - C#5 -"
[voice.controls]
position = 0
stray = 0
[[controller]]
cc = 1
control = "position"
"""
A = {60, 62, 64, 67, 69}
B = {note.pitch for note in parse_steps("F#4 G#4 A#4 C#5").notes}
CALL = melody(60, 64, 67, 69, 64, 62, 60, 67, gap_seconds=BAR_SECONDS / 8)
PEDAL = [(0.7, control_change(0, 66, 127)), (0.73, control_change(0, 66, 0))]
WHEEL = [(0.0, control_change(0, 1, 0)), (2.5, control_change(0, 1, 64)), (5.0, control_change(0, 1, 127))]
"""The wheel comes to rest where a while later all is heard as it says: a bar at most, and a bar begun before that."""
RESTS = {"at A": (1.0, 2.5), "between": (4.0, 5.0), "at B": (6.5, 7.5)}
END = [(7.5, control_change(0, 1, 127))]


def distance(pitches: Iterable[int], end: set[int]) -> float:
    """Share of the notes whose pitch class is none of the end's: 0 is at it."""
    classes = [pitch % 12 for pitch in pitches]
    return sum(each not in {pitch % 12 for pitch in end} for each in classes) / len(classes)


def test_turned_from_0_to_127_the_wheel_leads_from_the_call_to_the_music_of_the_preset(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    write_toy_vae(tmp_path / "toy.onnx")
    preset, session = tmp_path / "wheel.toml", tmp_path / "session"
    preset.write_text(PRESET, encoding="utf-8")
    ports = ["--midi", "socket", "--in", "virtual", "--out", "virtual"]
    jam = start("jam", preset, *ports, "--session", session)
    jam.wait_for("ready in")
    listener = listen("Antiphon:out", backend="socket")
    score = sorted([*CALL, *PEDAL, *WHEEL, *END], key=lambda timed: timed[0])
    keyboard = play(score, to="Antiphon:in", backend="socket")
    began = keyboard.started_seconds()
    keyboard.wait()
    assert jam.stop() == 0, jam.said
    wait_until(lambda: not sounding(h.message for h in listener.heard()), "the last notes end")
    heard = [(h.seconds - began, h.message[1]) for h in listener.close() if note_ons([h.message], 1)]
    distances = {}
    for name, (since, until) in RESTS.items():
        pitches = [pitch for seconds, pitch in heard if since <= seconds < until]
        distances[name] = (distance(pitches, A), distance(pitches, B))
    assert distances["at A"] == (0, 1)
    assert all(0 < each < 1 for each in distances["between"])
    assert distances["at B"] == (1, 0)
    assert start("replay", session, "-o", tmp_path / "again.mid", "--model", tmp_path / "toy.onnx").wait() == 0
    assert (tmp_path / "again.mid").read_bytes() == (session / "session.mid").read_bytes()
