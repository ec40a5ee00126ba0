"""Brings a duet to the place in the bar that a song elsewhere is at, and keeps it there. It hears no clock.

The session's musical time never runs backwards, and nothing of the song is on record but what it led to: tempo
changes that let a difference vanish within a beat, skips to the place in the bar that the song is at, starts and stops.
"""

from __future__ import annotations

from typing import Final, Protocol

from antiphon.clock_follower import PULSE_TICKS
from antiphon.duet import Duet, Located, Skipped, TempoChanged, TransportStarted, TransportStopped
from antiphon.notes import TICKS_PER_BEAT

_TOLERANCE_SECONDS: Final = 0.0006
"""Difference, a beat from now, that is left alone."""
_AT_ONCE_SECONDS: Final = 0.004
"""One that is not left alone until the next sixteenth, and vanishes in half a beat."""
_STEERING_TICKS: Final = 5 * PULSE_TICKS + PULSE_TICKS // 2
"""Other differences are steered against at every sixth pulse, also when that comes early."""
_MOST_NUDGE: Final = 0.25
"""Largest share of the tempo by which it is nudged."""
_ELSEWHERE_TICKS: Final = 0.5
"""A song that is so much nearer to the session, or further, than is on record, is put on record again."""
_ON_THE_SPOT_TICKS: Final = 2 * PULSE_TICKS
"""A song put to a place this near to where the bar is anyway, as by a loop of whole bars, is nudged there."""


class Song(Protocol):
    """What is followed. Seconds count from the start of the session."""

    @property
    def bpm(self) -> float:
        """Quarter notes a minute."""
        ...

    @property
    def running(self) -> bool:
        """Whether its transport runs."""
        ...

    @property
    def placed(self) -> bool:
        """Whether it is known where its bars begin; if so, at multiples of a bar's ticks."""
        ...

    @property
    def moved(self) -> bool:
        """Whether its place was set anew since it was looked at last, rather than reached."""
        ...

    def ticks_at(self, seconds: float) -> float:
        """The place in it, 480 ticks a quarter note."""
        ...


class SongSteering:
    """Steers one duet."""

    def __init__(self, duet: Duet, *, has_beginning: bool = True) -> None:
        """`has_beginning`: whether the song's ticks count from there; else only its place in the bar means anything."""
        self._duet = duet
        self._has_beginning = has_beginning
        self._bpm: float | None = None
        self._offset_ticks: int | None = None
        self._settled_ticks = 0
        """Until here small differences are left alone."""
        self._nudge = 0.0
        """Share of the song's tempo by which the duet's is another, to let a difference vanish."""
        self._ahead_ticks: float | None = None
        """How far the song is ahead of the session, as is on record."""

    @property
    def led_elsewhere(self) -> bool:
        """Whether somebody else has changed the duet's tempo since it was steered last."""
        return self._bpm is not None and self._bpm != self._duet.timeline.bpm

    def let_go(self) -> None:
        """Another song, or another plan with a tempo and bars of its own: both are set anew when it is steered next."""
        self._offset_ticks = self._bpm = None

    def stop(self, seconds: float) -> bool:
        """The song's transport is stopped; whether it ran until now."""
        if self._duet.stopped:
            return False
        self._duet.change(TransportStopped(self._duet.timeline.ticks_at(seconds)))
        return True

    def start(self, seconds: float) -> bool:
        """The transport runs, although there is no song any more; whether it was stopped until now."""
        if not self._duet.stopped:
            return False
        self._duet.change(TransportStarted(self._duet.timeline.ticks_at(seconds)))
        return True

    def follow(self, song: Song, seconds: float) -> bool:
        """Steer towards `song`, now; whether its transport has started just now."""
        duet, performer = self._duet, self._duet.performer
        duet.advance(duet.ticks_at(seconds))
        if duet.performer is not performer:
            return False  # Another plan has taken over just now: whoever steers is told of it first.
        now_ticks = duet.now_ticks
        song_ticks = song.ticks_at(duet.timeline.seconds_at(now_ticks))
        if not song.running:
            self._offset_ticks = None
            self._steer(song.bpm, 0.0)
            return False
        if song.moved or self._offset_ticks is None:
            now_ticks = self._align(song_ticks, placed=song.placed)
        starts = duet.stopped
        if starts:
            duet.change(TransportStarted(now_ticks))
        if song.placed and self._has_beginning:
            self._tell_place(song_ticks)
        assert self._offset_ticks is not None
        self._steer(song.bpm, song_ticks + self._offset_ticks - now_ticks)
        return starts

    def _align(self, song_ticks: float, *, placed: bool) -> int:
        """Bring the session to the place in the bar that the song is at; the tick at which it then is."""
        duet, now_ticks = self._duet, self._duet.now_ticks
        self._settled_ticks, self._ahead_ticks = 0, None
        if not placed:
            # Nobody knows which pulse begins a bar: the bars stay where they are.
            self._offset_ticks = round((now_ticks - song_ticks) / PULSE_TICKS) * PULSE_TICKS
            return now_ticks
        round_ticks = duet.performer.plan.round_bars * duet.timeline.signature.bar_ticks
        ahead = round(song_ticks - now_ticks) % round_ticks
        behind = round_ticks - ahead
        if not duet.stopped and min(ahead, behind) <= _ON_THE_SPOT_TICKS:
            self._offset_ticks = now_ticks - round(song_ticks) + (ahead if ahead < behind else -behind)
            return now_ticks
        if ahead:
            duet.change(Skipped(now_ticks, now_ticks + ahead))
        self._offset_ticks = duet.now_ticks - round(song_ticks)
        return duet.now_ticks

    def _tell_place(self, song_ticks: float) -> None:
        """Put on record where the song is, unless that follows from what is on record."""
        ahead_ticks = song_ticks - self._duet.now_ticks
        if self._ahead_ticks is None or abs(ahead_ticks - self._ahead_ticks) >= _ELSEWHERE_TICKS:
            self._ahead_ticks = ahead_ticks
            self._duet.change(Located(self._duet.now_ticks, round(song_ticks, 1)))

    def _steer(self, song_bpm: float, off_ticks: float) -> None:
        """Set the tempo so that a difference of `off_ticks` vanishes within a beat, unless it does anyway."""
        duet, present_bpm = self._duet, self._duet.timeline.bpm
        left_seconds = abs(off_ticks / TICKS_PER_BEAT + 1 - present_bpm / song_bpm) * 60 / song_bpm
        settled = left_seconds < _AT_ONCE_SECONDS and duet.now_ticks < self._settled_ticks
        if left_seconds > _TOLERANCE_SECONDS and not settled:
            within = TICKS_PER_BEAT / 2 if left_seconds >= _AT_ONCE_SECONDS else TICKS_PER_BEAT
            nudge = max(-_MOST_NUDGE, min(_MOST_NUDGE, off_ticks / within))
            duet.change(TempoChanged(duet.now_ticks, song_bpm * (1 + nudge)))
            self._settled_ticks, self._nudge = duet.now_ticks + _STEERING_TICKS, nudge
        elif off_ticks * self._nudge < 0:
            # It has vanished, and is not to become one the other way.
            duet.change(TempoChanged(duet.now_ticks, song_bpm))
            self._nudge = 0.0
        self._bpm = duet.timeline.bpm
