"""The sound of one note of the electric piano, or of a wood block, by key and force. It renders and keeps nothing.

One carrier, bent by itself (body) and by a high tine. Body and amplitude share one envelope, so that a note
grows pure as it dies away, as the pickup of the instrument makes it do. The method is Chowning's (The
Synthesis of Complex Audio Spectra by Means of Frequency Modulation, 1973).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

_FULL_LEVEL = 0.16
"""Peak of middle C at velocity 127: a chord of ten notes at velocity 100 stays below the limiter's knee."""

VOICE: Final = np.dtype(
    [
        ("channel", np.int64),
        ("pitch", np.int64),
        ("fading", np.bool_),
        ("phase", np.float64),  # radians
        ("step", np.float64),  # radians per frame
        ("level", np.float64),
        ("decay", np.float64),  # of the level; nepers per frame, as all rates here
        ("onset", np.float64),  # what the attack still takes away, from 1 to 0
        ("onset_decay", np.float64),
        ("bite", np.float64),  # modulation index per unit of level
        ("tine", np.float64),
        ("tine_decay", np.float64),
        ("tine_ratio", np.float64),
        ("left", np.float64),
        ("right", np.float64),
    ]
)
"""One sounding note, as the synth keeps it."""


@dataclass(frozen=True, slots=True)
class Timbre:
    """How the electric piano of one channel differs from the others'."""

    bite: float
    """Modulation index of the body at full velocity: how far it growls when hit hard."""
    tine: float
    """Modulation index of the tine at full velocity: how loud the bell of the attack is."""
    tine_ratio: int
    """Frequency of the tine as a multiple of the note's; whole, so that no note carries a constant offset."""
    tine_seconds: float
    """Time in which the tine falls to 1/e."""
    ring_seconds: float
    """Time in which middle C, held, falls by 60 dB."""
    pan: float
    """Place between left, -1.0, and right, 1.0."""


CALL: Final = Timbre(bite=1.25, tine=0.34, tine_ratio=14, tine_seconds=0.16, ring_seconds=7.0, pan=-0.18)
"""The player's: warm, a little to the left."""
RESPONSE: Final = Timbre(bite=0.6, tine=0.62, tine_ratio=7, tine_seconds=0.34, ring_seconds=5.0, pan=0.34)
"""The answering voices': rounder in the body, more bell, to the right."""


_BLOCKS: Final = {76: 93, 77: 86}
"""General MIDI's high and low wood block, by key, and the pitches of ours, a fifth apart."""
_BLOCK_LEVEL = 0.35
_BLOCK_RING_SECONDS = 0.08
_BLOCK_ONSET_SECONDS = 0.0003
_BLOCK_KNOCK = 2.0
"""Modulation index of the knock at full force; at twice the note's frequency, it sounds hollow."""
_BLOCK_KNOCK_RATIO = 2
_BLOCK_KNOCK_SECONDS = 0.006


def struck(timbre: Timbre, pitch: int, force: float, step: float, sample_rate: int) -> tuple[float, ...]:
    """A note at the moment it is struck: the fields of `VOICE` from `phase` on.

    `force` is 0.0 to 1.0, `step` the note's frequency in radians per frame, `sample_rate` in frames per second.
    """
    octaves = (pitch - 60) / 12
    ring_seconds = timbre.ring_seconds * min(1.6, 2 ** (-0.7 * octaves))
    level = _FULL_LEVEL * force**1.6 * min(1.25, 2 ** (-0.25 * octaves))
    bite = timbre.bite * (0.15 + 0.85 * force**1.5) * min(1.5, 2 ** (-0.45 * octaves))
    tine = timbre.tine * force**1.4 * _room(step, timbre.tine_ratio)
    tine_seconds = timbre.tine_seconds * min(1.5, 2 ** (-0.5 * octaves))
    onset_seconds = 0.0035 - 0.0025 * force
    # From the left hand to the right, a little; equal power.
    angle = (1 + min(1.0, max(-1.0, timbre.pan + 0.06 * octaves))) * math.pi / 4
    return (
        0.0,
        step,
        level,
        math.log(1000) / (ring_seconds * sample_rate),
        1.0,
        1 / (onset_seconds * sample_rate),
        bite / level,
        tine,
        1 / (tine_seconds * sample_rate),
        timbre.tine_ratio,
        math.cos(angle),
        math.sin(angle),
    )


def knocked(pitch: int, force: float, sample_rate: int) -> tuple[float, ...]:
    """A wood block at the moment it is knocked: the fields of `VOICE` from `phase` on.

    A higher `pitch` is a higher block, but for the two of General MIDI; `force` is 0.0 to 1.0.
    """
    step = math.tau * 440.0 / sample_rate * 2.0 ** ((_BLOCKS.get(pitch, pitch) - 69) / 12)
    middle = math.sqrt(0.5)
    return (
        0.0,
        step,
        _BLOCK_LEVEL * force**1.6,
        math.log(1000) / (_BLOCK_RING_SECONDS * sample_rate),
        1.0,
        1 / (_BLOCK_ONSET_SECONDS * sample_rate),
        0.0,
        _BLOCK_KNOCK * force**1.4 * _room(step, _BLOCK_KNOCK_RATIO),
        1 / (_BLOCK_KNOCK_SECONDS * sample_rate),
        _BLOCK_KNOCK_RATIO,
        middle,
        middle,
    )


def _room(step: float, ratio: int) -> float:
    """1.0, or less where the second sideband of a modulator would fold back at half the sample rate, down to 0.0."""
    return min(1.0, max(0.0, 2 * math.pi / (step * (2 * ratio + 1)) - 1))
