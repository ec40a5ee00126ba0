"""Which players a performance needs: one for every voice and its fallback, shared where presets of a set agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.duet.commands import CHAIRS, Chair
from antiphon.duet.plan import Plan
from antiphon.generator import Casting


@dataclass(frozen=True, slots=True)
class PlayerNeeded:
    """One player to be made."""

    chair: Chair
    """Whether it plays for a voice or stands in for its player."""
    generator: str
    """Name of the generator."""
    casting: Casting
    """With what it is made."""


class PlayerTable:
    """The players of a set of plans, numbered by slot; a program change then needs no new player."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self.needed: list[PlayerNeeded] = []
        self._slots: dict[tuple[int, int, Chair], int] = {}
        for number, plan in enumerate(plans):
            for index, voice in enumerate(plan.voices):
                for chair in CHAIRS:
                    main = chair == "main"
                    generator, model = (voice.generator, voice.model) if main else (voice.fallback, None)
                    # The voice's index keeps two voices of one preset apart, in slot and in seed.
                    needed = PlayerNeeded(chair, generator, Casting(plan.seed + index, model))
                    if needed not in self.needed:
                        self.needed.append(needed)
                    self._slots[number, index, chair] = self.needed.index(needed)

    def slot(self, plan: int, voice: int, chair: Chair) -> int:
        """The slot of the player in `chair` of a voice of plan number `plan`."""
        return self._slots[plan, voice, chair]

    def seats(self, plan: int, slot: int) -> list[tuple[int, Chair]]:
        """The voices and chairs of plan number `plan` that `slot` plays in."""
        return [(v, chair) for (p, v, chair), s in self._slots.items() if p == plan and s == slot]
