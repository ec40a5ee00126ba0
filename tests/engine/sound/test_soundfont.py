"""SoundFont playing, against a library made of paper: the real one is an extra and brings no font."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from antiphon.errors import AntiphonError
from antiphon.music.messages import control_change, note_off, note_on, program_change
from antiphon.sound.soundfont import SoundFont


@dataclass
class PaperSynth:
    """Writes down what it is asked for, and plays a constant that is too loud."""

    gain: float
    samplerate: int
    calls: list[tuple[object, ...]] = field(default_factory=list)

    def sfload(self, path: str, max_voices: int) -> None:
        if Path(path).read_bytes()[:4] != b"RIFF":
            raise RuntimeError("Could not load SoundFont file")

    def generate(self, frames: int, buffer: memoryview) -> None:
        buffer[:] = np.full((frames, 2), 3.0, np.float32).tobytes()

    def program_change(self, channel: int, program: int, is_drums: bool) -> None:
        if program == 99:
            raise RuntimeError("Error in channel_set_preset_number")
        self.calls.append(("program", channel, program, is_drums))

    def noteon(self, *arguments: int) -> None:
        self.calls.append(("on", *arguments))

    def noteoff(self, *arguments: int) -> None:
        self.calls.append(("off", *arguments))

    def pitchbend(self, *arguments: int) -> None:
        self.calls.append(("bend", *arguments))

    def control_change(self, *arguments: int) -> None:
        self.calls.append(("control", *arguments))

    def sounds_off(self, *arguments: int) -> None:
        self.calls.append(("sounds off", *arguments))


@pytest.fixture
def font(tmp_path: Path) -> Path:
    path = tmp_path / "font.sf2"
    path.write_bytes(b"RIFF")
    return path


@pytest.fixture
def synths(monkeypatch: pytest.MonkeyPatch) -> list[PaperSynth]:
    made: list[PaperSynth] = []

    def make(gain: float, samplerate: int) -> PaperSynth:
        made.append(PaperSynth(gain, samplerate))
        return made[-1]

    monkeypatch.setitem(sys.modules, "tinysoundfont", SimpleNamespace(Synth=make))
    return made


def asked(synths: list[PaperSynth], font: Path, *sent: bytes) -> list[tuple[object, ...]]:
    """What the library is asked for when a fresh SoundFont is sent these messages."""
    synth = SoundFont(font)
    already = len(synths[-1].calls)
    for message in sent:
        synth.handle(message)
    return synths[-1].calls[already:]


def test_notes_bends_programs_and_controllers_are_passed_on(synths: list[PaperSynth], font: Path) -> None:
    bend = bytes((0xE1, 3, 65))
    sent = (program_change(2, 40), note_on(2, 60, 90), bend, control_change(2, 7, 80), note_off(2, 60))
    assert asked(synths, font, *sent) == [
        ("program", 2, 40, False),
        ("off", 2, 60),
        ("on", 2, 60, 90),
        ("bend", 1, 65 * 128 + 3),
        ("control", 2, 7, 80),
        ("off", 2, 60),
    ]


def test_the_pedals_hold_notes_for_a_library_that_knows_none(synths: list[PaperSynth], font: Path) -> None:
    held = (note_on(0, 60, 90), control_change(0, 64, 127), note_off(0, 60))
    assert asked(synths, font, *held)[2:] == []
    assert asked(synths, font, *held, control_change(0, 64, 0))[2:] == [("off", 0, 60)]
    assert asked(synths, font, *held, control_change(0, 121, 0))[2:] == [("off", 0, 60), ("control", 0, 121, 0)]
    captured = (note_on(0, 60, 90), control_change(0, 66, 127), note_off(0, 60), control_change(0, 66, 0))
    assert asked(synths, font, *captured)[2:] == [("off", 0, 60)]


def test_panic_silences(synths: list[PaperSynth], font: Path) -> None:
    assert asked(synths, font, note_on(3, 60, 90), control_change(3, 123, 0))[2:] == [("off", 3, 60)]
    assert asked(synths, font, note_on(3, 60, 90), control_change(3, 120, 0))[2:] == [("sounds off", 3)]


def test_channel_ten_plays_drums(synths: list[PaperSynth], font: Path) -> None:
    SoundFont(font)
    assert synths[-1].calls == [("program", 9, 0, True)]


def test_an_instrument_that_the_font_lacks_changes_nothing(synths: list[PaperSynth], font: Path) -> None:
    assert asked(synths, font, program_change(0, 99)) == []


def test_malformed_and_system_messages_are_ignored(synths: list[PaperSynth], font: Path) -> None:
    assert asked(synths, font, b"", b"\x90\x3c", bytes((0xF8,)), bytes((0xD0, 3))) == []


@pytest.mark.usefixtures("synths")
def test_the_sound_stays_within_bounds(font: Path) -> None:
    synth = SoundFont(font, 44_100)
    samples = synth.render(100)
    assert synth.sample_rate == 44_100
    assert samples.shape == (100, 2)
    assert 0.9 < np.abs(samples).max() <= 1.0
    assert synth.render(0).shape == (0, 2)


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, font: Path) -> None:
    monkeypatch.setitem(sys.modules, "tinysoundfont", None)
    with pytest.raises(AntiphonError, match="-m pip install --no-deps tinysoundfont "):
        SoundFont(font)


@pytest.mark.usefixtures("synths")
def test_a_missing_font_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match=r"no SoundFont at '.*missing\.sf2'"):
        SoundFont(tmp_path / "missing.sf2")
    (tmp_path / "text.sf2").write_text("hello")
    with pytest.raises(AntiphonError, match="is not a SoundFont"):
        SoundFont(tmp_path / "text.sf2")
