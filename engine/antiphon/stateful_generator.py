"""The contract kept for a player whose state runs on: snapshots of it are kept, and gone back to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import deepcopy
from typing import Final, Generic, TypeVar

from antiphon.generator import Request
from antiphon.notes import Note, Phrase

State = TypeVar("State")

_EVERY_NOTES: Final = 16
"""A snapshot is taken after so many notes: what a key press costs is this many notes heard again, at most."""
_BLOCK: Final = 256
"""So many notes are compared at once: tuples of the same notes are, without looking into them."""
_RECENT: Final = 8
"""So many of the latest snapshots are kept. Of those before, half of as many again, a quarter of twice as many, …"""


class StatefulGenerator(ABC, Generic[State]):
    """A generator that is written as though time only went on: `begin`, then `hear` and `play` change its state.

    Anything may be in the state, a `random.Random` that runs on among it. It must be all there is: what a subclass
    keeps elsewhere is not taken back. A snapshot is a deep copy, or what `copy` makes, if you know a cheaper way.
    """

    def __init__(self, seed: int) -> None:
        """`seed`: as `Casting` has it; `begin` may draw from it."""
        self.seed = seed
        self._heard: tuple[Note, ...] = ()
        self._end_ticks = 0
        self._snapshots: list[tuple[int, State]] = []
        """After how many of the notes heard, and the state then; ascending, from 0 on."""
        self._played: list[tuple[int, State]] = []
        """Where what was heard ends, and each phrase played since, and the states there."""

    @abstractmethod
    def begin(self) -> State:
        """The state before anything is heard; the same at every call."""

    @abstractmethod
    def hear(self, state: State, note: Note) -> None:
        """Let `state` know of one more note, in score order; a key still down has `length_ticks` None."""

    @abstractmethod
    def play(self, state: State, request: Request) -> Phrase:
        """The phrase that goes on from `state`, as `Generator.extend` wants it; `state` is then that at its end."""

    def copy(self, state: State) -> State:
        """A copy that shares nothing with `state` that may change."""
        return deepcopy(state)

    # ---- the contract --------------------------------------------------------------------------------------------

    def prime(self, heard: Phrase) -> None:
        """Take in what has been played: from the first note on that was not heard like this before."""
        self._listen(heard.notes, heard.end_ticks)

    def extend(self, request: Request) -> Phrase:
        """Go on from the end of the last phrase, heard or played."""
        if not self._played:
            self._listen((), request.start_ticks)
        state = self.copy(self._played[-1][1])
        phrase = self.play(state, request)
        self._played.append((request.end_ticks, state))
        return phrase

    def rewind(self, to_ticks: int) -> None:
        """Forget the phrases that end after `to_ticks`, and the notes that begin there or later."""
        if to_ticks < self._end_ticks or not self._played:
            self._listen(tuple(note for note in self._heard if note.start_ticks < to_ticks), to_ticks)
        else:
            self._played[1:] = [phrase for phrase in self._played[1:] if phrase[0] <= to_ticks]

    def _listen(self, notes: tuple[Note, ...], end_ticks: int) -> None:
        """Bring the state in step with `notes`, and forget what was played."""
        same = _in_common(self._heard, notes)
        self._snapshots = [(known, state) for known, state in self._snapshots if known <= same] or [(0, self.begin())]
        known, snapshot = self._snapshots[-1]
        state = self.copy(snapshot)
        for number, note in enumerate(notes[known:], start=known + 1):
            self.hear(state, note)
            if number % _EVERY_NOTES == 0:
                self._keep(number, state)
        self._heard, self._end_ticks, self._played = notes, end_ticks, [(end_ticks, state)]

    def _keep(self, known: int, state: State) -> None:
        """Take a snapshot; of those before it, keep fewer the older they are, but always the first."""
        now = known // _EVERY_NOTES

        def stays(number: int) -> bool:
            return number % (1 << ((now - number) // _RECENT).bit_length()) == 0

        older = [snapshot for snapshot in self._snapshots if stays(snapshot[0] // _EVERY_NOTES)]
        self._snapshots = [*older, (known, self.copy(state))]


def _in_common(one: tuple[Note, ...], other: tuple[Note, ...]) -> int:
    """How many notes both begin with."""
    shortest = min(len(one), len(other))
    begins = range(0, shortest, _BLOCK)
    start = next((at for at in begins if one[at : at + _BLOCK] != other[at : at + _BLOCK]), shortest)
    differing = (at for at in range(start, shortest) if one[at] != other[at])
    return next(differing, shortest)
