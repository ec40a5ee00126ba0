"""What lies between two pieces of music, and what chance plays: statistics of decoded rolls. They please nobody's ear.

The ways are those that the plugin goes, and notes are those that it plays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.rolls.roll import HOLD, ONSET, Roll
from antiphon_export.vae.halves import Codes, Halves
from antiphon_export.vae.reconstruction import Hits
from antiphon_plugins.vae.likelihood import notes_in, threshold_of
from antiphon_plugins.vae.travel import between

POINTS: Final = 9
"""Of a way, its ends included."""
_BEAT_STEPS: Final = 4

Played = NDArray[np.bool_]
"""Where notes begin, [T, 88]."""


@dataclass(frozen=True, slots=True)
class Point:
    """What is played at one place of the ways between many pairs, A and B; means over the pairs."""

    place: float
    """0 at A, 1 at B."""
    notes: float
    """Of a window; each pair is turned so that B has at least as many as A."""
    sure: float
    """Of those, what the model itself thinks more likely than not; turned in the same way."""
    semitones: float
    """From the lowest to the highest; each pair is turned so that B spans at least as many as A."""
    from_a: float
    """How far the pitch classes are from A's: half the sum of the differences of their shares, 0 to 1."""
    from_b: float
    like_a: float
    """F1 of the notes beside A's."""
    like_b: float
    sounding: float
    """Share of the pairs that have a note here at all."""


@dataclass(frozen=True, slots=True)
class Texture:
    """What some windows are like; means over those with notes."""

    windows: int
    sounding: float
    """Share of the windows with a note."""
    notes: float
    semitones: float
    """From the lowest to the highest note."""
    together: float
    """Notes that begin on a step, of the steps on which one does."""
    length_steps: float
    """Of a note."""
    on_beat: float
    """Share of the notes that begin on a quarter."""
    in_key: float
    """Share of the notes that lie in the major scale which most of them do."""
    again: float
    """F1 of the second half of the window beside its first: how much is repeated."""
    alike: float
    """F1 of a window beside the next one drawn: how much is always the same."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is decoded at one place of a way."""

    roll: Roll
    """With probabilities; [T, 3, 88]."""
    threshold: float
    """Probability from which on the plugin plays its notes."""

    @property
    def played(self) -> Played:
        """Where the plugin begins notes."""
        begun: Played = self.roll[:, ONSET] >= self.threshold
        return begun


def drawn(roll: Roll) -> Place:
    """What the plugin plays of a `roll` [T, 3, 88] decoded of a code drawn by chance."""
    return Place(roll, threshold_of(roll))


def pitch_classes(notes: Played) -> NDArray[np.float64]:
    """Share of each pitch class, from A on; [12]."""
    counts = np.bincount(np.nonzero(notes)[1] % 12, minlength=12)
    shares: NDArray[np.float64] = counts / max(1, counts.sum())
    return shares


def likeness(one: Played, other: Played) -> float:
    """F1 of the notes of `one` beside those of `other`."""
    return Hits(int((one & other).sum()), int(one.sum()), int(other.sum())).f1


def semitones(notes: Played) -> int:
    """From the lowest to the highest; 0 if there are none."""
    keys = np.nonzero(notes)[1]
    return int(np.ptp(keys)) if len(keys) else 0


def way(halves: Halves, rolls: tuple[Roll, Roll], codes: tuple[Codes, Codes]) -> list[Place]:
    """Nine places of the way between two windows, given as rolls [T, 3, 88] and as codes [Z]."""
    places = _places()
    decoded = halves.decode(np.stack([between(*codes, place) for place in places]))
    counts = [notes_in(roll, 1.0) for roll in rolls]
    wanted = [(1 - place) * counts[0] + place * counts[1] for place in places]
    return [Place(roll, threshold_of(roll, notes)) for roll, notes in zip(decoded, wanted, strict=True)]


