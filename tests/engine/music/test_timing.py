"""Seconds and ticks turn into each other through any tempo map, and nothing is due before its time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.music.timing import (
    Moment,
    TempoChange,
    Timeline,
    TimeSignature,
    bar_line_from,
    next_multiple,
    seconds_to_ticks,
)

TICKS = st.integers(0, 480 * 60 * 60)
TEMPI = st.floats(20, 400)


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    """A timeline with up to six tempo changes."""
    timeline = Timeline(draw(TEMPI), TimeSignature(draw(st.integers(1, 32)), draw(st.sampled_from((2, 4, 8, 16)))))
    ticks = 0
    for gap_ticks, bpm in draw(st.lists(st.tuples(st.integers(0, 20_000), TEMPI), max_size=6)):
        ticks += gap_ticks
        timeline.set_tempo(bpm, ticks)
    return timeline


@given(timelines(), TICKS)
def test_a_tick_turned_into_seconds_and_back_is_the_same_tick(timeline: Timeline, ticks: int) -> None:
    assert timeline.ticks_at(timeline.seconds_at(ticks)) == ticks


@given(timelines(), st.floats(0, 7200))
def test_the_tick_reached_is_never_ahead_of_the_clock(timeline: Timeline, seconds: float) -> None:
    ticks = timeline.ticks_at(seconds)
    # A thousandth of a millisecond is the price of floating point.
    assert timeline.seconds_at(ticks) <= seconds + 1e-6
    assert timeline.seconds_at(ticks + 1) > seconds - 1e-6


@given(timelines(), st.floats(0, 7200), st.floats(0, 7200))
def test_musical_time_never_runs_backwards(timeline: Timeline, one: float, other: float) -> None:
    assert timeline.ticks_at(min(one, other)) <= timeline.ticks_at(max(one, other))


@given(timelines(), TICKS)
def test_a_moment_says_the_same_in_all_units(timeline: Timeline, ticks: int) -> None:
    moment = timeline.moment_at(ticks)
    assert timeline.moment(moment.seconds) == moment
    bar_ticks = timeline.signature.bar_ticks
    assert moment.bar * bar_ticks <= moment.ticks < (moment.bar + 1) * bar_ticks
    assert moment.bpm == [change.bpm for change in timeline.changes if change.ticks <= ticks][-1]


@pytest.mark.parametrize(
    ("seconds", "moment"),
    [
        (0.0, Moment(0.0, 0, 0, 120.0)),
        (0.5, Moment(0.5, 480, 0, 120.0)),
        (1.9999, Moment(1.9999, 1919, 0, 120.0)),
        (2.0, Moment(2.0, 1920, 1, 60.0)),
        (3.0, Moment(3.0, 2400, 1, 60.0)),
        (8.0, Moment(8.0, 4800, 2, 60.0)),
    ],
)
def test_moments_on_a_timeline_that_slows_down_at_the_second_bar(seconds: float, moment: Moment) -> None:
    timeline = Timeline(120)
    timeline.set_tempo(60, 1920)
    assert timeline.moment(seconds) == moment


def test_a_tempo_set_twice_at_a_tick_counts_once() -> None:
    timeline = Timeline(100)
    timeline.set_tempo(90, 0)
    timeline.set_tempo(80, 480)
    timeline.set_tempo(70, 480)
    assert timeline.changes == (TempoChange(0.0, 0, 90), TempoChange(60 / 90, 480, 70))
    assert timeline.bpm == 70


@pytest.mark.parametrize("bpm", [0.0, -1.0, math.nan, -math.inf])
def test_a_tempo_that_is_not_above_zero_is_refused(bpm: float) -> None:
    with pytest.raises(ValueError, match=r"tempo is .* bpm; it must be greater than 0"):
        Timeline().set_tempo(bpm, 0)


def test_a_tempo_change_before_the_last_one_is_refused() -> None:
    timeline = Timeline()
    timeline.set_tempo(90, 960)
    with pytest.raises(ValueError, match="tempo change at tick 959 lies before the last one at tick 960"):
        timeline.set_tempo(100, 959)


def test_a_jump_takes_no_time_and_what_it_skips_is_never_reached() -> None:
    timeline = Timeline(120)
    timeline.set_tempo(60, 480)
    timeline.jump(600, 1920)
    assert timeline.seconds_at(600) == timeline.seconds_at(1000) == timeline.seconds_at(1920) == 0.75
    assert timeline.ticks_at(0.7499) == 599
    assert timeline.moment(0.75) == Moment(0.75, 1920, 1, 60.0)
    assert timeline.seconds_at(2400) == 1.75
    timeline.set_tempo(120, 1920)
    assert timeline.seconds_at(2400) == 1.25
    assert Timeline(1, changes=timeline.changes).seconds_at(2400) == 1.25


def test_a_jump_back_or_before_the_last_change_is_refused() -> None:
    timeline = Timeline(120)
    with pytest.raises(ValueError, match="from tick 100 back to tick 99; musical time never runs backwards"):
        timeline.jump(100, 99)
    timeline.jump(100, 200)
    with pytest.raises(ValueError, match="jump at tick 150 lies before the last change at tick 200"):
        timeline.jump(150, 300)


@pytest.mark.parametrize(
    ("signature", "beat_ticks", "bar_ticks", "text"),
    [
        (TimeSignature(), 480, 1920, "4/4"),
        (TimeSignature(3, 4), 480, 1440, "3/4"),
        (TimeSignature(6, 8), 240, 1440, "6/8"),
        (TimeSignature(2, 2), 960, 1920, "2/2"),
        (TimeSignature(7, 16), 120, 840, "7/16"),
    ],
)
def test_time_signatures_have_beats_and_bars(
    signature: TimeSignature, beat_ticks: int, bar_ticks: int, text: str
) -> None:
    assert (signature.beat_ticks, signature.bar_ticks, str(signature)) == (beat_ticks, bar_ticks, text)


@given(st.integers(-10_000, 10_000_000), st.integers(1, 10_000))
def test_the_next_multiple_is_the_first_one_that_is_not_past(ticks: int, unit_ticks: int) -> None:
    found = next_multiple(ticks, unit_ticks)
    assert found % unit_ticks == 0
    assert ticks <= found < ticks + unit_ticks


def test_bars_count_from_where_the_latest_metre_stands() -> None:
    upbeat = ((480, TimeSignature(1, 4)), (960, TimeSignature(3, 4)))
    found = [bar_line_from(upbeat, ticks) for ticks in (0, 1, 480, 481, 960, 2399, 2401)]
    assert [ticks for ticks, _ in found] == [0, 1920, 480, 960, 960, 2400, 3840]
    assert [str(signature) for _, signature in found] == ["4/4", "4/4", "1/4", "1/4", "3/4", "3/4", "3/4"]


@given(st.floats(0, 3600), TEMPI)
def test_a_span_of_seconds_is_rounded_to_the_nearest_tick(seconds: float, bpm: float) -> None:
    assert abs(seconds_to_ticks(seconds, bpm) - seconds * bpm * 8) <= 0.5 + 1e-6


@pytest.mark.parametrize(
    ("beats", "unit", "felt_ticks"),
    [(4, 4, 480), (6, 4, 480), (2, 2, 960), (3, 8, 240), (6, 8, 720), (9, 8, 720), (7, 8, 240), (12, 16, 360)],
)
def test_the_foot_taps_three_eighths_in_a_compound_metre(beats: int, unit: int, felt_ticks: int) -> None:
    signature = TimeSignature(beats, unit)
    assert signature.felt_beat_ticks == felt_ticks
    assert signature.bar_ticks % felt_ticks == 0
