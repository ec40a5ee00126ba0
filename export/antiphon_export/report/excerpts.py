"""Calls from pieces, and how the pieces go on after them or come to their end. It plays nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from antiphon.music.note_rows import NoteRows, notes_of
from antiphon.notes import STEP_TICKS, Phrase
from antiphon_export.notes.beats import lattice_offset
from antiphon_export.report.events import Onsets
from antiphon_export.report.musician import BAR_TICKS, CALL_BARS
from antiphon_export.report.pulse import coherence
from antiphon_export.training.pieces import Piece

_SPAN_TICKS: Final = CALL_BARS * BAR_TICKS
_FEWEST_NOTES: Final = 8
_FEWEST_AT_THE_END: Final = 3
_LATTICE: Final = 0.5
"""Coherence with sixteenths from which a score's notes lie on a lattice of their own, beside its file's."""
_PLACES: Final = (1 / 2, 1 / 4, 3 / 4, 1 / 8, 3 / 8, 5 / 8, 7 / 8)
"""Where in a piece, by its notes: first the middle of every piece, and only then further places."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A call from a piece, and how the piece goes on."""

    call: Phrase
    """Four bars from tick 0."""
    continuation: Phrase
    """The four bars after it."""
    piece: int = 0
    """Number of the piece."""


def excerpts(pieces: Sequence[Piece], most: int) -> list[Excerpt]:
    """One excerpt from the middle of each piece that has enough notes there, then further ones; `most` at most."""
    found: list[Excerpt] = []
    taken: dict[int, list[int]] = {}
    for place in _PLACES:
        for number, piece in enumerate(pieces):
            if len(found) == most:
                return found
            rows = piece.parts[0]
            middle = int(rows[int(len(rows) * place), 0])
            if piece.bar_ticks is not None:
                middle = int(piece.bar_ticks[np.searchsorted(piece.bar_ticks, middle, side="right") - 1])
            if any(abs(middle - other) < 2 * _SPAN_TICKS for other in taken.setdefault(number, [])):
                continue
            excerpt = _excerpt(piece, middle, number)
            if excerpt is not None:
                found.append(excerpt)
                taken[number].append(middle)
    return found


def endings(pieces: Sequence[Piece]) -> list[Excerpt]:
    """The last four bars of each piece that has enough notes there, after the four before them.

    A piece ends at the bar line after its last onset; in real time, when the last note is released, or a bar after it
    was struck, whichever comes first.
    """
    found = []
    for number, piece in enumerate(pieces):
        rows = piece.parts[0]
        last = int(rows[:, 0].max())
        if piece.bar_ticks is None:
            end = min(int((rows[:, 0] + rows[:, 2]).max()), last + BAR_TICKS)
        else:
            end = int(piece.bar_ticks[np.searchsorted(piece.bar_ticks, last, side="right") - 1]) + BAR_TICKS
        excerpt = _excerpt(piece, end - _SPAN_TICKS, number, _FEWEST_AT_THE_END)
        if excerpt is not None:
            found.append(excerpt)
    return found


def _excerpt(piece: Piece, middle_ticks: int, number: int, fewest: int = _FEWEST_NOTES) -> Excerpt | None:
    # A generator hears bars at multiples of the bar's length.
    moved = piece.parts[0] - np.array([middle_ticks - _SPAN_TICKS, 0, 0, 0])
    if piece.bar_ticks is not None:
        inside = moved[(moved[:, 0] >= 0) & (moved[:, 0] < _SPAN_TICKS)]
        moved = moved - np.array([displacement(inside[:, 0]), 0, 0, 0])
    call, continuation = (phrase_of(moved, start, start + _SPAN_TICKS) for start in (0, _SPAN_TICKS))
    enough = len(call.notes) >= _FEWEST_NOTES and len(continuation.notes) >= fewest
    return Excerpt(call, continuation, number) if enough else None


def displacement(onsets: Onsets) -> int:
    """How many ticks onsets lie behind the sixteenths of the file's beat, all together; -60 to 60.

    A performance set to beats afterwards often lies beside them by the same fraction of a sixteenth throughout; who
    plays to a click does not. 0 where the onsets share no lattice.
    """
    if not len(onsets) or coherence(onsets, STEP_TICKS) < _LATTICE:
        return 0
    return round(lattice_offset(onsets))


def phrase_of(rows: NoteRows, start_ticks: int, end_ticks: int) -> Phrase:
    """The notes of `rows` [N, 4] that begin within the span, one of each pitch at an instant."""
    inside = rows[(rows[:, 0] >= start_ticks) & (rows[:, 0] < end_ticks)]
    _, first = np.unique(inside[:, 0] << 7 | inside[:, 1], return_index=True)
    return Phrase(start_ticks, end_ticks, notes_of(inside[first]))
