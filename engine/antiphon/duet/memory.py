"""What a voice has heard and played, and how much of it each of its players has been told."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace

from antiphon.duet.commands import CHAIRS, Chair, Prime
from antiphon.music.ear import Ear
from antiphon.notes import Note, score_order

MEMORY_NOTES = 4096
"""Notes a voice remembers; a quarter is forgotten when there are more."""


@dataclass(slots=True)
class _Seat:
    """What the player in a chair is known to know."""

    ready: bool = False
    synced: int = 0
    """How many leading notes of the memory it has been told."""


class Memory:
    """The music so far, of the player and of the voice itself, bounded to `MEMORY_NOTES`."""

    def __init__(self, voice: int, ear: Ear | None = None) -> None:
        """`voice`: index of the voice it belongs to. `ear`: what is remembered already."""
        self.ear = ear or Ear()
        self._voice = voice
        self._seats = {chair: _Seat() for chair in CHAIRS}
        self._told: tuple[int, int, tuple[Note, ...]] | None = None
        """What a player was told last, and which notes that is, unless these have changed since."""

    def seat(self, chair: Chair) -> None:
        """A player has sat down, knowing nothing."""
        self._seats[chair] = _Seat(ready=True)

    def vacate(self, chair: Chair) -> None:
        """The player is gone."""
        self._seats[chair] = _Seat()

    def seated(self, chair: Chair) -> bool:
        """Whether somebody sits there."""
        return self._seats[chair].ready

    def hear(self, message: bytes, ticks: int, port: str = "") -> bool:
        """Take in the player's message, which came from `port`; whether a key went down or up, or a note ended."""
        heard = self.ear.hear(message, ticks, port)
        if heard is not None:
            self._changed(heard.first_changed)
        return heard is not None

    def remember(self, notes: Iterable[Note]) -> None:
        """Add notes of known length that the voice has played."""
        self._changed(self.ear.remember(replace(note, own=True) for note in notes))

    def flush(self, ticks: int) -> None:
        """Take every key and pedal for released at `ticks`."""
        heard = self.ear.flush(ticks)
        if heard is not None:
            self._changed(heard.first_changed)

    def prime(self, chair: Chair, epoch: int, end_ticks: int, composed: tuple[Note, ...] = ()) -> list[Prime]:
        """Tell a player what it does not know yet; nobody, if nobody sits there.

        `end_ticks`: where a continuation is to begin; what is heard from there on is not told yet. `composed`: notes of
        the voice's own, in score order, that count as played although they are not remembered yet.
        """
        seat = self._seats[chair]
        if not seat.ready:
            return []
        notes = self.ear.notes
        past = len(notes)
        if notes and notes[-1].start_ticks >= end_ticks:
            past = bisect_left(notes, (end_ticks, 0), key=score_order)
        before = min(past, bisect_left(notes, score_order(composed[0]), key=score_order)) if composed else past
        keep, seat.synced = min(seat.synced, before), before
        told = self._between(keep, past)
        if composed:
            told = tuple(sorted((*told, *(replace(note, own=True) for note in composed)), key=score_order))
        return [Prime(self._voice, chair, epoch, keep, told, end_ticks)]

    def remind(self, epoch: int, end_ticks: int) -> list[Prime]:
        """Tell all players what is remembered, between calls."""
        end = max(end_ticks, self.ear.notes[-1].start_ticks + 1 if self.ear.notes else end_ticks)
        return [command for chair in CHAIRS for command in self.prime(chair, epoch, end)]

    def _between(self, start: int, end: int) -> tuple[Note, ...]:
        """The notes from number `start` to before `end`. Mostly all players are told the same, and share it."""
        if self._told is None or self._told[:2] != (start, end):
            self._told = start, end, tuple(self.ear.notes[start:end])
        return self._told[2]

    def _changed(self, first_changed: int) -> None:
        """The memory has changed from this note on; it stays bounded, and the players must be told."""
        self._told = None
        if len(self.ear.notes) > MEMORY_NOTES:
            self.ear.forget(MEMORY_NOTES // 4)
            first_changed = 0
        for seat in self._seats.values():
            seat.synced = min(seat.synced, first_changed)
