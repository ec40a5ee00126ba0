"""How well a model of notes foretells music: nats a note, by attribute, by a protocol that a stranger can repeat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from antiphon.note_steps.spans import SIXTEENTH_UNITS, Clock
from antiphon.note_steps.words import Reading
from antiphon_export.midi_folder import Corpus
from antiphon_export.notes.batch import Batch, spread
from antiphon_export.notes.pieces import NotePiece, NoteShelf, read_note_shelves
from antiphon_export.notes.scorer import Score
from antiphon_export.notes.windows import still_windows
from antiphon_export.training.validation import stride
from antiphon_plugins.notes.model import HEADS

_WINDOW: Final = 257
"""Steps of a window; the first is not foretold."""
_BATCH: Final = 16


@dataclass(frozen=True, slots=True)
class NoteEvaluation:
    """What was found on the pieces by one clock."""

    clock: Clock
    nats_per_note: float
    """All attributes together, lifts and edges included; told to 10 ms and velocities to bins of 4 in free time, to
    sixteenths without velocities in beats: as the performance and the grid codec tell it."""
    by_attribute: dict[str, float]
    """Nats a note."""
    moved_by_a_sixteenth: float | None
    """The same with all notes a sixteenth late against their bars; None where there are no bars."""
    windows: int
    windows_in_all: int
    notes: int

    def lines(self) -> list[str]:
        """It in words."""
        parts = ", ".join(f"{name} {cost:.3f}" for name, cost in self.by_attribute.items())
        told = "free time, 10 ms and velocity bins of 4" if self.clock == "free" else "beats, sixteenths"
        lines = [
            f"{self.nats_per_note:.4f} nats per note ({told}): {parts}",
            f"{self.windows:,} of {self.windows_in_all:,} windows, {self.notes:,} notes",
        ]
        if self.moved_by_a_sixteenth is not None:
            price = self.moved_by_a_sixteenth - self.nats_per_note
            lines.append(f"{self.moved_by_a_sixteenth:.4f} with the beat moved by a sixteenth: {price:+.4f}")
        return lines

    def as_json(self) -> dict[str, Any]:
        """It as JSON takes it."""
        return asdict(self)


def evaluate_notes(
    score: Score,
    folder: Path,
    *,
    beats: Path | None,
    every: int,
    report: Callable[[str], None],
    advance: Callable[[int, int], None] = lambda done, of: None,
) -> list[NoteEvaluation]:
    """Evaluate on the validation pieces of `folder` by each clock that suits them, on each `every`-th window.

    Windows have 257 steps, each begun with the last step of the one before, and are read from a cold start.

    Raises:
        AntiphonError: there is no piece for validation.
    """
    shelves = read_note_shelves([Corpus(folder)], "valid", beats=beats, report=report)
    return [_evaluated(score, shelf, every, advance) for shelf in shelves]


def nats_of_shelf(score: Score, shelf: NoteShelf, most: int) -> tuple[float, int, int]:
    """Nats a note on `most` windows of `shelf`, as `evaluate_notes` has them; how many, and each how-many-th it is."""
    windows = _windows(shelf.pieces, 0)
    every = stride(len(windows), most)
    costs, _ = _costs(score, windows[::every], lambda _: None)
    return sum(costs.values()), len(windows[::every]), every


def _evaluated(score: Score, shelf: NoteShelf, every: int, advance: Callable[[int, int], None]) -> NoteEvaluation:
    windows = _windows(shelf.pieces, 0)
    chosen = windows[::every]
    moved = _windows(shelf.pieces, SIXTEENTH_UNITS)[::every] if shelf.clock == "beat" else []
    of = len(chosen) + len(moved)
    costs, notes = _costs(score, chosen, lambda done: advance(done, of))
    price = None
    if moved:
        late, _ = _costs(score, moved, lambda done: advance(len(chosen) + done, of))
        price = sum(late.values())
    return NoteEvaluation(shelf.clock, sum(costs.values()), costs, price, len(chosen), len(windows), notes)


def _windows(pieces: Sequence[NotePiece], moved_units: int) -> list[Reading]:
    return [
        reading
        for piece in pieces
        for reading in still_windows(piece, _WINDOW, moved_units=moved_units, sixteenths=True)
        if len(reading.bags) > 1
    ]


def _costs(score: Score, windows: Sequence[Reading], advance: Callable[[int], None]) -> tuple[dict[str, float], int]:
    totals = dict.fromkeys(HEADS, 0.0)
    notes = done = 0
    by_length: dict[int, list[Reading]] = {}
    for reading in windows:
        by_length.setdefault(len(reading.bags), []).append(reading)
    for alike in by_length.values():
        for first in range(0, len(alike), _BATCH):
            batch = Batch.of(alike[first : first + _BATCH])
            for costs in (score(batch), spread(batch)):
                for name, cost in costs.items():
                    totals[name] += float(cost.sum())
            notes += batch.notes
            done += len(batch.bags)
            advance(done)
    return {name: total / max(1, notes) for name, total in totals.items()}, notes
