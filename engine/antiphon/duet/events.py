"""What happens to a duet, each at its moment. A recording of these is enough to play the same again."""

from __future__ import annotations

from dataclasses import dataclass

from antiphon.duet.commands import Chair, Decision, Failed


@dataclass(frozen=True, slots=True)
class Heard:
    """For the record: the player's message, at the tick at which it took effect."""

    ticks: int
    message: bytes
    inputs: tuple[str, ...] = ()
    """The names in the plans that mean the port it came from; none if that is not known, and every voice hears it."""
    port: str = ""
    """The name of that port itself, which tells its keys from those of another; empty if that is not known."""


@dataclass(frozen=True, slots=True)
class PlayerReady:
    """For the record: a player took its seat."""

    ticks: int
    slot: int


@dataclass(frozen=True, slots=True)
class PlayerLost:
    """For the record: a player's process is gone."""

    ticks: int
    slot: int
    reason: str


@dataclass(frozen=True, slots=True)
class PlayerAnswered:
    """For the record: a player's phrase came. The phrase itself is composed anew when a session is played again."""

    ticks: int
    voice: int
    chair: Chair
    epoch: int
    index: int


@dataclass(frozen=True, slots=True)
class PlayerFailed:
    """For the record: a player could not do what it was asked."""

    ticks: int
    failure: Failed


@dataclass(frozen=True, slots=True)
class Chosen:
    """For the record: a plan was chosen; it takes over where its `switch` says."""

    ticks: int
    plan: int


@dataclass(frozen=True, slots=True)
class Selected:
    """For the record: the plan that plays from here on. It follows from what was chosen."""

    ticks: int
    plan: int


@dataclass(frozen=True, slots=True)
class Restarted:
    """For the record: the engine's process was replaced; what sounded has been ended."""

    ticks: int
    plan: int
    """Number of the plan that plays from here on."""


@dataclass(frozen=True, slots=True)
class Ended:
    """For the record: everything was silenced here, at the end or by a panic."""

    ticks: int
    panic: bool = False
    """Whether every channel was told to be silent, too."""


@dataclass(frozen=True, slots=True)
class TempoChanged:
    """For the record: another tempo, of the player or of the clock that is followed, or a nudge towards its beats."""

    ticks: int
    bpm: float
    """Quarter notes a minute, from here on."""
    towards_bpm: float | None = None
    """While the player's taps nudge it: the tempo that is meant."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """For the record: the clock is elsewhere in its bar. The answers were ended, and what lies between left out."""

    ticks: int
    to_ticks: int
    """Where it goes on, in the same instant."""


@dataclass(frozen=True, slots=True)
class Located:
    """For the record: where the song that is followed or led is, whenever that does not follow from the ticks."""

    ticks: int
    song_ticks: float
    """The place in the song at `ticks`, 480 a quarter note from its beginning; from here on it moves as the session."""
    went_on: bool = False
    """Whether it is known to have gone on to there by itself; else it was put there, if it is far from where it was."""


@dataclass(frozen=True, slots=True)
class TransportStopped:
    """For the record: the transport of the clock that is followed was stopped."""

    ticks: int


@dataclass(frozen=True, slots=True)
class TransportStarted:
    """For the record: the transport runs, again or from the beginning."""

    ticks: int


@dataclass(frozen=True, slots=True)
class MetronomeSwitched:
    """For the record: the click was turned on or off."""

    ticks: int
    on: bool


@dataclass(frozen=True, slots=True)
class CountInBegan:
    """For the record: everything is ready, and the next bar line begins the count-in."""

    ticks: int


Transport = TempoChanged | Skipped | Located | TransportStopped | TransportStarted | MetronomeSwitched | CountInBegan
Event = (
    Heard
    | PlayerReady
    | PlayerLost
    | PlayerAnswered
    | PlayerFailed
    | Chosen
    | Selected
    | Restarted
    | Ended
    | Decision
    | Transport
)
