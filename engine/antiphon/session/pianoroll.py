"""Piano rolls, as a picture for keeps and as a lane of text for the live screen. They show music and judge nothing."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from rich.style import Style

from antiphon.errors import AntiphonError, pip_line
from antiphon.music import messages
from antiphon.music.ear import Ear
from antiphon.music.metre_map import MetreMap
from antiphon.music.midi_file import Score, Track
from antiphon.music.note_names import pitch_name
from antiphon.music.timing import Timeline
from antiphon.notes import Note
from antiphon.output_files import check_suffix, write_whole

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
_MOST_BAR_NUMBERS: Final = 32
"""In a row; where there are more bars, lines and numbers stand at every second, third …"""
_LONGEST_TITLE: Final = 64
_LONGEST_NAME: Final = 24
_LEGEND_CHARACTERS: Final = 64
"""In a line of the legend, which shares it with the title."""
_MOST_LEGEND_ENTRIES: Final = 12
PICTURE_SUFFIXES: Final = (".png", ".svg", ".pdf")
"""What the name of a picture may end in; it says how it is written."""


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


@dataclass(frozen=True, slots=True)
class _RollPart:
    """What one track plays."""

    name: str
    colour: str
    notes: Sequence[Note]
    """By onset, then pitch."""


def draw(path: Path, score: Score, *, title: str = "") -> None:
    """Draw all tracks of `score` on one roll: a colour a track, velocity as opacity, its markers, bars by its metres.

    Music longer than 40 s goes on in further rows, up to 6. The file appears whole or not at all.

    Raises:
        AntiphonError: there is no note in any track; or the name has none of `PICTURE_SUFFIXES`, matplotlib is not
            installed, or the file cannot be written.
    """
    check_suffix(path, "a picture", *PICTURE_SUFFIXES)
    try:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError as error:
        raise AntiphonError(f"drawing needs matplotlib: {error}; install it with: {pip_line('matplotlib')}") from error
    parts = list(_parts(score))
    notes = [note for part in parts for note in part.notes]
    if not notes:
        raise AntiphonError("there is nothing to draw: nobody plays a note")
    timeline, metre = score.timeline(), MetreMap(score.signatures)
    first_bar = metre.bar_at(min(note.start_ticks for note in notes))
    end_ticks = max([note.end_ticks or 0 for note in notes] + [ticks + 1 for ticks, _ in score.markers])
    bars = metre.bar_at(end_ticks - 1) + 1 - first_bar
    seconds = timeline.seconds_at(metre.start_of(first_bar + bars)) - timeline.seconds_at(metre.start_of(first_bar))
    rows = min(_MOST_ROWS, bars, math.ceil(seconds / _SECONDS_A_ROW))
    bars_a_row = -(-bars // rows)
    pitches = min(note.pitch for note in notes) - 2, max(note.pitch for note in notes) + 2

    figure = Figure(figsize=(15, 1.1 + 4.3 * rows), dpi=130, facecolor="white")
    figure.set_layout_engine(ConstrainedLayoutEngine(h_pad=0.12, w_pad=0.12))
    all_axes = figure.subplots(rows, 1, squeeze=False)[:, 0]
    for row, axes in enumerate(all_axes):
        start = first_bar + row * bars_a_row
        roll = _Roll(axes, timeline, metre, range(start, start + bars_a_row), pitches)
        roll.draw_paper()
        roll.draw_notes(parts)
        roll.draw_markers(score.markers)
    all_axes[0].set_title(
        _shown(title, _LONGEST_TITLE),
        loc="left",
        fontsize=15,
        fontweight="bold",
        color="#222",
        pad=26,
        parse_math=False,
    )
    _draw_legend(all_axes[0], parts)
    all_axes[-1].set_xlabel("seconds", color="#666")
    drawn = BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # A name in a script that the font lacks.
        figure.savefig(drawn, format=path.suffix[1:].lower())
    write_whole(path, drawn.getvalue())


def _parts(score: Score) -> Iterator[_RollPart]:
    """The tracks that have notes; those without a name are numbered."""
    playing = [track for track in score.tracks if Score((track,)).has_notes]
    for index, track in enumerate(playing):
        name = _shown(track.name, _LONGEST_NAME) or f"track {index + 1}"
        yield _RollPart(name, COLOURS[index % len(COLOURS)], _notes(track, score))


def _notes(track: Track, score: Score) -> Sequence[Note]:
    """The notes of `track`, under the pedals of all tracks: a file may have a channel's pedals in another one."""
    ear = Ear()
    events = (
        event
        for other in score.tracks
        for event in other.messages
        if other is track or messages.kind(event[1]) == messages.CONTROL_CHANGE
    )
    for ticks, message in sorted(events, key=lambda event: event[0]):
        ear.hear(message, ticks)
    # What is never let go lasts to the end, and a note that is struck there at least a tick.
    ear.flush(max(score.end_ticks, (ear.last_onset_ticks or 0) + 1))
    return ear.notes


def _shown(text: str, most_characters: int) -> str:
    """What can be drawn of a text that a file may have in any encoding, at any length."""
    text = "".join(character if character.isprintable() else "?" for character in text.strip())
    return text if len(text) <= most_characters else f"{text[: most_characters - 1]}…"


