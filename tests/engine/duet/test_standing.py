"""Tests that one value says where a performance stands, folded from its records."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import get_args

import pytest

from antiphon.duet.commands import Decision
from antiphon.duet.events import (
    Chosen,
    Ended,
    Event,
    Located,
    MetronomeSwitched,
    Restarted,
    Selected,
    TempoChanged,
    TransportStarted,
    TransportStopped,
)
from antiphon.duet.plan import MetronomePlan, Plan
from antiphon.duet.standing import Standing

PLANS = (Plan("one", tempo_bpm=90.0), Plan("two", tempo_bpm=140.0, metronome=MetronomePlan(on=True)))
START = Standing.first(PLANS)


def after(*events: Event) -> Standing:
    return reduce(Standing.after, events, START)


def test_a_performance_begins_as_its_first_plan_says() -> None:
    assert Standing(PLANS, 0, None, 90.0, None, False, False, None) == START
    assert (START.plan, START.meant_bpm) == (PLANS[0], 90.0)


def test_what_was_chosen_is_told_until_it_plays_and_then_its_tempo_and_click_hold() -> None:
    chosen = after(TempoChanged(0, 100.0, 120.0), Located(5, 965.0), Chosen(10, 1))
    assert chosen == replace(START, chosen=1, bpm=100.0, towards_bpm=120.0, song_ahead_ticks=960.0)
    assert chosen.meant_bpm == 120.0
    assert chosen.after(Selected(20, 1)) == Standing(PLANS, 1, None, 140.0, None, False, True, None)


@pytest.mark.parametrize(
    ("events", "changed"),
    [
        ((MetronomeSwitched(0, True),), {"clicks": True}),
        ((MetronomeSwitched(0, True), Ended(9)), {}),
        ((TransportStopped(0),), {"stopped": True}),
        ((TransportStopped(0), TransportStarted(9)), {}),
        ((Selected(0, 1), TempoChanged(3, 70.0), Restarted(9, 1)), {"selected": 1, "bpm": 140.0, "clicks": True}),
        ((TempoChanged(3, 70.0), Chosen(5, 1), Restarted(9, 0)), {"bpm": 70.0, "chosen": 1}),
        ((Decision("idle", 0, 9, "there is no other preset to choose"),), {}),
    ],
)
def test_everything_else_holds_until_a_record_says_otherwise(
    events: tuple[Event, ...], changed: dict[str, object]
) -> None:
    assert after(*events) == replace(START, **changed)  # type: ignore[arg-type]


def test_there_is_a_case_for_every_kind_of_event() -> None:
    for kind in get_args(Event):
        values = dict.fromkeys(kind.__slots__, 0)
        assert isinstance(START.after(kind(**values)), Standing)
