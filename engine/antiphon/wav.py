"""Sound without a device: a performance rendered offline, and samples written as a WAV file."""

from __future__ import annotations

import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.synth import Synth

_BLOCK_FRAMES = 1 << 16


def render_messages(
    timed_messages: Iterable[tuple[float, bytes]], synth: Synth, tail_seconds: float = 3.0
) -> NDArray[np.float32]:
    """What `synth` makes of `timed_messages`, each taking effect at its own frame: shape (frames, 2).

    The messages are (seconds from the start, MIDI bytes) in order of time; `tail_seconds` is how long to
    listen after the last one.

    Raises:
        ValueError: a message lies before the one ahead of it, or before 0.
    """
    pieces: list[NDArray[np.float32]] = []
    frame = 0
    for seconds, message in timed_messages:
        due = round(seconds * synth.sample_rate)
        if due < frame:
            raise ValueError(
                f"a message at {seconds:g} s comes after one at {frame / synth.sample_rate:g} s; sort them by time"
            )
        if due > frame:
            pieces.append(synth.render(due - frame))
            frame = due
        synth.handle(message)
    pieces.append(synth.render(round(tail_seconds * synth.sample_rate)))
    return np.concatenate(pieces)


def write_wav(path: Path, samples: NDArray[np.float32], sample_rate: int) -> None:
    """Write `samples`, shape (frames, 2), within -1.0 to 1.0, as 16 bits; the same samples give the same bytes.

    The rounding is dithered with triangular noise of one step either way (Lipshitz, Wannamaker and
    Vanderkooy, Quantization and Dither, 1992), so that a dying note ends in a hiss, not in a rattle.

    Raises:
        AntiphonError: the file cannot be written.
    """
    random = np.random.default_rng(0)
    try:
        with path.open("wb") as stream, wave.open(stream, "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(sample_rate)
            for start in range(0, len(samples), _BLOCK_FRAMES):
                block = samples[start : start + _BLOCK_FRAMES]
                noise = random.random(block.shape) - random.random(block.shape)
                steps = np.clip(np.rint(block * 32767.0 + noise), -32768, 32767)
                file.writeframes(steps.astype("<i2").tobytes())
    except OSError as error:
        raise AntiphonError(f"cannot write {path}: {error.strerror}; choose another place with -o") from error
