"""Against running in circles, as a token model does when left alone: counts how often a figure came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from antiphon.notes import Note

_MEMORY: Final = 192
"""Notes that are looked at."""
_LONGEST_CIRCLE: Final = 48
"""Notes in the longest figure whose repeats are counted."""
_FREE_TURNS: Final = 7
"""How often a figure may come in a row where most is let pass; where least is, once."""
_SAME_NOTE_TURNS: Final = 2
"""How much more often a single note may."""


class RepetitionPenalty:
    """Remembers the pitches of the last notes, those heard and those drawn."""

    __slots__ = ("_pitches", "_turns")

    def __init__(self, known: Sequence[Note]) -> None:
        """`known`: what came before, in score order."""
        self._pitches = [note.pitch for note in known[-_MEMORY:]]
        self._turns: dict[int, int] | None = None

    def strike(self, pitch: int) -> None:
        """A key goes down."""
        self._pitches = [*self._pitches[1 - _MEMORY :], pitch]
        self._turns = None

    def latest(self, count: int) -> Sequence[int]:
        """The last `count` pitches."""
        return self._pitches[-count:]

    def excess(self, repetition: float) -> dict[int, int]:
        """Pitches that would go on in a circle, with how many turns of it have been too many."""
        if repetition >= 1:
            return {}
        if self._turns is None:
            self._turns = _circles(self._pitches)
        free = 1 + round((_FREE_TURNS - 1) * repetition)
        return {pitch: turns - free for pitch, turns in self._turns.items() if turns > free}

    def copy(self) -> RepetitionPenalty:
        """Another guard that remembers the same."""
        twin = RepetitionPenalty([])
        twin._pitches, twin._turns = self._pitches, self._turns  # Nothing is changed in place.
        return twin


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
