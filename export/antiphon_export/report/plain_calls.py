"""What people play first: a scale, a tune, four chords. Calls in a known key at a known pulse, and how they are met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from antiphon.music.note_rows import NoteRows
from antiphon.notes import TICKS_PER_BEAT, Note, Phrase
from antiphon_export.report.events import Onsets, onsets_of
from antiphon_export.report.tonality import Key, last_in_tonic_triad, share_in_key

PLAIN_BPM: Final = 90.0
NEAR_SECONDS: Final = 0.04
_REST_BEATS: Final = 1.0
_OFFBEAT: Final = (0.4, 0.85)
"""Where in a beat an eighth off the beat may lie: straight at 1/2, swung at 2/3."""
_SWUNG: Final = (7 / 12, 3 / 4)
"""Where it is nearer to a swung eighth than to a straight one, and no later than the last sixteenth."""

_NURSERY: Final = (
    *((60, 1.0), (60, 1.0), (67, 1.0), (67, 1.0), (69, 1.0), (69, 1.0), (67, 2.0)),
    *((65, 1.0), (65, 1.0), (64, 1.0), (64, 1.0), (62, 1.0), (62, 1.0), (60, 2.0)),
)
"""Pitch, beats; one note after the other."""
_MINOR: Final = (
    *((57, 1.0), (60, 0.5), (62, 0.5), (64, 1.0), (62, 0.5), (60, 0.5), (59, 1.0), (56, 1.0), (57, 2.0)),
    *((64, 1.0), (65, 0.5), (64, 0.5), (62, 1.0), (60, 0.5), (59, 0.5), (60, 0.5), (59, 0.5), (57, 3.0)),
)
_LICK: Final = (
    *((0.0, 64, 0.5), (0.5, 67, 0.5), (1.0, 69, 0.5), (1.5, 70, 0.25), (1.75, 69, 0.25), (2.0, 67, 0.5)),
    # A breath of one and a half beats, which is not yet the end.
    *((4.0, 67, 0.5), (4.5, 66, 0.5), (5.0, 65, 0.5), (5.5, 63, 0.5), (6.0, 60, 1.5)),
)
"""Place in beats, pitch, beats."""
_SWUNG_TUNE: Final = (
    *((0, 60), (2, 62), (3, 64), (5, 67), (6, 69), (8, 67), (9, 64), (11, 62)),
    *((12, 64), (14, 67), (15, 69), (17, 72), (18, 69), (20, 67), (21, 64)),
)
"""Place in thirds of a beat, pitch."""


@dataclass(frozen=True, slots=True)
class PlainCall:
    """A call whose key and pulse are known because it was written."""

    name: str
    notes: tuple[Note, ...]
    """480 ticks a beat, from tick 0."""
    bars: int
    key: Key
    extra: frozenset[int] = frozenset()
    """Pitch classes beside the scale that belong to it: blue notes."""
    parts_of_beat: int = 4
    """Sixteenths, or the thirds of a beat that swung eighths lie on."""

    def at(self, beat_ticks: int) -> Phrase:
        """The call with beats of so many ticks; it ends with its last bar."""
        moved = [
            Note(
                note.start_ticks * beat_ticks // TICKS_PER_BEAT,
                note.pitch,
                (note.length_ticks or 1) * beat_ticks // TICKS_PER_BEAT,
                note.velocity,
            )
            for note in self.notes
        ]
        return Phrase.of(moved, 0, self.bars * 4 * beat_ticks)


@dataclass(frozen=True, slots=True)
class PlainScore:
    """How answers to a plain call were; NaN where nothing could be told."""

    in_key: float
    """Share of notes."""
    in_time: float
    """Share of onsets within 40 ms of the call's grid."""
    swing_kept: float
    """Share of notes off the beat that are swung; NaN of a straight call."""
    ends_at_rest: float
    """1 if nothing begins in the last beat, within 40 ms."""
    ends_in_triad: float
    """1 if the last note of the top line is in the tonic triad."""


