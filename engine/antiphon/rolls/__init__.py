"""Music as piano rolls, and models of rolls: a public door. What it hands on is loaded when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.lazy import lazily

if TYPE_CHECKING:
    from antiphon.rolls.model import Code, RollModel, load_roll_model
    from antiphon.rolls.roll import CHANNELS, HOLD, KEYS, ONSET, VELOCITY, Roll, notes_of, roll_of
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "antiphon.rolls.model": (
                "Code",
                "RollModel",
                "load_roll_model",
            ),
            "antiphon.rolls.roll": (
                "CHANNELS",
                "HOLD",
                "KEYS",
                "ONSET",
                "VELOCITY",
                "Roll",
                "notes_of",
                "roll_of",
            ),
        },
    )

__all__ = [
    "CHANNELS",
    "HOLD",
    "KEYS",
    "ONSET",
    "VELOCITY",
    "Code",
    "Roll",
    "RollModel",
    "load_roll_model",
    "notes_of",
    "roll_of",
]
