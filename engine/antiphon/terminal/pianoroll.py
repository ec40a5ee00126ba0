"""Piano rolls, as a picture for keeps and as a lane of text for the live screen. They show music and judge nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from rich.style import Style

from antiphon.errors import AntiphonError
from antiphon.music.note_names import pitch_name
from antiphon.music.timing import Timeline
from antiphon.notes import Note, score_order

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS: Final = ("#2f7fd6", "#ef7d37", "#8a5bd6", "#2ba36d", "#d4477d")
"""One a part: the player's first, then those of up to four voices."""

_BLACK_KEYS: Final = frozenset({1, 3, 6, 8, 10})
_ONSET: Final = 4
"""Brightness of the cell in which a note begins; 1 to 3 are its body, by velocity, 0 is nothing."""
_DIM: Final = Style(dim=True)
_SECONDS_A_ROW: Final = 40.0
_MOST_ROWS: Final = 6


@dataclass(frozen=True, slots=True)
class Part:
    """What one player played."""

    name: str
    notes: Sequence[Note]
    """In any order; a note still held is drawn to the end."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A note as the screen sees it pass: in seconds, since nothing there is counted in beats."""

    pitch: int
    """MIDI note number."""
    velocity: int
    """1 to 127."""
    start_seconds: float
    end_seconds: float | None = None
    """`None` while it sounds."""


