"""Two clocks of one machine: what one shows when the other shows something, though they drift and readings are late."""

from __future__ import annotations

from random import Random

import pytest

from antiphon.sync.clock_pair import ClockPair


class TwoClocks:
    """True time, ours, and another clock that drifts; each reading takes a while, and some are held up."""

    def __init__(self, drift: float = 0.0, held_up: float = 0.0) -> None:
        self.seconds = 100.0
        self.drift = drift
        self.held_up = held_up
        self._random = Random(1)

    def ours(self) -> float:
        self._pass()
        return self.seconds

    def other(self) -> int:
        self._pass()
        return round(self.exact_micros())

    def exact_micros(self) -> float:
        return 5e6 + self.seconds * 1e6 * (1 + self.drift)

    def _pass(self) -> None:
        self.seconds += 0.01 if self._random.random() < self.held_up else 4e-7


def test_one_clock_is_told_by_the_other_to_some_microseconds() -> None:
    clocks = TwoClocks()
    pair = ClockPair(clocks.ours, clocks.other)
    assert pair.micros_at(200.0) == pytest.approx(205e6, abs=3)
    assert pair.seconds_at(205_000_000) == pytest.approx(200.0, abs=3e-6)


def test_the_tightest_of_several_readings_counts() -> None:
    clocks = TwoClocks(held_up=0.3)
    pair = ClockPair(clocks.ours, clocks.other)
    for _ in range(200):
        clocks.seconds += 0.05
        pair.pair()
        assert pair.micros_at(clocks.seconds) == pytest.approx(clocks.exact_micros(), abs=100)


@pytest.mark.parametrize("drift", [-5e-4, 5e-4])
def test_a_drift_is_followed(drift: float) -> None:
    clocks = TwoClocks(drift)
    pair = ClockPair(clocks.ours, clocks.other)
    for _ in range(2000):
        clocks.seconds += 0.05
        pair.pair()
    assert pair.micros_at(clocks.seconds) == pytest.approx(clocks.exact_micros(), abs=5)


def test_a_tight_reading_outlives_a_late_one_but_not_the_drift() -> None:
    clocks = TwoClocks(drift=1e-4)
    pair = ClockPair(clocks.ours, clocks.other)
    clocks.held_up = 1.0
    pair.pair()
    assert pair.micros_at(clocks.seconds) == pytest.approx(clocks.exact_micros(), abs=20), "from before"
    clocks.seconds += 1000.0
    pair.pair()
    assert pair.micros_at(clocks.seconds) == pytest.approx(clocks.exact_micros(), abs=11_000), "100 ms have come in"
