"""What people get wrong, and what their machines lack: an error that helps, an exit code, and no note left sounding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mido
import pytest

from .scene import CALL
from .stage import Command, note_ons, sounding, wait_until

pytestmark = pytest.mark.usefixtures("socket_ports", "no_jack_server")

ALSA = Path("/dev/snd/seq")


@pytest.fixture
def refused(start: Callable[..., Command]) -> Callable[..., str]:
    """Runs a command that must fail, in words; gives what it said."""

    def run(*arguments: str | Path, **environment: str) -> str:
        command = start(*arguments, **environment)
        assert command.wait() == 1, command.said
        assert command.said.startswith("antiphon: ")
        assert "Traceback" not in command.said
        assert command.processes() == {}
        return command.said

    return run


def midi_file(path: Path, *, type_: int = 1, notes: int = 1) -> Path:
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)])
    for _ in range(notes):
        track += [mido.Message("note_on", note=60, velocity=64), mido.Message("note_off", note=60, time=480)]
    mido.MidiFile(type=type_, tracks=[track]).save(path)
    return path


# ---- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["jam", "demo --preset", "presets check"])
def test_an_unknown_key_in_a_preset_is_named_with_its_line_and_the_nearest_one(
    start: Callable[..., Command], tmp_path: Path, command: str
) -> None:
    preset = tmp_path / "mine.toml"
    preset.write_text('[[voice]]\ngenerator = "markov"\nhandoover = "silence"\n', encoding="utf-8")
    failed = start(*command.split(), preset)
    assert failed.wait() == 1
    assert f"{preset}:3: voice 1: handoover: unknown key; did you mean 'handover'?" in failed.said


@pytest.mark.parametrize("command", ["continue", "render"])
def test_midi_files_that_cannot_be_played_are_refused(
    refused: Callable[..., str], tmp_path: Path, command: str
) -> None:
    whole = midi_file(tmp_path / "whole.mid", notes=20)
    cut = tmp_path / "cut.mid"
    cut.write_bytes(whole.read_bytes()[:60])
    two = midi_file(tmp_path / "two.mid", type_=2)
    empty = midi_file(tmp_path / "empty.mid", notes=0)
    output = tmp_path / ("out.mid" if command == "continue" else "out.wav")
    assert f"'{cut}' is truncated" in refused(command, cut, "-o", output)
    assert f"'{two}' is a MIDI file of type 2; allowed: 0 or 1" in refused(command, two, "-o", output)
    assert f"'{empty}' has no notes in it" in refused(command, empty, "-o", output)
    assert f"cannot read '{tmp_path / 'none.mid'}'" in refused(command, tmp_path / "none.mid", "-o", output)
    assert not output.exists()


def test_what_is_not_a_session_is_not_replayed(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "holds no session" in refused("replay", tmp_path / "none", "-o", tmp_path / "out.mid")
    (tmp_path / "journal.jsonl").write_text('{"a shopping": "list"}\n', encoding="utf-8")
    assert "is not the journal of a session" in refused("replay", tmp_path, "-o", tmp_path / "out.mid")


# ---- ports and devices -----------------------------------------------------------------------------------------------


def test_a_port_that_matches_none_or_several_is_refused_with_the_candidates(
    refused: Callable[..., str], play, listen, tmp_path: Path
) -> None:
    for name in ("red keys", "blue keys"):
        play([], backend="socket", name=name, settle_seconds=60)
    for name in ("red piano", "blue piano"):
        listen(backend="socket", name=name)
    options = ["--midi", "socket", "--session", tmp_path / "session"]
    for direction, names in (("--in", ("red keys:out", "blue keys:out")), ("--out", ("red piano:in", "blue piano:in"))):
        kind = names[0].split()[1].partition(":")[0]
        for wanted in ("organ", kind):
            said = refused("jam", *options, direction, wanted)
            assert f"'{wanted}'" in said
            assert all(name in said for name in names)


def test_without_any_midi_system_the_ones_that_would_do_are_listed(refused: Callable[..., str], tmp_path: Path) -> None:
    if ALSA.exists():
        pytest.skip("this machine has an ALSA sequencer")
    said = refused("jam", "--session", tmp_path / "session", ANTIPHON_MIDI_BACKEND="alsa")
    assert "MIDI backend 'alsa' is not usable here" in said
    assert "modprobe snd-seq" in said
    assert "Usable: auto, socket" in said
    said = refused("jam", "--session", tmp_path / "session", "--midi", "jack")
    assert "no JACK server is running" in said


def test_an_unknown_midi_system_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    said = refused("jam", "--midi", "tin-can", "--session", tmp_path / "session")
    assert "MIDI backend 'tin-can' is unknown; allowed: auto, jack," in said


def test_without_midi_system_and_audio_device_processes_still_play_together(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    if ALSA.exists():
        pytest.skip("this machine has an ALSA sequencer")
    # A keyboard that is there is found; `auto` is what one gets without a word.
    play([(0.5 + seconds, message) for seconds, message in CALL], backend="socket", name="keys", settle_seconds=3)
    jam = start("jam", "--session", tmp_path / "session")
    jam.wait_for("no audio device found; connect one, start JACK, or play through MIDI ports only")
    jam.wait_for("ready in")
    assert "MIDI system socket; listening to keys:out" in jam.said
    listener = listen("Antiphon:out", backend="socket")

    def messages() -> list[bytes]:
        return [heard.message for heard in listener.heard()]

    wait_until(lambda: note_ons(messages(), 1), "an answer")
    assert jam.stop() == 0
    wait_until(lambda: not sounding(messages()), "the last notes end")
