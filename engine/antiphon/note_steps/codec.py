"""Music as steps, one for each note: who plays it, when, which key, how loud and how long.

A note that ends together with others that began at other times (a pedal comes up, hands leave the keys) does not tell
its end when it begins; it is *open*, and a step of its own, a *lift*, ends all open notes of a part. So a key that is
still down is an open note, too, and what is heard later only appends.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.models.card import NOTE_CODEC
from antiphon.music.note_rows import NoteRows, one_per_pitch
from antiphon.note_steps.spans import BEAT_UNIT_TICKS, FREE_UNIT_SECONDS, Clock, Units
from antiphon.notes import TICKS_PER_BEAT

NAME: Final = NOTE_CODEC
VERSION: Final = 1

PARTS: Final = 8
PLAYER: Final = 0
"""The part of the musician; all others are the machine's."""
MACHINE: Final = 1
"""First of the machine's parts."""
DRUMS: Final = 7
LIFT: Final = 128
"""Pitch of a step that ends all open notes of its part."""
EDGE: Final = 129
"""Pitch of a step before the first note of a piece, and after the last has ended."""
PITCHES: Final = 130
VELOCITY_BIN: Final = 4
"""MIDI velocities that are one."""
VELOCITIES: Final = 128 // VELOCITY_BIN
UNTOLD: Final = -1
"""Velocity of steps that have none: lifts, edges, and notes of scores, which tell no loudness."""

_LIFTED: Final = 3
"""Fewest notes that make a lift; at least two of them began at different times."""
_UP, _DOWN = 0, 1
"""Order of steps at one time: what ends, then what begins."""


@dataclass(frozen=True, slots=True)
class NoteSteps:
    """Steps in order of time; at one time lifts first, then from the lowest pitch up. All arrays have shape [N]."""

    onset: Units
    """When it happens, in units of the clock."""
    part: NDArray[np.int64]
    pitch: NDArray[np.int64]
    """MIDI note number, `LIFT` or `EDGE`."""
    velocity: NDArray[np.int64]
    """0 to 31, or `UNTOLD`."""
    end: Units
    """When the note ends; of lifts and edges, their onset."""
    open: NDArray[np.bool_]
    """Whether the end is not told with the note."""

    def __len__(self) -> int:
        return len(self.onset)

    def take(self, places: slice | NDArray[np.int64] | NDArray[np.bool_]) -> NoteSteps:
        """The steps at `places`, in that order."""
        return NoteSteps(**{field.name: getattr(self, field.name)[places] for field in fields(self)})

    @property
    def sounds(self) -> NDArray[np.bool_]:
        """Which steps are notes."""
        return self.pitch < LIFT


def joined(first: NoteSteps, second: NoteSteps) -> NoteSteps:
    """The steps of both, one after the other."""
    pairs = {
        field.name: np.concatenate([getattr(first, field.name), getattr(second, field.name)])
        for field in fields(NoteSteps)
    }
    return NoteSteps(**pairs)


def edge(at_units: int, part: int) -> NoteSteps:
    """The step before a piece that begins, or after one that ended, at `at_units`."""
    time = np.array([at_units], dtype=np.int64)
    return NoteSteps(time, np.array([part]), np.array([EDGE]), np.array([UNTOLD]), time, np.array([False]))


def unit_ticks(clock: Clock, tempo_bpm: float = 120.0) -> float:
    """Ticks of a unit: in free time at `tempo_bpm`, which tells how long a tick is."""
    if clock == "beat":
        return BEAT_UNIT_TICKS
    return FREE_UNIT_SECONDS * tempo_bpm / 60 * TICKS_PER_BEAT


