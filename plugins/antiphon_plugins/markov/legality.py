"""What a voice's constraints leave to choose from. Options that do not fit are left out, not bent after the choice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from antiphon import Constraints, Note


class Legality:
    """The pitches that may be played, and how a chord is brought among them."""

    def __init__(self, constraints: Constraints) -> None:
        self._low = constraints.low_pitch
        self._high = constraints.high_pitch
        self.polyphony = constraints.polyphony
        self.limits_polyphony = constraints.polyphony < Constraints().polyphony
        scale = constraints.scale
        self.mask: NDArray[np.bool_] = np.array(
            [self._low <= p <= self._high and (scale is None or p % 12 in scale) for p in range(128)]
        )
        """For each pitch, whether it may be played; shape [128]."""
        self.pitches = tuple(int(pitch) for pitch in np.flatnonzero(self.mask))
        """Those that may."""
        self._allowed = frozenset(self.pitches)

    def octaves(self, lead: int) -> int:
        """Semitones, a multiple of 12, that bring a highest note into the range, or near to it if none do."""
        shift = 0
        if lead > self._high:
            shift = 12 * ((self._high - lead) // 12)
        elif lead < self._low:
            shift = 12 * -((lead - self._low) // 12)
        if lead + shift < 0:
            return shift + 12
        return shift - 12 if lead + shift > 127 else shift

    def fit(self, pitches: Sequence[int]) -> tuple[int, ...]:
        """Those of `pitches` (from the lowest up) that may be played, at most `polyphony`; () without the highest."""
        if pitches[-1] not in self._allowed:
            return ()
        return tuple([pitch for pitch in pitches if pitch in self._allowed][-self.polyphony :])


def thin(pitches: Sequence[int]) -> tuple[int, ...]:
    """A chord (from the lowest pitch up) without its clusters: of semitone clashes only the highest is kept."""
    kept = [pitches[-1]]
    clashes = 0
    for pitch in reversed(pitches[:-1]):
        if kept[-1] - pitch == 1:
            clashes += 1
            if clashes > 1:
                continue
        kept.append(pitch)
    return tuple(reversed(kept))


def is_muddy(pitches: Sequence[int]) -> bool:
    """Whether a chord has less than a fifth at its bottom below the C under middle C: arrangers avoid that."""
    return len(pitches) > 1 and pitches[0] < 48 and pitches[1] - pitches[0] < 7


def silence_overlaps(notes: Iterable[Note], polyphony: int) -> list[Note]:
    """Notes in score order, each released before its pitch sounds again and before more than `polyphony` sound."""
    finished: list[Note] = []
    sounding: list[int] = []
    for note in notes:
        here = note.start_ticks
        sounding = [index for index in sounding if (finished[index].end_ticks or 0) > here]
        same = [index for index in sounding if finished[index].pitch == note.pitch]
        others = [index for index in sounding if index not in same]
        spare = len(others) + 1 - polyphony
        for index in same + others[: max(0, spare)]:
            finished[index] = finished[index].clipped(here)
        sounding = others[max(0, spare) :]
        sounding.append(len(finished))
        finished.append(note)
    return finished
