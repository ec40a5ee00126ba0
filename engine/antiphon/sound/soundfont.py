"""A SoundFont as a synth, by the library tinysoundfont. Only the pedals are played here; the library knows none."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError, pip_line
from antiphon.music import messages
from antiphon.sound.dampers import Dampers
from antiphon.sound.synth import CHANNELS, limit

_GAIN_DECIBELS = -9.0
"""Leaves room for chords; what still goes beyond is bent by the limiter."""
_VOICES = 256


class SoundFont:
    """The instruments of a .sf2 or .sf3 file; channel 10 (index 9) plays drums, as in General MIDI."""

    def __init__(self, path: Path, sample_rate: int = 48_000) -> None:
        """Load `path`; `sample_rate` in frames per second.

        Raises:
            AntiphonError: tinysoundfont is not installed, or there is no such file, or it is no SoundFont.
        """
        if not path.is_file():
            raise AntiphonError(f"no SoundFont at '{path}'; give the path of a .sf2 or .sf3 file")
        self.sample_rate = sample_rate
        self._synth = _tinysoundfont().Synth(gain=_GAIN_DECIBELS, samplerate=sample_rate)
        try:
            self._synth.sfload(str(path), max_voices=_VOICES)
        except RuntimeError as error:
            raise AntiphonError(f"'{path}' is not a SoundFont; allowed: .sf2 and .sf3 files") from error
        self._dampers = [Dampers() for _ in range(CHANNELS)]
        self._change_program(messages.DRUM_CHANNEL, 0)

    def handle(self, message: bytes) -> None:
        """Obey notes, programs, pitch bend and controllers; ignore aftertouch and system messages."""
        if not messages.is_well_formed(message) or message[0] >= 0xF0:
            return
        number = messages.channel(message)
        dampers = self._dampers[number]
        if messages.is_note_on(message):
            # Struck again, the string does not go on as it was.
            self._synth.noteoff(number, message[1])
            dampers.press(message[1])
            self._synth.noteon(number, message[1], message[2])
        elif messages.is_note_off(message):
            self._damp(number, dampers.lift(message[1]))
        elif messages.kind(message) == messages.CONTROL_CHANGE:
            self._control(number, message[1], message[2])
        elif messages.kind(message) == messages.PROGRAM_CHANGE:
            self._change_program(number, message[1])
        elif messages.kind(message) == messages.PITCH_BEND:
            self._synth.pitchbend(number, message[2] << 7 | message[1])

    def render(self, frames: int) -> NDArray[np.float32]:
        """The next `frames` frames: shape (frames, 2), left and right, within -1.0 to 1.0."""
        samples = np.zeros((frames, 2), np.float32)
        if frames:
            self._synth.generate(frames, samples.data.cast("B"))
        return limit(samples)

    def _control(self, number: int, controller: int, value: int) -> None:
        dampers = self._dampers[number]
        if controller == messages.SUSTAIN:
            self._damp(number, dampers.sustain(value >= 64))
        elif controller == messages.SOSTENUTO:
            self._damp(number, dampers.sostenuto(value >= 64))
        elif controller == messages.ALL_SOUND_OFF:
            dampers.silence()
            self._synth.sounds_off(number)
        elif controller >= messages.ALL_NOTES_OFF:
            self._damp(number, dampers.lift_all())
        else:
            if controller == messages.RESET_ALL_CONTROLLERS:
                self._damp(number, dampers.free())
            self._synth.control_change(number, controller, value)

    def _damp(self, number: int, pitches: list[int]) -> None:
        for pitch in pitches:
            self._synth.noteoff(number, pitch)

    def _change_program(self, number: int, program: int) -> None:
        try:
            self._synth.program_change(number, program, is_drums=number == messages.DRUM_CHANNEL)
        except RuntimeError:
            # Not every SoundFont has every instrument: the channel keeps the one it has.
            return


def _tinysoundfont() -> ModuleType:
    try:
        import tinysoundfont
    except ImportError as error:
        raise AntiphonError(
            f"playing SoundFonts needs tinysoundfont; install it with: {pip_line('--no-deps', 'tinysoundfont')} "
            "(without its PyAudio, which is not used, and often does not build)"
        ) from error
    return tinysoundfont  # type: ignore[no-any-return]  # it ships no types
