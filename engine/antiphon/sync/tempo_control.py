"""The player's hand on the tempo: taps of the beat, and a controller that turns it.

Only what it led to is on record, as with a clock that is followed: tempo changes. A tap is a beat, so the session is
nudged until its beats fall on the taps; its musical time never runs backwards. A session that is shared with others
has its beats where they are: of it only the tempo is set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from antiphon.duet.duet import Duet
from antiphon.duet.events import TempoChanged
from antiphon.duet.plan import TempoPlan
from antiphon.music import messages
from antiphon.notes import TICKS_PER_BEAT
from antiphon.sync.tap_tempo import Tapped, TapTempo

_MOST_NUDGE: Final = 0.25
"""Largest share of the tempo by which it is nudged: half a beat is made up for in two."""
_TOLERANCE_TICKS: Final = 2
"""A beat so near to the tap is left where it is."""


class TempoControl:
    """Takes what the player taps and turns, and sets the duet's tempo. Seconds count from the start of the session."""

    def __init__(self, duet: Duet, report: Callable[[str], None]) -> None:
        """`report`: told what a person should know of."""
        self._duet = duet
        self._report = report
        self._taps = TapTempo()
        self._down: set[tuple[int, int]] = set()
        self._pressed = False
        self._nudged: TempoChanged | None = None

    # ---- what comes in -------------------------------------------------------------------------------------------

    def takes(self, message: bytes) -> bool:
        """Whether the message is for the tempo, and nobody else is to hear it."""
        if message[0] >= 0xF0:
            return False
        kind, key = messages.kind(message), (messages.channel(message), message[1])
        if kind in (messages.NOTE_ON, messages.NOTE_OFF):
            # A key that went down as music comes up as music, whatever preset was chosen meanwhile.
            return key in self._down or (messages.is_note_on(message) and message[1] == self._plan.tap_note)
        return kind == messages.CONTROL_CHANGE and message[1] in (self._plan.tap_cc, self._plan.cc)

    def hear(self, message: bytes, seconds: float) -> None:
        """A message that it `takes` arrived at `seconds`."""
        key = (messages.channel(message), message[1])
        if messages.is_note_on(message):
            self._down.add(key)
            self.tap(seconds)
        elif messages.is_note_off(message):
            self._down.discard(key)
        elif message[1] == self._plan.cc:
            self._turn(message[2], seconds)
        else:
            pressed = message[2] >= 64
            if pressed and not self._pressed:
                self.tap(seconds)
            self._pressed = pressed

    def tap(self, seconds: float) -> None:
        """The beat was tapped at `seconds`."""
        duet = self._duet
        if duet.performer.plan.sync == "midi":
            self._report("a tap has no effect: the tempo is the MIDI clock's")
            return
        self.advance(seconds)
        tapped = self._taps.tap(seconds, duet.timeline.signature.felt_beat_ticks)
        if tapped is not None:
            self._steer(tapped, seconds)

    def plan_changed(self) -> None:
        """Another preset plays from here on, with a tempo of its own."""
        self._taps.forget()
        self._nudged = None
        self._pressed = False

    # ---- time ----------------------------------------------------------------------------------------------------

    def next_ticks(self) -> int | None:
        """When a nudge is over; None if there is none."""
        return None if self._nudged is None else self._nudged.ticks

    def advance(self, seconds: float) -> None:
        """End a nudge that is over by `seconds`. Call it before the duet is told of anything later."""
        over = self._nudged
        if over is not None and self._duet.timeline.seconds_at(over.ticks) <= seconds:
            self._nudged = None
            performer = self._duet.performer
            self._duet.advance(over.ticks)
            if self._duet.performer is performer:  # A plan that has taken over meanwhile has a tempo of its own.
                self._duet.change(over)

    # ---- acting --------------------------------------------------------------------------------------------------

    @property
    def _plan(self) -> TempoPlan:
        """The keys and knobs there are: none, while the tempo is another's."""
        plan = self._duet.performer.plan
        return TempoPlan() if plan.sync == "midi" else plan.tempo_control

    def _turn(self, value: int, seconds: float) -> None:
        low, high = self._plan.low_bpm, self._plan.high_bpm
        self._taps.forget()
        self._nudged = None
        self._set(self._ticks_at(seconds), round(low + (high - low) * value / 127, 1))

    def _steer(self, tapped: Tapped, seconds: float) -> None:
        """Take on the tempo, by way of one with which the nearest beat comes to fall on the taps."""
        timeline = self._duet.timeline
        ticks, beat_ticks = self._ticks_at(seconds), timeline.signature.felt_beat_ticks
        since_beat = (timeline.seconds_at(ticks) - tapped.beat_seconds) * tapped.bpm * TICKS_PER_BEAT / 60
        gain = (since_beat - ticks + beat_ticks / 2) % beat_ticks - beat_ticks / 2
        self._nudged = None
        if abs(gain) <= _TOLERANCE_TICKS or self._duet.performer.plan.sync != "internal":
            self._set(ticks, tapped.bpm)
            return
        nudge = max(-_MOST_NUDGE, min(_MOST_NUDGE, gain / beat_ticks))
        self._set(ticks, tapped.bpm * (1 + nudge), towards_bpm=tapped.bpm)
        self._nudged = TempoChanged(ticks + round(gain / nudge * (1 + nudge)), tapped.bpm)

    def _ticks_at(self, seconds: float) -> int:
        return max(self._duet.now_ticks, self._duet.ticks_at(seconds))

    def _set(self, ticks: int, bpm: float, towards_bpm: float | None = None) -> None:
        if bpm != self._duet.timeline.bpm:
            self._duet.change(TempoChanged(ticks, bpm, towards_bpm))
