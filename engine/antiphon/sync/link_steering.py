"""Keeps a duet in time with an Ableton Link session: tempo, place in the bar, start and stop.

In a session with others, the duet follows, and a tempo that its player sets is passed on to all. Alone, it leads: so
whoever comes later finds its tempo and its bar lines.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from antiphon.duet.duet import Duet
from antiphon.duet.events import TempoChanged
from antiphon.notes import TICKS_PER_BEAT
from antiphon.sync.link_session import LinkReading, LinkSession
from antiphon.sync.song_steering import SongSteering

LOOK_SECONDS: Final = 0.05
"""How often the session is looked at."""
ALONE_SECONDS: Final = 3.0
"""Who has found nobody for so long is alone."""

_MOVED_BEATS: Final = 0.05
"""Who is so much further, or less far, than any tempo since the last look explains, was put there."""
_SAME_TEMPO: Final = 1e-5
"""Tempi that differ by this share are one: a session rounds them to microseconds a beat."""
_SAME_PLACE_SECONDS: Final = 0.0005
"""And so are places, where the duet leads."""


@dataclass(frozen=True, slots=True)
class _Song:
    """A reading, as something to steer towards."""

    reading: LinkReading
    running: bool
    moved: bool
    placed: bool = True
    spread_seconds: float = 0.0

    @property
    def bpm(self) -> float:
        return self.reading.bpm

    def ticks_at(self, seconds: float) -> float:
        return TICKS_PER_BEAT * (self.reading.beats + (seconds - self.reading.seconds) * self.bpm / 60)


class LinkSteering:
    """Looks at a session, and steers the duet. Seconds count from the start of the performance."""

    def __init__(self, duet: Duet, session: LinkSession, report: Callable[[str], None], now_seconds: float) -> None:
        """`session`: joined while the duet's plan wants it. `report`: told what a person should know of."""
        self._duet = duet
        self._session = session
        self._report = report
        self._steering = SongSteering(duet, has_beginning=False)
        self._next_seconds = math.inf
        # What was stopped before the engine was replaced is stopped until somebody starts it.
        self._running = not duet.stopped
        self._told: tuple[bool, int] | None = None
        self._last: LinkReading | None = None
        self._waiting_since: float | None = None
        self.plan_changed(now_seconds)

    @property
    def next_seconds(self) -> float:
        """When to look again; infinity while the plan wants no session."""
        # The sooner the others have the player's tempo, the less far they are from here.
        return 0.0 if self._steering.led_elsewhere else self._next_seconds

    def plan_changed(self, now_seconds: float) -> None:
        """Another preset plays from here on: in a session with others their tempo goes on, else it has its own."""
        self._steering.let_go()
        wanted = self._duet.performer.plan.sync == "link"
        if wanted and not self._session.joined:
            reading = self._session.read(self._round_beats)
            self._lead(reading)
            self._session.join()
            self._told, self._last, self._waiting_since = reading.said, None, now_seconds
        elif not wanted and self._session.joined:
            self._session.leave()
            self._running = True
        self._next_seconds = now_seconds if wanted else math.inf

    def look(self, now_seconds: float) -> None:
        """Call it at `next_seconds`; earlier, it does nothing."""
        if now_seconds < self.next_seconds:
            return
        self._next_seconds = now_seconds + LOOK_SECONDS
        reading = self._session.read(self._round_beats)
        if reading.peers:
            self._follow(reading)
        else:
            self._play_alone(reading)
        self._last = reading

    def close(self) -> None:
        """Leave the session."""
        self._session.leave()

    @property
    def _round_beats(self) -> float:
        """A bar in quarter notes, or so many bars that all turns begin together: all who count like us agree on it."""
        duet = self._duet
        return duet.performer.plan.round_bars * duet.timeline.signature.bar_ticks / TICKS_PER_BEAT

    @property
    def _had_peers(self) -> bool:
        return self._last is not None and self._last.peers > 0

    # ---- with others ---------------------------------------------------------------------------------------------

    def _follow(self, reading: LinkReading) -> None:
        met = not self._had_peers
        if met:
            self._steering.let_go()
            self._waiting_since = None
            others = "another program" if reading.peers == 1 else f"{reading.peers} other programs"
            self._report(f"Ableton Link: in time with {others} at {reading.bpm:.1f} bpm")
        if self._steering.led_elsewhere:
            self._session.set_tempo(self._duet.timeline.bpm)
            reading = self._session.read(self._round_beats)
        self._listen(reading)
        if not self._running and self._steering.stop(reading.seconds):
            self._report("Ableton Link: the transport is stopped; no answers until it starts")
        song = _Song(reading, self._running, moved=not met and self._was_moved(reading))
        if self._steering.follow(song, reading.seconds):
            self._report("Ableton Link: the transport runs")

    def _listen(self, reading: LinkReading) -> None:
        """Whether the transport runs: it does until somebody stops it, for it may be that nobody ever starts it."""
        if reading.said == self._told:
            return
        if reading.playing_from > reading.seconds:
            self._next_seconds = min(self._next_seconds, reading.playing_from)
            return
        self._told, self._running = reading.said, reading.playing

    def _was_moved(self, reading: LinkReading) -> bool:
        last = self._last
        assert last is not None, "they have met"
        minutes = (reading.seconds - last.seconds) / 60
        low, high = sorted((minutes * last.bpm, minutes * reading.bpm))
        return not low - _MOVED_BEATS <= reading.beats - last.beats <= high + _MOVED_BEATS

    # ---- alone ---------------------------------------------------------------------------------------------------

    def _play_alone(self, reading: LinkReading) -> None:
        duet = self._duet
        if self._had_peers:
            self._told, self._waiting_since = reading.said, reading.seconds
            if not self._steering.led_elsewhere and reading.bpm != duet.timeline.bpm:
                # It was on its way to the others' bar line.
                duet.change(TempoChanged(duet.timeline.ticks_at(reading.seconds), reading.bpm))
            self._steering.let_go()
        if self._waiting_since is not None and reading.seconds - self._waiting_since >= ALONE_SECONDS:
            self._waiting_since, self._running = None, True
            self._steering.start(reading.seconds)
            self._report(f"Ableton Link: nobody else is there; playing at {duet.timeline.bpm:.1f} bpm")
        self._lead(reading)

    def _lead(self, reading: LinkReading) -> None:
        """Put a session that nobody else is in to where the duet is."""
        timeline, seconds = self._duet.timeline, reading.seconds
        now_ticks, ticks_per_second = timeline.ticks_at(seconds), timeline.bpm * TICKS_PER_BEAT / 60
        beats = (now_ticks + (seconds - timeline.seconds_at(now_ticks)) * ticks_per_second) / TICKS_PER_BEAT
        round_beats = self._round_beats
        off_beats = (reading.beats - beats + round_beats / 2) % round_beats - round_beats / 2
        off_seconds = abs(off_beats) * 60 / timeline.bpm
        if off_seconds > _SAME_PLACE_SECONDS or abs(reading.bpm / timeline.bpm - 1) > _SAME_TEMPO:
            self._session.lead(timeline.bpm, beats, seconds, round_beats)