def points(halves: Halves, rolls_a: Roll, rolls_b: Roll) -> list[Point]:
    """Statistics of the ways from each of `rolls_a` to that of `rolls_b` [N, T, 3, 88]."""
    rows: list[list[tuple[float, ...]]] = [[] for _ in range(POINTS)]
    codes_a, codes_b = halves.encode(rolls_a), halves.encode(rolls_b)
    for roll_a, roll_b, code_a, code_b in zip(rolls_a, rolls_b, codes_a, codes_b, strict=True):
        a, b = roll_a[:, ONSET] > 0, roll_b[:, ONSET] > 0
        places = way(halves, (roll_a, roll_b), (code_a, code_b))
        passed = [place.played for place in places]
        more_in_b = a.sum() <= b.sum()
        sure = _rising([float((place.roll[:, ONSET] >= 0.5).sum()) for place in places], more_in_b)
        notes = _rising([float(each.sum()) for each in passed], more_in_b)
        spans = _rising([float(semitones(each)) for each in passed], semitones(a) <= semitones(b))
        for place, here in enumerate(passed):
            classes = pitch_classes(here)
            rows[place].append(
                (
                    notes[place],
                    sure[place],
                    spans[place],
                    float(np.abs(classes - pitch_classes(a)).sum()) / 2,
                    float(np.abs(classes - pitch_classes(b)).sum()) / 2,
                    likeness(here, a),
                    likeness(here, b),
                    float(here.any()),
                )
            )
    means = [np.mean(row, axis=0).tolist() for row in rows]
    return [Point(place, *mean) for place, mean in zip(_places(), means, strict=True)]


def turning_back(found: Sequence[Point]) -> float:
    """By how much notes, range or pitch classes ever move back on their way from A to B, as a share of that way.

    The largest of these; 0 where all of them, on average over the pairs, go one way only.
    """
    ways = [
        [point.notes for point in found],
        [point.semitones for point in found],
        [point.from_a for point in found],
        [-point.from_b for point in found],
    ]
    shares = [-np.diff(values).min() / max(values[-1] - values[0], np.finfo(float).eps) for values in ways]
    return float(max(0.0, *shares))


def texture(windows: Sequence[Played], holds: Sequence[Roll]) -> Texture:
    """What `windows` are like, whose steps of holding are `holds`, each [T, 88] with probabilities."""
    sounding = [(notes, hold) for notes, hold in zip(windows, holds, strict=True) if notes.any()]
    rows: list[tuple[float, float, float, float, float, float, float]] = []
    for notes, hold in sounding:
        step = np.nonzero(notes)[0]
        half = len(notes) // 2
        rows.append(
            (
                len(step),
                semitones(notes),
                len(step) / len(np.unique(step)),
                1 + ((hold >= 0.5) & ~notes).sum() / len(step),
                float((step % _BEAT_STEPS == 0).mean()),
                _in_key(pitch_classes(notes)),
                likeness(notes[half:], notes[:half]),
            )
        )
    count, span, together, length, on_beat, in_key, again = np.mean(rows, axis=0).tolist() if rows else [0.0] * 7
    alike = [likeness(one, other) for one, other in pairwise(windows)]
    share = len(sounding) / len(windows)
    return Texture(len(windows), share, count, span, together, length, on_beat, in_key, again, float(np.mean(alike)))


def texture_of_music(rolls: Roll) -> Texture:
    """What the windows `rolls` [N, T, 3, 88] are like as they were written."""
    return texture(list(rolls[:, :, ONSET] > 0), list(rolls[:, :, HOLD]))


def texture_of_chance(halves: Halves, count: int, seed: int = 1) -> Texture:
    """What is decoded of `count` codes drawn from the prior, a standard normal distribution."""
    rolls = samples(halves, count, seed)
    return texture([drawn(roll).played for roll in rolls], list(rolls[:, :, HOLD]))


def samples(halves: Halves, count: int, seed: int = 1) -> Roll:
    """Rolls [count, T, 3, 88] decoded of codes drawn from the prior."""
    codes = np.random.default_rng(seed).standard_normal((count, halves.latent)).astype(np.float32)
    return halves.decode(codes)


def _places() -> list[float]:
    return [place / (POINTS - 1) for place in range(POINTS)]


def _rising(values: list[float], rises: bool | np.bool_) -> list[float]:
    return values if rises else values[::-1]


def _in_key(classes: NDArray[np.float64]) -> float:
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    return max(float(classes[(scale + tonic) % 12].sum()) for tonic in range(12))
