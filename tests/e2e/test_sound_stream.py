"""Sound that can be heard: of a synth behind the virtual port, and of the built-in one. Both are recorded on JACK."""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from .conftest import SAMPLE_RATE, require_programs
from .stage import Command, melody, wait_until

pytestmark = [pytest.mark.jack, pytest.mark.usefixtures("jack_server")]

FONTS = [Path("/usr/share/sounds/sf2") / name for name in ("FluidR3_GM.sf2", "default-GM.sf2", "TimGM6mb.sf2")]
AUDIBLE = 0.01
"""Of full scale."""
SILENT = 0.001


def ports() -> list[str]:
    return subprocess.run(["jack_lsp"], capture_output=True, text=True, check=False).stdout.split()


@contextmanager
def recording(port: str, file: Path) -> Iterator[Callable[[], float]]:
    """Records `port` into `file`; gives how many seconds it has so far."""
    command = ["jack_capture", "--no-stdin", "-f", "wav", "-b", "16", "-c", "1", "-p", port, str(file)]
    recorder = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield lambda: file.stat().st_size / 2 / SAMPLE_RATE if file.exists() else 0.0
        recorder.terminate()
        recorder.communicate(timeout=10)
    finally:
        if recorder.poll() is None:
            recorder.kill()
            recorder.communicate()


def loudest(file: Path, until_seconds: float | None = None) -> float:
    """Greatest amplitude, 0 to 1."""
    with wave.open(str(file)) as sound:
        assert (sound.getframerate(), sound.getsampwidth()) == (SAMPLE_RATE, 2)
        frames = sound.getnframes() if until_seconds is None else round(until_seconds * SAMPLE_RATE)
        samples = np.frombuffer(sound.readframes(frames), dtype="<i2")
    assert samples.size
    return float(np.abs(samples.astype(float)).max() / 32_768)


def assert_only_music_sounds(port: str, file: Path, play: Callable[..., object]) -> None:
    """Nothing before the first note; then something."""
    with recording(port, file) as seconds:
        wait_until(lambda: seconds() > 0.5, "the recorder records")
        quiet_seconds = 0.4
        play(melody(60, 64, 67, 72, gap_seconds=0.2), to="Antiphon:in").wait()
        played = seconds()
        wait_until(lambda: seconds() > played + 0.6, "the last note is recorded")
    assert loudest(file, quiet_seconds) < SILENT
    assert loudest(file) > AUDIBLE


@contextmanager
def fluidsynth(log: Path) -> Iterator[str]:
    """FluidSynth as a musician starts it; gives the name of its client."""
    require_programs("fluidsynth", "jack_capture", "jack_lsp", "jack_connect")
    font = next((font for font in FONTS if font.exists()), None)
    if font is None:
        pytest.skip("no SoundFont installed; tests/system-packages.sh installs one")
    name = "synth-e2e"
    options = [f"audio.jack.id={name}", f"midi.jack.id={name}", "synth.cpu-cores=1"]
    command = ["fluidsynth", "-is", "-a", "jack", "-m", "jack", "-r", str(SAMPLE_RATE)]
    command += [word for option in options for word in ("-o", option)]
    with log.open("wb") as output:
        synth = subprocess.Popen([*command, str(font)], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield name
    finally:
        synth.terminate()
        try:
            synth.wait(10)
        except subprocess.TimeoutExpired:
            synth.kill()
            synth.wait()


def test_a_synth_on_the_virtual_port_is_heard(start: Callable[..., Command], play, tmp_path: Path) -> None:
    with fluidsynth(tmp_path / "synth.log") as synth:
        jam = start("jam", "--in", "virtual", "--out", "virtual", "--session", tmp_path / "session")
        jam.wait_for("ready in")
        wanted = {f"{synth}:midi_00", f"{synth}:left"}
        wait_until(lambda: wanted <= set(ports()), "FluidSynth opens its ports", patience_seconds=60)
        subprocess.run(["jack_connect", "Antiphon:out", f"{synth}:midi_00"], check=True)
        assert_only_music_sounds(f"{synth}:left", tmp_path / "sound.wav", play)
        assert jam.stop() == 0


def test_the_built_in_synth_is_heard(start: Callable[..., Command], play, tmp_path: Path) -> None:
    require_programs("jack_capture", "jack_lsp")
    session = tmp_path / "session"
    jam = start(
        *("jam", "--in", "virtual", "--out", "virtual", "--out", "synth", "--audio", "JACK", "--session", session),
        JACK_NO_AUDIO_RESERVATION="1",
    )
    jam.wait_for("ready in")
    jam.wait_for("JACK Audio Connection Kit")
    port = wait_until(lambda: next((p for p in ports() if p.endswith(":out_0")), None), "the stream's port")
    assert_only_music_sounds(port, tmp_path / "sound.wav", play)
    assert jam.stop() == 0


def test_the_built_in_synth_is_started_again_when_its_process_dies(
    start: Callable[..., Command], play, tmp_path: Path
) -> None:
    require_programs("jack_capture", "jack_lsp")
    jam = start(
        *("jam", "--in", "virtual", "--out", "virtual", "--out", "synth", "--session", tmp_path / "session"),
        JACK_NO_AUDIO_RESERVATION="1",
    )
    jam.wait_for("JACK Audio Connection Kit")
    before = jam.processes()["sound"]
    jam.signal(9, "sound")
    jam.wait_for("sound restarted")
    assert wait_until(lambda: jam.processes().get("sound"), "another sound process") != before
    wait_until(lambda: jam.said.count("JACK Audio Connection Kit") == 2, "it plays again")
    port = wait_until(lambda: next((p for p in ports() if p.endswith(":out_0")), None), "the stream's port")
    assert_only_music_sounds(port, tmp_path / "sound.wav", play)
    assert jam.stop() == 0
