"""Keeps a duet in time with a MIDI clock: its beats and bar lines fall on the clock's."""

from __future__ import annotations

from collections.abc import Callable

from antiphon.duet.duet import Duet
from antiphon.music.messages import CLOCK, CONTINUE, SONG_POSITION, START, STOP
from antiphon.sync.midi_clock import LOST_SECONDS, PULSE_TICKS, ClockFollower
from antiphon.sync.song_steering import SongSteering


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
        self._steering = SongSteering(duet)

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
            self._source, self._announced = port, None
            self._steering.let_go()
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
            self._source = None
            self._steering.let_go()
            if self._follower.running and self._wanted:
                self._announced = None
                self._report(f"the MIDI clock is gone: going on at {self._duet.timeline.bpm:.1f} bpm")
        elif self._waiting_since is not None and self._wanted and now_seconds - self._waiting_since >= LOST_SECONDS:
            self._waiting_since = None
            self._report(f"no MIDI clock yet: playing at {self._duet.timeline.bpm:.1f} bpm")

    def plan_changed(self, now_seconds: float) -> None:
        """Another preset plays from here on, with a tempo and bars of its own: both are set anew at the next pulse."""
        self._steering.let_go()
        if not self._follower.running:
            self._stop(now_seconds)

    @property
    def _wanted(self) -> bool:
        return self._duet.performer.plan.sync == "midi"

    def _stop(self, seconds: float) -> None:
        if self._wanted and self._steering.stop(seconds):
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
        if self._steering.follow(follower, seconds):
            song_ticks = follower.ticks_at(duet.timeline.seconds_at(duet.now_ticks))
            # It starts with a pulse, which may have come a little early.
            bar = (round(song_ticks) + PULSE_TICKS // 2) // duet.timeline.signature.bar_ticks + 1
            self._report(f"the clock's transport runs, from bar {bar}")
