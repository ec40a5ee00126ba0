"""What a player is asked, with what has become stale left out; and when it is handed over."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from antiphon.duet.commands import Extend, Prime

_REST_SECONDS = 0.002
"""Shortest time between two hand-overs: each lets other threads in, and what follows closely may as well wait."""
_NOTE_SECONDS = 0.00001
"""What it takes to pack a note for a player, and to take it out again."""
_LONGEST_SECONDS = 0.5
"""As long as more and more is to be heard, it is handed over no more often than this."""


class Gathering:
    """Tells when to hand over what was gathered: at once, but in a flood of messages when there is time for it."""

    def __init__(self) -> None:
        self._handed_seconds = self._rested_seconds = -math.inf
        self._put_off = False

    def is_due(self, now_seconds: float, *, waiting: bool) -> bool:
        """Whether to hand over now. `waiting`: whether there is more to be heard already."""
        since = self._handed_seconds + _LONGEST_SECONDS if waiting else self._rested_seconds
        self._put_off = now_seconds < since
        return not self._put_off

    def handed_over(self, now_seconds: float, notes: int) -> None:
        """So many notes were handed over to players."""
        self._handed_seconds = now_seconds
        self._rested_seconds = now_seconds + max(_REST_SECONDS, notes * _NOTE_SECONDS)

    def next_seconds(self) -> float:
        """When to hand over what was put off, if nothing more is heard; infinity if nothing was."""
        return self._rested_seconds if self._put_off else math.inf


def without_stale(commands: Sequence[Prime | Extend]) -> list[Prime | Extend]:
    """The commands for one player that leave it, and make it answer, as all of them would.

    Only in the latest epoch does it listen and compose: a prime of an earlier one becomes one with the next.
    """
    latest = max((command.epoch for command in commands), default=0)
    current = [command for command in commands if command.epoch == latest]
    stale = [command for command in commands if command.epoch != latest and isinstance(command, Prime)]
    if not stale:
        return current
    if current and isinstance(current[0], Prime):
        return [_merged([*stale, current[0]]), *current[1:]]
    return [_merged(stale), *current]


def _merged(primes: Sequence[Prime]) -> Prime:
    """These, one after the other, in one."""
    last = primes[-1]
    keep, notes = last.keep, deque(last.notes)
    for prime in reversed(primes[:-1]):
        if prime.keep < keep:
            notes.extendleft(reversed(prime.notes[: keep - prime.keep]))
            keep = prime.keep
    return replace(last, keep=keep, notes=tuple(notes))
