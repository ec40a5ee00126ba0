"""The built-in electric piano: MIDI bytes in, samples out. It opens no device, reads no clock and starts no thread."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from antiphon.music import messages
from antiphon.sound.dampers import Dampers
from antiphon.sound.timbre import CALL, RESPONSE, VOICE, knocked, struck

CHANNELS: Final = 16
POLYPHONY: Final = 32
"""Notes that sound at once; one more takes the place of the quietest, the oldest among equals."""


class Synth(Protocol):
    """Something that turns MIDI messages into sound; used by one thread."""

    @property
    def sample_rate(self) -> int:
        """Frames per second."""
        ...

    def handle(self, message: bytes) -> None:
        """Obey one channel message from the next frame on; what it does not know, it ignores."""
        ...

    def render(self, frames: int) -> NDArray[np.float32]:
        """The next `frames` frames: shape (frames, 2), left and right, within -1.0 to 1.0."""
        ...


_BLOCK_FRAMES = 256
_SLOTS = 2 * POLYPHONY
"""Room for as many fading voices as sounding ones, so that a full chord can replace a full chord."""
_SILENT = 3e-5
"""Level, about -90 dB, below which a voice is given up."""
_FLOOR = 1e-9
"""Decayed parameters stop here: denormal numbers would be slow."""
_SOFT_FORCE = 0.7
"""What the soft pedal leaves of the force of a stroke."""
_RELEASE_SECONDS = 0.07
"""Time in which a damped note falls to 1/e."""
_FADE_SECONDS = 0.003
"""The same for stolen, struck-again and silenced notes: too slow to click, too fast to notice."""
_GAIN_SECONDS = 0.008
"""Time in which volume and expression come within 1/e of where they were sent."""
_VOLUME = 7
_EXPRESSION = 11
_DEFAULT_VOLUME = 100
_VIBRATO_HZ = 4.6
_VIBRATO_DEPTH = 0.07
"""How far the sound sways between left and right, as the amplifier of such an instrument does; the sum stays even."""
_KNEE = 0.8
"""Level above which the limiter bends the wave."""


@dataclass(slots=True)
class _Channel:
    dampers: Dampers = field(default_factory=Dampers)
    volume: int = _DEFAULT_VOLUME
    expression: int = 127
    bend: float = 0.0
    """-1.0 to 1.0 of the bend range."""
    soft: bool = False


class ElectricPiano:
    """A frequency-modulated electric piano. Its player's channel is the first; the others answer it.

    Channel 10, where drums are, is a wood block for each key, so that a metronome can be told from the music.

    The same messages at the same frames always give the same samples, and it
    does not matter how the frames are cut into blocks.
    """

    bend_semitones = 2.0
    """How far a full pitch bend goes, either way."""

    def __init__(self, sample_rate: int = 48_000) -> None:
        """`sample_rate`: frames per second."""
        self.sample_rate = sample_rate
        self._frame = 0
        self._voices = np.zeros(_SLOTS, VOICE)
        self._count = 0
        self._channels = [_Channel() for _ in range(CHANNELS)]
        self._gains = np.ones(CHANNELS)
        self._wanted_gains = np.ones(CHANNELS)
        self._ramp = np.arange(_BLOCK_FRAMES, dtype=np.float32)

    @property
    def sounding(self) -> int:
        """Voices that can still be heard, those included that are fading out."""
        return self._count

    def handle(self, message: bytes) -> None:
        """Obey notes, pitch bend and controllers 7, 11, 64, 66, 67, 120, 121 and 123; ignore all else."""
        if len(message) != 3 or message[0] >= 0xF0:
            return
        number = messages.channel(message)
        channel = self._channels[number]
        if messages.is_note_on(message):
            channel.dampers.press(message[1])
            self._strike(number, message[1], message[2])
        elif messages.is_note_off(message):
            self._damp(number, channel.dampers.lift(message[1]))
        elif messages.kind(message) == messages.CONTROL_CHANGE:
            self._control(number, message[1], message[2])
        elif messages.kind(message) == messages.PITCH_BEND:
            self._bend(number, ((message[2] << 7 | message[1]) - 8192) / 8192)

    def render(self, frames: int) -> NDArray[np.float32]:
        """The next `frames` frames: shape (frames, 2), left and right, within -1.0 to 1.0."""
        out = np.zeros((frames, 2), np.float32)
        for start in range(0, frames, _BLOCK_FRAMES):
            self._render_block(out[start : start + _BLOCK_FRAMES])
        return out

    def _control(self, number: int, controller: int, value: int) -> None:
        channel, pressed = self._channels[number], value >= 64
        if controller == messages.SUSTAIN:
            self._damp(number, channel.dampers.sustain(pressed))
        elif controller == messages.SOSTENUTO:
            self._damp(number, channel.dampers.sostenuto(pressed))
        elif controller == messages.SOFT:
            channel.soft = pressed
        elif controller == _VOLUME:
            channel.volume = value
        elif controller == _EXPRESSION:
            channel.expression = value
        elif controller == messages.ALL_SOUND_OFF:
            channel.dampers.silence()
            self._fade(self._voices["channel"][: self._count] == number)
        elif controller == messages.RESET_ALL_CONTROLLERS:
            # Reset All Controllers leaves the volume alone (MIDI recommended practice 015).
            channel.expression, channel.soft = 127, False
            self._bend(number, 0.0)
            self._damp(number, channel.dampers.free())
        elif controller >= messages.ALL_NOTES_OFF:
            # 124 to 127 change the mode, and every mode change is an all-notes-off too.
            self._damp(number, channel.dampers.lift_all())
        # Squares: 40 dB for a tenth of the way, as General MIDI asks.
        self._wanted_gains[number] = (channel.volume / _DEFAULT_VOLUME * channel.expression / 127) ** 2

    def _bend(self, number: int, bend: float) -> None:
        if number == messages.DRUM_CHANNEL:
            return  # A block has the one pitch.
        self._channels[number].bend = bend
        voices = self._voices[: self._count]
        mine = voices["channel"] == number
        voices["step"][mine] = self._step(voices["pitch"][mine], number)

    def _step(self, pitch: int | NDArray[np.int64], number: int) -> float | NDArray[np.float64]:
        semitones = pitch - 69 + self._channels[number].bend * self.bend_semitones
        return math.tau * 440.0 / self.sample_rate * 2.0 ** (semitones / 12)

    def _strike(self, number: int, pitch: int, velocity: int) -> None:
        voices = self._voices[: self._count]
        self._fade((voices["channel"] == number) & (voices["pitch"] == pitch))
        # Without the fading ones, whose place is as good as free.
        levels = np.where(voices["fading"], np.inf, voices["level"])
        if np.isfinite(levels).sum() >= POLYPHONY:
            self._fade(np.arange(self._count) == np.argmin(levels))
        slot = self._count
        if slot == _SLOTS:
            slot = int(np.argmin(voices["level"]))
        else:
            self._count += 1
        force = velocity / 127 * (_SOFT_FORCE if self._channels[number].soft else 1.0)
        if number == messages.DRUM_CHANNEL:
            sound = knocked(pitch, force, self.sample_rate)
        else:
            timbre = CALL if number == 0 else RESPONSE
            sound = struck(timbre, pitch, force, float(self._step(pitch, number)), self.sample_rate)
        self._voices[slot] = (number, pitch, False, *sound)

    def _damp(self, number: int, pitches: list[int]) -> None:
        if pitches:
            voices = self._voices[: self._count]
            damped = (voices["channel"] == number) & np.isin(voices["pitch"], pitches)
            self._hasten(damped, _RELEASE_SECONDS)

    def _fade(self, chosen: NDArray[np.bool_]) -> None:
        self._voices["fading"][: self._count] |= chosen
        self._hasten(chosen, _FADE_SECONDS)

    def _hasten(self, chosen: NDArray[np.bool_], seconds: float) -> None:
        decay = self._voices["decay"][: self._count]
        decay[chosen] = np.maximum(decay[chosen], 1 / (seconds * self.sample_rate))

    def _render_block(self, out: NDArray[np.float32]) -> None:
        """Write the next `len(out)` frames, at most `_BLOCK_FRAMES`, into `out`; V voices, N frames."""
        frames = len(out)
        gains, self._gains = self._gains, self._approach(frames)
        self._frame += frames
        if self._count == 0:
            return
        vibrato_step = math.tau * _VIBRATO_HZ / self.sample_rate
        voices = self._voices[: self._count]
        ramp = self._ramp[:frames]  # (N)

        def column(name: str) -> NDArray[np.float32]:
            return voices[name].astype(np.float32)[:, None]  # (V, 1)

        phase = column("phase") + column("step") * ramp  # (V, N)
        amplitude = column("level") * np.exp(-column("decay") * ramp)
        tine = column("tine") * np.exp(-column("tine_decay") * ramp)
        onset = 1 - column("onset") * np.exp(-column("onset_decay") * ramp)
        bent = phase + column("bite") * amplitude * np.sin(phase) + tine * np.sin(column("tine_ratio") * phase)
        notes = amplitude * onset * np.sin(bent)

        sides = np.stack((voices["left"], voices["right"]))  # (2, V)
        wanted = self._wanted_gains[voices["channel"]]  # (V)
        stereo = (sides * wanted).astype(np.float32) @ notes  # (2, N)
        short_of = gains[voices["channel"]] - wanted
        if short_of.any():
            stereo += (sides * short_of).astype(np.float32) @ notes * np.exp(-ramp / (_GAIN_SECONDS * self.sample_rate))
        sway = _VIBRATO_DEPTH * np.sin(
            ramp * vibrato_step + np.float32((self._frame - frames) * vibrato_step % math.tau)
        )
        stereo[0] *= 1 + sway
        stereo[1] *= 1 - sway
        out[:] = limit(stereo).T
        self._age(voices, frames)

    def _approach(self, frames: int) -> NDArray[np.float64]:
        """Channel gains `frames` later, on their exponential way to what is wanted."""
        short_of = self._gains - self._wanted_gains
        short_of[np.abs(short_of) < _SILENT] = 0.0
        return self._wanted_gains + short_of * math.exp(-frames / (_GAIN_SECONDS * self.sample_rate))

    def _age(self, voices: NDArray[np.void], frames: int) -> None:
        """Move every voice on by `frames` and close the ranks where one has died away."""
        voices["phase"] = (voices["phase"] + voices["step"] * frames) % math.tau
        for name in ("level", "onset", "tine"):
            rate = voices["decay" if name == "level" else f"{name}_decay"]
            voices[name] = np.maximum(voices[name] * np.exp(-rate * frames), _FLOOR)
        heard = voices["level"] > _SILENT
        if not heard.all():
            remaining = voices[heard]
            self._count = len(remaining)
            self._voices[: self._count] = remaining


def limit(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """`samples` untouched up to 0.8, bent smoothly above, never beyond -1.0 to 1.0; any shape."""
    loudness = np.abs(samples)
    if loudness.max(initial=0.0) <= _KNEE:
        return samples
    headroom = np.float32(1 - _KNEE)
    bent = _KNEE + headroom * np.tanh((loudness - np.float32(_KNEE)) / headroom)
    return np.where(loudness <= _KNEE, samples, np.copysign(np.minimum(bent, 1), samples)).astype(np.float32)
