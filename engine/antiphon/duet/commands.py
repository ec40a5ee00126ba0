"""What the performer says, and what players say back. Values only: nothing here acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from antiphon.generator import Request
from antiphon.notes import Note, Phrase

Chair = Literal["main", "fallback"]
"""Who plays for a voice: the generator of its plan, or the one that stands in."""

CHAIRS: tuple[Chair, Chair] = ("main", "fallback")

DecisionKind = Literal[
    "handover", "answer", "late", "fallback", "silent", "touch", "end", "capture", "breath", "idle", "stall"
]


@dataclass(frozen=True, slots=True)
class Prime:
    """Tell a player what has been heard: keep the first `keep` notes you know, these follow."""

    voice: int
    chair: Chair
    epoch: int
    """Names this state of what has been heard; answers to an earlier epoch are stale."""
    keep: int
    notes: tuple[Note, ...]
    end_ticks: int
    """Where the heard phrase ends and a continuation begins."""


@dataclass(frozen=True, slots=True)
class Extend:
    """Ask a player for the next phrase."""

    voice: int
    chair: Chair
    epoch: int
    index: int
    """Number of the phrase within the epoch, from 0."""
    request: Request


@dataclass(frozen=True, slots=True)
class Play:
    """Schedule these notes, in session ticks, for a voice."""

    voice: int
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Silence:
    """Let nothing of a voice begin at or after this tick, nor sound beyond it."""

    voice: int
    at_ticks: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Something worth telling the player and keeping with the session."""

    kind: DecisionKind
    voice: int
    ticks: int
    """When it takes effect: with `handover`, where the answer is meant to begin."""
    text: str
    """For a person to read."""


Command = Prime | Extend | Play | Silence | Decision


@dataclass(frozen=True, slots=True)
class Continuation:
    """A player's phrase, in answer to `Extend`."""

    voice: int
    chair: Chair
    epoch: int
    index: int
    phrase: Phrase


@dataclass(frozen=True, slots=True)
class Failed:
    """A player could not do what it was asked: its generator raised, or returned nonsense."""

    voice: int
    chair: Chair
    epoch: int
    index: int
    """Number of the phrase; -1 when priming failed."""
    reason: str


@dataclass(frozen=True, slots=True)
class Ready:
    """A player has taken its chair and knows nothing yet."""

    voice: int
    chair: Chair


@dataclass(frozen=True, slots=True)
class Lost:
    """A player's process is gone or has been killed."""

    voice: int
    chair: Chair
    reason: str


Reply = Continuation | Failed | Ready | Lost
