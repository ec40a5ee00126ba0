"""A dice game: for each bar of a form there are eleven, any of which fits the next, and two dice choose. No model.

After the games of the 18th century (as Kirnberger's, Der allezeit fertige Polonoisen- und Menuettencomponist, 1757),
but no bar is anybody's: each is made here, of the chord of its place and what the dice say.

- The sum of the dice, 2 to 12, says on which note of the chord a bar begins, whether it rises or falls, and how fast.
- It goes through the scale, and begins and ends on notes of the chord: so every bar fits after every other.
- The last bar of a form is the tonic's, on one long note.
"""

from __future__ import annotations

import random
from functools import cache
from typing import Final

from antiphon import TICKS_PER_BEAT, Casting, ChoiceControl, Control, GeneratorInfo, Key, Note, Phrase, Request
from antiphon_plugins.listening import Listener, key_of, triad_on

INFO = GeneratorInfo(
    name="dice",
    summary="throws dice for every bar of a minuet or a pop phrase, in your key",
    controls=(
        ChoiceControl("form", ("minuet", "pop"), "minuet", "which chords stand in its bars"),
        ChoiceControl("left", ("hand", "bass", "none"), "hand", "what goes below the tune"),
        Control("register", 0, 1, 0.5, "where the tune lies: 0 an octave lower, 1 an octave higher"),
    ),
    latency="instant",
    follows="beat",
)

FORMS: Final = {
    "minuet": (0, 0, 4, 0, 3, 0, 4, 0, 4, 4, 0, 0, 3, 1, 4, 0),
    "pop": (0, 4, 5, 3, 0, 4, 3, 4, 5, 3, 0, 4, 3, 1, 4, 0),
}
"""The degree of the scale on which the chord of each bar stands."""
SUMS: Final = range(2, 13)
"""What two dice make."""
_LEFT: Final = {"minuet": (0, 1, 2), "pop": (0, 2, 1, 2)}
"""Which note of the chord the left hand strikes on each beat."""
_TUNE, _ACCOMPANIMENT, _DEEP = 60, 48, 36

Bar = tuple[tuple[int, int, int], ...]
"""Notes of a tune: where in the bar, how long, in ticks; and how many steps of the scale above the tonic."""


@cache
def table(form: str, beats: int) -> tuple[tuple[Bar, ...], ...]:
    """The table of a form in bars of so many beats: for each place, a bar for each sum of the dice."""
    places = FORMS[form]
    return tuple(
        tuple(_closing(beats) if place == len(places) - 1 else _bar(degree, total, beats) for total in SUMS)
        for place, degree in enumerate(places)
    )


def _closing(beats: int) -> Bar:
    return ((0, beats * TICKS_PER_BEAT, 7),)


def _bar(degree: int, total: int, beats: int) -> Bar:
    """Begins on the chord's note that `total` names, and moves up or down the scale, then to the chord's next note."""
    way = 1 if total // 3 % 2 else -1
    begins = (degree + 2 * (total % 3)) % 7 + (7 if way < 0 else 0)
    halves = (2, 1, 4)[total % 4 % 3]  # Quarters, eighths, or half notes, of half beats.
    count = max(1, -(-2 * beats // halves))
    steps = [begins + way * index for index in range(count)]
    chord = {(degree + 2 * step) % 7 for step in range(3)}
    while len(steps) > 1 and steps[-1] % 7 not in chord:
        steps[-1] += way
    half = TICKS_PER_BEAT // 2
    return tuple(
        (index * halves * half, min(halves, 2 * beats - index * halves) * half, step)
        for index, step in enumerate(steps)
    )


class Dice(Listener):
    """Chance comes from the seed and the bar. A form begins with the answer."""

    def extend(self, request: Request) -> Phrase:
        """The bars that fall into the request."""
        form, bar_ticks = str(request.controls["form"]), request.bar_ticks
        key, bars = key_of(request), table(form, max(1, bar_ticks // TICKS_PER_BEAT))
        origin = min(self.heard.end_ticks, request.start_ticks)
        end = None if request.left_ticks is None else request.start_ticks + request.left_ticks
        notes: list[Note] = []
        for index in range((request.start_ticks - origin) // bar_ticks, -(-(request.end_ticks - origin) // bar_ticks)):
            start = origin + index * bar_ticks
            closes = end is not None and start + 2 * bar_ticks > end >= start + bar_ticks
            place = len(bars) - 1 if closes else index % len(bars)
            chance = random.Random(f"{self.seed}:{start}")
            thrown = chance.randint(1, 6) + chance.randint(1, 6)
            octave = 12 * round(2 * request.controls["register"])
            degree = FORMS[form][place]
            for at, length, step in bars[place][thrown - SUMS[0]]:
                pitch = _TUNE - 12 + octave + key.tonic + _semitones(step, degree, key)
                notes.append(Note(start + at, pitch, length, self.velocity()))
            notes += self._left_hand(request, form, start, degree, key)
        within = [note for note in notes if request.start_ticks <= note.start_ticks < request.end_ticks]
        return Phrase.of(within, request.start_ticks, request.end_ticks)

    def _left_hand(self, request: Request, form: str, start: int, degree: int, key: Key) -> list[Note]:
        left, softer = request.controls["left"], max(1, self.velocity() - 14)
        chord = triad_on(degree, key)
        if left == "none":
            return []
        if left == "bass":
            return [Note(start, _DEEP + (key.tonic + chord[0]) % 12, request.bar_ticks, softer)]
        beats = range(max(1, request.bar_ticks // TICKS_PER_BEAT))
        return [
            Note(
                start + beat * TICKS_PER_BEAT,
                _ACCOMPANIMENT + (key.tonic + chord[0]) % 12 + chord[_LEFT[form][beat % len(_LEFT[form])]] - chord[0],
                TICKS_PER_BEAT,
                softer,
            )
            for beat in beats
        ]


def _semitones(step: int, degree: int, key: Key) -> int:
    """Semitones above the tonic of a `step` of the scale; in minor with the leading note where the chord has it."""
    natural = (0, 2, 3, 5, 7, 8, 10) if key.minor else (0, 2, 4, 5, 7, 9, 11)
    leads = 11 in {one % 12 for one in triad_on(degree, key)[:3]}
    scale = (*natural[:6], 11) if leads else natural
    return 12 * (step // 7) + scale[step % 7]


def make(casting: Casting) -> Dice:
    """Make a player; it has no model."""
    return Dice(casting.seed)
