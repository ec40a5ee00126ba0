"""The Markov generator: keeps what it has learnt in step with what has been heard. How it composes is `composer`'s."""

from __future__ import annotations

from bisect import bisect_left

from antiphon import Note, Phrase, Request
from antiphon_plugins.markov.composer import Composer
from antiphon_plugins.markov.events import SIXTEENTH_TICKS, Event, gather, make_event
from antiphon_plugins.markov.manner import Manner, read_manner
from antiphon_plugins.markov.model import Memory
from antiphon_plugins.markov.table import Table

_CONTEXT_EVENTS = 40
"""How much of the past the composer looks at: for the longest context, and for circles."""
_TAIL_NOTES = 48
"""Most changes lie within this many notes of the end: keys still down, and the answer just played."""


class MarkovGenerator:
    """One player. Its state is a function of what was last primed, and of the phrases asked for since."""

    def __init__(self, seed: int, table: Table) -> None:
        self._seed = seed
        self._table = table
        self._memory = Memory()
        self._notes: tuple[Note, ...] = ()
        self._ends: list[int] = []
        """For each event in memory, how many notes there are up to its end."""
        self._manner: Manner | None = None
        self._answer: list[Event] = []
        """Played since the last prime; learnt only when the host says it was heard."""
        self._answer_start_ticks = 0
        self._answer_end_ticks: int | None = None

    def prime(self, heard: Phrase) -> None:
        """Learn what is new in `heard`, after unlearning what is no longer in it."""
        self._forget_answer()
        self._hear(heard.notes)

    def rewind(self, to_ticks: int) -> None:
        """Unlearn what was heard, and drop what was answered, at or after `to_ticks`."""
        self._hear(self._notes[: bisect_left(self._notes, to_ticks, key=lambda note: note.start_ticks)])
        if self._answer_end_ticks is not None and to_ticks > self._answer_start_ticks:
            self._answer = [event for event in self._answer if event.onset_ticks < to_ticks]
            self._answer_end_ticks = min(self._answer_end_ticks, to_ticks)
        else:
            self._forget_answer()

    def extend(self, request: Request) -> Phrase:
        """Continue. An answer's first note falls at its start; what follows a phrase of ours goes on in its pulse."""
        launch = request.start_ticks != self._answer_end_ticks
        if launch:
            self._forget_answer()
            self._answer_start_ticks = request.start_ticks
        if self._manner is None:
            self._manner = read_manner(self._memory.events)
        on_grid = self._manner.sixteenth_ticks == SIXTEENTH_TICKS
        origin_ticks = 0 if on_grid else self._answer_start_ticks
        composer = Composer(self._memory, self._table, self._manner, self._seed, request, origin_ticks)
        past = [*self._memory.events[-_CONTEXT_EVENTS:], *self._answer][-_CONTEXT_EVENTS:]
        events, notes = composer.compose(past, launch=launch)
        self._answer += events
        self._answer_end_ticks = request.end_ticks
        return Phrase(request.start_ticks, request.end_ticks, tuple(notes))

    def _forget_answer(self) -> None:
        self._answer = []
        self._answer_end_ticks = None

    def _hear(self, notes: tuple[Note, ...]) -> None:
        """Bring the memory in step with `notes`; the cost grows with what changed, not with what was heard."""
        kept = _shared_prefix(self._notes, notes)
        if kept == len(notes) == len(self._notes):
            return
        # The event that ends where the change begins goes too: a new note may belong to its chord.
        while self._ends and self._ends[-1] >= kept:
            self._ends.pop()
            self._memory.unlearn()
        known = self._ends[-1] if self._ends else 0
        for chord in gather(notes[known:]):
            known += len(chord)
            self._ends.append(known)
            self._memory.learn(make_event(chord, self._memory.events[-1] if self._memory.events else None))
        self._notes = notes
        self._manner = None


def _shared_prefix(one: tuple[Note, ...], other: tuple[Note, ...]) -> int:
    """How many notes two rows share from their start."""
    shortest = min(len(one), len(other))
    # Notes that are the same object compare at the speed of C; so all but the tail is checked in one go.
    index = max(0, shortest - _TAIL_NOTES)
    if one[:index] != other[:index]:
        index = 0
    while index < shortest and one[index] == other[index]:
        index += 1
    return index