def plain_calls() -> tuple[PlainCall, ...]:
    """Six calls, at 90 beats a minute."""
    major = Key(0, minor=False)
    chords = ((60, 64, 67), (57, 60, 64), (53, 57, 60), (55, 59, 62))
    quarters = [_note(4 * bar + beat, pitch, 0.95) for bar in range(4) for beat in range(4) for pitch in chords[bar]]
    return (
        PlainCall("a scale", _line([(60 + step, 0.5) for step in (0, 2, 4, 5, 7, 9, 11, 12)] * 2), 2, major),
        PlainCall("a nursery tune", _line(_NURSERY), 4, major),
        PlainCall(
            "I vi IV V in quarters",
            tuple(quarters),
            4,
            major,
        ),
        PlainCall("a blues lick with a breath", tuple(_note(*note) for note in _LICK), 2, major, frozenset({3, 6, 10})),
        PlainCall("a minor tune", _line(_MINOR), 4, Key(9, minor=True)),
        PlainCall(
            "a swung tune", tuple(_note(at / 3, pitch, 1 / 3) for at, pitch in _SWUNG_TUNE), 2, major, parts_of_beat=3
        ),
    )


def score(call: PlainCall, rows: NoteRows, start_ticks: int, end_ticks: int, beat_ticks: int) -> PlainScore:
    """How notes [N, 4] in that span answer `call`, whose beats began at tick 0."""
    onsets = onsets_of(rows)
    if not len(onsets):
        return PlainScore(*[float("nan")] * 5)
    whole = frozenset(call.key.scale | call.extra)
    in_key = share_in_key(rows, call.key) if not call.extra else float(np.isin(rows[:, 1] % 12, list(whole)).mean())
    near = PLAIN_BPM / 60 * beat_ticks * NEAR_SECONDS
    swing = swing_kept(onsets, beat_ticks) if call.parts_of_beat == 3 else float("nan")
    rest = float(end_ticks - onsets[-1] >= _REST_BEATS * beat_ticks - near)
    return PlainScore(
        in_key,
        share_on_grid(onsets, beat_ticks / call.parts_of_beat, near),
        swing,
        rest,
        last_in_tonic_triad(rows, call.key),
    )


def share_on_grid(onsets: Onsets, step_ticks: float, near_ticks: float) -> float:
    """Of the onsets, the share within `near_ticks` of a multiple of `step_ticks`; at random 2 near / step."""
    places = onsets / step_ticks
    return float((np.abs(places - np.round(places)) * step_ticks <= near_ticks).mean()) if len(onsets) else float("nan")


def swing_kept(onsets: Onsets, beat_ticks: int) -> float:
    """Of the onsets about the middle of a beat (0.4 to 0.85 of it), the share from 7/12 to 3/4: nearer to a third
    triplet eighth (2/3) than to a straight eighth. NaN of no onset there.
    """
    places = onsets / beat_ticks % 1
    off = places[(places >= _OFFBEAT[0]) & (places <= _OFFBEAT[1])]
    return float(((off >= _SWUNG[0]) & (off < _SWUNG[1])).mean()) if len(off) else float("nan")


def mean_score(scores: Sequence[PlainScore]) -> PlainScore:
    """The mean of each figure over answers, without those of which nothing could be told."""
    columns = np.array([[getattr(one, name) for name in PlainScore.__slots__] for one in scores], dtype=np.float64)
    known = ~np.isnan(columns)
    sums, counts = np.where(known, columns, 0.0).sum(axis=0), known.sum(axis=0)
    return PlainScore(*(float(a / n) if n else float("nan") for a, n in zip(sums, counts, strict=True)))


def _line(notes: Sequence[tuple[int, float]]) -> tuple[Note, ...]:
    """One note after the other: pitch, beats."""
    at = 0.0
    line = []
    for pitch, beats in notes:
        line.append(_note(at, pitch, beats))
        at += beats
    return tuple(line)


def _note(at_beats: float, pitch: int, beats: float) -> Note:
    length = round(0.92 * beats * TICKS_PER_BEAT)
    return Note(round(at_beats * TICKS_PER_BEAT), pitch, max(1, length), 78 if at_beats % 2 == 0 else 70)
