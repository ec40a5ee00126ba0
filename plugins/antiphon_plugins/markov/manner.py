"""The player's manner, read off their last events: pulse, key, register, density, touch. It chooses no notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from antiphon_plugins.markov.events import GAP_SIXTEENTHS, SIXTEENTH_TICKS, Event, gap_class
from antiphon_plugins.markov.guard import patience
from antiphon_plugins.markov.key import MAJOR_SCALE, Key, find_key
from antiphon_plugins.markov.pulse import find_sixteenth
from antiphon_plugins.markov.table import MAX_MOTION, SIZES

RECENT_EVENTS = 64
"""How far back the manner is read: about half a minute."""

BREATH_GAPS = 2
"""A gap longer than so many usual ones is a breath between phrases."""
_PULSE_GAPS = 32
"""By how many of the last gaps the pulse is judged."""

_MIDDLE_PITCH = 69
"""Where to play when nothing has been heard."""

_DEEPEST_PITCH = 43
"""The lowest note when nothing has been heard."""

_USUAL_SIZES = np.array([0.6, 0.2, 0.15, 0.05])
"""How many notes an event has when nothing is known: mostly one, so that a line comes first."""

_FADE = 0.98
"""What an event counts against the one after it, so that a change of key is followed."""


@dataclass(frozen=True, slots=True)
class Touch:
    """How one event was played: what the table cannot know."""

    size: int
    """Number of notes."""
    velocity: int
    """Of its loudest note, 1 to 127."""
    under_velocity: int
    """Of its softest note."""
    hold: float
    """Length as a share of the time to the next onset: below 1 detached, 1 legato."""


@dataclass(frozen=True, slots=True)
class Manner:
    """What an answer should keep to, unless it copies the player outright."""

    sixteenth_ticks: float
    """Length of a sixteenth at the player's pulse."""
    typical_gap_ticks: int
    """The player's middle gap between onsets."""
    longest_gap_ticks: int
    """A longer gap is a pause between phrases, and is not answered with one."""
    gap_ticks: tuple[int, ...]
    """For each of `GAP_SIXTEENTHS`, how long the player makes it."""
    key: Key
    affinity: tuple[float, ...]
    """For each pitch class, how well it fits the key and what was played, up to 1."""
    register_pitch: int
    """The heart of the register: the mean of the highest notes."""
    lowest_pitch: int
    """The lowest note they played."""
    lead_weights: NDArray[np.float64]
    """For each pitch, how well it suits as the highest: key and register; shape [128]."""
    leap_weights: NDArray[np.float64]
    """For each distance in semitones from one highest note to the next, how well it suits; shape [MAX_MOTION + 1]."""
    gap_weights: NDArray[np.float64]
    """For each of `GAP_SIXTEENTHS`, how well it suits the player's density; shape [12]."""
    size_weights: NDArray[np.float64]
    """For each size class less 1, how well it suits; shape [SIZES]."""
    patience: int
    """How often in a row they repeat themselves, within bounds."""
    touches: tuple[Touch, ...]
    """How the last events were played; at least one."""


def read_manner(events: Sequence[Event]) -> Manner:
    """The manner of the last `RECENT_EVENTS` of `events`; a moderate one if there are none."""
    events = events[-RECENT_EVENTS:]
    gaps = [event.gap_ticks for event in events[1:]]
    typical = _typical_gap(events, gaps)
    longest = max(typical, min(4 * typical, 16 * SIXTEENTH_TICKS))
    gaps = [gap for gap in gaps if gap <= longest]
    sixteenth = find_sixteenth(gaps[-_PULSE_GAPS:])
    if abs(sixteenth / SIXTEENTH_TICKS - 1) < 0.04:
        sixteenth = float(SIXTEENTH_TICKS)  # They play to the session's tempo: stay on its grid.
    histogram = _pitch_classes(events)
    key = find_key(histogram)
    affinity = _affinity(key, histogram)
    leads = [event.lead for event in events] or [_MIDDLE_PITCH]
    return Manner(
        sixteenth_ticks=sixteenth,
        typical_gap_ticks=typical,
        longest_gap_ticks=longest,
        gap_ticks=_own_gaps(gaps, sixteenth),
        key=key,
        affinity=affinity,
        register_pitch=round(sum(leads) / len(leads)),
        lowest_pitch=min((event.pitches[0] for event in events), default=_DEEPEST_PITCH),
        lead_weights=_register(leads) * np.array(affinity)[np.arange(128) % 12],
        leap_weights=_leaps(leads),
        gap_weights=_gap_weights(gaps, sixteenth, typical),
        size_weights=_size_weights(events),
        patience=patience([event.pitches for event in events]),
        touches=_touches(events),
    )


def too_low(pitch: int, lowest_pitch: int) -> float:
    """How well a note suits that lies below all that was played: 1 if it does not, less with each semitone."""
    return 0.6 ** max(0, lowest_pitch - pitch)


