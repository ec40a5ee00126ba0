"""Music as a row of events: what starts together is one event, so that chords stay chords. Nothing is learnt here."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from antiphon import Note

CHORD_TICKS = 30
"""Notes that start within this many ticks of the first (31 ms at 120 bpm) are one chord."""

SIXTEENTH_TICKS = 120
"""A sixteenth at the nominal pulse."""

GAP_SIXTEENTHS = (1 / 2, 2 / 3, 1, 4 / 3, 2, 8 / 3, 3, 4, 6, 8, 12, 16)
"""The note values told apart, in sixteenths: straight, triplet and dotted; class 4 is an eighth."""

_BOUNDS = tuple((low * high) ** 0.5 for low, high in pairwise(GAP_SIXTEENTHS))


def gap_class(gap_ticks: float, sixteenth_ticks: float = SIXTEENTH_TICKS) -> int:
    """Index in `GAP_SIXTEENTHS` of the note value nearest to a gap (as a ratio)."""
    return bisect(_BOUNDS, gap_ticks / sixteenth_ticks)


@dataclass(frozen=True, slots=True)
class Event:
    """One or more notes that start together, and how they look to each view of the model."""

    notes: tuple[Note, ...]
    """In score order; at least one."""
    gap_ticks: int
    """Time since the event before; 0 for the first of all."""
    gap_class: int
    """The same as an index in `GAP_SIXTEENTHS`."""
    pitches: tuple[int, ...]
    """From the lowest up, without repeats."""
    lead: int
    """The highest pitch: what the ear follows."""
    views: tuple[Hashable, ...]
    """This event in each view, from the most to the least detailed:

    0. pitches, gap, length and loudness;
    1. pitches;
    2. motion of the highest note and the chord's shape below it: the same in every key.
    """

    @property
    def onset_ticks(self) -> int:
        """Where it begins."""
        return self.notes[0].start_ticks


def make_event(notes: Sequence[Note], before: Event | None) -> Event:
    """The event that `notes` (in score order) make after `before`."""
    pitches = tuple(sorted({note.pitch for note in notes}))
    lead = pitches[-1]
    gap_ticks = 0 if before is None else notes[0].start_ticks - before.onset_ticks
    rhythm = gap_class(gap_ticks)
    motion = None if before is None else lead - before.lead
    longest = max((_HELD if note.length_ticks is None else note.length_ticks) for note in notes)
    loudness = max(note.velocity for note in notes) >> 4
    views = (
        (pitches, rhythm, gap_class(longest), loudness),
        pitches,
        (motion, tuple([lead - pitch for pitch in pitches])),
    )
    return Event(tuple(notes), gap_ticks, rhythm, pitches, lead, views)


_HELD = 16 * SIXTEENTH_TICKS
"""A key still down counts as this long, whenever it is asked: what was learnt must not change as time passes."""


def gather(notes: Iterable[Note]) -> list[list[Note]]:
    """Group notes in score order into chords."""
    groups: list[list[Note]] = []
    for note in notes:
        if groups and note.start_ticks - groups[-1][0].start_ticks <= CHORD_TICKS:
            groups[-1].append(note)
        else:
            groups.append([note])
    return groups
