"""The audio output against a PortAudio made of paper; real devices are the business of tests/e2e."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.music.messages import note_on
from antiphon.sound.audio import AudioOutput, describe_devices, find_device
from antiphon.sound.synth import ElectricPiano


class PortAudioError(Exception):
    pass


def device(name: str, system: int = 0, channels: int = 2, rate: float = 44_100.0) -> dict[str, Any]:
    return {"name": name, "hostapi": system, "max_output_channels": channels, "default_samplerate": rate}


@dataclass
class PaperPortAudio:
    """Stands in for the module `sounddevice`."""

    devices: list[dict[str, Any]]
    systems: list[dict[str, Any]]
    refused_rates: tuple[int, ...] = ()
    busy: bool = False
    opened: dict[str, Any] = field(default_factory=dict)
    running: bool = False
    PortAudioError: type[Exception] = PortAudioError

    def query_devices(self) -> list[dict[str, Any]]:
        return self.devices

    def query_hostapis(self) -> list[dict[str, Any]]:
        return self.systems

    def check_output_settings(self, *, samplerate: int, **_: object) -> None:
        if samplerate in self.refused_rates:
            raise PortAudioError("Invalid sample rate")

    def OutputStream(self, **settings: Any) -> SimpleNamespace:  # noqa: N802, the library's own name
        if self.busy:
            raise PortAudioError("Device unavailable")
        self.opened = settings
        self.running = True
        return SimpleNamespace(start=lambda: None, close=self.close, active=True, latency=0.005)

    def close(self) -> None:
        self.running = False

    def pull(self, frames: int = 128, underflow: bool = False) -> NDArray[np.float32]:
        """One callback, as PortAudio makes it: the block that the device got, shape (frames, channels)."""
        block = np.full((frames, self.opened["channels"]), np.nan, np.float32)
        callback: Callable[..., None] = self.opened["callback"]
        callback(block, frames, None, SimpleNamespace(output_underflow=underflow))
        return block


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> PaperPortAudio:
    paper = PaperPortAudio(
        devices=[
            device("HDA Intel: ALC257 Analog"),
            device("Microphone", channels=0),
            device("HDA Intel: HDMI 0"),
            device("pulse"),
            device("system", system=1, rate=48_000.0),
            device("Speaker", system=1, channels=1),
        ],
        systems=[{"name": "ALSA", "default_output_device": 3}, {"name": "JACK", "default_output_device": 4}],
    )
    monkeypatch.setitem(sys.modules, "sounddevice", paper)
    return paper


@pytest.mark.usefixtures("portaudio")
def test_only_devices_that_play_are_described_and_one_is_the_default() -> None:
    devices = describe_devices()
    assert [found.index for found in devices] == [0, 2, 3, 4, 5]
    assert [found.name for found in devices if found.is_default] == ["pulse"]
    assert str(devices[3]) == "system (JACK)"
    assert devices[3].sample_rate == 48_000


def test_a_system_without_devices_does_not_hide_the_default_of_another(portaudio: PaperPortAudio) -> None:
    portaudio.systems[0]["default_output_device"] = -1
    assert find_device().name == "system"
    portaudio.systems[1]["default_output_device"] = -1
    assert find_device().index == 0


@pytest.mark.usefixtures("portaudio")
@pytest.mark.parametrize(
    ("name", "index"), [(None, 3), ("pulse", 3), ("HDMI", 2), ("alc257", 0), ("system (jack)", 4), ("System", 4)]
)
def test_a_device_is_found_by_any_clear_part_of_its_name(name: str | None, index: int) -> None:
    assert find_device(name).index == index


@pytest.mark.usefixtures("portaudio")
def test_an_unknown_device_is_refused_with_the_list_of_all() -> None:
    with pytest.raises(AntiphonError, match=r"no audio device 'usb'; choose one of:(\n.*){5}") as refusal:
        find_device("usb")
    assert "Microphone" not in str(refusal.value)


@pytest.mark.usefixtures("portaudio")
def test_a_name_that_fits_several_devices_is_refused_with_those() -> None:
    with pytest.raises(AntiphonError, match="'Intel' matches 2 devices") as refusal:
        find_device("Intel")
    assert "HDMI 0" in str(refusal.value)
    assert "pulse" not in str(refusal.value)


def test_without_a_device_the_error_says_what_to_do(portaudio: PaperPortAudio) -> None:
    portaudio.devices.clear()
    assert describe_devices() == []
    with pytest.raises(AntiphonError, match="no audio device found; connect one"):
        AudioOutput(ElectricPiano)


class Unloadable:
    """An import system's finder for which loading sounddevice fails with `error`."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def find_spec(self, name: str, *_: object) -> None:
        if name == "sounddevice":
            raise self.error


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError("PortAudio library not found"), "apt install libportaudio2"),
        (PortAudioError("Error initializing PortAudio"), "check the system's audio service"),
    ],
)
def test_without_portaudio_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, error: Exception, advice: str
) -> None:
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Unloadable(error), *sys.meta_path])
    with pytest.raises(AntiphonError, match=advice):
        describe_devices()


