"""Several ways to the same end, timed turn about, so that whatever slows the machine slows them all. It compares only.

What a way takes when it has been at it: the first go of every turn finds cold caches, and is not counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Contestant:
    """One of the ways."""

    name: str
    go: Callable[[], object]
    """Do it once."""
    share: float = 1.0
    """How often it goes in a turn, beside one of share 1: less for what takes long."""


class Times:
    """Seconds that each contestant took, turn by turn."""

    def __init__(self, seconds: dict[str, list[list[float]]]) -> None:
        """`seconds`: of each contestant, of each of its turns."""
        self._seconds = seconds

    def of(self, name: str) -> list[float]:
        """All of them."""
        return [seconds for turn in self._seconds[name] for seconds in turn]

    def ratios(self, name: str, other: str) -> list[float]:
        """How many times as long as `other` it took: of each turn, between medians."""
        turns = zip(self._seconds[name], self._seconds[other], strict=True)
        return [median(own) / median(others) for own, others in turns]


def take_turns(contestants: Sequence[Contestant], turns: int, goes: int) -> Times:
    """Let each go `goes` times in a row, by its share, and all of that `turns` times."""
    seconds: dict[str, list[list[float]]] = {contestant.name: [] for contestant in contestants}
    for _ in range(turns):
        for contestant in contestants:
            contestant.go()
            seconds[contestant.name].append(
                [_timed(contestant.go) for _ in range(max(1, round(goes * contestant.share)))]
            )
    return Times(seconds)


def _timed(go: Callable[[], object]) -> float:
    before = time.perf_counter()
    go()
    return time.perf_counter() - before
