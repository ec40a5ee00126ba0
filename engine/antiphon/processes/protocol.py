"""What the processes of a performance tell one another: a value for each message, a union for each direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from antiphon.duet.casting import PlayerNeeded
from antiphon.duet.commands import Continuation, Extend, Failed, Prime
from antiphon.duet.plan import Plan
from antiphon.duet.standing import Standing
from antiphon.music.timing import TempoChange
from antiphon.processes.shared_folder import Entry
from antiphon.session.journal import Record

# ---- what an engine is started with ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EngineSetup:
    """What the engine is started with; an engine that takes over from a dead one is given where that one stood."""

    standing: Standing
    origin_seconds: float
    """`time.perf_counter()` at which the session began."""
    backend: str | None = None
    takes_over: bool = False
    changes: tuple[TempoChange, ...] = ()
    """The tempo map so far."""
    clock_started_ticks: int | None = None
    """Where the song of the clock that is sent began."""
    connections: tuple[tuple[str, str], ...] = ()
    """What was plugged into our virtual ports."""

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans of the performance."""
        return self.standing.plans


ENGINE_SETUP: Final[Entry[EngineSetup]] = Entry("engine")


def players_at(place: int) -> Entry[dict[int, PlayerNeeded]]:
    """The players that are to sit in the process at `place`, by slot."""
    return Entry(f"players-{place}")


# ---- whoever comes to the engine -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Greeting:
    """The first message of every process that comes to the engine."""

    role: Literal["supervisor", "player", "sound"]
    place: int = -1
    """Slot of its heartbeat; the supervisor has none that the engine needs to know."""
    slots: tuple[int, ...] = ()
    """The players that have taken their seats in it."""


@dataclass(frozen=True, slots=True)
class Report:
    """Something that a person should know of."""

    text: str


@dataclass(frozen=True, slots=True)
class CannotStart:
    """A player's generator cannot be made; its process ends."""

    reason: str


# ---- from the supervisor to the engine -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stop:
    """End the performance."""


@dataclass(frozen=True, slots=True)
class Panic:
    """Silence everything, everywhere."""


@dataclass(frozen=True, slots=True)
class Select:
    """Let a plan play."""

    plan: int


@dataclass(frozen=True, slots=True)
class SelectNext:
    """Let the plan play that is so many further; after the last comes the first."""

    by: int


@dataclass(frozen=True, slots=True)
class Tap:
    """The beat was tapped."""

    seconds: float
    """Of `time.perf_counter`."""


@dataclass(frozen=True, slots=True)
class SwitchMetronome:
    """Turn the click on, or off if it is on."""


@dataclass(frozen=True, slots=True)
class EverybodyReady:
    """All players have taken their seats."""


FromSupervisor = Stop | Panic | Select | SelectNext | Tap | SwitchMetronome | EverybodyReady

# ---- between the engine and the players ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """What the players of one process are asked, in order."""

    commands: tuple[tuple[int, Prime | Extend], ...]
    """Each with the slot of its player."""


ToPlayers = Asked
FromPlayers = CannotStart | Report | Continuation | Failed

# ---- between the engine and the sound --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sounded:
    """A MIDI message for the built-in synth, at once."""

    message: bytes


@dataclass(frozen=True, slots=True)
class SoundOpened:
    """The synth plays."""

    text: str
    """On what, and how late."""


@dataclass(frozen=True, slots=True)
class NoSound:
    """There is no device to play on; the process of the sound ends."""

    reason: str


ToSound = Sounded
FromSound = SoundOpened | NoSound

# ---- from the engine to the supervisor -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Records:
    """What happened, in order."""

    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class PortsOpened:
    """What is open now; the engine plays."""

    backend: str | None
    """The MIDI system; None: there is none at the moment."""
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    """The outputs of the performance, whether open or not."""


@dataclass(frozen=True, slots=True)
class PortChanged:
    """A port, or the MIDI system, has gone or is back."""

    what: Literal["system gone", "system back", "gone", "back", "output gone", "output back"]
    """What became of it, for a person to read."""
    name: str
    """The port; of a system that is gone, the reason, and of one that is back, its kind."""


@dataclass(frozen=True, slots=True)
class ConnectionsChanged:
    """What is plugged into our virtual ports now."""

    connections: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ClockStarted:
    """Where the song of the clock that is sent begins; None: it has none."""

    ticks: int | None


@dataclass(frozen=True, slots=True)
class CannotOpen:
    """The engine cannot open what the plans name; its process ends."""

    reason: str


@dataclass(frozen=True, slots=True)
class Doings:
    """What the player and each voice are doing, in words."""

    texts: tuple[str, ...]


ToSupervisor = (
    Records
    | PortsOpened
    | PortChanged
    | ConnectionsChanged
    | ClockStarted
    | CannotOpen
    | CannotStart
    | SoundOpened
    | NoSound
    | Report
    | Doings
)
