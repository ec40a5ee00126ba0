"""Windows of scores as rolls: the same as the engine makes, moved as told, drawn by weight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from songs import write_songs

from antiphon.errors import AntiphonError
from antiphon.notes import Note
from antiphon.rolls.roll import HOLD, ONSET, VELOCITY, roll_of
from antiphon_export.midi_folder import Corpus
from antiphon_export.training.pieces import Piece, Shelf, read_performance, read_score, read_shelves
from antiphon_export.vae.windows import Source, whole_windows, window_set, windows_of_piece

rows = st.lists(
    st.tuples(st.integers(0, 4000), st.integers(15, 115), st.integers(1, 3000), st.integers(1, 127)), min_size=1
)


@given(rows)
def test_a_window_is_the_roll_that_the_engine_makes(music: list[tuple[int, int, int, int]]) -> None:
    notes = [Note(*row) for row in sorted(music)]
    windows = windows_of_piece(np.array(sorted(music)), np.array([0, 1920]), 16)
    expected = [roll_of(notes, start, 16) for start in (0, 1920)]
    expected = [roll for roll in expected if roll[:, ONSET].sum() >= 4]
    assert len(windows) == len(expected)
    got = window_set(windows, 16).rolls(np.arange(len(windows)))
    assert np.array_equal(got, np.array(expected).reshape(got.shape))


def test_a_window_is_moved_and_what_leaves_the_piano_is_left_out() -> None:
    music = np.array([[0, 60, 240, 80], [120, 64, 120, 80], [240, 107, 120, 80], [360, 67, 120, 120]])
    windows = window_set(windows_of_piece(music, np.array([0]), 16), 16)
    (roll,) = windows.rolls(np.array([0]), np.array([3]), np.array([10]))
    assert np.argwhere(roll[:, ONSET]).tolist() == [[0, 42], [1, 46], [3, 49]]
    assert np.argwhere(roll[:, HOLD]).tolist() == [[1, 42]]
    assert (roll[[0, 1, 3], VELOCITY, [42, 46, 49]] * 127).round().tolist() == [90, 90, 127]


def test_windows_with_few_notes_are_left_out() -> None:
    three = np.array([[0, 60, 240, 80], [120, 64, 120, 80], [240, 67, 120, 80]])
    assert windows_of_piece(three, np.array([0]), 16) == []


def test_corpora_are_drawn_by_their_weight_and_parts_seldom(tmp_path: Path) -> None:
    (shelf,) = read_shelves([Corpus(write_songs(tmp_path / "songs"))], "train", read_score)
    low = np.array([[120 * step, 30, 120, 80] for step in range(64)])
    other = Shelf("low", 3 * shelf.weight, (Piece("low", (low,), np.arange(0, 7680, 1920)),))
    source = Source([shelf, other], 16)
    drawn = source.draw(np.random.default_rng(0), 800, (0, 0), (0, 0))
    assert drawn.shape == (800, 16, 3, 88)
    of_other = drawn[:, :, ONSET, 30 - 21].sum(axis=1) == 16
    assert 0.7 < of_other.mean() < 0.8
    of_song = drawn[~of_other, :, ONSET]
    has_tune, has_bass = of_song[:, :, 60 - 21 - 1 :].any(axis=(1, 2)), of_song[:, :, : 45 - 21].any(axis=(1, 2))
    assert 0.05 < (has_tune != has_bass).mean() < 0.25


def test_music_in_real_time_is_refused(tmp_path: Path) -> None:
    (shelf,) = read_shelves([Corpus(write_songs(tmp_path / "songs"))], "train", read_performance)
    with pytest.raises(AntiphonError, match="real time"):
        whole_windows(shelf.pieces, 32)


def test_a_corpus_without_windows_is_refused() -> None:
    piece = Piece("one note", (np.array([[0, 60, 240, 80]]),), np.array([0]))
    with pytest.raises(AntiphonError, match="'empty' has no 32 sixteenths"):
        Source([Shelf("empty", 1.0, (piece,))], 32)
