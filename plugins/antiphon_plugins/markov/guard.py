"""Against what a Markov chain does when left alone: going round in circles, and running away."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import groupby

from antiphon_plugins.markov.events import CHORD_TICKS, Event

_LONGEST_CIRCLE = 8
_FREE_TURNS = (2, 6)
"""How often a circle may be gone round before it begins to bore: by itself, and at most because the player does so."""
_BOREDOM = 0.2
"""What each further turn costs, up to the sixth."""

_BEAT_TICKS = 480
_NOTES_A_BEAT = 10
"""No more notes than this start within a beat (20 a second at 120 bpm), whatever was heard."""


def patience(row: Sequence[Hashable]) -> int:
    """How often a value may be repeated that is in the manner of the player who played `row`."""
    runs = [len(list(run)) for _, run in groupby(row)]
    least, most = _FREE_TURNS
    return max(least, min(most, max(runs, default=0)))


def staleness(row: Sequence[Hashable], free_turns: int, *, loops: bool) -> dict[Hashable, float]:
    """For values that would close yet another circle in `row` (latest last): a factor below 1 for their weight.

    A circle is the same value at a distance of 1 to 8; it counts by full turns, of which `free_turns` cost nothing.
    Where the player's own `loops` are meant, a circle of n has n - 1 free turns more: a progression of four chords may
    come round more often than one chord.
    """
    factors: dict[Hashable, float] = {}
    for period in range(1, min(_LONGEST_CIRCLE, len(row)) + 1):
        again = row[-period]
        agreeing = 1
        while agreeing + period <= len(row) and row[-agreeing] == row[-agreeing - period]:
            agreeing += 1
        turns = (agreeing + period - 1) // period
        too_many = turns - free_turns - (period - 1 if loops else 0)
        if too_many > 0:
            factors[again] = min(factors.get(again, 1.0), _BOREDOM ** min(6, too_many))
    return factors


def earliest_onset(past: Sequence[Event]) -> int:
    """The first tick at which another event may start: not into the last chord, nor into too dense a beat."""
    if not past:
        return 0
    earliest = past[-1].onset_ticks + CHORD_TICKS + 1
    notes = 0
    for event in reversed(past):
        notes += len(event.pitches)
        if notes >= _NOTES_A_BEAT:
            return max(earliest, event.onset_ticks + _BEAT_TICKS)
        if event.onset_ticks + _BEAT_TICKS < earliest:
            break
    return earliest
