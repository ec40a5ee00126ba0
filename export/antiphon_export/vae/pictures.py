"""Pictures of windows as small piano rolls in rows: rebuilt ones, ways and samples. They judge nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from antiphon.errors import AntiphonError
from antiphon.notes import STEP_TICKS, Note
from antiphon.rolls.roll import ONSET, Roll, notes_of
from antiphon.session.pianoroll import COLOURS
from antiphon_export.vae.halves import Halves
from antiphon_export.vae.paths import POINTS, Place, drawn, samples, way
from antiphon_export.vae.reconstruction import evenly

_REBUILT: Final = 5
_WAYS: Final = 3
_ENDS_SEED: Final = 1
_BAR_STEPS: Final = 16
_GAP: Final = 0.12
"""Of a step, before the next note on the same key."""
_MARGIN: Final = 3
"""Semitones above and below all notes."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One window."""

    title: str
    notes: Sequence[Note]
    """From tick 0 on."""
    colour: str = COLOURS[0]


def draw_pictures(folder: Path, name: str, halves: Halves, rolls: Roll) -> list[Path]:
    """Draw what comes back of some of `rolls` [N, T, 3, 88], ways between others, and samples; returns the files.

    They are called `name`-rebuilt, -ways and -samples.

    Raises:
        AntiphonError: a file cannot be written.
    """
    paths = [folder / f"{name}-{what}.png" for what in ("rebuilt", "ways", "samples")]
    shown = rolls[evenly(len(rolls), _REBUILT)]
    draw_rebuilt(paths[0], halves, shown, [f"window {number + 1}" for number in range(len(shown))])
    ends = rolls[np.random.default_rng(_ENDS_SEED).permutation(len(rolls))[: 2 * _WAYS]]
    draw_ways(paths[1], halves, ends[::2], ends[1::2])
    draw_samples(paths[2], halves)
    return paths


def draw_rebuilt(path: Path, halves: Halves, rolls: Roll, names: Sequence[str]) -> None:
    """Draw each of `rolls` [N, T, 3, 88], called `names`, above what comes back of it."""
    rebuilt = halves.rebuild(rolls)
    above = [Panel(name, notes_of(roll, 0)) for name, roll in zip(names, rolls, strict=True)]
    below = [
        Panel(f"as it comes back, {_share_right(before, after)}", notes_of(after, 0), COLOURS[1])
        for before, after in zip(rolls, rebuilt, strict=True)
    ]
    _draw(path, [above, below], halves.steps)


def draw_ways(path: Path, halves: Halves, rolls_a: Roll, rolls_b: Roll) -> None:
    """Draw nine places of the way from each of `rolls_a` to that of `rolls_b` [N, T, 3, 88]: a row for each."""
    rows = []
    codes_a, codes_b = halves.encode(rolls_a), halves.encode(rolls_b)
    for roll_a, roll_b, code_a, code_b in zip(rolls_a, rolls_b, codes_a, codes_b, strict=True):
        places = way(halves, (roll_a, roll_b), (code_a, code_b))
        titles = ["A", *[f"{place / (POINTS - 1):g}" for place in range(1, POINTS - 1)], "B"]
        colours = [_between(place / (POINTS - 1)) for place in range(POINTS)]
        rows.append([Panel(*what) for what in zip(titles, [_notes(place) for place in places], colours, strict=True)])
    _draw(path, rows, halves.steps)


def draw_samples(path: Path, halves: Halves, rows: int = 2, columns: int = 6) -> None:
    """Draw what is decoded of codes drawn from the prior, with seed 1."""
    decoded = samples(halves, rows * columns)
    panels = [
        Panel(str(number + 1), _notes(drawn(roll)), COLOURS[number % len(COLOURS)])
        for number, roll in enumerate(decoded)
    ]
    _draw(path, [panels[first : first + columns] for first in range(0, len(panels), columns)], halves.steps)


def _notes(place: Place) -> list[Note]:
    return notes_of(place.roll, 0, threshold=place.threshold)


def _share_right(before: Roll, after: Roll) -> str:
    wanted, got = before[:, ONSET] > 0, after[:, ONSET] >= 0.5
    return f"{int((wanted & got).sum())} of {int(wanted.sum())} notes, {int((got & ~wanted).sum())} more"


def _between(place: float) -> str:
    """A colour from that of A to that of B."""
    ends = [np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) for colour in COLOURS[:2]]
    mixed = (1 - place) * ends[0] + place * ends[1]
    return "#" + "".join(f"{round(float(part)):02x}" for part in mixed)


def _draw(path: Path, rows: Sequence[Sequence[Panel]], steps: int) -> None:
    """Write a PNG with a row of panels for each of `rows`, all of the same pitches.

    Raises:
        AntiphonError: the file cannot be written.
    """
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

    pitches = [note.pitch for row in rows for panel in row for note in panel.notes]
    low, high = min(pitches, default=60) - _MARGIN, max(pitches, default=60) + _MARGIN
    columns = max(len(row) for row in rows)
    figure = Figure(figsize=(15, 0.3 + 2.3 * len(rows)), dpi=130, facecolor="white", layout="constrained")
    for row, all_axes in zip(rows, figure.subplots(len(rows), columns, squeeze=False, sharey=True), strict=True):
        for panel, axes in zip(row, all_axes, strict=False):
            boxes, shades = [], []
            for note in panel.notes:
                left = note.start_ticks / STEP_TICKS
                right = left + (note.length_ticks or STEP_TICKS) / STEP_TICKS - _GAP
                bottom, top = note.pitch - 0.45, note.pitch + 0.45
                boxes.append([(left, bottom), (right, bottom), (right, top), (left, top)])
                shades.append((panel.colour, 0.35 + 0.65 * note.velocity / 127))
            axes.add_collection(PolyCollection(boxes, facecolors=shades, linewidths=0))
            for step in range(0, steps + 1, 4):
                axes.axvline(step, color="#b4b8c2" if step % _BAR_STEPS == 0 else "#e8eaee", linewidth=0.7, zorder=0)
            for octave in range(low - low % 12, high + 1, 12):
                axes.axhline(octave - 0.5, color="#d7dae0", linewidth=0.6, zorder=0)
            axes.set_title(panel.title, fontsize=9, color="#444", loc="left")
            axes.set_xlim(0, steps)
            axes.set_ylim(low, high)
            axes.set_xticks([])
            axes.set_yticks([octave for octave in range(low - low % 12, high + 1, 12) if octave > low])
            axes.set_yticklabels([f"C{octave // 12 - 1}" for octave in axes.get_yticks().astype(int)])
            axes.tick_params(length=0, labelsize=7, labelcolor="#888")
            axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    try:
        figure.savefig(path)
    except OSError as error:
        raise AntiphonError(f"cannot write '{path}': {error.strerror}; choose a folder you may write to") from error
