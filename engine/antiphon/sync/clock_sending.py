"""The MIDI clock that is sent: 24 pulses a beat, start at a bar line, stop, song position.

Its pulses are not on record: they follow from the session's musical time, like the bars.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from antiphon.music.messages import CLOCK, CONTINUE, SONG_POSITION, START, STOP
from antiphon.music.timing import TimeSignature, next_multiple
from antiphon.sync.midi_clock import PULSE_TICKS, PULSES_PER_STEP

_STEP_TICKS: Final = PULSES_PER_STEP * PULSE_TICKS
_AHEAD_TICKS: Final = PULSE_TICKS // 2
"""Transport is told so long before the pulse at which it counts: who is told needs a moment to get ready."""
_POSITIONS: Final = 1 << 14
"""Song positions have 14 bits; what lies beyond is counted from the beginning again."""


class ClockOut:
    """The clock of one session: what is due, tick by tick."""

    def __init__(self) -> None:
        self._next_ticks: int | None = None
        self._transport: list[tuple[int, bytes]] = []
        self._started_ticks: int | None = None

    @property
    def started_ticks(self) -> int | None:
        """Where the song began; None before it has."""
        return self._started_ticks

    def start(
        self, now_ticks: int, signature: TimeSignature, started_ticks: int | None = None, *, waits: bool = False
    ) -> None:
        """Send pulses from now on, and let the song begin at the next bar line.

        `started_ticks`: where it began already; then it is not begun anew, but stopped and put to that bar line.
        `waits`: pulses alone; the song begins where `begin_song` says.
        """
        self._next_ticks = next_multiple(now_ticks, PULSE_TICKS)
        if waits and started_ticks is None:
            return
        begin = next_multiple(now_ticks + _AHEAD_TICKS, signature.bar_ticks)
        if started_ticks is None or started_ticks >= begin:
            self.begin_song(begin)
            return
        self._started_ticks = started_ticks
        position = (begin - started_ticks) // _STEP_TICKS % _POSITIONS
        located = bytes((SONG_POSITION, position & 0x7F, position >> 7))
        # Whoever listens has missed some pulses.
        self._transport = [(now_ticks, bytes((STOP,)))]
        self._transport += [(begin - _AHEAD_TICKS, message) for message in (located, bytes((CONTINUE,)))]

    def begin_song(self, ticks: int) -> None:
        """Let the song begin at `ticks`, a bar line to come; nothing happens while no clock is sent."""
        if self._next_ticks is not None:
            self._started_ticks = ticks
            self._transport = [(ticks - _AHEAD_TICKS, bytes((START,)))]

    def stop(self) -> Iterator[bytes]:
        """Send no more; what there is to say about it."""
        if self._next_ticks is not None:
            self._next_ticks, self._transport = None, []
            yield bytes((STOP,))

    def next_ticks(self) -> int | None:
        """When the next message is due; None when nothing is sent."""
        if self._next_ticks is None or not self._transport:
            return self._next_ticks
        return min(self._next_ticks, self._transport[0][0])

    def due(self, now_ticks: int) -> Iterator[tuple[int, bytes]]:
        """The messages whose tick has come, in order, each with its tick."""
        while (ticks := self.next_ticks()) is not None and ticks <= now_ticks:
            if self._transport and self._transport[0][0] == ticks:
                yield self._transport.pop(0)
            else:
                yield ticks, bytes((CLOCK,))
                self._next_ticks = ticks + PULSE_TICKS
