"""How well a VAE has learnt: notes that come back, numbers of its code in use, ways, samples. It trains nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from antiphon.errors import AntiphonError
from antiphon.rolls.roll import ONSET, VELOCITY, Roll, notes_of
from antiphon_export.midi_folder import Corpus
from antiphon_export.training.pieces import read_score, read_shelves
from antiphon_export.vae.directions import attributes
from antiphon_export.vae.halves import Codes, Halves
from antiphon_export.vae.paths import (
    Point,
    Texture,
    points,
    texture_of_chance,
    texture_of_music,
    turning_back,
)
from antiphon_export.vae.reconstruction import Hits, hits
from antiphon_export.vae.windows import whole_windows

ACTIVE: Final = 0.01
"""Variance of its mean from which a number of the code is in use (Burda et al., 2016, arXiv:1509.00519)."""

_SAMPLES: Final = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """What is heard of a step along a direction, beside the windows as they come back; means over these.

    Of pitch and velocity, over those with notes before and after; 0 if there are none.
    """

    direction: str
    step: int
    """1 along it, -1 against it."""
    notes: float
    """Factor on the number of notes: geometric mean, in which none count as one."""
    semitones: float
    """Added to the mean pitch."""
    velocity: float
    """Added to the mean velocity, of 0 to 127."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Of the windows of validation pieces."""

    windows: int
    windows_in_all: int
    precision: float
    """Of the notes that come back from the means, at the threshold 0.5: a note is right if its step and its key are."""
    recall: float
    f1: float
    lengths_right: float
    """Share of the notes that came back right which have their length, too."""
    velocity_error: float
    """Mean difference of the velocity (1 to 127) of notes that came back right."""
    active: int
    """Numbers of the code whose mean varies."""
    latent: int
    """Numbers of the code."""
    turning_back: float
    """By how much notes, range or pitch classes, on average, ever move back on their way, as a share of it."""
    way: list[Point]
    pairs: int
    music: Texture
    """The windows themselves."""
    chance: Texture
    """Windows from the prior."""
    changes: list[Change]
    """By the model's directions; none if it has none."""


def validation_rolls(
    folder: Path, steps: int, every: int = 1, report: Callable[[str], None] = lambda _: None
) -> tuple[Roll, int]:
    """Each `every`-th window of the validation pieces in `folder`, [N, T, 3, 88], and how many there are in all.

    Raises:
        AntiphonError: there are none.
    """
    (shelf,) = read_shelves([Corpus(folder)], "valid", read_score, report=report)
    known = whole_windows(shelf.pieces, steps)
    if not len(known):
        raise AntiphonError(f"the validation pieces in '{folder}' have no {steps} sixteenths with enough notes")
    return known.rolls(np.arange(0, len(known), every)), len(known)


def evaluation(halves: Halves, rolls: Roll, windows_in_all: int, pairs: int = 200) -> Evaluation:
    """Judge `halves` by the windows `rolls` [N, T, 3, 88], and by the ways between so many `pairs` of them."""
    codes = halves.encode(rolls)
    rebuilt = halves.decode(codes)
    found: Hits = hits([rolls], lambda _: rebuilt)[0]
    lengths, velocities = _details(rolls, rebuilt)
    ends = np.random.default_rng(0).permutation(len(rolls))
    way_pairs = min(pairs, len(rolls) // 2)
    way = points(halves, rolls[ends[:way_pairs]], rolls[ends[way_pairs : 2 * way_pairs]])
    return Evaluation(
        len(rolls),
        windows_in_all,
        found.precision,
        found.recall,
        found.f1,
        lengths,
        velocities,
        int((codes.var(axis=0) > ACTIVE).sum()),
        halves.latent,
        turning_back(way),
        way,
        way_pairs,
        texture_of_music(rolls[ends]),
        texture_of_chance(halves, min(_SAMPLES, len(rolls))),
        changes(halves, codes, rebuilt),
    )


def changes(halves: Halves, codes: Codes, rebuilt: Roll) -> list[Change]:
    """What a step along each direction, and one against it, changes in `rebuilt` [N, T, 3, 88], decoded of `codes`."""
    before = attributes(rebuilt)
    found = []
    for name, direction in halves.directions.items():
        for step in (1, -1):
            moved = attributes(halves.decode(codes + np.float32(step) * direction)) - before  # [N, 3]
            known = np.isfinite(moved)
            notes, semitones, velocity = (moved.sum(axis=0, where=known) / np.maximum(1, known.sum(axis=0))).tolist()
            found.append(Change(name, step, math.exp(notes), semitones, velocity))
    return found


def _details(rolls: Roll, rebuilt: Roll) -> tuple[float, float]:
    """Share of right notes with the right length, and their mean error of velocity."""
    right = lengths = 0
    for wanted, got in zip(rolls, rebuilt, strict=True):
        there = {(note.start_ticks, note.pitch): note.length_ticks for note in notes_of(wanted, 0)}
        for note in notes_of(got, 0):
            if (note.start_ticks, note.pitch) in there:
                right += 1
                lengths += there[note.start_ticks, note.pitch] == note.length_ticks
    both = (rolls[:, :, ONSET] > 0) & (rebuilt[:, :, ONSET] >= 0.5)
    error = np.abs(rolls[:, :, VELOCITY] - rebuilt[:, :, VELOCITY])[both]
    return lengths / max(1, right), float(error.mean() * 127) if len(error) else 0.0
