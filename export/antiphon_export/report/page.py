"""A picture page: each call, how the piece goes on, and the answer, with its scores. It measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from antiphon.errors import AntiphonError, pip_line
from antiphon.notes import Phrase
from antiphon_export.report.findings import Report, Sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CALL, _REAL, _ANSWER = "#2f7fd6", "#2ba36d", "#ef7d37"
_DOTS_PER_INCH: Final = 75


def draw_page(path: Path, report: Report) -> None:
    """Write a PNG of the report's samples: left how real music goes on, right the answer; plain calls two in a row.

    Raises:
        AntiphonError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise AntiphonError(f"drawing needs matplotlib: {error}; install it with: {pip_line('matplotlib')}") from error
    held_out = [sample for sample in report.samples if sample.real is not None]
    plain = [sample for sample in report.samples if sample.real is None]
    count = len(held_out) + -(-len(plain) // 2)
    figure = Figure(figsize=(17, 1.2 + 1.9 * count), layout="constrained")
    figure.suptitle(
        f"{report.generator} on {report.folder}: calls blue, real continuations green, answers orange", fontsize=13
    )
    panels = figure.subplots(count, 2, squeeze=False)
    for row, sample in enumerate(held_out):
        assert sample.real is not None
        pitches = _range([sample.call, sample.real, sample.answer])
        titles = f"{sample.name}, the piece: {sample.real_words}", f"{sample.name}, the answer: {sample.words}"
        _draw(panels[row, 0], titles[0], sample.call, sample.real, _REAL, pitches)
        _draw(panels[row, 1], titles[1], sample.call, sample.answer, _ANSWER, pitches)
    for number, sample in enumerate(plain):
        axes = panels[len(held_out) + number // 2, number % 2]
        _draw_plain(axes, sample)
    for axes in panels.flat[2 * len(held_out) + len(plain) :]:
        axes.set_visible(False)
    try:
        figure.savefig(path, dpi=_DOTS_PER_INCH)
    except (OSError, ValueError) as error:
        raise AntiphonError(
            f"{str(path)!r} cannot be written ({error}); choose another place, ending in .png"
        ) from error


def _draw_plain(axes: Axes, sample: Sample) -> None:
    pitches = _range([sample.call, sample.answer])
    _draw(axes, f"{sample.name}: {sample.words}", sample.call, sample.answer, _ANSWER, pitches)


def _draw(axes: Axes, title: str, call: Phrase, after: Phrase, colour: str, pitches: tuple[int, int]) -> None:
    for shade, phrase in ((_CALL, call), (colour, after)):
        axes.barh(
            [note.pitch for note in phrase.notes],
            [min(note.length_ticks or 1, after.end_ticks - note.start_ticks) for note in phrase.notes],
            left=[note.start_ticks for note in phrase.notes],
            color=[(shade, 0.3 + 0.7 * note.velocity / 127) for note in phrase.notes],
            height=0.9,
        )
    axes.set_xlim(0, after.end_ticks)
    axes.set_ylim(*pitches)
    axes.set_xticks(range(0, after.end_ticks + 1, call.end_ticks // 4), [])
    axes.set_yticks([pitch for pitch in range(*pitches) if pitch % 12 == 0])
    axes.set_yticklabels([f"C{pitch // 12 - 1}" for pitch in range(*pitches) if pitch % 12 == 0], fontsize=8)
    axes.grid(alpha=0.35)
    axes.axvline(call.end_ticks, color="#444", linewidth=1)
    axes.set_title(title, loc="left", fontsize=9.5)


def _range(phrases: Sequence[Phrase]) -> tuple[int, int]:
    pitches = [note.pitch for phrase in phrases for note in phrase.notes] or [60]
    return min(pitches) - 2, max(pitches) + 2
