"""A tempo map from beats that were measured: the tempi there were, and no others."""

from __future__ import annotations

from random import Random

import pytest

from antiphon.session.even_tempo import even_tempi


def beats_of(*tempi: tuple[int, float], jitter_seconds: float = 0.0, seed: int = 0) -> tuple[list[float], list[float]]:
    """(number of beats, tempo) as ticks and seconds of each beat."""
    random = Random(seed)
    moments = [0.0]
    for count, bpm in tempi:
        for _ in range(count):
            moments.append(moments[-1] + 60 / bpm)
    scattered = [moment + random.uniform(-jitter_seconds, jitter_seconds) for moment in moments]
    return [480.0 * number for number in range(len(moments))], scattered


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "tempi",
    [
        [(64, 120.0)],
        [(64, 97.3)],
        [(4, 61.0)],
        [(16, 120.0), (16, 140.0), (16, 100.0)],
        [(16, 120.0), (16, 121.0), (32, 119.0)],
        [(1, 120.0), (16, 90.0)],
    ],
)
def test_each_tempo_is_named_once_where_it_begins(tempi: list[tuple[int, float]], seed: int) -> None:
    begins, expected = 0, []
    for count, bpm in tempi:
        expected.append((480.0 * begins, bpm))
        begins += count
    assert even_tempi(*beats_of(*tempi, jitter_seconds=0.001, seed=seed)) == expected


def test_clocks_that_drift_apart_are_one_tempo_all_night_long() -> None:
    assert even_tempi(*beats_of((30_000, 120.0024))) == [(0.0, 120.0)]


def test_a_ramp_is_a_stair_on_which_every_beat_is_in_its_place() -> None:
    beats, seconds = beats_of(*((1, 120 + number / 2) for number in range(40)))
    tempi = even_tempi(beats, seconds)
    assert 8 < len(tempi) < 40
    moment, (at, bpm), later = 0.0, tempi[0], tempi[1:]
    for beat, exact in zip(beats, seconds, strict=True):
        while later and later[0][0] <= beat:
            moment, (at, bpm) = moment + (later[0][0] - at) / 480 * 60 / bpm, later.pop(0)
        assert moment + (beat - at) / 480 * 60 / bpm == pytest.approx(exact, abs=0.02)


def test_two_places_are_a_tempo() -> None:
    assert even_tempi([100.0, 340.0], [1.0, 1.25]) == [(100.0, 120.0)]
