"""Which chord a tune suggests, so that an accompaniment can go with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from antiphon.music.tonality import Key
from antiphon.notes import TICKS_PER_BEAT, Note

_WINDOW_TICKS: Final = 4 * TICKS_PER_BEAT
"""What sounded so long before counts."""
_HELD: Final = 2.0
"""How much more a key counts that is still down."""
_OUTSIDE: Final = 0.5
"""What a beat of a note beside the triad takes, where a beat of one within adds 1."""
_MAJOR: Final[Mapping[int, float]] = {0: 0.3, 7: 0.24, 5: 0.21, 9: 0.18, 2: 0.06, 4: 0.06}
_MINOR: Final[Mapping[int, float]] = {0: 0.3, 7: 0.24, 5: 0.21, 8: 0.18, 3: 0.15, 10: 0.12}
"""How readily a triad on a degree (in semitones above the tonic) is believed, in beats of a note within it."""
_OTHER: Final = -0.3


def suggested_chord(tune: Sequence[Note], key: Key, ticks: int) -> frozenset[int] | None:
    """Pitch classes of the triad of `key` that `tune`, in score order, suggests for `ticks`; None if it says nothing.

    The triads within the scale are weighed by how long their notes sounded in the four beats before, less those
    beside them, and by the degree they stand on.
    """
    since = ticks - _WINDOW_TICKS
    weights = [0.0] * 12
    for note in tune:
        end = note.end_ticks
        sounds = min(ticks, ticks if end is None else end) - max(since, note.start_ticks)
        if sounds > 0:
            weights[note.pitch % 12] += (_HELD if end is None else 1.0) * sounds / TICKS_PER_BEAT
    total = sum(weights)
    if not total:
        return None
    likely = _MINOR if key.minor else _MAJOR
    best: tuple[float, frozenset[int]] | None = None
    for root in sorted(key.scale):
        for third in (4, 3):
            triad = frozenset({root, (root + third) % 12, (root + 7) % 12})
            if not triad <= key.scale:
                continue
            within = sum(weights[pitch_class] for pitch_class in triad)
            fit = within - _OUTSIDE * (total - within) + likely.get((root - key.tonic) % 12, _OTHER)
            if best is None or fit > best[0]:
                best = fit, triad
    return None if best is None else best[1]