def test_messages_handed_over_are_heard_in_the_next_block(portaudio: PaperPortAudio) -> None:
    output = AudioOutput(ElectricPiano, "system")
    assert not portaudio.pull().any()
    output.send(note_on(0, 69, 100))
    output.send(note_on(0, 76, 100))
    expected = ElectricPiano(48_000)
    expected.render(128)
    for message in (note_on(0, 69, 100), note_on(0, 76, 100)):
        expected.handle(message)
    assert np.array_equal(portaudio.pull(), expected.render(128))


def test_the_synth_is_made_for_the_rate_the_device_prefers(portaudio: PaperPortAudio) -> None:
    rates: list[int] = []

    def make_synth(sample_rate: int) -> ElectricPiano:
        rates.append(sample_rate)
        return ElectricPiano(sample_rate)

    assert AudioOutput(make_synth).sample_rate == 44_100
    assert portaudio.opened["samplerate"] == 44_100
    portaudio.refused_rates = (44_100,)
    assert AudioOutput(make_synth).sample_rate == 48_000
    assert rates == [44_100, 48_000]
    portaudio.refused_rates = (44_100, 48_000)
    with pytest.raises(AntiphonError, match="takes neither its own sample rate"):
        AudioOutput(make_synth)


def test_a_loudspeaker_with_one_channel_gets_the_mean_of_both(portaudio: PaperPortAudio) -> None:
    output = AudioOutput(ElectricPiano, "Speaker")
    output.send(note_on(0, 69, 100))
    expected = ElectricPiano(44_100)
    expected.handle(note_on(0, 69, 100))
    assert np.allclose(portaudio.pull()[:, 0], expected.render(128).mean(axis=1))


def test_underruns_are_counted_and_every_block_is_timed(portaudio: PaperPortAudio) -> None:
    seconds: list[float] = []
    output = AudioOutput(ElectricPiano, on_block=seconds.append)
    for underflow in (False, True, False, True):
        portaudio.pull(underflow=underflow)
    assert output.underruns == 2
    assert len(seconds) == 4
    assert all(0 < each < 1 for each in seconds)


def test_the_lowest_latency_is_asked_for_unless_told_otherwise(portaudio: PaperPortAudio) -> None:
    assert AudioOutput(ElectricPiano).latency_seconds == 0.005
    assert portaudio.opened["latency"] == "low"
    AudioOutput(ElectricPiano, latency_seconds=0.02)
    assert portaudio.opened["latency"] == 0.02


def test_a_busy_device_is_named_in_the_error(portaudio: PaperPortAudio) -> None:
    portaudio.busy = True
    with pytest.raises(AntiphonError, match=r"audio device 'pulse \(ALSA\)' does not open: Device unavailable"):
        AudioOutput(ElectricPiano)


def test_closing_lets_go_of_the_device(portaudio: PaperPortAudio) -> None:
    output = AudioOutput(ElectricPiano)
    assert output.active
    output.close()
    assert not portaudio.running
