"""Keeps a duet in time with a MIDI clock: its beats and bar lines fall on the clock's. It hears no notes.

The session's musical time never runs backwards, and nothing of the clock is on record but what it led to: tempo
changes that let a difference vanish within a beat, skips to the place in the bar that the song is at, starts and stops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from antiphon.clock_follower import LOST_SECONDS, PULSE_TICKS, ClockFollower
from antiphon.duet import Duet, Skipped, TempoChanged, TransportStarted, TransportStopped
from antiphon.notes import TICKS_PER_BEAT

SONG_POSITION: Final = 0xF2
CLOCK: Final = 0xF8
START: Final = 0xFA
CONTINUE: Final = 0xFB
STOP: Final = 0xFC
CLOCK_MESSAGES: Final = frozenset((SONG_POSITION, CLOCK, START, CONTINUE, STOP))
"""Status bytes of what a clock sends (MIDI 1.0, system common and real-time messages)."""

_TOLERANCE_SECONDS: Final = 0.0006
"""Difference, a beat from now, that is left alone."""
_AT_ONCE_SECONDS: Final = 0.004
"""One that is not left alone until the next sixteenth, and vanishes in half a beat."""
_STEERING_PULSES: Final = 6
_MOST_NUDGE: Final = 0.25
"""Largest share of the tempo by which it is nudged."""
_ON_THE_SPOT_TICKS: Final = 2 * PULSE_TICKS
"""A song put to a place this near to where the bar is anyway, as by a loop of whole bars, is nudged there."""


class ClockSteering:
    """Takes what a clock sends, and steers the duet. Seconds count from the start of the session."""

    def __init__(self, duet: Duet, report: Callable[[str], None], now_seconds: float) -> None:
        """`report`: told what a person should know of. `now_seconds`: from when on a clock is waited for."""
        self._duet = duet
        self._report = report
        self._waiting_since: float | None = now_seconds
        self._source: str | None = None
        self._announced: str | None = None
        self._follower = ClockFollower(duet.timeline.bpm, running=not duet.stopped)
        self._offset_ticks: int | None = None
        self._pulses = 0

    @property
    def source(self) -> str | None:
        """The input whose clock is followed; None as long as there is none, or it is gone."""
        return self._source

    def hear(self, port: str, message: bytes, seconds: float) -> None:
        """One of `CLOCK_MESSAGES` arrived at `port`.

        Of several clocks, the first is followed until it is gone; but one that never says where its song is, as many
        keyboards send it, gives way to one that does.
        """
        status = message[0]
        if self._source not in (None, port):
            if status in (CLOCK, STOP) or self._follower.placed:
                return
            self._follower = ClockFollower(self._duet.timeline.bpm, running=not self._duet.stopped)
            self._source, self._offset_ticks, self._announced = port, None, None
        follower = self._follower
        if status == CLOCK:
            self._pulse(port, seconds)
        elif status == START:
            follower.start()
        elif status == CONTINUE:
            follower.resume()
        elif status == SONG_POSITION:
            follower.locate(message[1] + 128 * message[2])
        else:
            follower.stop()
            self._stop(seconds)

    def look(self, now_seconds: float) -> None:
        """Call it now and then: notices a clock that does not come, or sends no more."""
        last = self._follower.last_seconds
        if self._source is not None and last is not None and now_seconds - last >= LOST_SECONDS:
            self._source, self._offset_ticks = None, None
            if self._follower.running and self._wanted:
                self._announced = None
                self._report(f"the MIDI clock is gone: going on at {self._duet.timeline.bpm:.1f} bpm")
        elif self._waiting_since is not None and self._wanted and now_seconds - self._waiting_since >= LOST_SECONDS:
            self._waiting_since = None
            self._report(f"no MIDI clock yet: playing at {self._duet.timeline.bpm:.1f} bpm")

    def plan_changed(self, now_seconds: float) -> None:
        """Another preset plays from here on, with a tempo and bars of its own: both are set anew at the next pulse."""
        self._offset_ticks = None
        if not self._follower.running:
            self._stop(now_seconds)

    @property
    def _wanted(self) -> bool:
        return self._duet.performer.plan.sync == "midi"

    def _stop(self, seconds: float) -> None:
        if self._wanted and not self._duet.stopped:
            self._duet.change(TransportStopped(self._duet.timeline.ticks_at(seconds)))
            self._report("the clock's transport is stopped: no answers until it starts")

    def _pulse(self, port: str, seconds: float) -> None:
        follower, duet = self._follower, self._duet
        follower.pulse(seconds)
        self._source, self._waiting_since = port, None
        if not self._wanted or not (follower.settled or follower.moved):
            return
        if self._announced != port and follower.sure:
            self._announced = port
            self._report(f"following the MIDI clock of {port} at {follower.bpm:.1f} bpm")
        duet.advance(duet.timeline.ticks_at(seconds))
        now_ticks = duet.now_ticks
        song_ticks = follower.ticks_at(duet.timeline.seconds_at(now_ticks))
        if not follower.running:
            self._offset_ticks = None
            self._steer(0.0)
            return
        if follower.moved or self._offset_ticks is None:
            now_ticks = self._align(song_ticks)
        if duet.stopped:
            duet.change(TransportStarted(now_ticks))
            self._report(f"the clock's transport runs, from bar {self._song_bar(song_ticks)}")
        assert self._offset_ticks is not None
        self._steer(song_ticks + self._offset_ticks - now_ticks)

    def _align(self, song_ticks: float) -> int:
        """Bring the session to the place in the bar that the song is at; the tick at which it then is."""
        duet, now_ticks = self._duet, self._duet.now_ticks
        self._pulses = 0
        if not self._follower.placed:
            # Nobody knows which pulse begins a bar: the bars stay where they are.
            self._offset_ticks = round((now_ticks - song_ticks) / PULSE_TICKS) * PULSE_TICKS
            return now_ticks
        bar_ticks = duet.timeline.signature.bar_ticks
        ahead = round(song_ticks - now_ticks) % bar_ticks
        behind = bar_ticks - ahead
        if not duet.stopped and min(ahead, behind) <= _ON_THE_SPOT_TICKS:
            self._offset_ticks = now_ticks - round(song_ticks) + (ahead if ahead < behind else -behind)
            return now_ticks
        if ahead:
            duet.change(Skipped(now_ticks, now_ticks + ahead))
        self._offset_ticks = duet.now_ticks - round(song_ticks)
        return duet.now_ticks

    def _steer(self, off_ticks: float) -> None:
        """Set the tempo so that a difference of `off_ticks` vanishes within a beat, unless it does anyway."""
        clock, present = self._follower.bpm, self._duet.timeline.bpm
        left_seconds = abs(off_ticks / TICKS_PER_BEAT + 1 - present / clock) * 60 / clock
        self._pulses = max(0, self._pulses - 1)
        if left_seconds <= _TOLERANCE_SECONDS or (self._pulses and left_seconds < _AT_ONCE_SECONDS):
            return
        within = TICKS_PER_BEAT / 2 if left_seconds >= _AT_ONCE_SECONDS else TICKS_PER_BEAT
        nudge = max(-_MOST_NUDGE, min(_MOST_NUDGE, off_ticks / within))
        self._duet.change(TempoChanged(self._duet.now_ticks, clock * (1 + nudge)))
        self._pulses = _STEERING_PULSES

    def _song_bar(self, song_ticks: float) -> int:
        return round(song_ticks) // self._duet.timeline.signature.bar_ticks + 1