def lane(
    strokes: Iterable[Stroke],
    now_seconds: float,
    *,
    columns: int,
    rows: int,
    window_seconds: float = 8.0,
    pitches: tuple[int, int] = (48, 79),
    colour: str = COLOURS[0],
    bars: Iterable[float] = (),
) -> list[list[Segment]]:
    """The last `window_seconds` of one part, now at the right edge, as `rows` lines of `columns` cells.

    Half blocks make two pitch steps of a line; a step is as many semitones as `pitches` (lowest, highest) need.
    Later `strokes` are drawn over earlier ones; at each of the seconds in `bars` a bar begins. The first 4 columns
    name the Cs.
    """
    steps = rows * 2
    low, high = pitches
    semitones = -(-(high - low + 1) // steps)
    low -= (steps * semitones - (high - low + 1)) // 2  # What is left over goes to both sides.
    width = max(1, columns - 4)
    cell_seconds = window_seconds / width
    # Columns are counted from the session's start, so that notes keep their length as they pass.
    left = math.floor(now_seconds / cell_seconds) - width + 1
    grid = [bytearray(width) for _ in range(steps)]
    for stroke in strokes:
        first = math.floor(stroke.start_seconds / cell_seconds) - left
        after = width
        if stroke.end_seconds is not None:
            after = min(width, max(first + 1, math.ceil(stroke.end_seconds / cell_seconds) - left))
        if after <= 0 or first >= width:
            continue
        step = grid[min(steps - 1, max(0, (stroke.pitch - low) // semitones))]
        begin = max(0, first)
        step[begin:after] = bytes((1 + stroke.velocity * 3 // 128,)) * (after - begin)
        if first >= 0:
            step[first] = _ONSET
    barlines = bytearray(width)
    for seconds in bars:
        column = math.floor(seconds / cell_seconds) - left
        if 0 <= column < width:
            barlines[column] = 1
    lines = []
    for row in range(rows - 1, -1, -1):
        lowest = low + 2 * row * semitones
        octave = next((p for p in range(lowest, lowest + 2 * semitones) if p % 12 == 0), None)
        line = [Segment(f"{'' if octave is None else pitch_name(octave):>3} ", _DIM)]
        halves = zip(grid[2 * row + 1], grid[2 * row], barlines, strict=True)
        for (upper, lower, bar), cells in groupby(halves):
            glyph, style = _cell(colour, upper, lower, bar)
            line.append(Segment(glyph * len(list(cells)), style))
        lines.append(line)
    return lines


@cache
def _cell(colour: str, upper: int, lower: int, bar: int) -> tuple[str, Style]:
    """Glyph and style of a cell whose halves have these brightnesses."""
    if not upper and not lower:
        return ("┊", _DIM) if bar else (" ", Style.null())
    if upper == lower:
        return "█", Style(color=_shade(colour, upper))
    if not lower:
        return "▀", Style(color=_shade(colour, upper))
    if not upper:
        return "▄", Style(color=_shade(colour, lower))
    return "▀", Style(color=_shade(colour, upper), bgcolor=_shade(colour, lower))


def _shade(colour: str, brightness: int) -> str:
    target, share = {1: (0, 0.5), 2: (0, 0.28), 3: (0, 0.0), _ONSET: (255, 0.55)}[brightness]
    channels = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(value + (target - value) * share):02x}" for value in channels)


def draw(
    path: Path,
    parts: Sequence[Part],
    *,
    timeline: Timeline,
    title: str = "",
    markers: Sequence[tuple[int, str]] = (),
) -> None:
    """Write a PNG of all parts on one roll: a colour a part, velocity as opacity, `markers` as (tick, text).

    Music longer than 40 s goes on in further rows, up to 6.

    Raises:
        AntiphonError: matplotlib is not installed, or the file cannot be written.
        ValueError: there is no note in any part.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError as error:
        raise AntiphonError("drawing needs matplotlib; install it with: pip install 'antiphon[plot]'") from error
    notes = [note for part in parts for note in part.notes]
    if not notes:
        raise ValueError("there is nothing to draw: no part has a note")
    bar_ticks = timeline.signature.bar_ticks
    first_bar = min(note.start_ticks for note in notes) // bar_ticks
    end_ticks = max([note.end_ticks or note.start_ticks + 1 for note in notes] + [ticks for ticks, _ in markers])
    bars = max(1, -(-end_ticks // bar_ticks) - first_bar)
    seconds = timeline.seconds_at((first_bar + bars) * bar_ticks) - timeline.seconds_at(first_bar * bar_ticks)
    rows = min(_MOST_ROWS, bars, math.ceil(seconds / _SECONDS_A_ROW))
    bars_a_row = -(-bars // rows)
    low, high = min(note.pitch for note in notes) - 2, max(note.pitch for note in notes) + 2

    figure = Figure(figsize=(15, 1.1 + 4.3 * rows), dpi=130, facecolor="white")
    figure.set_layout_engine(ConstrainedLayoutEngine(h_pad=0.12, w_pad=0.12))
    all_axes = figure.subplots(rows, 1, squeeze=False)[:, 0]
    for row, axes in enumerate(all_axes):
        start = (first_bar + row * bars_a_row) * bar_ticks
        _draw_row(axes, parts, timeline, (start, start + bars_a_row * bar_ticks), (low, high), markers)
    all_axes[0].set_title(title, loc="left", fontsize=15, fontweight="bold", color="#222", pad=26)
    _draw_legend(all_axes[0], parts)
    all_axes[-1].set_xlabel("seconds", color="#666")
    try:
        figure.savefig(path)
    except OSError as error:
        raise AntiphonError(f"cannot write '{path}': {error.strerror}; choose a folder you may write to") from error


def _draw_row(
    axes: Axes,
    parts: Sequence[Part],
    timeline: Timeline,
    span: tuple[int, int],
    pitches: tuple[int, int],
    markers: Sequence[tuple[int, str]],
) -> None:
    """One line of the roll: paper, notes, markers. `span` in ticks, `pitches` lowest and highest row."""
    from matplotlib.collections import PolyCollection

    start_ticks, end_ticks = span
    left, right = timeline.seconds_at(start_ticks), timeline.seconds_at(end_ticks)
    _draw_paper(axes, timeline, span, pitches)
    boxes: list[list[tuple[float, float]]] = []
    shades: list[tuple[str, float]] = []
    for index, part in enumerate(parts):
        colour = COLOURS[index % len(COLOURS)]
        for note in sorted(part.notes, key=score_order):
            note_end = end_ticks if note.end_ticks is None else note.end_ticks
            if note.start_ticks >= end_ticks or note_end <= start_ticks:
                continue
            x, after = timeline.seconds_at(note.start_ticks), timeline.seconds_at(note_end)
            # A solid front edge keeps repeated notes apart, and soft ones visible.
            for box_end, opacity in ((after, 0.3 + 0.7 * note.velocity / 127), (min(after, x + 0.035), 1.0)):
                y = note.pitch - 0.42
                boxes.append([(x, y), (box_end, y), (box_end, y + 0.84), (x, y + 0.84)])
                shades.append((colour, opacity))
    axes.add_collection(PolyCollection(boxes, facecolors=shades, linewidths=0, zorder=3))
    for ticks, text in markers:
        if start_ticks <= ticks < end_ticks:
            x = timeline.seconds_at(ticks)
            axes.axvline(x, color="#333", linewidth=1.1, linestyle=(0, (4, 3)), zorder=5)
            axes.text(
                x,
                pitches[1] + 0.2,
                f" {text}",
                fontsize=8.5,
                color="#333",
                va="top",
                zorder=6,
                bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1},
            )
    axes.set_xlim(left, right)


def _draw_paper(axes: Axes, timeline: Timeline, span: tuple[int, int], pitches: tuple[int, int]) -> None:
    """Shaded rows for the black keys, lines for bars and beats, names for Cs and Gs, numbers for the bars."""
    from matplotlib.ticker import MaxNLocator

    low, high = pitches
    for pitch in range(low, high + 1):
        if pitch % 12 in _BLACK_KEYS:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color="#f0f1f4", linewidth=0, zorder=0)
        if pitch % 12 == 0:
            axes.axhline(pitch - 0.5, color="#c9ccd3", linewidth=0.8, zorder=1)
    bar_ticks, beat_ticks = timeline.signature.bar_ticks, timeline.signature.beat_ticks
    bar_starts = range(span[0], span[1] + 1, bar_ticks)
    every = max(1, math.ceil(len(bar_starts) / 32))
    if every == 1:
        for ticks in range(span[0], span[1], beat_ticks):
            axes.axvline(timeline.seconds_at(ticks), color="#e6e8ec", linewidth=0.7, zorder=1)
    for ticks in bar_starts[::every]:
        axes.axvline(timeline.seconds_at(ticks), color="#b4b8c2", linewidth=0.9, zorder=1)
    numbers = axes.secondary_xaxis("top")
    numbers.set_xticks(
        [timeline.seconds_at(ticks) for ticks in bar_starts[:-1:every]],
        [str(ticks // bar_ticks + 1) for ticks in bar_starts[:-1:every]],
        ha="left",
        fontsize=8.5,
        color="#888",
    )
    numbers.tick_params(length=0, pad=2)
    numbers.spines["top"].set_visible(False)
    named = [pitch for pitch in range(low, high + 1) if pitch % 12 in (0, 7)]
    axes.set_yticks(named, [pitch_name(pitch) for pitch in named])
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True))
    axes.set_ylim(low - 0.5, high + 0.5)
    axes.tick_params(length=0, labelsize=9, labelcolor="#666")
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)


def _draw_legend(axes: Axes, parts: Sequence[Part]) -> None:
    from matplotlib.patches import Patch

    chips = [Patch(color=COLOURS[i % len(COLOURS)], label=part.name) for i, part in enumerate(parts)]
    axes.legend(
        handles=chips,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.04),
        ncols=len(chips),
        frameon=False,
        fontsize=11,
        handlelength=1.2,
        handleheight=0.9,
        borderaxespad=0,
        columnspacing=1.6,
    )
