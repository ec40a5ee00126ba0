"""Against what a Markov chain does when left alone: going round in circles, and running away."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon_plugins.markov.events import CHORD_TICKS, Event

_LONGEST_CIRCLE = 8
_FREE_TURNS = 2
"""How often a circle may be gone round before it begins to bore."""
_BOREDOM = 0.35
"""What each further turn costs."""

_BEAT_TICKS = 480
_NOTES_A_BEAT = 12
"""No more notes than this start within a beat (24 a second at 120 bpm), whatever was heard."""


def staleness(past: Sequence[Event]) -> dict[tuple[int, ...], float]:
    """For chords that would close yet another circle: a factor below 1 for their weight.

    A circle is the same pitches at a distance of 1 to 8 events; it counts by full turns.
    """
    factors: dict[tuple[int, ...], float] = {}
    row = [event.pitches for event in past[-_LONGEST_CIRCLE * (_FREE_TURNS + 3) :]]
    for period in range(1, min(_LONGEST_CIRCLE, len(row)) + 1):
        agreeing = 0
        while agreeing + period < len(row) and row[-1 - agreeing] == row[-1 - agreeing - period]:
            agreeing += 1
        turns = agreeing // period + 1
        if turns > _FREE_TURNS:
            again = row[-period]
            factors[again] = min(factors.get(again, 1.0), _BOREDOM ** (turns - _FREE_TURNS))
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
