"""Brings a duet to the place in the bar that a song elsewhere is at, and keeps it there.

The session's musical time never runs backwards, and nothing of the song is on record but what it led to: tempo
changes that let a difference vanish within a beat, skips to the place in the bar that the song is at, starts and stops.
"""

from __future__ import annotations

from typing import Final, Protocol

from antiphon.duet.duet import Duet
from antiphon.duet.events import Located, Skipped, TempoChanged, TransportStarted, TransportStopped
from antiphon.notes import TICKS_PER_BEAT
from antiphon.sync.midi_clock import PULSE_TICKS

_TOLERANCE_SECONDS: Final = 0.0005
"""Difference, a beat from now, that is left alone."""
_TOLERANCE_SHARE: Final = 0.125
"""And of a song whose beats are known no better, so much of how far they are spread."""
_WITHIN_TICKS: Final = TICKS_PER_BEAT + PULSE_TICKS // 2
"""A difference vanishes in a beat, and until then the tempo is left alone: there is no more than one change a beat."""
_JUMP: Final = 0.015
_JUMP_SECONDS: Final = 0.004
"""But a song whose tempo is another by this share, or its place by so much beyond its spread, is followed at once."""
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
    def spread_seconds(self) -> float:
        """How far what it is known from is spread: its place is known to a fraction of that."""
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
        self._song_bpm: float | None = None
        """The song's tempo when the duet's was set last."""
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
            self._steer(song, 0.0)
            return False
        went_on = not song.moved and self._offset_ticks is not None
        if not went_on:
            now_ticks = self._align(song_ticks, placed=song.placed)
        starts = duet.stopped
        if starts:
            duet.change(TransportStarted(now_ticks))
        if song.placed and self._has_beginning:
            self._tell_place(song_ticks, went_on=went_on)
        assert self._offset_ticks is not None
        self._steer(song, song_ticks + self._offset_ticks - now_ticks)
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

    def _tell_place(self, song_ticks: float, *, went_on: bool) -> None:
        """Put on record where the song is, unless that follows from what is on record.

        `went_on`: whether nobody has put it there.
        """
        ahead_ticks = song_ticks - self._duet.now_ticks
        if self._ahead_ticks is None or abs(ahead_ticks - self._ahead_ticks) >= _ELSEWHERE_TICKS:
            self._ahead_ticks = ahead_ticks
            self._duet.change(Located(self._duet.now_ticks, round(song_ticks, 1), went_on))

    def _steer(self, song: Song, off_ticks: float) -> None:
        """Set the tempo so that a difference of `off_ticks` vanishes within a beat, unless it does anyway."""
        duet, song_bpm, present_bpm = self._duet, song.bpm, self._duet.timeline.bpm
        left_seconds = abs(off_ticks / TICKS_PER_BEAT + 1 - present_bpm / song_bpm) * 60 / song_bpm
        jumped = self._song_bpm is not None and abs(song_bpm / self._song_bpm - 1) > _JUMP
        jumped |= left_seconds > _JUMP_SECONDS + song.spread_seconds and abs(self._nudge) < _MOST_NUDGE
        if duet.now_ticks < self._settled_ticks and not jumped:
            return
        if left_seconds > max(_TOLERANCE_SECONDS, _TOLERANCE_SHARE * song.spread_seconds):
            self._nudge = max(-_MOST_NUDGE, min(_MOST_NUDGE, off_ticks / _WITHIN_TICKS))
        elif off_ticks * self._nudge < 0:
            self._nudge = 0.0  # It has vanished, and is not to become one the other way.
        else:
            self._bpm = present_bpm
            return
        duet.change(TempoChanged(duet.now_ticks, song_bpm * (1 + self._nudge)))
        self._settled_ticks = duet.now_ticks + TICKS_PER_BEAT
        self._song_bpm, self._bpm = song_bpm, duet.timeline.bpm
