"""Crowds, rests, and as many notes as were heard."""

from __future__ import annotations

import math

import pytest

from antiphon.notes import Note
from antiphon.tokens.density import DensityControl

REST = 3840


def notes(gap_ticks: int, count: int = 32) -> list[Note]:
    return [Note(gap_ticks * index, 60, 100, 80) for index in range(count)]


def pace_after(heard: list[Note], *onsets: int) -> DensityControl:
    pace = DensityControl(heard, heard, 20_000, REST)
    for ticks in onsets:
        pace.strike(ticks)
    return pace


def test_sixteen_notes_fill_a_beat() -> None:
    pace = pace_after([], *range(1000, 1015))
    assert pace.open_ticks() == 0
    pace.strike(1015)
    assert pace.open_ticks() == 1480
    pace.strike(1016)
    assert pace.open_ticks() == 1481


@pytest.mark.parametrize(("gap_ticks", "rest_ticks"), [(60, 1280), (240, 1280), (480, 1920), (720, 2880), (1500, 3840)])
def test_a_rest_goes_with_the_pace_of_what_was_heard(gap_ticks: int, rest_ticks: int) -> None:
    chords = [Note(gap_ticks * index + pitch, 60 + pitch, 100, 80) for index in range(12) for pitch in range(3)]
    assert pace_after(chords, 20_100).due_ticks() == pytest.approx(20_100 + rest_ticks, abs=10)


def test_where_nothing_was_heard_a_rest_is_as_long_as_it_may() -> None:
    assert pace_after([], 20_700).due_ticks() == 20_700 + REST


def test_an_answer_begins_within_a_few_beats() -> None:
    assert pace_after([]).due_ticks() == 20_000 + 1920
    assert DensityControl([], [], 500, 800).due_ticks() == 500 + 800


@pytest.mark.parametrize(("heard_gap", "own_gap"), [(240, 240), (240, 60), (240, 960), (80, 480), (700, 100)])
def test_haste_is_how_much_faster_it_goes_than_what_was_heard(heard_gap: int, own_gap: int) -> None:
    pace = pace_after(notes(heard_gap), *range(20_000, 20_000 + 40 * own_gap, own_gap))
    assert pace.haste() == pytest.approx(math.log(heard_gap / own_gap), abs=0.25)


def test_breaths_are_no_part_of_the_pace() -> None:
    phrases = [Note(240 * index + 8000 * (index // 8), 60, 100, 80) for index in range(32)]
    pace = pace_after(phrases, *range(20_000, 20_000 + 40 * 240, 240))
    assert pace.haste() == pytest.approx(0, abs=0.5)


def test_of_few_notes_nobody_can_tell_a_pace() -> None:
    assert pace_after(notes(240, 8)).haste() == 0
    assert abs(pace_after([], *range(0, 40 * 192, 192)).haste()) < 0.1, "two and a half notes a beat are usual"


def test_the_pace_stays_what_was_heard_when_a_line_reads_its_own_music() -> None:
    own = notes(60, 100)
    assert DensityControl(notes(240), own, 6000, REST).haste() == pytest.approx(math.log(4), abs=0.1)


def test_a_copy_goes_at_its_own_pace() -> None:
    pace = pace_after(notes(240), 20_100)
    twin = pace.copy()
    twin.strike(21_000)
    assert pace.due_ticks() == 20_100 + 1280
    assert twin.due_ticks() == 21_000 + 1280
