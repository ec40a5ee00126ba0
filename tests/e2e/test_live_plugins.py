"""A generator that raises, hangs, dies or returns nonsense: the fallback plays, it is told, and no note hangs."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from .scene import CALL
from .stage import Command, decisions, install, journal, note_ons, sounding, wait_until

pytestmark = pytest.mark.usefixtures("socket_ports")

VOICE = """
[[voice]]
generator = "{generator}"
channel = {channel}
[voice.handover]
by = "pedal"
"""


class Trial:
    """One performance in which every voice is played by a troublemaker; channels count from 2."""

    def __init__(
        self, start: Callable[..., Command], folder: Path, *generators: str, options: Sequence[str] = ()
    ) -> None:
        self.session = folder / "session"
        preset = folder / "trouble.toml"
        voices = [VOICE.format(generator=name, channel=2 + index) for index, name in enumerate(generators)]
        preset.write_text("".join(voices), encoding="utf-8")
        (folder / "plugins").mkdir()
        self.path = install("troublemakers", folder / "plugins")
        arguments = ["--midi", "socket", "--in", "virtual", "--out", "virtual", "--session", self.session]
        self.jam = start("jam", preset, *arguments, *options, PYTHONPATH=self.path)

    def call(self, listen, play) -> None:
        self.jam.wait_for("ready in")
        self.listener = listen("Antiphon:out", backend="socket")
        self.play = play
        self.call_again()

    def call_again(self) -> None:
        self.play(CALL, to="Antiphon:in", backend="socket", name="again")

    def messages(self) -> list[bytes]:
        return [heard.message for heard in self.listener.heard()]

    def wait_for_answer(self, channel: int) -> None:
        wait_until(lambda: note_ons(self.messages(), channel), f"an answer on channel {channel + 1}")

    def end(self) -> None:
        assert self.jam.stop() == 0, self.jam.said
        wait_until(lambda: not sounding(self.messages()), "the last notes end")
        assert len(note_ons(self.messages(), 0)) % 4 == 0, "the player's own notes pass through all the while"


COMPLAINTS = {
    "raises-in-prime": "KeyError: 'lost the score'",
    "raises-in-extend": "KeyError: 'lost the score'",
    "negative-length": "notes[0].length_ticks is -240; allowed: a whole number, at least 1",
    "before-its-time": "notes[0].start_ticks is ",
}


def test_the_fallback_plays_for_whoever_raises_or_returns_nonsense(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    trial = Trial(start, tmp_path, *COMPLAINTS)
    trial.call(listen, play)
    for index, (generator, complaint) in enumerate(COMPLAINTS.items()):
        trial.wait_for_answer(1 + index)
        trial.jam.wait_for(f"{generator}: ")
        [told] = [d for d in decisions(trial.session, "fallback") if d["voice"] == index]
        assert complaint in told["text"]
        assert told["text"] in trial.jam.said
        assert told["text"].endswith("markov plays")
    failures = [line["failure"]["reason"] for line in journal(trial.session) if line["is"] == "PlayerFailed"]
    for complaint in COMPLAINTS.values():
        assert any(complaint in reason for reason in failures)
    trial.end()
    replayed = start("replay", trial.session, "-o", tmp_path / "again.mid", PYTHONPATH=trial.path)
    assert replayed.wait() == 0, replayed.said


def test_pitches_beyond_midi_are_refused_and_overlapping_notes_are_cut(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    trial = Trial(start, tmp_path, "out-of-range", "overlapping")
    trial.call(listen, play)
    trial.wait_for_answer(1)
    wait_until(lambda: len(note_ons(trial.messages(), 2)) >= 3, "three notes that would overlap")
    [told] = decisions(trial.session, "fallback")
    assert "notes[0].pitch is 200; allowed: a whole number, 0 to 127" in told["text"]
    trial.end()
    overlapping = [m for m in trial.messages() if m[0] & 0x0F == 2]
    kinds = [message[0] & 0xF0 for message in overlapping]
    assert kinds == [0x90, 0x80] * (len(kinds) // 2), "each ends before the next of its pitch begins"


def test_a_slow_generator_that_beats_is_not_taken_for_hung(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    trial = Trial(start, tmp_path, "slow-but-beats")
    trial.call(listen, play)
    before = trial.jam.processes()

    def its_own() -> list[dict]:
        return [line for line in journal(trial.session) if line["is"] == "PlayerAnswered" and line["chair"] == "main"]

    wait_until(its_own, "a phrase of its own, however late")
    assert trial.jam.processes() == before
    assert "restarted" not in trial.jam.said
    trial.end()


@pytest.mark.parametrize(
    ("generator", "trouble"),
    [
        ("hangs-in-prime", "it hung"),
        ("hangs-in-extend", "it hung"),
        ("beats-for-ever", "it hung"),
        ("dies-in-extend", "it died (exit code 86)"),
    ],
)
def test_a_generator_that_hangs_or_dies_is_stood_in_for_and_its_process_is_replaced(
    start: Callable[..., Command], listen, play, tmp_path: Path, generator: str, trouble: str
) -> None:
    trial = Trial(start, tmp_path, generator)
    trial.call(listen, play)
    trial.wait_for_answer(1)
    trial.jam.wait_for(f"player restarted: {trouble}")
    assert decisions(trial.session, "fallback")[0]["text"].startswith(f"{generator}: ")
    assert any(line["is"] == "PlayerLost" for line in journal(trial.session))
    before = len(note_ons(trial.messages(), 1))
    wait_until(lambda: decisions(trial.session, "end"), "the answer ends")
    trial.call_again()
    wait_until(lambda: len(note_ons(trial.messages(), 1)) > before, "another answer")
    trial.end()


def test_a_generator_that_cannot_be_made_ends_the_command_and_says_why(
    start: Callable[..., Command], tmp_path: Path
) -> None:
    trial = Trial(start, tmp_path, "cannot-be-made")
    assert trial.jam.wait() == 1
    assert "generator 'cannot-be-made' cannot be made: OSError: no model anywhere" in trial.jam.said
    assert "Traceback" not in trial.jam.said
    log = trial.session / "player-2.log"
    assert f"see {log}" in trial.jam.said
    assert 'raise OSError("no model anywhere")' in log.read_text(encoding="utf-8")


def test_the_traceback_of_what_a_generator_raises_is_in_its_players_log_and_shown_to_who_asks(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    trial = Trial(start, tmp_path, "raises-in-extend", options=["--verbose"])
    trial.call(listen, play)
    trial.wait_for_answer(1)
    trial.jam.wait_for('player-2:     raise KeyError("lost the score")')
    trial.end()
    log = (trial.session / "player-2.log").read_text(encoding="utf-8")
    assert log.startswith("generator 'raises-in-extend' could not go on\nTraceback (most recent call last):\n")
    assert log.count("Traceback") == 1, "however often it fails"


def test_a_plugin_that_raises_on_import_is_left_out_and_the_others_play(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    path = install("raises_on_import", tmp_path)
    listed = start("plugins", PYTHONPATH=path)
    assert listed.wait() == 0
    assert "raises_on_import" in listed.said
    assert "RuntimeError: the moon is in the wrong phase" in listed.said
    assert start("plugins", "--strict", PYTHONPATH=path).wait() == 1
    arguments = ["--midi", "socket", "--in", "virtual", "--out", "virtual", "--session", tmp_path / "session"]
    jam = start("jam", *arguments, PYTHONPATH=path)
    jam.wait_for("ready in")
    listener = listen("Antiphon:out", backend="socket")
    play(CALL, to="Antiphon:in", backend="socket")
    wait_until(lambda: note_ons([h.message for h in listener.heard()], 1), "an answer")
    assert jam.stop() == 0
    wait_until(lambda: not sounding(h.message for h in listener.heard()), "the last notes end")


def test_an_engine_that_dies_where_no_system_tells_who_listens_is_replaced_and_its_notes_end(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    trial = Trial(start, tmp_path, "overlapping")
    trial.call(listen, play)
    trial.wait_for_answer(1)
    trial.jam.signal(signal.SIGKILL, "engine")
    trial.jam.wait_for("engine restarted")
    before = trial.listener.close()
    assert sounding(heard.message for heard in before)
    again = listen("Antiphon:out", backend="socket", name="again")
    wait_until(lambda: not sounding(h.message for h in [*before, *again.heard()]), "what sounded there ends")
    assert trial.jam.stop() == 0


def test_what_computes_a_model_is_chosen_and_told(start: Callable[..., Command], tmp_path: Path) -> None:
    preset = tmp_path / "slow.toml"
    preset.write_text(VOICE.format(generator="overlapping", channel=2), encoding="utf-8")
    (tmp_path / "plugins").mkdir()
    path = install("troublemakers", tmp_path / "plugins")
    ports = ["--midi", "socket", "--in", "virtual", "--out", "virtual"]
    jam = start("jam", preset, *ports, "--device", "cpu", "--session", tmp_path / "session", PYTHONPATH=path)
    jam.wait_for("overlapping runs on cpu, if it must")
    jam.wait_for("ready in")
    assert jam.stop() == 0, jam.said
    refused = start("jam", preset, "--device", "gpu", "--session", tmp_path / "none", PYTHONPATH=path)
    refused.wait_for("--device is 'gpu'; allowed: auto, cpu, cuda")
    assert refused.wait() == 1
