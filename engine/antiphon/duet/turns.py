"""Whose turn it is where turns are of fixed length: so many bars each, exactly on the bar."""

from __future__ import annotations

from antiphon.music.timing import TimeSignature


class Turns:
    """Turns of the player and of a voice, one after the other, counted in session ticks."""

    def __init__(self, call_bars: int, answer_bars: int, signature: TimeSignature, *, anchored: bool) -> None:
        """`anchored`: the first turn begins where the song does, at tick 0, and every other follows, played or not.

        Otherwise it begins with the bar of the player's first note, and anew when a turn of theirs passed in silence.
        """
        self.anchored = anchored
        self.call_ticks = call_bars * signature.bar_ticks
        self.answer_ticks = answer_bars * signature.bar_ticks
        self._bar_ticks = signature.bar_ticks
        # A first note a little ahead of the bar line belongs to the bar that it leads into.
        self._early_ticks = signature.beat_ticks // 4
        self._begin_ticks = 0
        self._last_call_ticks: int | None = None

    def handover_at(self, now_ticks: int) -> int:
        """Where the call that begins at `now_ticks` is handed over; that is later than `now_ticks`."""
        period_ticks, ticks = self.call_ticks + self.answer_ticks, now_ticks + self._early_ticks
        last = self._last_call_ticks
        if not self.anchored and (last is None or ticks >= last + period_ticks + self.call_ticks):
            self._begin_ticks = ticks // self._bar_ticks * self._bar_ticks
        turn, into_ticks = divmod(ticks - self._begin_ticks, period_ticks)
        if into_ticks >= self.call_ticks:
            turn += 1  # It is the voice's turn: what is played now leads into the next call.
        self._last_call_ticks = self._begin_ticks + turn * period_ticks
        return self._last_call_ticks + self.call_ticks
