"""An answer on its way, from the first guess at it to its last note. The voice decides; this keeps count."""

from __future__ import annotations

from dataclasses import dataclass, field

from antiphon.duet.commands import Chair
from antiphon.generator import Constraints
from antiphon.notes import Note, Phrase


@dataclass(slots=True)
class Answer:
    """An answer from the first guess at it to its last note. A guess has no `launch_ticks` yet."""

    epoch: int
    origin_ticks: int
    """Where the generator begins to continue, in its own time."""
    length_ticks: int | None
    """How long the answer is; None: until touched."""
    composed_end_ticks: int
    """How far the generator has come, in its own time."""
    constraints: Constraints
    """What its notes keep to."""
    chair: Chair = "main"
    phrases: list[Phrase] = field(default_factory=list)
    """Received and not yet placed."""
    count: int = 0
    """Phrases received."""
    wanted: int | None = None
    """Number of the phrase that was asked for and has not come."""
    failure: str | None = None
    launch_ticks: int | None = None
    """Where its first note falls, in session time."""
    shift_ticks: int | None = None
    """From the generator's time to session time; known with the first note."""
    ask_ticks: int | None = None
    """When to ask for the next phrase."""
    deadline_ticks: int | None = None
    """When to stop waiting for the wanted phrase."""
    played: list[Note] = field(default_factory=list)
    """Notes handed to the schedule, in session time."""

    @property
    def end_ticks(self) -> int | None:
        """Where the answer ends, in session time; None if that is not settled."""
        if self.length_ticks is None or self.shift_ticks is None or self.launch_ticks is None:
            return None
        return self.launch_ticks + self.length_ticks

    @property
    def last_ticks(self) -> int | None:
        """Where the generator has no more to compose, in its own time."""
        return None if self.length_ticks is None else self.origin_ticks + self.length_ticks

    def sounds(self, ticks: int) -> bool:
        """Whether its first note has come by `ticks`."""
        return self.shift_ticks is not None and self.launch_ticks is not None and ticks >= self.launch_ticks
