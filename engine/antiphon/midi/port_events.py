"""What the watcher of the ports tells: a value for each thing that happens to a port or to the MIDI system."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SystemGone:
    """The MIDI system, with all its ports."""

    reason: str


@dataclass(frozen=True, slots=True)
class SystemBack:
    """The MIDI system, and whatever could be opened again."""

    backend: str


@dataclass(frozen=True, slots=True)
class InputGone:
    """An input has vanished."""

    name: str


@dataclass(frozen=True, slots=True)
class InputBack:
    """An input was found, again or for the first time, and is open."""

    name: str


@dataclass(frozen=True, slots=True)
class OutputGone:
    """An output has vanished."""

    name: str


@dataclass(frozen=True, slots=True)
class OutputBack:
    """An output is open again."""

    name: str
    """As the plans call it."""


@dataclass(frozen=True, slots=True)
class Unplugged:
    """Somebody who played into an input of ours was unplugged."""

    name: str


@dataclass(frozen=True, slots=True)
class Plugged:
    """A synth was plugged into an output of ours."""

    output: int
    certain: bool = True
    """False where the system does not say who is plugged in, so that it only may have been."""


@dataclass(frozen=True, slots=True)
class Connected:
    """What is plugged into our ports now."""

    connections: tuple[tuple[str, str], ...]
    """Pairs (source, destination)."""


PortEvent = SystemGone | SystemBack | InputGone | InputBack | OutputGone | OutputBack | Unplugged | Plugged | Connected