@dataclass(frozen=True, slots=True)
class _Roll:
    """One row of the picture."""

    axes: Axes
    timeline: Timeline
    metre: MetreMap
    bars: range
    """The bars in it, from 0."""
    pitches: tuple[int, int]
    """Lowest and highest line of the roll."""

    @property
    def span_ticks(self) -> tuple[int, int]:
        """Where it begins and ends."""
        return self.metre.start_of(self.bars.start), self.metre.start_of(self.bars.stop)

    def draw_notes(self, parts: Sequence[_RollPart]) -> None:
        """Boxes, as long as the notes, in the colours of their parts."""
        from matplotlib.collections import PolyCollection

        start_ticks, end_ticks = self.span_ticks
        boxes: list[list[tuple[float, float]]] = []
        shades: list[tuple[str, float]] = []
        for part in parts:
            for note in part.notes:
                note_end = note.end_ticks or end_ticks  # All have ended.
                if note.start_ticks >= end_ticks or note_end <= start_ticks:
                    continue
                x, after = self.timeline.seconds_at(note.start_ticks), self.timeline.seconds_at(note_end)
                # A solid front edge keeps repeated notes apart, and soft ones visible.
                for box_end, opacity in ((after, 0.3 + 0.7 * note.velocity / 127), (min(after, x + 0.035), 1.0)):
                    y = note.pitch - 0.42
                    boxes.append([(x, y), (box_end, y), (box_end, y + 0.84), (x, y + 0.84)])
                    shades.append((part.colour, opacity))
        self.axes.add_collection(PolyCollection(boxes, facecolors=shades, linewidths=0, zorder=3))
        self.axes.set_xlim(self.timeline.seconds_at(start_ticks), self.timeline.seconds_at(end_ticks))

    def draw_markers(self, markers: Iterable[tuple[int, str]]) -> None:
        """A line for each, and what it says."""
        start_ticks, end_ticks = self.span_ticks
        for ticks, text in markers:
            if start_ticks <= ticks < end_ticks:
                x = self.timeline.seconds_at(ticks)
                self.axes.axvline(x, color="#333", linewidth=1.1, linestyle=(0, (4, 3)), zorder=5)
                self.axes.text(
                    x,
                    self.pitches[1] + 0.2,
                    f" {_shown(text, _LONGEST_NAME)}",
                    fontsize=8.5,
                    color="#333",
                    va="top",
                    zorder=6,
                    clip_on=True,
                    parse_math=False,
                    bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1},
                )

    def draw_paper(self) -> None:
        """Shaded lines for the black keys, lines for bars and beats, names for Cs and Gs, numbers for the bars."""
        from matplotlib.ticker import MaxNLocator

        axes, seconds_at = self.axes, self.timeline.seconds_at
        low, high = self.pitches
        for pitch in range(low, high + 1):
            if pitch % 12 in _BLACK_KEYS:
                axes.axhspan(pitch - 0.5, pitch + 0.5, color="#f0f1f4", linewidth=0, zorder=0)
            if pitch % 12 == 0:
                axes.axhline(pitch - 0.5, color="#c9ccd3", linewidth=0.8, zorder=1)
        every = max(1, math.ceil(len(self.bars) / _MOST_BAR_NUMBERS))
        if every == 1:
            for ticks in (ticks for bar in self.bars for ticks in self.metre.beats_of(bar)):
                axes.axvline(seconds_at(ticks), color="#e6e8ec", linewidth=0.7, zorder=1)
        shown = {bar: seconds_at(self.metre.start_of(bar)) for bar in self.bars[::every]}
        for seconds in (*shown.values(), seconds_at(self.span_ticks[1])):
            axes.axvline(seconds, color="#b4b8c2", linewidth=0.9, zorder=1)
        numbers = axes.secondary_xaxis("top")
        numbers.set_xticks(list(shown.values()), [str(bar + 1) for bar in shown], ha="left", fontsize=8.5, color="#888")
        numbers.tick_params(length=0, pad=2)
        numbers.spines["top"].set_visible(False)
        named = [pitch for pitch in range(low, high + 1) if pitch % 12 in (0, 7)]
        axes.set_yticks(named, [pitch_name(pitch) for pitch in named])
        axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True))
        axes.set_ylim(low - 0.5, high + 0.5)
        axes.tick_params(length=0, labelsize=9, labelcolor="#666")
        axes.spines[["top", "right", "left", "bottom"]].set_visible(False)


def _draw_legend(axes: Axes, parts: Sequence[_RollPart]) -> None:
    from matplotlib.patches import Patch

    chips = [Patch(color=part.colour) for part in parts[:_MOST_LEGEND_ENTRIES]]
    names = [part.name for part in parts[:_MOST_LEGEND_ENTRIES]]
    if len(parts) > len(chips):
        chips.append(Patch(color="none"))
        names.append(f"and {len(parts) - len(names)} more")
    legend = axes.legend(
        chips,
        names,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.04),
        ncols=min(len(names), _LEGEND_CHARACTERS // (max(map(len, names)) + 6)),
        frameon=False,
        fontsize=11,
        handlelength=1.2,
        handleheight=0.9,
        borderaxespad=0,
        columnspacing=1.6,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
