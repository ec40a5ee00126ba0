"""What waits to leave, output by output, until its moment has come. It sends nothing and reads no clock.

Each output gets what it is to get in the order in which it was put here, so that no note-off overtakes its note-on,
whatever becomes of the outputs' offsets meanwhile. What the player plays does not wait; what waits makes way for it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import takewhile
from operator import attrgetter

from antiphon.music import messages


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message on its way. Seconds are those of whoever keeps the time."""

    output: int
    """Index of the output."""
    message: bytes
    """A MIDI message."""
    moment_seconds: float
    """When it is to leave."""
    handed_seconds: float
    """When it is to be handed to its port: then, or earlier to one that waits by itself."""
    record: int | None = None
    """Number of its record; None for a clock's, which has none."""
    keeps: int = 0
    """Number of the first record that is not complete as long as this waits."""


_handed = attrgetter("handed_seconds")


class Outgoing:
    """Everything that waits, on all outputs. The messages of a clock have an order of their own."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []  # By when they are handed over; of two at once, the first that came.
        self._last: dict[tuple[int, bool], Waiting] = {}
        self._latest_seconds: dict[int, float] = {}
        """The latest moment of what an output's port was handed."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def first_kept(self) -> int | None:
        """Number of the first record that is not complete as long as anything waits; None if nothing does."""
        return min((item.keeps for item in self._waiting if item.record is not None), default=None)

    def next_seconds(self) -> float:
        """When the next message is to be handed over; infinity if none waits."""
        return self._waiting[0].handed_seconds if self._waiting else math.inf

    def put(
        self,
        output: int,
        message: bytes,
        moment_seconds: float,
        *,
        early_seconds: float = 0.0,
        record: int | None = None,
        keeps: int = 0,
    ) -> None:
        """Let `message` leave at `moment_seconds`, or behind what was put here for its output before.

        `early_seconds`: how long before that its port wants it. `record` and `keeps`: as of `Waiting`.
        """
        handed = moment_seconds - early_seconds
        last = self._last.get((output, record is None))
        if last is not None:
            moment_seconds, handed = max(moment_seconds, last.moment_seconds), max(handed, last.handed_seconds)
        item = Waiting(output, message, moment_seconds, handed, record, keeps)
        self._last[output, record is None] = item
        self._waiting.insert(bisect_right(self._waiting, handed, key=_handed), item)

    def due(self, now_seconds: float) -> list[Waiting]:
        """Take what is to be handed over by now, in order."""
        end = bisect_right(self._waiting, now_seconds, key=_handed)
        taken, self._waiting = self._waiting[:end], self._waiting[end:]
        for item in taken:
            self._latest_seconds[item.output] = max(self._latest(item.output), item.moment_seconds)
        return taken

    def make_way(self, output: int, message: bytes, now_seconds: float) -> list[Waiting]:
        """The player strikes a key: take what has to leave before that.

        A note that sounds on this key is ended now. What else waits for the key is called off: each such note-on with
        its note-off, which waits as well, because whoever schedules them has ended the note by now.
        """
        key = (output, messages.channel(message), message[1])
        own = [item for item in self._waiting if _key(item) == key]
        self._waiting = [item for item in self._waiting if _key(item) != key]
        return self._at_once(takewhile(lambda item: not messages.is_note_on(item.message), own), now_seconds)

    def flush(self, now_seconds: float) -> list[Waiting]:
        """The music is over: take all that ends, lifts or sets something, to be handed over at once; drop the rest."""
        ending = [i for i in self._waiting if i.record is not None and not messages.is_note_on(i.message)]
        self._waiting = []
        return self._at_once(ending, now_seconds)

    def drop_clock(self) -> None:
        """Forget the messages of a clock."""
        self._waiting = [item for item in self._waiting if item.record is not None]

    def _at_once(self, items: Iterable[Waiting], now_seconds: float) -> list[Waiting]:
        """These, to leave now, or as soon as what their ports were handed before has left."""
        taken = []
        for item in items:
            moment = self._latest_seconds[item.output] = max(now_seconds, self._latest(item.output))
            taken.append(replace(item, moment_seconds=moment, handed_seconds=now_seconds))
        return taken

    def _latest(self, output: int) -> float:
        return self._latest_seconds.get(output, -math.inf)


def _key(item: Waiting) -> tuple[int, int, int] | None:
    """Output, channel and pitch of a note's message."""
    if messages.is_note_on(item.message) or messages.is_note_off(item.message):
        return item.output, messages.channel(item.message), item.message[1]
    return None
