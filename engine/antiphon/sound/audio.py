"""The sound card: a synth streamed to a device by PortAudio."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.sound.synth import Synth

_USUAL_RATES = (48_000, 44_100)


@dataclass(frozen=True, slots=True)
class AudioDevice:
    """A device that sound can be sent to."""

    index: int
    """PortAudio's number for it; it changes when devices come and go."""
    name: str
    system: str
    """Audio system it belongs to: ALSA, JACK, Core Audio, …"""
    channels: int
    """Most channels it can play, at least 1."""
    sample_rate: int
    """Rate it prefers, in frames per second."""
    is_default: bool
    """Whether it is used when no name is given."""

    def __str__(self) -> str:
        return f"{self.name} ({self.system})"


def describe_devices() -> list[AudioDevice]:
    """Every device that can play, in PortAudio's order; empty where there is none.

    Raises:
        AntiphonError: PortAudio is not installed, or does not start.
    """
    sounddevice = _sounddevice()
    systems = sounddevice.query_hostapis()
    # The first system that has a default device: PortAudio's own choice may be a system without any device.
    defaults = [system["default_output_device"] for system in systems if system["default_output_device"] >= 0]
    return [
        AudioDevice(
            index=index,
            name=device["name"],
            system=systems[device["hostapi"]]["name"],
            channels=device["max_output_channels"],
            sample_rate=round(device["default_samplerate"]),
            is_default=index in defaults[:1],
        )
        for index, device in enumerate(sounddevice.query_devices())
        if device["max_output_channels"] > 0
    ]


def find_device(name: str | None = None) -> AudioDevice:
    """The device called `name`, in whole or in part, whatever the case; the system's default when `None`.

    Raises:
        AntiphonError: no such device, or several, or none at all; the message lists what there is.
    """
    devices = describe_devices()
    if not devices:
        raise AntiphonError("no audio device found; connect one, start JACK, or play through MIDI ports only")
    if name is None:
        return next((device for device in devices if device.is_default), devices[0])
    wanted = name.casefold()
    matches = [device for device in devices if wanted in (device.name.casefold(), str(device).casefold())]
    matches = matches or [device for device in devices if wanted in str(device).casefold()]
    if len(matches) == 1:
        return matches[0]
    problem = f"audio device '{name}' matches {len(matches)} devices" if matches else f"no audio device '{name}'"
    candidates = "\n".join(f"  {device}" for device in matches or devices)
    raise AntiphonError(f"{problem}; choose one of:\n{candidates}")


class AudioOutput:
    """A synth that plays on a device until it is closed.

    `send` may be called from any thread: messages wait in a deque, which needs no lock, and take effect at
    the start of the next block. The synth belongs to PortAudio's thread.
    """

    def __init__(
        self,
        make_synth: Callable[[int], Synth],
        device: str | None = None,
        *,
        latency_seconds: float | None = None,
        on_block: Callable[[float], None] | None = None,
    ) -> None:
        """Open `device` (see `find_device`) and begin to play.

        `make_synth` is called once with the sample rate agreed on, in frames per second. `latency_seconds`
        is asked of the device; `None` asks for the lowest it offers. `on_block` is told, in the audio
        thread, how many seconds each block took to make.

        Raises:
            AntiphonError: no PortAudio, no such device, or the device refuses.
        """
        sounddevice = _sounddevice()
        self.device = find_device(device)
        self.sample_rate = _agreed_rate(sounddevice, self.device)
        self.underruns = 0
        """Blocks that came too late for the device, so that it had to play something else."""
        self._pending: deque[bytes] = deque()
        self._synth = make_synth(self.sample_rate)
        self._on_block = on_block
        try:
            self._stream = sounddevice.OutputStream(
                samplerate=self.sample_rate,
                device=self.device.index,
                channels=min(2, self.device.channels),
                dtype="float32",
                latency="low" if latency_seconds is None else latency_seconds,
                callback=self._fill,
            )
            self._stream.start()
        except sounddevice.PortAudioError as error:
            raise AntiphonError(
                f"audio device '{self.device}' does not open: {error}; close what else uses it, or choose another"
            ) from error

    def send(self, message: bytes) -> None:
        """Hand over one MIDI message; it is obeyed at the start of the next block."""
        self._pending.append(message)

    @property
    def active(self) -> bool:
        """Whether sound is being made; it ends when the device is lost or the synth fails."""
        return bool(self._stream.active)

    @property
    def latency_seconds(self) -> float:
        """From the making of a block to the loudspeaker, as the device states it."""
        return float(self._stream.latency)

    def close(self) -> None:
        """Stop at once and let go of the device. Closing twice does no harm."""
        self._stream.close()

    def _fill(self, block: NDArray[np.float32], frames: int, _times: object, status: Any) -> None:
        """PortAudio's callback: fill `block`, shape (frames, 1 or 2)."""
        started = time.perf_counter()
        if status.output_underflow:
            self.underruns += 1
        while self._pending:
            self._synth.handle(self._pending.popleft())
        samples = self._synth.render(frames)
        block[:] = samples if block.shape[1] == 2 else samples.mean(axis=1, keepdims=True)
        if self._on_block is not None:
            self._on_block(time.perf_counter() - started)


def _agreed_rate(sounddevice: ModuleType, device: AudioDevice) -> int:
    """The device's own rate, else the first usual one that it takes, in frames per second."""
    for rate in dict.fromkeys((device.sample_rate, *_USUAL_RATES)):
        try:
            sounddevice.check_output_settings(
                device=device.index, channels=min(2, device.channels), dtype="float32", samplerate=rate
            )
        except sounddevice.PortAudioError:
            continue
        return rate
    raise AntiphonError(f"audio device '{device}' takes neither its own sample rate nor 48000 or 44100; choose another")


def _sounddevice() -> ModuleType:
    # Imported when first used: it starts PortAudio, which takes time and may not be installed.
    try:
        import sounddevice
    except OSError as error:
        raise AntiphonError(
            f"no sound: {error}; install PortAudio "
            "(Debian and Ubuntu: apt install libportaudio2; macOS: brew install portaudio)"
        ) from error
    except Exception as error:
        # PortAudio's own failure to start; its class lives in the module that did not load.
        raise AntiphonError(f"no sound: PortAudio does not start: {error}; check the system's audio service") from error
    return sounddevice  # type: ignore[no-any-return]  # it ships no types
