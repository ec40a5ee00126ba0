"""Sound without a device: a performance rendered offline into a WAV file, block by block. It never holds it whole."""

from __future__ import annotations

import wave
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.sound.synth import Synth

TAIL_SECONDS: Final = 3.0
"""How long to listen after the last message."""
_BLOCK_FRAMES: Final = 1 << 16
_FRAME_BYTES: Final = 4
_MOST_BYTES: Final = (1 << 32) - 64
"""Of samples in a WAV file, whose header counts them and itself in 32 bits."""


def write_performance(path: Path, timed_messages: Sequence[tuple[float, bytes]], synth: Synth) -> float:
    """Write what `synth` makes of `timed_messages` to `path`, as `render_messages` renders it; returns its seconds.

    Raises:
        AntiphonError: it is longer than a WAV file can be, or the file cannot be written.
        ValueError: see `render_messages`.
    """
    seconds = (timed_messages[-1][0] if timed_messages else 0.0) + TAIL_SECONDS
    most_seconds = _MOST_BYTES // (_FRAME_BYTES * synth.sample_rate)
    if seconds > most_seconds:
        raise AntiphonError(
            f"cannot write {path}: it would last {seconds / 3600:,.1f} hours; allowed: {most_seconds / 3600:.1f}, "
            f"as a WAV file at {synth.sample_rate} frames a second holds no more; take the silence out of the music"
        )
    write_wav(path, render_messages(timed_messages, synth), synth.sample_rate)
    return seconds


def render_messages(
    timed_messages: Iterable[tuple[float, bytes]], synth: Synth, tail_seconds: float = TAIL_SECONDS
) -> Iterator[NDArray[np.float32]]:
    """What `synth` makes of `timed_messages`, each taking effect at its own frame: blocks of shape (frames, 2).

    The messages are (seconds from the start, MIDI bytes) in order of time; `tail_seconds` is how long to
    listen after the last one. No block is longer than 65,536 frames, however long nothing happens.

    Raises:
        ValueError: a message lies before the one ahead of it, or before 0.
    """
    frame = 0
    for seconds, message in timed_messages:
        due = round(seconds * synth.sample_rate)
        if due < frame:
            raise ValueError(
                f"a message at {seconds:g} s comes after one at {frame / synth.sample_rate:g} s; sort them by time"
            )
        yield from _rendered(synth, due - frame)
        frame = due
        synth.handle(message)
    yield from _rendered(synth, round(tail_seconds * synth.sample_rate))


def _rendered(synth: Synth, frames: int) -> Iterator[NDArray[np.float32]]:
    for start in range(0, frames, _BLOCK_FRAMES):
        yield synth.render(min(_BLOCK_FRAMES, frames - start))


def write_wav(path: Path, blocks: Iterable[NDArray[np.float32]], sample_rate: int) -> None:
    """Write `blocks`, each of shape (frames, 2), within -1.0 to 1.0, as 16 bits; the same samples give the same bytes.

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
            for block in blocks:
                # Two draws a sample, side by side: it does not matter how the samples are cut into blocks.
                noise = np.subtract(*np.moveaxis(random.random((*block.shape, 2)), -1, 0))
                steps = np.clip(np.rint(block * 32767.0 + noise), -32768, 32767)
                file.writeframesraw(steps.astype("<i2").tobytes())
    except (OSError, ValueError) as error:  # ValueError: a name that no file system can have.
        reason = getattr(error, "strerror", None) or error
        raise AntiphonError(f"cannot write {path}: {reason}; choose another place with -o") from error
