"""Circles."""

from __future__ import annotations

import pytest

from antiphon.notes import Note
from antiphon.tokens.repetition import RepetitionPenalty


def guard_after(*pitches: int) -> RepetitionPenalty:
    penalty = RepetitionPenalty([])
    for pitch in pitches:
        penalty.strike(pitch)
    return penalty


@pytest.mark.parametrize(
    ("pitches", "repetition", "excess"),
    [
        ((60,) * 6, 0.5, {}),
        ((60,) * 7, 0.5, {60: 1}),
        ((60,) * 9, 0.5, {60: 3}),
        ((60,) * 9, 1.0, {}),
        ((60,) * 4, 0.0, {60: 1}),
        ((60, 64, 67) * 4, 0.5, {}),
        ((60, 64, 67) * 5, 0.5, {60: 1}),
        ((*(60, 64, 67) * 5, 60), 0.5, {64: 1}),
        ((*(60, 64, 67) * 5, 61), 0.5, {}),
        ((60, 64, 67, 60, 64, 67), 0.0, {60: 1}),
        ((60, 62, 64, 65, 67, 69, 71, 72), 0.0, {}),
    ],
)
def test_a_figure_may_come_so_often_in_a_row(
    pitches: tuple[int, ...], repetition: float, excess: dict[int, int]
) -> None:
    assert guard_after(*pitches).excess(repetition) == excess


def test_long_figures_are_figures_too_up_to_48_notes() -> None:
    figure = tuple(range(40, 88))
    assert guard_after(*figure * 4).excess(0.3) == {40: 1}
    assert guard_after(*figure, 88, *figure, 88, *figure, 88).excess(0.0) == {}


def test_what_was_heard_counts() -> None:
    heard = [Note(120 * index, 60, 100, 80) for index in range(20)]
    penalty = RepetitionPenalty(heard)
    assert penalty.excess(0.5) == {60: 14}
    penalty.strike(62)
    assert penalty.excess(0.5) == {}


def test_a_copy_remembers_by_itself() -> None:
    penalty = guard_after(*(60,) * 9)
    twin = penalty.copy()
    twin.strike(61)
    assert penalty.excess(0.5) == {60: 3}
    assert twin.excess(0.5) == {}
