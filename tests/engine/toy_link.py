"""The library of Ableton Link, without a network: one session under a hand-turned clock, with peers who do as told."""

from __future__ import annotations

from dataclasses import dataclass, replace

from antiphon.music.clock import Clock


@dataclass
class State:
    """As `link.SessionState`; the names are the library's."""

    bpm: float
    beats: float
    """The place at `micros`; bars of any length begin at their multiples."""
    micros: int = 0
    playing: bool = False
    playing_micros: int = 0

    def tempo(self) -> float:
        return self.bpm

    def setTempo(self, bpm: float, micros: int) -> None:  # noqa: N802
        # As the library does, which keeps the length of a beat in whole microseconds.
        self.beats, self.micros, self.bpm = self.beatAtTime(micros, 1.0), micros, 60e6 / round(60e6 / bpm)

    def beatAtTime(self, micros: int, quantum: float) -> float:  # noqa: N802
        return self.beats + (micros - self.micros) * self.bpm / 60e6

    def forceBeatAtTime(self, beats: float, micros: int, quantum: float) -> None:  # noqa: N802
        self.beats, self.micros = beats, micros

    def isPlaying(self) -> bool:  # noqa: N802
        return self.playing

    def timeForIsPlaying(self) -> int:  # noqa: N802
        return self.playing_micros

    def setIsPlaying(self, playing: bool, micros: int) -> None:  # noqa: N802
        self.playing, self.playing_micros = playing, micros


class ToyLink:
    """As `link.Link`, and what the others in the session do."""

    def __init__(self, clock: Clock, bpm: float = 120.0, *, drift: float = 0.0) -> None:
        """`drift`: seconds a second by which Link's clock runs away from ours."""
        self.enabled = False
        self.startStopSyncEnabled = False
        self.peers = 0
        self.commits = 0
        self._clock = clock
        self._drift = drift
        self.state = State(bpm, 0.0, self.micros(), playing_micros=self.micros())

    # ---- the library ---------------------------------------------------------------------------------------------

    def clock(self) -> ToyLink:
        return self

    def micros(self) -> int:
        return round(7e9 + self._clock.now() * 1e6 * (1 + self._drift))

    def numPeers(self) -> int:  # noqa: N802
        return self.peers if self.enabled else 0

    def captureAppSessionState(self) -> State:  # noqa: N802
        return replace(self.state)

    def commitAppSessionState(self, state: State) -> None:  # noqa: N802
        self.commits += 1
        self.state = state

    # ---- the others ----------------------------------------------------------------------------------------------

    @property
    def beats(self) -> float:
        """The place of the session now."""
        return self.state.beatAtTime(self.micros(), 4.0)

    def found(self, bpm: float, beats: float, peers: int = 1) -> None:
        """We are found by a session that is older than ours."""
        self.peers = peers
        self.tempo(bpm)
        self.locate(beats)

    def tempo(self, bpm: float) -> None:
        """Somebody changes the tempo."""
        self.state.setTempo(bpm, self.micros())

    def locate(self, beats: float) -> None:
        """Somebody puts the session elsewhere."""
        self.state.forceBeatAtTime(beats, self.micros(), 4.0)

    def play(self, playing: bool, in_seconds: float = 0.0) -> None:
        """Somebody starts or stops the transport."""
        self.state.setIsPlaying(playing, self.micros() + round(in_seconds * 1e6))
