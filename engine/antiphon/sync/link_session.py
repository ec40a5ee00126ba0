"""The way to Ableton Link, by the extra `link`: a session that programs on a network share.

Link is free software under the GNU General Public License, version 2 or later, and not part of Antiphon. Nothing but
this module knows the library, and nothing imports it before a session is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from antiphon.errors import AntiphonError, pip_line
from antiphon.sync.clock_pair import ClockPair

if TYPE_CHECKING:
    from link import Link


@dataclass(frozen=True, slots=True)
class LinkReading:
    """A session at one moment. Seconds are those of the clock that the session was opened with."""

    seconds: float
    """When that was."""
    peers: int
    """How many others are in the session."""
    bpm: float
    """Quarter notes a minute."""
    beats: float
    """The place, in quarter notes: modulo the length it was asked for with, all agree on it."""
    said: tuple[bool, int]
    """What was said last of the transport: another value whenever somebody starts or stops it."""
    playing_from: float
    """Since when, or from when on, that holds."""

    @property
    def playing(self) -> bool:
        """Whether the transport runs, or will from `playing_from` on."""
        return self.said[0]


class LinkSession:
    """This program's part in a session. It is in none until it joins."""

    def __init__(self, link: Link, now: Callable[[], float]) -> None:
        """`link`: the library's own object. `now`: our clock, in seconds."""
        self._link = link
        self._now = now
        self._clocks = ClockPair(now, link.clock().micros)
        link.startStopSyncEnabled = True

    @property
    def joined(self) -> bool:
        """Whether others can find us."""
        return self._link.enabled

    def join(self) -> None:
        """Be found, and find others: it takes them about a second. The session of whoever was first goes on."""
        self._link.enabled = True

    def leave(self) -> None:
        """Be alone."""
        self._link.enabled = False

    def read(self, round_beats: float) -> LinkReading:
        """How things stand now. `round_beats`: length of what is to begin together, as a bar, in quarter notes."""
        self._clocks.pair()
        seconds = self._now()
        state = self._link.captureAppSessionState()
        beats = state.beatAtTime(self._clocks.micros_at(seconds), round_beats)
        said = (state.isPlaying(), state.timeForIsPlaying())
        playing_from = self._clocks.seconds_at(said[1])
        return LinkReading(seconds, self._link.numPeers(), state.tempo(), beats, said, playing_from)

    def set_tempo(self, bpm: float) -> None:
        """Change everybody's tempo, from now on."""
        state = self._link.captureAppSessionState()
        state.setTempo(bpm, self._clocks.micros_at(self._now()))
        self._link.commitAppSessionState(state)

    def lead(self, bpm: float, beats: float, seconds: float, round_beats: float) -> None:
        """Put the session to a tempo and a place that it has at `seconds`. Only for who is alone in it."""
        state = self._link.captureAppSessionState()
        micros = self._clocks.micros_at(seconds)
        state.setTempo(bpm, micros)
        state.forceBeatAtTime(beats, micros, round_beats)
        self._link.commitAppSessionState(state)


def open_link(bpm: float, now: Callable[[], float]) -> LinkSession:
    """A session at `bpm` quarter notes a minute, not joined yet. `now`: our clock, in seconds.

    Raises:
        AntiphonError: the extra is not installed.
    """
    try:
        from link import Link
    except ImportError as error:
        raise AntiphonError(
            f"sync is 'link', which needs LinkPython-extern; install it with: {pip_line('LinkPython-extern')} "
            "(Ableton Link is under the GNU General Public License, version 2 or later, and not part of Antiphon), "
            "or choose sync 'internal' or 'midi'"
        ) from error
    return LinkSession(Link(bpm), now)
