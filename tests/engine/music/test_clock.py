"""Clocks tell seconds since the session began, and never run backwards."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.music.clock import ManualClock, SystemClock


def test_a_manual_clock_stands_still_until_told_to_move() -> None:
    clock = ManualClock(3.0)
    assert clock.now() == clock.now() == 3.0
    clock.advance_to(5.0)
    clock.advance(0.5)
    assert clock.now() == 5.5


@given(st.lists(st.floats(0, 1e6)))
def test_a_manual_clock_shows_the_sum_of_its_steps(steps: list[float]) -> None:
    clock = ManualClock()
    for step in steps:
        before = clock.now()
        clock.advance(step)
        assert clock.now() == before + step >= before


def test_a_manual_clock_refuses_to_go_back() -> None:
    clock = ManualClock(2.0)
    with pytest.raises(ValueError, match=r"the clock shows 2.0 s and cannot go back to 1.0 s"):
        clock.advance_to(1.0)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance(-0.1)
    assert clock.now() == 2.0


def test_the_system_clock_starts_at_zero_and_never_runs_backwards() -> None:
    before = time.perf_counter()
    clock = SystemClock()
    readings = [clock.now() for _ in range(100)]
    assert readings == sorted(readings)
    assert 0 <= readings[0] <= time.perf_counter() - before


def test_system_clocks_of_one_origin_agree_in_every_process() -> None:
    origin = time.perf_counter() - 100
    one, other = SystemClock(origin), SystemClock(origin)
    first, second, third = one.now(), other.now(), one.now()
    assert 100 <= first <= second <= third
