from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.music.messages import note_off, note_on
from antiphon.sound.synth import ElectricPiano, Synth
from antiphon.sound.wav import render_messages, write_performance, write_wav


def read_wav(path: Path) -> NDArray[np.int16]:
    """Samples of shape (frames, 2)."""
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (2, 2, 48_000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


def rendered(timed_messages: list[tuple[float, bytes]], tail_seconds: float) -> NDArray[np.float32]:
    return np.concatenate(list(render_messages(timed_messages, ElectricPiano(), tail_seconds)))


class Silent(Synth):
    """Sounds nothing, and keeps the largest number of frames that it was asked for at once."""

    sample_rate = 48_000

    def __init__(self) -> None:
        self.most_frames = 0

    def handle(self, message: bytes) -> None:
        pass

    def render(self, frames: int) -> NDArray[np.float32]:
        self.most_frames = max(self.most_frames, frames)
        return np.zeros((frames, 2), np.float32)


def test_every_message_takes_effect_at_its_own_frame() -> None:
    samples = rendered([(0.010, note_on(0, 69, 100)), (0.5, note_on(1, 72, 90))], 0.1)
    assert len(samples) == round(0.6 * 48_000)
    assert not samples[:480].any()
    # A note begins at zero, so the frame after the message is the first that is not.
    assert samples[481].any()
    piano = ElectricPiano()
    piano.render(480)
    piano.handle(note_on(0, 69, 100))
    assert np.allclose(samples[480:24_000], piano.render(24_000 - 480), atol=1e-4)


def test_the_tail_lets_the_last_note_ring() -> None:
    samples = rendered([(0.0, note_on(0, 69, 100)), (0.2, note_off(0, 69))], 1.0)
    assert len(samples) == round(1.2 * 48_000)
    assert np.abs(samples[-1000:]).max() < 1e-4


def test_no_messages_give_silence() -> None:
    assert not rendered([], 0.5).any()


def test_messages_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match=r"a message at 0\.5 s comes after one at 1 s"):
        rendered([(1.0, note_on(0, 60, 1)), (0.5, note_on(0, 60, 1))], 0.0)


def test_what_is_written_is_read_back_to_within_the_dither(tmp_path: Path) -> None:
    samples = rendered([(0.0, note_on(0, 69, 100))], 2.0)
    write_wav(tmp_path / "note.wav", [samples], 48_000)
    error = read_wav(tmp_path / "note.wav") - samples * 32767.0
    assert np.abs(error).max() <= 1.5
    # Triangular dither leaves noise of half a step, whatever the sound, and no offset.
    assert error.std() == pytest.approx(0.5, abs=0.01)
    assert abs(error.mean()) < 0.01


def test_full_scale_does_not_wrap_around(tmp_path: Path) -> None:
    samples = np.tile(np.array([[1.0, -1.0]], np.float32), (1000, 1))
    write_wav(tmp_path / "loud.wav", [samples], 48_000)
    written = read_wav(tmp_path / "loud.wav")
    assert written[:, 0].min() > 32_000
    assert written[:, 1].max() < -32_000


def test_the_same_samples_give_the_same_file(tmp_path: Path) -> None:
    samples = np.zeros((100_000, 2), np.float32)
    for name in ("a.wav", "b.wav"):
        write_wav(tmp_path / name, [samples], 48_000)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_it_does_not_matter_how_samples_are_cut_into_blocks(tmp_path: Path) -> None:
    samples = rendered([(0.0, note_on(0, 69, 100))], 0.5)
    write_wav(tmp_path / "whole.wav", [samples], 48_000)
    write_wav(tmp_path / "cut.wav", np.split(samples, [1, 4_000, 20_001]), 48_000)
    assert (tmp_path / "whole.wav").read_bytes() == (tmp_path / "cut.wav").read_bytes()


def test_silence_takes_no_memory(tmp_path: Path) -> None:
    synth = Silent()
    assert (
        write_performance(tmp_path / "sparse.wav", [(0.0, note_on(0, 69, 1)), (100.0, note_off(0, 69))], synth) == 103
    )
    assert len(read_wav(tmp_path / "sparse.wav")) == 103 * 48_000
    assert synth.most_frames <= 1 << 16


@pytest.mark.parametrize("seconds", [6.3 * 3600, 1e6, 1e12])
def test_what_no_wav_file_can_hold_is_refused_before_anything_is_written(tmp_path: Path, seconds: float) -> None:
    synth = Silent()
    with pytest.raises(AntiphonError, match=r"would last .* hours; allowed: 6\.2"):
        write_performance(tmp_path / "long.wav", [(0.0, note_on(0, 69, 1)), (seconds, note_off(0, 69))], synth)
    assert synth.most_frames == 0
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match=r"cannot write .*nowhere.*No such file"):
        write_wav(tmp_path / "nowhere" / "note.wav", [np.zeros((1, 2), np.float32)], 48_000)
