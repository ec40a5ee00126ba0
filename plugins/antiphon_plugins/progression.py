"""Chords: diatonic triads and sevenths in your key, one drawn after another, each voiced near the last. No model."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from antiphon import Casting, ChoiceControl, Control, GeneratorInfo, Key, Note, Phrase, Request
from antiphon_plugins.listening import Listener, key_of, triad_on

INFO = GeneratorInfo(
    name="progression",
    summary="chords in your key, with cadences: under your melody the chord that it suggests",
    controls=(
        Control("adventure", 0, 1, 0.3, "0 takes the well-trodden way from chord to chord, 1 any"),
        Control("sevenths", 0, 1, 0.25, "how many chords have their seventh"),
        Control("pace", 1, 4, 1, "chords a bar"),
        ChoiceControl("bass", ("roots", "tonic", "none"), "roots", "what lies below the chords"),
    ),
    latency="instant",
    follows="beat",
)

_ONWARD: Final = (
    (0, 2, 1, 3, 3, 3, 0),
    (0, 0, 0, 1, 6, 0, 1),
    (1, 0, 0, 3, 0, 4, 0),
    (2, 2, 0, 0, 4, 0, 1),
    (7, 0, 0, 1, 0, 2, 0),
    (0, 3, 1, 4, 2, 0, 0),
    (6, 0, 1, 0, 0, 0, 0),
)
"""How readily a chord on each degree (row) goes to one on each other (column); the tonic is degree 0."""
_TONIC, _DOMINANT, _LEADING = 0, 4, 6
_UNTRODDEN: Final = 0.4
_LOWEST, _HIGHEST = 50, 74
"""Where chords lie."""
_BASS: Final = 36
_MIDDLE: Final[tuple[int, ...]] = (57, 60, 64)
"""What the first chord is voiced near."""


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord of a progression."""

    degree: int
    """Of the scale, 0 the tonic's."""
    pitches: tuple[int, ...]
    """Ascending."""
    bass: int | None


class Progression(Listener):
    """Chance comes from the seed and the place: which chord it is follows from all before it, since the call."""

    def extend(self, request: Request) -> Phrase:
        """One chord in each part of the bar."""
        span = request.bar_ticks // round(request.controls["pace"])
        opening = request.start_ticks <= self.heard.end_ticks
        notes = []
        for start, chord in self._chords(request, span):
            end = start + span
            begins = max(start, request.start_ticks) if opening else start
            if not request.start_ticks <= begins < min(end, request.end_ticks):
                continue
            pitches = chord.pitches if chord.bass is None else (chord.bass, *chord.pitches)
            notes += [Note(begins, pitch, end - begins, self.velocity()) for pitch in pitches]
        return Phrase.of(notes, request.start_ticks, request.end_ticks)

    def _chords(self, request: Request, span: int) -> Iterator[tuple[int, Chord]]:
        """Where each chord begins that is played since the call, up to the end of `request`; and the chord."""
        key = key_of(request)
        first = min(self.heard.end_ticks, request.start_ticks) // span
        last = None if request.left_ticks is None else (request.start_ticks + request.left_ticks - 1) // span
        degree = _TONIC
        pitches = _MIDDLE
        for place in range(first, -(-request.end_ticks // span)):
            chance = random.Random(f"{self.seed}:{place * span}")
            if place == last:
                degree = _TONIC
            elif last is not None and place == last - 1 and place > first:
                degree = _LEADING if chance.random() < request.controls["adventure"] / 4 else _DOMINANT
            elif place > first:
                degree = _next(degree, request.controls["adventure"], chance)
            seventh = degree != _TONIC and chance.random() < request.controls["sevenths"] * (1 + (degree == _DOMINANT))
            classes = _classes(degree, key, seventh)
            suggested = request.chord if place == request.start_ticks // span else None
            pitches = _nearest(suggested or frozenset(classes), pitches)
            yield place * span, Chord(degree, pitches, _bass(request, key, suggested, classes[0]))


def _next(degree: int, adventure: float, chance: random.Random) -> int:
    weights = [(weight + _UNTRODDEN * adventure) ** (2 - 2 * adventure) for weight in _ONWARD[degree]]
    weights[degree] = 0
    return chance.choices(range(7), weights)[0]


def _classes(degree: int, key: Key, seventh: bool) -> list[int]:
    return [(key.tonic + step) % 12 for step in triad_on(degree, key)[: 4 if seventh else 3]]


def _nearest(classes: frozenset[int], before: tuple[int, ...]) -> tuple[int, ...]:
    """The voicing of `classes`, each once, within an octave and a half, that moves least from the pitches `before`."""
    rows = [[pitch for pitch in range(_LOWEST, _HIGHEST + 1) if pitch % 12 == one] for one in sorted(classes)]
    voicings = [tuple(sorted(pitches)) for pitches in product(*rows) if max(pitches) - min(pitches) <= 16]

    def moves(pitches: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
        return sum(min(abs(pitch - other) for other in before) for pitch in pitches), pitches

    return min(voicings, key=moves)


def _bass(request: Request, key: Key, suggested: frozenset[int] | None, root: int) -> int | None:
    if request.controls["bass"] == "none":
        return None
    if request.controls["bass"] == "tonic":
        return _BASS + key.tonic
    if suggested is not None:
        # The root of a triad is the one with a third and a fifth above it.
        roots = [one for one in sorted(suggested) if (one + 7) % 12 in suggested]
        root = roots[0] if roots else root
    return _BASS + root


def make(casting: Casting) -> Progression:
    """Make a player; it has no model."""
    return Progression(casting.seed)
