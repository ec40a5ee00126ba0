"""A phrase as a piano roll, for models that see a stretch of music at once: sixteenths by keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.notes import STEP_TICKS, Note, score_order
from antiphon.tokens.grid_tokens import HIGH_PITCH, LOW_PITCH, nearest_step

KEYS: Final = HIGH_PITCH - LOW_PITCH + 1
"""Keys of a roll, 88; key 0 is MIDI note 21, the lowest A of a piano."""
CHANNELS: Final = 3
"""Onset, hold and velocity."""
ONSET, HOLD, VELOCITY = range(CHANNELS)
"""Places of the channels."""

Roll = NDArray[np.float32]
"""Shape [steps, 3, 88]; a step is a sixteenth, 120 ticks. Channel 0: 1 where a note begins. Channel 1: 1 on the steps
after that while it goes on. Channel 2: velocity / 127 where it begins. All else is 0. A model's roll has
probabilities in the first two channels and a velocity everywhere."""

_HELD: Final = 0.5
"""From this probability on, a note goes on."""


def roll_of(notes: Iterable[Note], start_ticks: int, steps: int) -> Roll:
    """The roll of the notes that begin in the `steps` sixteenths from `start_ticks` on; shape [steps, 3, 88].

    Onsets and ends move to the nearest step; a note lasts at least one. What began before does not count, what rings
    on is cut at the end, and a key that is still down stays down to the end. A key that is struck again while it
    sounds ends there; of notes in one place, the longest and the loudest count. Pitches out of 21 to 108 are left out.
    """
    roll = np.zeros((steps, CHANNELS, KEYS), dtype=np.float32)
    placed = []
    for note in notes:
        step = nearest_step(note.start_ticks - start_ticks)
        key = note.pitch - LOW_PITCH
        if 0 <= step < steps and 0 <= key < KEYS:
            end = steps if note.end_ticks is None else max(step + 1, nearest_step(note.end_ticks - start_ticks))
            placed.append((step, end, key, note.velocity))
    for step, end, key, velocity in sorted(placed):
        roll[step:, HOLD, key] = 0
        roll[step + 1 : end, HOLD, key] = 1
        roll[step, ONSET, key] = 1
        roll[step, VELOCITY, key] = max(roll[step, VELOCITY, key], velocity / 127)
    return roll


def notes_of(roll: Roll, start_ticks: int, *, threshold: float = 0.5) -> list[Note]:
    """The notes of `roll` [steps, 3, 88], which begins at `start_ticks`; in score order.

    A note begins where the onset is at least `threshold`, lasts while the hold after it is at least 0.5, and ends
    where the key is struck again, or with the roll.
    """
    onsets = roll[:, ONSET] >= threshold  # [steps, 88]
    goes_on = (roll[:, HOLD] >= _HELD) & ~onsets
    notes = []
    for step, key in zip(*(places.tolist() for places in np.nonzero(onsets)), strict=True):
        after = goes_on[step + 1 :, key]
        length = len(after) if after.all() else int(after.argmin())
        velocity = min(127, max(1, round(float(roll[step, VELOCITY, key]) * 127)))
        notes.append(Note(start_ticks + step * STEP_TICKS, key + LOW_PITCH, (1 + length) * STEP_TICKS, velocity))
    return sorted(notes, key=score_order)


__all__ = ["CHANNELS", "HOLD", "KEYS", "ONSET", "VELOCITY", "Roll", "notes_of", "roll_of"]
