"""Playing together on JACK: a keyboard, the command and a listener, each a process of its own."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon.music.messages import control_change, note_off, note_on, program_change

from .stage import Command, journal, melody, note_ons, sounding, wait_until

pytestmark = [pytest.mark.timed, pytest.mark.jack, pytest.mark.usefixtures("jack_server")]

ANSWERS = 1
"""Channel of the answers, from 0."""
PEDAL_SECONDS = 0.8
"""When the pedal that hands over is pressed."""


def preset(folder: Path, name: str, channel: int = ANSWERS + 1) -> Path:
    """A preset whose call ends with the sostenuto pedal: from there the clock runs."""
    path = folder / f"{name}.toml"
    path.write_text(
        f'[[voice]]\nmode = "answer"\nchannel = {channel}\n[voice.handover]\nby = "pedal"\n', encoding="utf-8"
    )
    return path


def call(*pitches: int) -> list[tuple[float, bytes]]:
    pedal = [(PEDAL_SECONDS, control_change(0, 66, 127)), (PEDAL_SECONDS + 0.05, control_change(0, 66, 0))]
    return melody(*pitches) + pedal


def test_every_call_is_answered_in_time_and_every_note_ends(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    session = tmp_path / "session"
    jam = start("jam", preset(tmp_path, "pedal"), "--in", "virtual", "--out", "virtual", "--session", session)
    jam.wait_for("ready in")
    listener = listen("Antiphon:out")
    delays = []
    for number in range(4):
        before = len(listener.heard())
        keyboard = play(call(60, 62 + number, 64, 67), to="Antiphon:in")
        handed_over = keyboard.started_seconds() + PEDAL_SECONDS

        def first_answer(before: int = before) -> float | None:
            answers = [h.seconds for h in listener.heard()[before:] if note_ons([h.message], ANSWERS)]
            return answers[0] if answers else None

        delays.append(wait_until(first_answer, f"answer {number + 1}") - handed_over)
        wait_until(lambda: len(ends(session)) == number + 1, f"the end of answer {number + 1}")  # noqa: B023  # at once
    assert jam.stop() == 0
    heard = [h.message for h in listener.close()]
    assert note_ons(heard, 0) == [
        note_on(0, pitch, 80) for number in range(4) for pitch in (60, 62 + number, 64, 67)
    ], "the player's own notes pass through, each once"
    assert sounding(heard) == set()
    assert min(delays) > 0
    # A busy machine may hold up one of them.
    assert statistics.median(delays) < 0.06, delays
    assert max(delays) < 1.0, delays
    told = json.loads((session / "session.json").read_text(encoding="utf-8"))
    assert told["hanging_notes"] == 0
    assert told["notes_heard"] == 16
    assert told["fallbacks"] == []
    assert told["answer_ms"]["n"] == 4
    replayed = start("replay", session, "-o", tmp_path / "again.mid")
    assert replayed.wait() == 0, replayed.said
    assert (tmp_path / "again.mid").read_bytes() == (session / "session.mid").read_bytes()


def ends(session: Path) -> list[object]:
    return [line for line in journal(session) if line.get("kind") == "end"]


def test_a_program_change_selects_another_preset_without_a_gap(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    preset(tmp_path, "one", channel=2)
    preset(tmp_path, "two", channel=6)
    setlist = tmp_path / "set.toml"
    setlist.write_text('presets = ["one", "two"]\n', encoding="utf-8")
    session = tmp_path / "session"
    jam = start("jam", setlist, "--in", "virtual", "--out", "virtual", "--session", session)
    jam.wait_for("ready in")
    running = jam.processes()
    listener = listen("Antiphon:out")
    # The program changes in the middle of a call, while a key is down; the very next call is the other preset's.
    middle = [(0.0, note_on(0, 48, 80)), (0.3, program_change(0, 1)), (0.6, note_off(0, 48)), *call(60, 62, 64, 65, 67)]
    keyboard = play(sorted(middle, key=lambda timed: timed[0]), to="Antiphon:in")
    handed_over = keyboard.started_seconds() + PEDAL_SECONDS
    wait_until(lambda: note_ons([h.message for h in listener.heard()], 5), "the other preset's answer")
    assert jam.processes() == running, "no process is started for it"
    wait_until(lambda: ends(session), "the end of the answer")
    assert jam.stop() == 0
    heard = listener.close()
    messages = [h.message for h in heard]
    assert sounding(messages) == set()
    assert note_ons(messages, 1) == []
    assert len(note_ons(messages, 0)) == 6
    answer = next(h.seconds for h in heard if note_ons([h.message], 5))
    assert 0 < answer - handed_over < 0.5
    assert [line["plan"] for line in journal(session) if line["is"] == "Selected"] == [1]
    assert start("replay", session, "-o", tmp_path / "again.mid").wait() == 0
