"""From taps to a tempo: how soon, how exactly, and what begins anew."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from antiphon.sync.tap_tempo import PAUSE_SECONDS, Tapped, TapTempo

QUARTER, DOTTED, EIGHTH = 480, 720, 240


def tapped(*seconds: float, beat_ticks: int = QUARTER) -> list[float | None]:
    """What each tap leads to, in quarter notes a minute."""
    taps = TapTempo()
    return [found and found.bpm for found in (taps.tap(each, beat_ticks) for each in seconds)]


def test_two_taps_are_a_tempo() -> None:
    assert tapped(10.0, 10.5) == [None, 120.0]


@pytest.mark.parametrize(("beat_ticks", "bpm"), [(QUARTER, 100.0), (DOTTED, 150.0), (EIGHTH, 50.0)])
def test_a_tap_is_a_beat_of_the_metre(beat_ticks: int, bpm: float) -> None:
    assert tapped(0.0, 0.6, 1.2, beat_ticks=beat_ticks) == [None, bpm, bpm]


def test_hands_that_scatter_give_a_steadier_tempo_than_their_last_two_taps() -> None:
    random = Random(7)
    off_by_line, off_by_two = [], []
    for _ in range(200):
        taps, seconds = TapTempo(), [0.5 * number + random.gauss(0, 0.01) for number in range(8)]
        found = [taps.tap(each, QUARTER) for each in seconds][-1]
        assert found is not None
        off_by_line.append(abs(found.bpm - 120))
        off_by_two.append(abs(60 / (seconds[-1] - seconds[-2]) - 120))
    assert sum(off_by_line) < sum(off_by_two) / 4
    assert max(off_by_line) < 2.5


def test_the_beat_is_nearer_to_where_it_is_meant_than_the_last_tap() -> None:
    taps = TapTempo()
    found = [taps.tap(seconds, QUARTER) for seconds in (0.0, 0.5, 1.0, 1.5, 2.0, 2.53)]
    assert found[-1] is not None
    assert abs(found[-1].beat_seconds - 2.5) < 0.02


def test_a_new_tempo_within_reach_is_followed() -> None:
    seconds = [0.0, 0.5, 1.0, 1.5]
    while len(seconds) < 12:
        seconds.append(seconds[-1] + 0.42)
    found = tapped(*seconds)
    assert all(later is not None and earlier is not None and later >= earlier for earlier, later in pairwise(found[3:]))
    assert found[-1] == pytest.approx(60 / 0.42, abs=0.1)


def test_a_pause_begins_anew() -> None:
    assert tapped(0.0, 0.5, 0.5 + PAUSE_SECONDS, 1.1 + PAUSE_SECONDS) == [None, 120.0, None, 100.0]


@pytest.mark.parametrize("odd", [1.0 + 0.34, 1.0 + 0.66, 1.0 + 1.0])
def test_an_outlying_tap_begins_anew(odd: float) -> None:
    assert tapped(0.0, 0.5, 1.0, odd, odd + 1.0, odd + 2.0) == [None, 120.0, 120.0, None, 60.0, 60.0]


def test_a_key_that_bounces_has_tapped_once() -> None:
    assert tapped(0.0, 0.03, 0.5, 0.52, 1.0) == [None, None, 120.0, None, 120.0]


@pytest.mark.parametrize(("gap", "bpm"), [(0.15, 400.0), (0.149, None), (1.99, 30.2), (2.0, None)])
def test_no_tempo_leaves_the_bounds(gap: float, bpm: float | None) -> None:
    assert tapped(0.0, gap)[-1] == bpm


def test_a_tempo_that_is_too_slow_for_its_beat_begins_anew() -> None:
    assert tapped(0.0, 1.6, 2.0, beat_ticks=120) == [None, None, 37.5]


def test_forgotten_taps_do_not_count() -> None:
    taps = TapTempo()
    taps.tap(0.0, QUARTER)
    taps.forget()
    assert taps.tap(0.5, QUARTER) is None
    assert taps.tap(1.0, QUARTER) == Tapped(120.0, 1.0)
