"""What a player is asked, with what has become stale left out; and when it is handed over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from antiphon.duet.commands import Extend, Prime
from antiphon.notes import Note

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
    kept: list[Prime | Extend] = []
    for command in reversed(commands):
        following = kept[-1] if kept else None
        if isinstance(command, Prime) and isinstance(following, Prime) and command.epoch != latest:
            kept[-1] = _merged(command, following)
        elif isinstance(command, Prime) or command.epoch == latest:
            kept.append(command)
    return kept[::-1]


def _merged(first: Prime, then: Prime) -> Prime:
    """`first` and `then` in one."""
    if then.keep <= first.keep:
        return then
    told: tuple[Note, ...] = first.notes[: then.keep - first.keep] + then.notes
    return replace(then, keep=first.keep, notes=told)
