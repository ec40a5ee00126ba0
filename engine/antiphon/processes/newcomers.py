"""Who comes to the engine, and what the connection of each of them carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_never

from antiphon.processes.protocol import (
    FromPlayers,
    FromSound,
    FromSupervisor,
    Greeting,
    ToPlayers,
    ToSound,
    ToSupervisor,
)
from antiphon.processes.runtime import Connection, Link

EngineLink = Link[FromSupervisor, ToSupervisor] | Link[FromPlayers, ToPlayers] | Link[FromSound, ToSound]


@dataclass(frozen=True, slots=True)
class SupervisorJoined:
    """The supervisor has come."""

    connection: Connection[ToSupervisor, FromSupervisor]


@dataclass(frozen=True, slots=True)
class PlayersJoined:
    """The players of one process have taken their seats."""

    place: int
    slots: tuple[int, ...]
    connection: Connection[ToPlayers, FromPlayers]


@dataclass(frozen=True, slots=True)
class SoundJoined:
    """The sound's process has come."""

    connection: Connection[ToSound, FromSound]


Joined = SupervisorJoined | PlayersJoined | SoundJoined


def joined(connection: Connection[Any, Any], greeting: Greeting) -> Joined:
    """Who has come. From here on it is known what the connection carries."""
    match greeting.role:
        case "supervisor":
            return SupervisorJoined(connection)
        case "player":
            return PlayersJoined(greeting.place, greeting.slots, connection)
        case "sound":
            return SoundJoined(connection)
        case _:
            assert_never(greeting.role)
