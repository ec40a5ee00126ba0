"""The click: which beats sound, and how. It has no clock, and sends nothing itself.

A click is a note of the schedule like any other, so that it ends as all notes do and a session played again has it.
It falls on the beats that one taps one's foot to (`TimeSignature.felt_beat_ticks`), higher on the first of a bar.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from antiphon.duet.plan import MetronomePlan
from antiphon.music.timing import TimeSignature, next_multiple
from antiphon.notes import Note

_CLICK_TICKS: Final = 60
"""Length of a click: half of the shortest beat there is."""


class Metronome:
    """The clicks of one plan. Whoever drives it asks for `due` at every `next_ticks` in turn."""

    def __init__(
        self,
        plan: MetronomePlan,
        signature: TimeSignature,
        now_ticks: int = 0,
        *,
        waits: bool = False,
        held: bool = False,
    ) -> None:
        """Click from `now_ticks` on, if the plan says so.

        `waits`: not before the count-in that is to come. `held`: whether the transport is stopped.
        """
        self._plan = plan
        self._signature = signature
        self._held = held
        self._next_ticks: int | None = None
        self._until_ticks: int | None = None
        self.music_ticks: int | None = None
        """Where the count-in ends and the music begins; None before there was one."""
        self.switch(plan.on and not waits, now_ticks)

    @property
    def on(self) -> bool:
        """Whether it clicks, be it to count in."""
        return self._next_ticks is not None

    def switch(self, on: bool, now_ticks: int) -> None:
        """Click from the next beat on, or no more."""
        self._until_ticks = None
        self._next_ticks = next_multiple(now_ticks, self._signature.felt_beat_ticks) if on else None

    def count_in(self, now_ticks: int) -> None:
        """Count the plan's bars from the next bar line on, and click on after them if the plan says so."""
        begin = next_multiple(now_ticks, self._signature.bar_ticks)
        self.music_ticks = begin + self._plan.count_in_bars * self._signature.bar_ticks
        self._until_ticks = None if self._plan.on else self.music_ticks
        self._click_at(begin)

    def hold(self, held: bool, now_ticks: int) -> None:
        """While `held`, as the transport is stopped, it is silent."""
        self._held = held
        self.skip_to(now_ticks)

    def skip_to(self, ticks: int) -> None:
        """Musical time goes on at `ticks`, in no time: what lies before is not clicked."""
        if self._next_ticks is not None:
            self._click_at(max(self._next_ticks, next_multiple(ticks, self._signature.felt_beat_ticks)))

    def next_ticks(self) -> int | None:
        """When the next click is due; None if none is to come."""
        return None if self._held else self._next_ticks

    def due(self, now_ticks: int) -> Iterator[Note]:
        """The clicks whose tick has come, in order."""
        while (ticks := self.next_ticks()) is not None and ticks <= now_ticks:
            accent = ticks % self._signature.bar_ticks == 0
            pitch = self._plan.accent_note if accent else self._plan.note
            yield Note(ticks, pitch, _CLICK_TICKS, self._plan.velocity)
            self._click_at(ticks + self._signature.felt_beat_ticks)

    def _click_at(self, ticks: int) -> None:
        """The next click is at `ticks`, unless the count-in is over by then, and with it the clicks."""
        over = self._until_ticks is not None and ticks >= self._until_ticks
        self._next_ticks = None if over else ticks
