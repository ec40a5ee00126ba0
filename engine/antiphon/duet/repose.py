"""Whether a player's rest is an end or a breath, by key, pulse and bar of the phrase before it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from antiphon.music.pulse import Pulse, heard_pulse
from antiphon.music.timing import TimeSignature
from antiphon.music.tonality import Key, heard_key
from antiphon.notes import Note

_CHORD_TICKS: Final = 40
_LONG: Final = 1.5
"""A note is long if it lasts so many times the usual gap between two."""
_SURE: Final = 0.5
"""A pulse this sure is gone by."""
_HALVES: Final = (0.4, 0.75)
"""Where the second half of a beat begins, even or swung: an answer comes in there, or on the beat."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a phrase says of the rest that follows it."""

    pulse: Pulse | None
    at_rest: bool
    """Whether it has come to rest, as far as can be told: then nothing speaks for a breath."""

    def entry_near(self, ticks: float, soonest_ticks: float) -> int:
        """Where on the pulse an answer comes in that is wanted at `ticks`, not before `soonest_ticks`."""
        if self.pulse is None:
            return round(ticks)
        low, high = _HALVES
        own = [place for place in self.pulse.places if place == 0 or low <= place <= high][:2]
        beat = self.pulse.beat_ticks
        first = math.floor((soonest_ticks - self.pulse.origin_ticks) / beat)
        entries = [self.pulse.origin_ticks + (first + n + place) * beat for n in range(8) for place in own]
        nearest: float = min((e for e in entries if e >= soonest_ticks), key=lambda entry: abs(entry - ticks))
        return round(nearest)


def weigh(heard: Sequence[Note], call: Sequence[Note], tempo_bpm: float, signature: TimeSignature) -> Weighed:
    """Weigh the rest after `call`, the last of the notes `heard`; both in score order, with no key down."""
    pulse = heard_pulse(call, tempo_bpm)
    if pulse is None or pulse.confidence < _SURE:
        return Weighed(None, at_rest=True)
    return Weighed(pulse, _is_at_rest(call, heard_key(heard), pulse, signature))


def _is_at_rest(call: Sequence[Note], key: Key | None, pulse: Pulse, signature: TimeSignature) -> bool:
    onsets = [call[0].start_ticks]
    onsets += [b.start_ticks for a, b in pairwise(call) if b.start_ticks - a.start_ticks > _CHORD_TICKS]
    last = [note for note in call if call[-1].start_ticks - note.start_ticks <= _CHORD_TICKS]
    gap = median(after - before for before, after in pairwise(onsets))
    length = max(note.length_ticks or 0 for note in last)
    whole = round(pulse.beat_at(onsets[-1] + max(gap, length)) - pulse.beat_at(onsets[0]))
    if whole >= 2 * signature.beats and whole % signature.beats == 0:
        return True  # Whole bars, whatever they end on: a half close is an end, too.
    if key is None:
        return True
    home = max(last, key=lambda note: note.pitch).pitch % 12 in key.triad
    return home and (length >= _LONG * gap or abs(pulse.beat_at(onsets[-1]) + 0.1) % 1 < 0.2)
