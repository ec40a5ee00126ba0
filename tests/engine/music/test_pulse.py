"""The pulse of music, at any tempo and from any beginning. At 120 bpm a beat of 480 ticks is half a second."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.music.pulse import Pulse, heard_pulse
from antiphon.notes import Note

BPM = 120.0
EIGHTHS = [1, 1, 1, 1, 2, 1, 1, 2, 1, 1, 1, 1, 4]
"""A tune, in eighths."""


def played(gaps: Sequence[float], unit_ticks: float, *, start: float = 0, stray_ticks: float = 0) -> list[Note]:
    """A note for each gap and one at the end, each off its place by up to `stray_ticks`."""
    chance, notes, at = random.Random(0), [], start + 1000
    for gap in [*gaps, 1]:
        onset = round(at + chance.uniform(-stray_ticks, stray_ticks))
        notes.append(Note(onset, 60, 100, 80))
        at += gap * unit_ticks
    return notes


@settings(max_examples=60, deadline=None)
@given(beat=st.floats(420, 900), start=st.integers(0, 5000), stray=st.floats(0, 12))
def test_the_beat_of_a_tune_in_eighths_is_found_at_any_tempo(beat: float, start: int, stray: float) -> None:
    notes = played(EIGHTHS, beat / 2, start=start, stray_ticks=stray)
    pulse = heard_pulse(notes, BPM)
    assert pulse is not None
    ratio = pulse.beat_ticks / beat
    assert min(abs(ratio - known) for known in (0.5, 1, 2)) < 0.02
    assert max(abs(pulse.nearest(note.start_ticks) - note.start_ticks) for note in notes) < 30


@pytest.mark.parametrize("part", [0.6, 2 / 3])
def test_swung_eighths_keep_their_own_places(part: float) -> None:
    pulse = heard_pulse(played([part, 1 - part] * 6, 560), BPM)
    assert pulse is not None
    assert pulse.beat_ticks == pytest.approx(560, rel=0.01)
    assert pulse.places == pytest.approx((0, part), abs=0.015)
    assert pulse.beat_at(1000) == pytest.approx(round(pulse.beat_at(1000)), abs=0.03), "the long one is on the beat"


def test_triplets_have_places_of_their_own() -> None:
    pulse = heard_pulse(played([1, 1, 1, 3, 1, 1, 1, 3, 1, 1, 1, 1, 1, 1, 3], 200), BPM)
    assert pulse is not None
    assert pulse.beat_ticks == pytest.approx(600, rel=0.01)
    assert pulse.places == pytest.approx((0, 1 / 3, 2 / 3), abs=0.01)


def test_straight_music_is_not_bent() -> None:
    pulse = heard_pulse(played(EIGHTHS * 2, 280, stray_ticks=8), BPM)
    assert pulse is not None
    assert pulse.places == (0, 0.25, 0.5, 0.75)
    assert pulse.shares[1] == pulse.shares[3] == 0


def test_the_notes_of_a_chord_are_one_event() -> None:
    single = played([1] * 8, 500)
    chords = [Note(note.start_ticks + n * 8, 60 + 4 * n, 100, 80) for note in single for n in range(3)]
    one, many = heard_pulse(single, BPM), heard_pulse(chords, BPM)
    assert one is not None
    assert many is not None
    assert many.beat_ticks == pytest.approx(one.beat_ticks, rel=0.01)


@pytest.mark.parametrize("seed", range(20))
def test_free_time_has_no_pulse(seed: int) -> None:
    chance = random.Random(seed)
    notes = played([chance.lognormvariate(0, 0.6) for _ in range(24)], 300)
    pulse = heard_pulse(notes, BPM)
    assert pulse is None or pulse.confidence < 0.5


@pytest.mark.parametrize("count", range(4))
def test_a_few_notes_tell_no_pulse(count: int) -> None:
    assert heard_pulse(played([1] * 8, 480)[:count], BPM) is None


def test_notes_all_at_once_tell_no_pulse() -> None:
    assert heard_pulse([Note(0, pitch, 10, 80) for pitch in range(40, 60)], BPM) is None


def test_a_tempo_that_gives_way_a_little_is_followed_at_its_end() -> None:
    notes = played([1 + 0.001 * number for number in range(24)], 440)
    pulse = heard_pulse(notes, BPM)
    assert pulse is not None
    assert pulse.beat_ticks == pytest.approx(440 * 1.018, rel=0.02)
    last = notes[-1].start_ticks
    assert abs(pulse.nearest(last) - last) < 24


def test_places_around_a_stretch_are_in_order_and_reach_beyond_it() -> None:
    pulse = Pulse(480.5, 100.25, (0, 0.6), (0.5, 0.5))
    places = pulse.around(1000, 2400)
    assert places == sorted(places)
    assert places[0] <= 1000
    assert places[-1] > 2400
    assert pulse.nearest(100.25 + 480.5 * 3 + 280) == pytest.approx(100.25 + 480.5 * 3.6)
