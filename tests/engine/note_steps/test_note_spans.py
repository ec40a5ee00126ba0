"""Stretches of time as classes, and back."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.note_steps.spans import BEAT, BEAT_UNITS, FREE, SPAN_CLASSES, Spans


@pytest.mark.parametrize("spans", [FREE, BEAT])
def test_every_stretch_has_the_class_whose_shortest_is_not_above_it(spans: Spans) -> None:
    units = np.arange(int(spans.lows[-1]) * 2)
    low = spans.units_of(spans.classes_of(units))
    assert (low <= units).all()
    assert (np.diff(low) >= 0).all()
    inner = units < spans.lows[-1]
    following = np.append(spans.lows, np.iinfo(np.int64).max)[spans.classes_of(units) - spans.first + 1]
    assert (units[inner] < following[inner]).all()


def test_short_stretches_are_exact() -> None:
    for spans, exact in ((FREE, 100), (BEAT, 4 * BEAT_UNITS)):
        units = np.arange(exact)
        assert (spans.units_of(spans.classes_of(units)) == units).all()


def test_sixteenths_up_to_two_bars_are_exact() -> None:
    units = np.arange(0, 8 * BEAT_UNITS, BEAT_UNITS // 4)
    assert (BEAT.units_of(BEAT.classes_of(units)) == units).all()
    assert (BEAT.widths[BEAT.classes_of(units) - BEAT.first] == 1).all()


def test_the_two_clocks_share_no_class() -> None:
    every = np.concatenate([FREE.classes_of(FREE.lows), BEAT.classes_of(BEAT.lows)])
    assert sorted(every.tolist()) == list(range(SPAN_CLASSES))


def test_a_class_of_free_time_is_never_wider_than_a_fifteenth_of_its_length() -> None:
    assert (FREE.widths[:-1] <= np.maximum(1, FREE.lows[:-1] / 15)).all()
