"""Where a file's time signatures go, so that its bar lines are the session's. It counts no bars itself.

A session's bar lines are multiples of its bar from tick 0, whenever its time signature is changed. A file counts bars
from where a signature stands, which must be a bar line. So a change takes effect at the first line of the new bars, and
if no line of the old ones falls there, the bar before it gets a signature of its own, as short as it is.
"""

from __future__ import annotations

from antiphon.music.timing import TimeSignature, next_multiple
from antiphon.notes import TICKS_PER_BEAT

_UNITS = (4, 8, 16, 32, 64)


class BarLines:
    """Collects changes of time signature, in order of time."""

    def __init__(self, signature: TimeSignature) -> None:
        """`signature`: from tick 0 on."""
        self._grids = [(0, signature)]

    def change(self, ticks: int, signature: TimeSignature) -> None:
        """From `ticks` on, bar lines are multiples of the bar of `signature`."""
        while len(self._grids) > 1 and self._grids[-1][0] >= ticks:
            self._grids.pop()  # It was replaced before its first bar line.
        since, present = self._grids[-1]
        line = next_multiple(ticks, signature.bar_ticks)
        if signature != present or (line - since) % present.bar_ticks:
            self._grids = [grid for grid in self._grids if grid[0] < line]
            self._grids.append((line, signature))

    @property
    def signatures(self) -> tuple[tuple[int, TimeSignature], ...]:
        """(tick, signature) for a file: each at a bar line that follows from those before it."""
        found: dict[int, TimeSignature] = {}
        for index, (since, signature) in enumerate(self._grids):
            found[since] = signature
            if index + 1 < len(self._grids):
                left_over = (self._grids[index + 1][0] - since) % signature.bar_ticks
                if left_over:
                    found[self._grids[index + 1][0] - left_over] = _of_length(left_over)
        entries = list(found.items())
        return tuple(entry for index, entry in enumerate(entries) if not index or entry[1] != entries[index - 1][1])


def _of_length(ticks: int) -> TimeSignature:
    """The signature of a bar of so many ticks, in the longest note values that fit."""
    unit = next((unit for unit in _UNITS if ticks % (4 * TICKS_PER_BEAT // unit) == 0), _UNITS[-1])
    return TimeSignature(ticks * unit // (4 * TICKS_PER_BEAT), unit)
