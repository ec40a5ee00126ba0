"""Music as a step a note, and the model that takes it so: a door for who trains or plays one.

What it hands on is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.lazy import lazily

if TYPE_CHECKING:
    from antiphon.note_steps.codec import PARTS, PITCHES, VELOCITIES
    from antiphon.note_steps.controls import NOTE_CONTROLS
    from antiphon.note_steps.making import make_note_player
    from antiphon.note_steps.model import turns
    from antiphon.note_steps.spans import SPAN_CLASSES
    from antiphon.note_steps.words import (
        GIVEN_PART,
        GIVEN_PITCH,
        GIVEN_TIME,
        GIVEN_VELOCITY,
        GIVEN_WORDS,
        OPEN,
        READ_WORDS,
    )
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "antiphon.note_steps.codec": (
                "PARTS",
                "PITCHES",
                "VELOCITIES",
            ),
            "antiphon.note_steps.controls": ("NOTE_CONTROLS",),
            "antiphon.note_steps.making": ("make_note_player",),
            "antiphon.note_steps.model": ("turns",),
            "antiphon.note_steps.spans": ("SPAN_CLASSES",),
            "antiphon.note_steps.words": (
                "GIVEN_PART",
                "GIVEN_PITCH",
                "GIVEN_TIME",
                "GIVEN_VELOCITY",
                "GIVEN_WORDS",
                "OPEN",
                "READ_WORDS",
            ),
        },
    )

__all__ = [
    "GIVEN_PART",
    "GIVEN_PITCH",
    "GIVEN_TIME",
    "GIVEN_VELOCITY",
    "GIVEN_WORDS",
    "NOTE_CONTROLS",
    "OPEN",
    "PARTS",
    "PITCHES",
    "READ_WORDS",
    "SPAN_CLASSES",
    "VELOCITIES",
    "make_note_player",
    "turns",
]
