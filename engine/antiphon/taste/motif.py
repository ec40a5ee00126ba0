"""What a call's tune is made of: moves and gaps in a row, so that an answer can take them up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from antiphon.music.tonality import Key
from antiphon.notes import Note

_CHORD_TICKS: Final = 40
_NOTES: Final = 64
"""So many of the last notes of a call are looked at."""
_LONGEST: Final = 3
"""Moves that are compared, at most: whoever has made these goes on as the call did."""
_ALIKE: Final = 0.2
"""Gaps that differ by no more than this part of the longer are alike."""
_CHROMATIC: Final = frozenset(range(12))

Event = tuple[int, int]
"""Onset in ticks, and the highest pitch that was struck then."""


def tune_of(notes: Sequence[Note]) -> list[Event]:
    """The highest of the notes struck together, one after the other; `notes` in score order."""
    tune: list[Event] = []
    for note in notes:
        if tune and note.start_ticks - tune[-1][0] <= _CHORD_TICKS:
            tune[-1] = (tune[-1][0], max(tune[-1][1], note.pitch))
        else:
            tune.append((note.start_ticks, note.pitch))
    return tune


@dataclass(frozen=True, slots=True)
class Motif:
    """The moves of a tune along its scale, and the gaps between its notes."""

    degrees: tuple[int, ...]
    """The pitch classes of the scale, ascending."""
    moves: tuple[int, ...]
    """From each note to the next, in steps of the scale."""
    gaps: tuple[int, ...]
    """Likewise, in ticks."""

    @classmethod
    def of(cls, call: Sequence[Note], key: Key | None) -> Motif:
        """The motif of `call`, in score order; in semitones where no key is heard."""
        degrees = tuple(sorted(_CHROMATIC if key is None else key.scale))
        tune = tune_of(call[-_NOTES:])
        moves = tuple(_degree(b[1], degrees) - _degree(a[1], degrees) for a, b in pairwise(tune))
        return cls(degrees, moves, tuple(b[0] - a[0] for a, b in pairwise(tune)))

    def pitches(self, lately: Sequence[Event]) -> Mapping[int, int]:
        """Pitches with which a tune whose last events are `lately` would go on as the call did; with each, how many
        of its last moves are the call's, and one more.
        """
        if not lately:
            return {}
        here = [_degree(pitch, self.degrees) for _, pitch in lately]
        made = [b - a for a, b in pairwise(here)]
        found = self._next(self.moves, made, lambda one, other: one == other)
        return {_pitch(here[-1] + move, self.degrees): weight for move, weight in found.items()}

    def onsets(self, lately: Sequence[Event]) -> Mapping[int, int]:
        """Ticks at which it would go on, likewise."""
        if not lately:
            return {}
        made = [b[0] - a[0] for a, b in pairwise(lately)]
        found = self._next(self.gaps, made, lambda one, other: abs(one - other) <= _ALIKE * max(one, other))
        return {lately[-1][0] + gap: weight for gap, weight in found.items()}

    @staticmethod
    def _next(call: Sequence[int], made: Sequence[int], alike: Callable[[int, int], bool]) -> dict[int, int]:
        """What follows in `call` on what was `made` last; where nothing does, it begins anew."""
        found: dict[int, int] = {}
        for place in range(1, len(call)):
            length = 0
            while length < min(_LONGEST, place, len(made)) and alike(call[place - 1 - length], made[-1 - length]):
                length += 1
            if length:
                found[call[place]] = max(found.get(call[place], 0), length + 1)
        return found or ({call[0]: 1} if call else {})


def _degree(pitch: int, degrees: Sequence[int]) -> int:
    """How many steps of the scale lie below `pitch`."""
    octave, pitch_class = divmod(pitch, 12)
    return octave * len(degrees) + sum(degree < pitch_class for degree in degrees)


def _pitch(degree: int, degrees: Sequence[int]) -> int:
    octave, step = divmod(degree, len(degrees))
    return octave * 12 + degrees[step]
