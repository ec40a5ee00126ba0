"""A second voice to your line, by the rules of first species counterpoint, which stand below. No model.

Note against note (Fux, Gradus ad Parnassum, 1725): every note of the line, the *cantus*, gets one of the second voice.

- Only consonances sound together: thirds, fifths, sixths, octaves, and these an octave wider.
- It begins and ends on a fifth or an octave; into the last note it moves by step.
- A fifth or an octave is never reached by both voices moving the same way; so there are no parallels of them.
- It moves by steps and small leaps: no tritone, nothing beyond a sixth but the octave.
- It goes against the line rather than with it, holds a note no longer than it must, and stays in the scale.

Of all second voices, the one is taken that breaks them least, found by dynamic programming (Schottstaedt, Automatic
Species Counterpoint, 1984, weighs rules alike); where two are as good, chance decides.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import lru_cache
from typing import Final

from antiphon import Casting, ChoiceControl, GeneratorInfo, Note, Phrase, Request
from antiphon_plugins.listening import CHORD_TICKS, Listener, key_of

INFO = GeneratorInfo(
    name="rules",
    summary="your line comes back with a second voice, by the rules of counterpoint",
    controls=(
        ChoiceControl("voice", ("above", "below"), "above", "on which side of your line the second voice lies"),
        ChoiceControl("line", ("with", "without"), "with", "whether your line is played with it"),
    ),
    latency="quick",
)

_CONSONANCES: Final = frozenset({3, 4, 7, 8, 9, 12, 15, 16})
"""Distances of the voices, in semitones, that may sound."""
_PERFECT: Final = frozenset({0, 7})
"""Of these within an octave, those that no similar motion leads to."""
_NEVER: Final = 100.0
"""What breaking a rule costs; a habit costs less."""
_LEAPS: Final = frozenset({0, 1, 2, 3, 4, 5, 7, 8, 9, 12})
_TASTE: Final = 0.6
"""What chance adds at most."""
_LONGEST: Final = 64
"""Of a longer line so many notes come back, the last ones."""


def top_line(notes: list[Note]) -> list[Note]:
    """The highest of the notes struck together, one after the other; `notes` in score order."""
    line: list[Note] = []
    for note in notes:
        if line and note.start_ticks - line[-1].start_ticks <= CHORD_TICKS:
            if note.pitch > line[-1].pitch:
                line[-1] = replace(note, start_ticks=line[-1].start_ticks)
        else:
            line.append(note)
    return line


@lru_cache(maxsize=8)
def second_voice(cantus: tuple[int, ...], scale: frozenset[int], side: int, seed: int) -> tuple[int, ...]:
    """Pitches of the voice above (`side` 1) or below (-1) the pitches `cantus`, as many as these."""
    chance = random.Random(seed)
    ends: dict[int, tuple[float, list[int]]] = {}
    for place, pitch in enumerate(cantus):
        own = [one for distance in sorted(_CONSONANCES) if 0 <= (one := pitch + side * distance) <= 127]
        own = own or [pitch - side * distance for distance in sorted(_CONSONANCES)]
        allowed = [one for one in own if one % 12 in scale] or own
        found: dict[int, tuple[float, list[int]]] = {}
        for one in allowed:
            cost = _TASTE * chance.random() + (0.3 if abs(one - pitch) > 12 else 0)
            if place in (0, len(cantus) - 1) and abs(one - pitch) % 12 not in _PERFECT:
                cost += _NEVER / 4
            if place == 0:
                found[one] = cost, [one]
                continue
            last = place == len(cantus) - 1
            cost, way = min(
                (before + cost + _moves(cantus[place - 1], pitch, way[-1], one, last), way)
                for before, way in ends.values()
            )
            found[one] = cost, [*way, one]
        ends = found
    return tuple(min(ends.values())[1]) if ends else ()


def _moves(line: int, next_line: int, own: int, next_own: int, last: bool) -> float:
    """What it costs that the second voice goes from `own` to `next_own` while the line goes on."""
    step, leap = next_line - line, next_own - own
    cost = 0.15 * max(0, abs(leap) - 2)
    if abs(leap) not in _LEAPS:
        cost += _NEVER
    if abs(next_own - next_line) % 12 in _PERFECT and step * leap > 0:
        cost += _NEVER
    if last and not 1 <= abs(leap) <= 2:
        cost += _NEVER / 10
    if step * leap > 0:
        cost += 0.8
    if leap == 0:
        cost += 1.5
    return cost


class Counterpoint(Listener):
    """Chance comes from the seed and the line."""

    def extend(self, request: Request) -> Phrase:
        """The line as it was played, round and round, with its second voice."""
        line = top_line(self.call(request))[-_LONGEST:]
        if not line:
            return Phrase(request.start_ticks, request.end_ticks)
        side = 1 if request.controls["voice"] == "above" else -1
        pitches = second_voice(tuple(note.pitch for note in line), key_of(request).scale, side, self.seed)
        voice = [replace(note, pitch=pitch) for note, pitch in zip(line, pitches, strict=True)]
        both = voice if request.controls["line"] == "without" else [*line, *voice]
        length = self.heard.end_ticks - line[0].start_ticks
        first = 1 + max(0, request.start_ticks - self.heard.end_ticks) // length
        turns = range(first, first + 2 + request.length_ticks // length)
        notes = [note.shifted(turn * length) for turn in turns for note in both]
        within = [note for note in notes if request.start_ticks <= note.start_ticks < request.end_ticks]
        return Phrase.of(within, request.start_ticks, request.end_ticks)


def make(casting: Casting) -> Counterpoint:
    """Make a player; it has no model."""
    return Counterpoint(casting.seed)
