"""Playing along, and trading by turns, with real ports and processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon.music.messages import note_off, note_on

from .stage import Command, journal, note_ons, sounding, wait_until

pytestmark = pytest.mark.usefixtures("socket_ports")

TEMPO_BPM = 180
BEAT_SECONDS = 60 / TEMPO_BPM
TOP = f"tempo_bpm = {TEMPO_BPM}\n[[voice]]\nchannel = 2\n"
ACCOMPANY = TOP + 'mode = "accompany"\nlaunch = "beat"\nrange = ["C2", "B3"]\n'
TURNS = TOP + 'answer_bars = 1\n[voice.handover]\nby = "turns"\nbars = 1\n'
PORTS = ("--midi", "socket", "--in", "virtual", "--out", "virtual")


def tune(beats: int) -> list[tuple[float, bytes]]:
    """A note a beat, in seconds."""
    played = []
    for beat in range(beats):
        pitch = (60, 64, 67, 65)[beat % 4]
        played += [(beat * BEAT_SECONDS, note_on(0, pitch, 80)), ((beat + 0.6) * BEAT_SECONDS, note_off(0, pitch))]
    return played


def perform(start: Callable[..., Command], listen, play, folder: Path, preset: str) -> tuple[list[dict], list[bytes]]:
    """Play three bars of the tune, and rest for as long as it may play on; the journal, and what was heard."""
    (folder / "it.toml").write_text(preset, encoding="utf-8")
    session = folder / "session"
    jam = start("jam", folder / "it.toml", *PORTS, "--session", session)
    jam.wait_for("ready in")
    listener = listen("Antiphon:out", backend="socket")
    keyboard = play([*tune(12), (17.2 * BEAT_SECONDS, note_off(0, 60))], to="Antiphon:in", backend="socket")
    keyboard.wait()
    assert jam.stop() == 0, jam.said
    wait_until(lambda: not sounding(h.message for h in listener.heard()), "the last notes end")
    assert start("replay", session, "-o", folder / "again.mid").wait() == 0
    assert (folder / "again.mid").read_bytes() == (session / "session.mid").read_bytes()
    return journal(session), [heard.message for heard in listener.close()]


def test_it_plays_along_while_the_player_plays_and_ends_when_they_rest(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    lines, heard = perform(start, listen, play, tmp_path, ACCOMPANY)
    played = note_ons(heard, 1)
    assert len(note_ons(heard, 0)) == 12, "the player's own notes are passed on"
    assert len(played) >= 8
    assert all(36 <= message[1] <= 59 for message in played)
    decisions = [(line["kind"], line["ticks"]) for line in lines if line["is"] == "Decision"]
    begun = min(ticks for kind, ticks in decisions if kind == "answer")
    ended = max(ticks for kind, ticks in decisions if kind == "end")
    own = [line["ticks"] for line in lines if line["is"] == "Heard"]
    assert own[0] < begun < own[0] + 3 * 480, "it falls in while the player plays"
    assert own[-2] + 1920 <= ended <= own[-2] + 1920 + 2 * 480, "a bar after the last key came up"


def test_turns_change_on_the_bar_whatever_is_played_over_the_line(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    lines, heard = perform(start, listen, play, tmp_path, TURNS)
    decisions = [(line["kind"], line["ticks"]) for line in lines if line["is"] == "Decision"]
    handovers = [ticks for kind, ticks in decisions if kind == "handover"]
    assert handovers == [handovers[0] + 2 * 1920 * turn for turn in range(len(handovers))]
    assert handovers[0] % 1920 == 0
    assert len(handovers) >= 2
    assert [ticks for kind, ticks in decisions if kind == "end"] == [ticks + 1920 for ticks in handovers]
    assert len(note_ons(heard, 1)) >= 2