def _typical_gap(events: Sequence[Event], gaps: Sequence[int]) -> int:
    if len(gaps) >= 2:
        typical = median(gaps)
    elif gaps:
        typical = gaps[0]
    elif events:
        lengths = [note.length_ticks for note in events[-1].notes if note.length_ticks is not None]
        typical = max(lengths, default=8 * SIXTEENTH_TICKS)  # A key still down is a long note.
    else:
        typical = 2 * SIXTEENTH_TICKS
    return max(SIXTEENTH_TICKS // 2, min(32 * SIXTEENTH_TICKS, round(typical)))


def _own_gaps(gaps: Sequence[int], sixteenth_ticks: float) -> tuple[int, ...]:
    """The length of each note value as the player plays it, so that their swing and rubato are kept."""
    heard: dict[int, list[int]] = {}
    for gap in gaps:
        heard.setdefault(gap_class(gap, sixteenth_ticks), []).append(gap)
    own = []
    for index, value in enumerate(GAP_SIXTEENTHS):
        exact = value * sixteenth_ticks
        played = median(heard.get(index, [exact]))
        # Within 5 % it is the note value itself, unevenly played: copying that would drift off the beat.
        own.append(round(played if abs(played / exact - 1) > 0.05 else exact))
    return tuple(own)


def _pitch_classes(events: Sequence[Event]) -> NDArray[np.float64]:
    histogram = np.zeros(12)
    weight = 1.0
    for event in reversed(events):
        for pitch in event.pitches:
            histogram[pitch % 12] += weight
        weight *= _FADE
    return histogram


def _affinity(key: Key, histogram: NDArray[np.float64]) -> tuple[float, ...]:
    shares = histogram / max(1.0, histogram.sum())
    inside = [(pitch_class - key.home) % 12 in MAJOR_SCALE for pitch_class in range(12)]
    return tuple(
        min(1.0, (0.7 if fits else 0.04) + 4 * float(share)) for fits, share in zip(inside, shares, strict=True)
    )


def _register(leads: Sequence[int]) -> NDArray[np.float64]:
    centre = sum(leads) / len(leads)
    spread = (sum((lead - centre) ** 2 for lead in leads) / len(leads)) ** 0.5
    width = max(6.0, 1.25 * spread)
    pitches = np.arange(128)
    register: NDArray[np.float64] = np.exp(-0.5 * ((pitches - centre) / width) ** 2)
    if len(leads) >= 8:
        beyond = np.maximum(0, np.maximum(min(leads) - pitches, pitches - max(leads)))
        register *= 0.6**beyond
    return register


def _leaps(leads: Sequence[int]) -> NDArray[np.float64]:
    motions = [after - before for before, after in pairwise(leads)]
    # As though two fourths had been heard before.
    reach = 1.8 * ((sum(motion**2 for motion in motions) + 2 * 5**2) / (len(motions) + 2)) ** 0.5
    leaps: NDArray[np.float64] = np.exp(-0.5 * (np.arange(MAX_MOTION + 1) / reach) ** 2)
    return leaps


def _gap_weights(gaps: Sequence[int], sixteenth_ticks: float, typical_ticks: int) -> NDArray[np.float64]:
    values = np.log2(np.array(GAP_SIXTEENTHS) * sixteenth_ticks / typical_ticks)
    plausible = np.exp(-0.5 * values**2)
    counts = np.bincount([gap_class(gap, sixteenth_ticks) for gap in gaps], minlength=len(GAP_SIXTEENTHS))
    weights: NDArray[np.float64] = (counts + 4 * plausible / plausible.sum()) / (len(gaps) + 4)
    return weights


def _size_weights(events: Sequence[Event]) -> NDArray[np.float64]:
    counts = np.bincount([min(len(event.pitches), SIZES) - 1 for event in events], minlength=SIZES)
    weights: NDArray[np.float64] = (counts + _USUAL_SIZES) / (len(events) + 1)
    return weights


def _touches(events: Sequence[Event]) -> tuple[Touch, ...]:
    if not events:
        return (Touch(1, 66, 60, 0.9),)
    gaps = [after.gap_ticks for after in events[1:]]
    # A breath between two phrases says nothing of how long notes are held.
    breath = BREATH_GAPS * _typical_gap(events, gaps)
    gaps = gaps or [_typical_gap(events, [])]
    return tuple(_touch(event, max(1, min(gap, breath))) for event, gap in zip(events, gaps, strict=False))


def _touch(event: Event, gap_after_ticks: int) -> Touch:
    velocities = [note.velocity for note in event.notes]
    hold = max(note.length_ticks or gap_after_ticks for note in event.notes) / gap_after_ticks
    # A line does not ring on under its next notes, nor does a run; a chord or its bass may.
    longest = 2.0 if len(event.pitches) > 1 and gap_after_ticks >= SIXTEENTH_TICKS else 1.0
    return Touch(len(event.pitches), max(velocities), min(velocities), min(longest, max(0.2, hold)))
