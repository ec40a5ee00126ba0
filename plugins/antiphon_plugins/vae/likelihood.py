"""From which probability on a decoded note is played. It draws nothing."""

from __future__ import annotations

from typing import Final

import numpy as np

from antiphon.rolls import ONSET, Roll

_SURE: Final = 0.5
"""What is at least as likely as this is played, unless fewer notes are wanted."""
_LEAST: Final = 0.2
"""What is less likely than this never is, however many are wanted."""
_NONE: Final = 1.1
"""More than any probability."""


def threshold_of(roll: Roll, notes: float | None = None) -> float:
    """The probability of an onset from which on `roll` [steps, 3, 88] has about `notes` notes.

    None: as many as the roll promises, which is the sum of what is likely, but all that are sure. Half-way between
    two pieces of music, where each note of both is about as likely as not, that is two fifths more than either has.
    """
    onsets = roll[:, ONSET]
    likely = onsets[onsets >= _LEAST]
    wanted = round(float(likely.sum() if notes is None else notes))
    if not len(likely):
        return _SURE
    if not wanted:
        return _SURE if notes is None else _NONE
    threshold = float(np.partition(likely, -wanted)[-wanted]) if wanted <= len(likely) else _LEAST
    return threshold if notes is not None else min(_SURE, threshold)


def notes_in(roll: Roll, threshold: float) -> int:
    """How many notes of `roll` [steps, 3, 88] are at least so likely."""
    return int((roll[:, ONSET] >= threshold).sum())
