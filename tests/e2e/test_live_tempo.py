"""Tempo and click on a live stage: what is typed and tapped there, and what arrives at whoever listens."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antiphon.music.messages import control_change, note_off, note_on

from .stage import Command, journal, note_ons, wait_until

pytestmark = pytest.mark.usefixtures("socket_ports")

PRESET = """
clock_out = true
outputs = ["virtual"]
inputs = ["virtual"]
[tempo_control]
tap_note = "C8"
cc = 22
[[voice]]
"""
CLICKS, METRONOME = 9, -2
START = b"\xfa"


class Jam:
    """`antiphon jam` on sockets, in a terminal."""

    def __init__(self, start: Callable[..., Command], folder: Path, *options: str, preset: str = PRESET) -> None:
        (folder / "mine.toml").write_text(preset, encoding="utf-8")
        self.session = folder / "session"
        arguments = ["--midi", "socket", "--session", str(self.session), *options]
        self.command = start("jam", folder / "mine.toml", *arguments, terminal=True)
        self.start = start
        self.again = folder / "again.mid"

    def wait_until_ready(self) -> None:
        wait_until(lambda: len(self.records("PlayerReady")) == 2, "both players are seated")

    def records(self, *kinds: str) -> list[dict[str, Any]]:
        if not (self.session / "journal.jsonl").exists():
            return []
        return [line for line in journal(self.session) if line["is"] in kinds]

    def clicks(self) -> int:
        """How many there were so far."""
        sent = [line for line in self.records("Send") if line["source"] == METRONOME]
        return len(note_ons([bytes.fromhex(line["message"]) for line in sent], CLICKS))

    def end(self) -> None:
        """It ends well, and can be played again."""
        self.command.press("q")
        assert self.command.wait() == 0, self.command.said
        replayed = self.start("replay", self.session, "-o", self.again)
        assert replayed.wait() == 0, replayed.said
        assert "to the bit" in replayed.said


def test_the_jam_is_counted_in_and_whoever_follows_its_clock_starts_after_that(
    start: Callable[..., Command], listen: Callable[..., Any], tmp_path: Path
) -> None:
    listener = listen(backend="socket")
    jam = Jam(start, tmp_path, "--count-in", "2", "--click", "--tempo", "240", "--out", "listener")
    wait_until(lambda: jam.clicks() > 10, "it clicks on after the count-in")
    jam.end()
    heard = [heard.message for heard in listener.heard()]
    before = note_ons(heard[: heard.index(START)], CLICKS)
    assert [message[1] for message in before] == [76, 77, 77, 77] * 2
    assert note_ons(heard[heard.index(START) :], CLICKS)[0][1] == 76


def test_keys_of_the_terminal_tap_the_tempo_and_turn_the_click_on_and_off(
    start: Callable[..., Command], tmp_path: Path
) -> None:
    jam = Jam(start, tmp_path, "--tempo", "60")
    jam.wait_until_ready()
    for _ in range(4):
        jam.command.press("t")
        time.sleep(0.3)
    wait_until(lambda: jam.records("TempoChanged"), "the tempo changes")
    wait_until(lambda: jam.records("TempoChanged")[-1]["towards_bpm"] is None, "and the nudge is over")
    assert 60 < jam.records("TempoChanged")[-1]["bpm"] <= 400
    jam.command.press("m")
    wait_until(lambda: jam.clicks() > 2, "it clicks")
    jam.command.press("m")
    wait_until(lambda: len(jam.records("MetronomeSwitched")) == 2, "it is turned off")
    assert [line["on"] for line in jam.records("MetronomeSwitched")] == [True, False]
    assert jam.records("Heard") == []
    jam.end()


def test_a_key_that_taps_and_a_knob_are_not_heard(
    start: Callable[..., Command], play: Callable[..., Any], tmp_path: Path
) -> None:
    jam = Jam(start, tmp_path)
    jam.wait_until_ready()
    taps = [(0.4 * n, note_on(0, 108, 80)) for n in range(4)] + [(0.4 * n + 0.1, note_off(0, 108)) for n in range(4)]
    turned = [(2.0, control_change(0, 22, 127)), (2.1, note_on(0, 60, 80)), (2.2, note_off(0, 60))]
    play(sorted(taps + turned), to="Antiphon:in", backend="socket")
    wait_until(lambda: len(jam.records("Heard")) == 2, "the music is heard")
    assert [line["message"] for line in jam.records("Heard")] == [note_on(0, 60, 80).hex(), note_off(0, 60).hex()]
    assert jam.records("TempoChanged")[0]["ticks"] > 0
    assert jam.records("TempoChanged")[-1]["bpm"] == 180
    jam.end()


def test_an_engine_that_takes_over_clicks_on_at_the_tempo_that_was_tapped(
    start: Callable[..., Command], play: Callable[..., Any], tmp_path: Path
) -> None:
    jam = Jam(start, tmp_path)
    jam.wait_until_ready()
    play([(0.0, control_change(0, 22, 100))], to="Antiphon:in", backend="socket")
    wait_until(lambda: jam.records("TempoChanged"), "the tempo changes")
    bpm = jam.records("TempoChanged")[-1]["bpm"]
    jam.command.press("m")
    wait_until(lambda: jam.clicks() > 2, "it clicks")
    jam.command.signal(signal.SIGKILL, "engine")
    wait_until(lambda: jam.records("Restarted"), "another engine takes over")
    clicks = jam.clicks()
    wait_until(lambda: jam.clicks() > clicks + 2, "it clicks on")
    assert {line["bpm"] for line in jam.records("TempoChanged")} == {bpm}
    jam.end()
