"""Piano rolls: what of a phrase is in them, and that it comes out again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.notes import Note
from antiphon.rolls.roll import HOLD, ONSET, VELOCITY, notes_of, roll_of

_C4 = 60 - 21


def test_a_note_is_an_onset_the_steps_it_goes_on_and_a_velocity() -> None:
    roll = roll_of([Note(240, 60, 360, 127)], 0, 8)
    assert roll.shape == (8, 3, 88)
    assert roll.dtype == np.float32
    assert np.flatnonzero(roll[:, ONSET, _C4]).tolist() == [2]
    assert np.flatnonzero(roll[:, HOLD, _C4]).tolist() == [3, 4]
    assert roll[:, VELOCITY, _C4].tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
    assert roll.sum() == 4


@pytest.mark.parametrize(
    ("start_ticks", "step"), [(59, 0), (60, 1), (120, 1), (179, 1), (-59, 0)], ids=lambda value: str(value)
)
def test_an_onset_moves_to_the_nearest_step(start_ticks: int, step: int) -> None:
    roll = roll_of([Note(start_ticks, 60, 120, 80)], 0, 4)
    assert np.argwhere(roll[:, ONSET]).tolist() == [[step, _C4]]


def test_what_began_before_or_begins_after_does_not_count() -> None:
    before, after = Note(-120, 60, 960, 80), Note(960, 64, 120, 80)
    assert not roll_of([before, after], 0, 8).any()


def test_what_rings_on_is_cut_and_a_held_key_stays_down() -> None:
    for length in (4800, None):
        roll = roll_of([Note(480, 60, length, 80)], 0, 8)
        assert np.flatnonzero(roll[:, HOLD, _C4]).tolist() == [5, 6, 7]


def test_a_key_struck_again_ends_the_note_before() -> None:
    roll = roll_of([Note(0, 60, 960, 80), Note(360, 60, 240, 90)], 0, 8)
    assert [(n.start_ticks, n.length_ticks) for n in notes_of(roll, 0)] == [(0, 360), (360, 240)]


def test_of_notes_in_one_place_the_longest_and_the_loudest_count() -> None:
    roll = roll_of([Note(0, 60, 480, 40), Note(10, 60, 120, 100)], 0, 8)
    assert notes_of(roll, 0) == [Note(0, 60, 480, 100)]


def test_pitches_that_a_piano_has_not_are_left_out() -> None:
    assert not roll_of([Note(0, 20, 120, 80), Note(0, 109, 120, 80)], 0, 8).any()


def test_the_threshold_decides_where_a_note_begins() -> None:
    roll = np.zeros((4, 3, 88), np.float32)
    roll[1, ONSET, _C4] = 0.4
    assert notes_of(roll, 0) == []
    assert notes_of(roll, 0, threshold=0.4) == [Note(120, 60, 120, 1)]


notes_on_the_grid = st.lists(
    st.builds(
        Note,
        st.integers(0, 31).map(lambda step: 7680 + 120 * step),
        st.integers(21, 108),
        st.integers(1, 8).map(lambda steps: 120 * steps),
        st.integers(1, 127),
    ),
    unique_by=lambda note: note.pitch,
)


@given(notes_on_the_grid)
def test_music_on_the_grid_comes_out_as_it_went_in(notes: list[Note]) -> None:
    expected = sorted(
        (note.clipped(7680 + 32 * 120) for note in notes), key=lambda note: (note.start_ticks, note.pitch)
    )
    assert notes_of(roll_of(notes, 7680, 32), 7680) == expected


@given(st.integers(0, 2**32))
def test_any_roll_of_a_model_becomes_legal_notes(seed: int) -> None:
    roll = np.random.default_rng(seed).random((16, 3, 88), dtype=np.float32)
    ends: dict[int, int] = {}
    for note in notes_of(roll, 480, threshold=0.8):
        assert note.length_ticks is not None
        assert note.length_ticks >= 120
        assert 1 <= note.velocity <= 127
        assert ends.get(note.pitch, 0) <= note.start_ticks
        ends[note.pitch] = note.start_ticks + note.length_ticks
        assert ends[note.pitch] <= 480 + 16 * 120
