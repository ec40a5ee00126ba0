"""How well a Markov table foretells music: nats an event and a note of validation pieces. It learns nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from antiphon.errors import AntiphonError
from antiphon_export.markov import PartEvents, read_line
from antiphon_export.midi_folder import Corpus, read_pieces
from antiphon_export.training.pieces import files_of
from antiphon_plugins.markov.table import LINE_ORDER, MOVES, SIZES, Table, fold_shape, line_contexts, voicing_contexts

_MOST_BELOW: Final = 63
"""Semitones below its highest note at which a chord is told."""
_MOST_NOTES: Final = 16
"""Of a chord, where the table says only that it has four or more."""


@dataclass(frozen=True, slots=True)
class MarkovEvaluation:
    """What was found. Lengths and velocities are not foretold by a table, so they cost nothing here."""

    nats_per_event: float
    """Line and voicing of a note or chord, together."""
    nats_per_note: float
    line: float
    """Nats an event: how far the highest note moves, after which note value, with how many notes below it."""
    voicing: float
    """Nats an event: which notes these are."""
    events: int
    events_in_all: int
    notes: int

    def lines(self) -> list[str]:
        """It in words."""
        return [
            f"{self.nats_per_event:.4f} nats per event (line {self.line:.4f}, voicing {self.voicing:.4f}), "
            f"{self.nats_per_note:.4f} per note",
            "lengths and velocities are not foretold: tables compare with tables alone",
            f"{self.events:,} of {self.events_in_all:,} events, {self.notes:,} notes",
        ]


def evaluate_table(
    table: Table, folder: Path, *, every: int = 1, report: Callable[[str], None] = lambda _: None
) -> MarkovEvaluation:
    """Evaluate on each `every`-th event of the validation pieces of `folder`, all parts together.

    What the table knows is mixed as it is for playing; what is left over is spread evenly over all that may come.

    Raises:
        AntiphonError: there is no piece for validation.
    """
    line_nats = voicing_nats = 0.0
    events = in_all = notes = 0
    for line in _lines(folder, report):
        places = range(1, len(line.move))
        in_all += len(places)
        for place in places[::every]:
            count = int(line.shape[place]).bit_count()
            line_nats += _of_line(table, line, place)
            voicing_nats += _of_voicing(table, line, place, count) if count > 1 else 0.0
            events += 1
            notes += count
    if not events:
        raise AntiphonError(f"{str(folder)!r} has no pieces for validation with two notes or more after one another")
    both = line_nats + voicing_nats
    return MarkovEvaluation(
        both / events, both / notes, line_nats / events, voicing_nats / events, events, in_all, notes
    )


def _lines(folder: Path, report: Callable[[str], None]) -> Iterator[PartEvents]:
    for path in files_of(Corpus(folder), "valid"):
        try:
            for piece in read_pieces(path, "valid"):
                if len(piece.parts[0]) >= 2:
                    yield read_line(piece.parts[0], on_grid=piece.on_grid)
        except AntiphonError as error:
            report(str(error))


def _of_line(table: Table, line: PartEvents, place: int) -> float:
    """Nats of the move at `place`."""
    moves = [int(move) for move in line.move[max(1, place - LINE_ORDER) : place][::-1]]
    known = table.line.mixture(list(line_contexts(int(line.degree[place - 1]), moves)), MOVES)
    return _nats(known, int(line.move[place]), 1 / MOVES)


def _of_voicing(table: Table, line: PartEvents, place: int, count: int) -> float:
    """Nats of the `count` - 1 notes below the highest at `place`."""
    size, degree, before = int(line.size[place]), int(line.degree[place]), int(fold_shape(line.shape[place - 1]))
    index = int(np.searchsorted(table.shapes, line.shape[place]))
    here = index if index < len(table.shapes) and table.shapes[index] == line.shape[place] else None
    evenly = 1 / math.comb(_MOST_BELOW, count - 1)
    if count >= SIZES:
        evenly /= _MOST_NOTES - SIZES + 1
    return _nats(table.voicing.mixture(list(voicing_contexts(size, degree, before)), len(table.shapes)), here, evenly)


def _nats(known: Any, here: int | None, evenly: float) -> float:
    """Of what comes, by the weights `known` [N], which leave something over, and an even chance of all else."""
    left = max(0.0, 1.0 - float(known.sum()))
    return -math.log((0.0 if here is None else float(known[here])) + left * evenly)
