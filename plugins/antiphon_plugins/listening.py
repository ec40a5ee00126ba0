"""What small generators share: they remember what was heard, and know nothing else. It plays nothing."""

from __future__ import annotations

from typing import Final

from antiphon import Key, Note, Phrase, Request

CHORD_TICKS: Final = 40
"""Onsets that are no further apart are a chord's."""
_USUAL_VELOCITY: Final = 72
_C_MAJOR: Final = Key(0, False, frozenset({0, 2, 4, 5, 7, 9, 11}))


class Listener:
    """Half of a generator: what it plays follows from what was heard, the request and the seed alone."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.heard = Phrase(0, 0)

    def prime(self, heard: Phrase) -> None:
        """Remember what has been played."""
        self.heard = heard

    def rewind(self, to_ticks: int) -> None:
        """Forget what was heard at or after `to_ticks`."""
        if to_ticks < self.heard.end_ticks:
            notes = tuple(note for note in self.heard.notes if note.start_ticks < to_ticks)
            self.heard = Phrase(min(self.heard.start_ticks, to_ticks), to_ticks, notes)

    def call(self, request: Request) -> list[Note]:
        """What the player played that is to be answered, all of it released by now."""
        since = self.heard.start_ticks if request.call_ticks is None else request.call_ticks
        end = self.heard.end_ticks
        return [note.closed(end) for note in self.heard.notes if note.start_ticks >= since and not note.own]

    def velocity(self) -> int:
        """About as loud as the player has been of late."""
        lately = [note.velocity for note in self.heard.notes[-32:] if not note.own]
        return round(sum(lately) / len(lately)) if lately else _USUAL_VELOCITY


def key_of(request: Request) -> Key:
    """The key that the host hears; C major where it hears none."""
    return _C_MAJOR if request.key is None else request.key


def triad_on(degree: int, key: Key) -> tuple[int, ...]:
    """Root, third, fifth and seventh on a `degree` of the scale, 0 to 6, as semitones above the tonic, ascending.

    Minor is harmonic: the chords on its fifth and seventh degree have the leading note.
    """
    natural = (0, 2, 3, 5, 7, 8, 10) if key.minor else (0, 2, 4, 5, 7, 9, 11)
    raised = key.minor and degree in (4, 6)
    scale = (*natural[:6], 11) if raised else natural
    return tuple(12 * ((degree + 2 * step) // 7) + scale[(degree + 2 * step) % 7] for step in range(4))
