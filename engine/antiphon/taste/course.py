"""What a line keeps to, whatever draws it: which places of a pulse count, what a last chord is made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.music.pulse import Pulse
from antiphon.music.tonality import Key
from antiphon.notes import Note
from antiphon.taste.ending import Ending

FOREIGN: Final = 5.0
"""Nats that a note outside the key costs where the key is sure and `stay` is 1."""
STRANGE: Final = 5.0
"""Nats that a note in the key but beside the chord costs where `stay` is 1."""
CHORD_PART: Final = 0.35
"""What would be struck so soon after a place, as a part of the way to the next, is a chord struck there."""
LEAST_SECONDS: Final = 0.06
"""No note is shorter, where a pulse is kept."""
_RARE: Final = 0.04
"""What a place counts that the call does not use, where its most used one counts 1."""
_FAVOUR: Final = 0.8
"""How much the call's own places are favoured, as the power of what they count."""
_FALLING: Final = 1.2
"""Nats that a note off the beat costs right before the last chord."""
_AROUND: Final = 4
"""An answer may go so many semitones beyond the call's lowest and highest notes as it likes."""
_FURTHER: Final = 0.2
"""Nats that each semitone beyond that costs where `stay` is 1."""
_BELOW, _DEEPEST = 3, 36
"""An accompaniment lies between so many semitones below the lowest note of the tune and so many."""
_CHORD_TICKS: Final = 30
"""Onsets that are no further apart are a chord's."""
_THIN: Final = 2.0
"""Nats that each further note of a chord costs after a call of single notes where `stay` is 1."""
_NEAR: Final = 5
"""The last chord lies between the lowest and the highest of the last notes, and so many semitones around them."""
_CHORD_SPAN: Final = 12
"""And each of its notes no further above the one before."""


def counts_of(pulse: Pulse, places: NDArray[np.float64], stay: float, ending: Ending | None) -> NDArray[np.float64]:
    """How much each of `places` [N], in ticks, counts: the call's own more, less off the beat before an end."""
    parts = pulse.beat_at(0) + places / pulse.beat_ticks
    own = np.array(pulse.places)
    index = np.abs((parts[:, None] - own + 0.5) % 1 - 0.5).argmin(axis=1)
    shares = np.array(pulse.shares)[index] / max(pulse.shares)
    counts: NDArray[np.float64] = ((shares + _RARE) / (1 + _RARE)) ** (_FAVOUR * stay)
    if ending is not None:
        counts[(places >= ending.falls_ticks) & (index > 0)] *= math.exp(-_FALLING)
    return counts


def foreign_nats(key: Key | None, chord: frozenset[int] | None, stay: float) -> NDArray[np.float32]:
    """What each pitch class costs for lying outside the key, or beside the chord that the player suggests, [12]."""
    nats = np.zeros(12, dtype=np.float32)
    if key is not None:
        nats[:] = FOREIGN * stay * key.confidence
        nats[sorted(key.scale)] = 0 if chord is None else STRANGE * stay * key.confidence
    if chord is not None:
        nats[sorted(chord)] = 0
    return nats


def thinness_nats(call: Sequence[Note], stay: float) -> float:
    """What one more note in a chord costs in an answer to `call`, which may have no chords, or few."""
    onsets = len({round(note.start_ticks / _CHORD_TICKS) for note in call})
    chords = (len(call) - onsets) / onsets if onsets else 1.0
    return stay * _THIN * max(0.0, 1 - chords)


def register_nats(call: Sequence[int], stay: float) -> NDArray[np.float32]:
    """What each pitch costs for lying outside the register of a call of these pitches, shape [128]."""
    if not call:
        return np.zeros(128, dtype=np.float32)
    pitches = np.arange(128)
    beyond = np.maximum(min(call) - _AROUND - pitches, pitches - max(call) - _AROUND)
    return (_FURTHER * stay * np.maximum(beyond, 0)).astype(np.float32)


def below_nats(tune: Sequence[int], stay: float) -> NDArray[np.float32]:
    """What each pitch costs for lying where an accompaniment of `tune`, the pitches played, does not, shape [128]."""
    if not tune:
        return np.zeros(128, dtype=np.float32)
    pitches, low = np.arange(128), min(tune)
    beyond = np.maximum(pitches - low + _BELOW, low - _DEEPEST - pitches)
    return (2 * _FURTHER * stay * np.maximum(beyond, 0)).astype(np.float32)


def last_notes(
    tonic: NDArray[np.bool_], pitches: NDArray[np.int64], lately: Sequence[int], last_pitch: int | None
) -> NDArray[np.bool_]:
    """Of `tonic`, a mask over `pitches` [P] ascending, what lies near the pitches `lately`, if anything does; once
    `last_pitch` of the last chord has been struck, what goes on with it: a chord is struck from its lowest note up.
    """
    if last_pitch is not None:
        above = tonic & (pitches > last_pitch) & (pitches <= last_pitch + _CHORD_SPAN)
        return above & (pitches <= max(lately) + _NEAR) if lately else above
    if not lately:
        return tonic
    around = tonic & (pitches >= min(lately) - _NEAR) & (pitches <= max(lately) + _NEAR)
    return around if around.any() else tonic
