"""Circles, crowds and rests."""

from __future__ import annotations

import pytest

from antiphon.notes import Note
from antiphon.token_guard import TokenGuard

REST = 3840


def guard_after(*pitches: int, gap_ticks: int = 240) -> TokenGuard:
    guard = TokenGuard([], 0, REST)
    for index, pitch in enumerate(pitches):
        guard.strike(pitch, gap_ticks * index)
    return guard


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


def test_long_figures_are_figures_too_up_to_24_notes() -> None:
    figure = tuple(range(40, 64))
    assert guard_after(*figure * 4).excess(0.3) == {40: 1}
    assert guard_after(*figure, 64, *figure, 64, *figure, 64).excess(0.0) == {}


def test_what_was_heard_counts() -> None:
    heard = [Note(120 * index, 60, 100, 80) for index in range(20)]
    guard = TokenGuard(heard, 2400, REST)
    assert guard.excess(0.5) == {60: 14}
    guard.strike(62, 2500)
    assert guard.excess(0.5) == {}


def test_sixteen_notes_fill_a_beat() -> None:
    guard = TokenGuard([], 0, REST)
    for index in range(15):
        guard.strike(40 + index, 1000 + index)
    assert guard.open_ticks() == 0
    guard.strike(70, 1015)
    assert guard.open_ticks() == 1480
    guard.strike(71, 1016)
    assert guard.open_ticks() == 1481


def test_a_copy_remembers_by_itself() -> None:
    guard = guard_after(*(60,) * 9)
    twin = guard.copy()
    twin.strike(61, 5000)
    assert guard.excess(0.5) == {60: 3}
    assert guard.due_ticks() == 8 * 240 + REST, "it does not listen to itself"
    assert twin.excess(0.5) == {}


@pytest.mark.parametrize(("gap_ticks", "rest_ticks"), [(60, 1280), (240, 1280), (480, 1920), (720, 2880), (1500, 3840)])
def test_a_rest_goes_with_the_pace_of_what_was_heard(gap_ticks: int, rest_ticks: int) -> None:
    chords = [Note(gap_ticks * index + pitch, 60 + pitch, 100, 80) for index in range(12) for pitch in range(3)]
    guard = TokenGuard(chords, 20_000, REST)
    guard.strike(60, 20_100)
    assert guard.due_ticks() == pytest.approx(20_100 + rest_ticks, abs=10)


def test_where_nothing_was_heard_a_rest_is_as_long_as_it_may() -> None:
    guard = TokenGuard([], 500, REST)
    guard.strike(60, 700)
    assert guard.due_ticks() == 700 + REST


def test_an_answer_begins_within_a_few_beats() -> None:
    assert TokenGuard([], 500, REST).due_ticks() == 500 + 1920
    assert TokenGuard([], 500, 800).due_ticks() == 500 + 800