def encode(
    rows: NoteRows, parts: NDArray[np.int64], clock: Clock, *, tempo_bpm: float = 120.0, lifts: bool = True
) -> NoteSteps:
    """Notes [N, 4] and the part [N] of each as steps, with lifts if time is free and `lifts`.

    Onsets and ends go to the nearest unit, at least one unit apart; of notes of one part that are struck together
    on one key one is left, and a note struck again while it sounds ends there. A velocity of 0 is untold.
    """
    unit = unit_ticks(clock, tempo_bpm)
    onset = _nearest(rows[:, 0], unit)
    end = np.maximum(onset + 1, _nearest(rows[:, 0] + rows[:, 2], unit))
    # One key of one part is one voice that cannot sound twice.
    keys = np.column_stack([onset, rows[:, 1] + 128 * parts, end, rows[:, 3]])
    keys = one_per_pitch(keys)
    keys = keys[np.lexsort((keys[:, 1] % 128, keys[:, 0]))]
    velocity = np.where(keys[:, 3] > 0, keys[:, 3] // VELOCITY_BIN, UNTOLD)
    steps = NoteSteps(
        keys[:, 0], keys[:, 1] // 128, keys[:, 1] % 128, velocity, keys[:, 2], np.zeros(len(keys), dtype=np.bool_)
    )
    return _lifted(steps) if clock == "free" and lifts else steps


def _lifted(steps: NoteSteps) -> NoteSteps:
    """`steps` with lifts put in, and the notes that they end open."""
    opened = steps.open.copy()
    times: list[Units] = []
    owners: list[NDArray[np.int64]] = []
    for part in np.unique(steps.part):
        mine = np.flatnonzero(steps.part == part)
        ends, inverse, counts = np.unique(steps.end[mine], return_inverse=True, return_counts=True)
        first = np.full(len(ends), np.iinfo(np.int64).max)
        last = np.full(len(ends), np.iinfo(np.int64).min)
        np.minimum.at(first, inverse, steps.onset[mine])
        np.maximum.at(last, inverse, steps.onset[mine])
        at = ends[(counts >= _LIFTED) & (first < last)]
        if not len(at):
            continue
        # A lift ends all that is open, so only the first one after its onset can be a note's end.
        following = np.searchsorted(at, steps.onset[mine], side="right")
        known = following < len(at)
        opened[mine[known]] = at[following[known]] == steps.end[mine[known]]
        times.append(at)
        owners.append(np.full(len(at), part))
    if not times:
        return steps
    time, owner = np.concatenate(times), np.concatenate(owners)
    count = len(time)
    lifts = NoteSteps(time, owner, np.full(count, LIFT), np.full(count, UNTOLD), time, np.zeros(count, dtype=np.bool_))
    merged = joined(replace(steps, open=opened), lifts)
    kind = np.where(merged.sounds, _DOWN, _UP)
    return merged.take(np.lexsort((merged.pitch, kind, merged.onset)))


def decode(steps: NoteSteps, clock: Clock, *, tempo_bpm: float = 120.0) -> tuple[NoteRows, NDArray[np.int64]]:
    """The notes [N, 4] that `steps` write, and the part [N] of each, in score order.

    An open note ends with the next lift of its part, or is still held: its length is 0.
    """
    unit = unit_ticks(clock, tempo_bpm)
    end = steps.end.copy()
    held = np.zeros(len(steps), dtype=np.bool_)
    for part in np.unique(steps.part[steps.open]):
        lifts = np.unique(steps.onset[(steps.pitch == LIFT) & (steps.part == part)])
        opened = np.flatnonzero(steps.open & (steps.part == part))
        following = np.searchsorted(lifts, steps.onset[opened], side="right")
        held[opened] = following == len(lifts)
        end[opened] = np.append(lifts, 0)[following]
    notes = steps.sounds
    onset_ticks = np.round(steps.onset[notes] * unit).astype(np.int64)
    length_ticks = np.round(end[notes] * unit).astype(np.int64) - onset_ticks
    velocity = steps.velocity[notes] * VELOCITY_BIN + VELOCITY_BIN // 2
    columns = (
        onset_ticks,
        steps.pitch[notes],
        np.where(held[notes], 0, length_ticks),
        np.where(steps.velocity[notes] == UNTOLD, 0, velocity),
    )
    rows = np.column_stack(columns)
    order = np.lexsort((rows[:, 1], rows[:, 0]))
    return rows[order], steps.part[notes][order]


def _nearest(ticks: NDArray[np.int64], unit: float) -> Units:
    return np.floor(ticks / unit + 0.5).astype(np.int64)
