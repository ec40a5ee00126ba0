"""Against what a token model does when left alone: running in circles, running away, and falling silent.

It looks at what was struck, and says what should not come next. It draws no token.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from antiphon.notes import Note

_MEMORY: Final = 96
"""Notes that are looked at for circles."""
_LONGEST_CIRCLE: Final = 24
"""Notes in the longest figure whose repeats are counted."""
_FREE_TURNS: Final = 7
"""How often a figure may come in a row where most is let pass; where least is, once."""
_SAME_NOTE_TURNS: Final = 2
"""How much more often a single note may."""
_OPENING_TICKS: Final = 1920
"""An answer begins after no more than this: its place is the host's to choose, and the host does not wait for ever."""
_GAPS: Final = 4
"""A rest is no longer than so many of the usual gaps between onsets, within bounds."""
_SHORTEST_SHARE: Final = 1 / 3
"""Of the longest rest that is allowed: what is always allowed."""
_CHORD_TICKS: Final = 40
_CROWD_TICKS: Final = 480
_CROWD_NOTES: Final = 16
"""No more notes than these begin within a beat."""


class TokenGuard:
    """Remembers the last notes struck, those heard and those drawn."""

    __slots__ = ("_onsets", "_pitches", "_rest_ticks", "_struck_ticks", "_turns")

    def __init__(self, heard: Sequence[Note], start_ticks: int, longest_rest_ticks: int) -> None:
        """`heard`: in score order. `start_ticks`: where drawing begins. `longest_rest_ticks`: in the slowest music."""
        notes = heard[-_MEMORY:]
        self._rest_ticks = _rest_after(notes, longest_rest_ticks)
        self._struck_ticks = start_ticks + min(0, _OPENING_TICKS - self._rest_ticks)
        """When something was struck last; rests are counted from here."""
        self._pitches = [note.pitch for note in notes]
        self._onsets = [note.start_ticks for note in notes[-_CROWD_NOTES:]]
        self._turns: dict[int, int] | None = None

    def strike(self, pitch: int, ticks: int) -> None:
        """A key goes down."""
        self._pitches = [*self._pitches[1 - _MEMORY :], pitch]
        self._onsets = [*self._onsets[1 - _CROWD_NOTES :], ticks]
        self._turns = None
        self._struck_ticks = ticks

    def due_ticks(self) -> int:
        """The last tick at which another note does not come after too long a rest."""
        return self._struck_ticks + self._rest_ticks

    def open_ticks(self) -> int:
        """The first tick at which another note does not make a crowd."""
        if len(self._onsets) < _CROWD_NOTES:
            return 0
        return self._onsets[0] + _CROWD_TICKS

    def excess(self, repetition: float) -> dict[int, int]:
        """Pitches that would go on in a circle, with how many turns of it have been too many."""
        if repetition >= 1:
            return {}
        if self._turns is None:
            self._turns = _circles(self._pitches)
        free = 1 + round((_FREE_TURNS - 1) * repetition)
        return {pitch: turns - free for pitch, turns in self._turns.items() if turns > free}

    def copy(self) -> TokenGuard:
        """Another guard that remembers the same."""
        twin = TokenGuard.__new__(TokenGuard)
        for name in TokenGuard.__slots__:
            setattr(twin, name, getattr(self, name))  # Nothing is changed in place.
        return twin


def _rest_after(notes: Sequence[Note], longest_ticks: int) -> int:
    """The longest rest that goes with the pace of `notes`."""
    gaps = [after.start_ticks - before.start_ticks for before, after in pairwise(notes)]
    gaps = [gap for gap in gaps if gap > _CHORD_TICKS]
    usual = median(gaps) if gaps else longest_ticks / _GAPS
    return round(min(longest_ticks, max(_SHORTEST_SHARE * longest_ticks, _GAPS * usual)))


def _circles(pitches: list[int]) -> dict[int, int]:
    """For each pitch that would go on with a figure that has just been played again and again: how often it has."""
    turns: dict[int, int] = {}
    periods: list[int] = []
    for period in range(1, min(_LONGEST_CIRCLE, len(pitches) // 2) + 1):
        if any(period % shorter == 0 for shorter in periods):
            continue  # The same circle, gone round twice.
        agreeing = 0
        while agreeing + period < len(pitches) and pitches[-1 - agreeing] == pitches[-1 - agreeing - period]:
            agreeing += 1
        again = agreeing // period + 1
        if again > 1:
            periods.append(period)
        if period == 1:
            again -= _SAME_NOTE_TURNS
        if again > 1:
            turns[pitches[-period]] = max(turns.get(pitches[-period], 0), again)
    return turns
