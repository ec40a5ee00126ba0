"""What plays for one voice of a plan, in whatever mode: what the performer asks of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

from antiphon.controls import ControlValue
from antiphon.duet.commands import Chair, Command, Continuation, Failed
from antiphon.duet.memory import Memory
from antiphon.duet.plan import Plan
from antiphon.music.ear import Ear
from antiphon.music.timing import Moment

State = Literal["listening", "waiting", "answering"]
"""`waiting`: it has the floor, and does not sound yet."""


class Bandmate(Protocol):
    """A state machine that is told what happens. What is to be done comes back as commands."""

    memory: Memory
    held: bool
    """While the transport is stopped: it listens, and does not play."""

    @property
    def state(self) -> State:
        """Whether it plays."""
        ...

    def doing(self, now: Moment) -> str:
        """In words: what it does, or waits for."""
        ...

    def look_ahead(self, ticks: int) -> None:
        """From now on an output may be handed a note so long before its tick."""
        ...

    def hear(self, message: bytes, now: Moment, port: str = "") -> list[Command]:
        """Take in the player's message, which came from `port`."""
        ...

    def swallows(self, message: bytes) -> bool:
        """Whether the message is a command to this voice rather than music."""
        ...

    def turn(self, control: str, value: ControlValue, now: Moment) -> list[Command]:
        """Set a control of the generator's, or one that every voice has."""
        ...

    def ready(self, chair: Chair, now: Moment) -> list[Command]:
        """A player has taken its chair."""
        ...

    def lost(self, chair: Chair, reason: str, now: Moment) -> list[Command]:
        """A player is gone."""
        ...

    def failed(self, failure: Failed, now: Moment) -> list[Command]:
        """A player raised or returned nonsense."""
        ...

    def receive(self, continuation: Continuation, now: Moment) -> list[Command]:
        """A player's phrase has come."""
        ...

    def give_up(self, now: Moment) -> list[Command]:
        """Fall silent, and take every key and pedal for released."""
        ...

    def next_ticks(self) -> int | None:
        """The next tick at which time alone changes something."""
        ...

    def advance(self, now: Moment) -> list[Command]:
        """Do what is due at `now`."""
        ...


class MakeBandmate(Protocol):
    """Makes what plays for one voice."""

    def __call__(self, index: int, plan: Plan, epochs: Iterator[int], ear: Ear | None = None) -> Bandmate:
        """`index`: of the voice in `plan`. `epochs` numbers what was heard. `ear`: what is remembered already."""
        ...
