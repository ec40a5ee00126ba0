"""The bars of a score, counted through its changes of metre."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from antiphon.music.timing import TimeSignature


class MetreMap:
    """Bars count from 0, at tick 0; where a signature does not stand on a bar line, the bar before it is short."""

    def __init__(self, signatures: Iterable[tuple[int, TimeSignature]]) -> None:
        """`signatures`: (tick, metre), in order of time; 4/4 until the first."""
        self._sections: list[tuple[int, int, TimeSignature]] = [(0, 0, TimeSignature())]
        for ticks, signature in signatures:
            if ticks > self._sections[-1][0]:
                self._sections.append((ticks, self._bars_before(ticks), signature))
            else:
                self._sections[-1] = (*self._sections[-1][:2], signature)

    def bar_at(self, ticks: int) -> int:
        """The bar in which `ticks` lies."""
        since, first_bar, signature = self._sections[bisect_right(self._sections, ticks, key=lambda s: s[0]) - 1]
        return first_bar + (ticks - since) // signature.bar_ticks

    def start_of(self, bar: int) -> int:
        """The tick at which `bar` begins."""
        since, first_bar, signature = self._section_of(bar)
        return since + (bar - first_bar) * signature.bar_ticks

    def beats_of(self, bar: int) -> range:
        """The ticks of the beats of `bar`."""
        return range(self.start_of(bar), self.start_of(bar + 1), self._section_of(bar)[2].beat_ticks)

    def _section_of(self, bar: int) -> tuple[int, int, TimeSignature]:
        return self._sections[bisect_right(self._sections, bar, key=lambda s: s[1]) - 1]

    def _bars_before(self, ticks: int) -> int:
        """How many bars have begun before `ticks`, which lies in the last section so far."""
        since, first_bar, signature = self._sections[-1]
        return first_bar - (since - ticks) // signature.bar_ticks
