"""What counts as a quotation: runs of moves of the highest note, in any key."""

from __future__ import annotations

import numpy as np

from antiphon_export.report.quoting import RUNS, find_quotes, moves


def rows(pitches: list[int], step: int = 240) -> np.ndarray:
    return np.array([[step * i, pitch, step, 80] for i, pitch in enumerate(pitches)], dtype=np.int64)


def varied(length: int, seed: int) -> list[int]:
    return np.random.default_rng(seed).integers(48, 84, length).tolist()


def test_a_tune_is_found_in_any_key() -> None:
    tune = varied(40, 1)
    training = [moves(rows([*varied(60, 2), *[pitch + 3 for pitch in tune], *varied(60, 3)]))]
    found = find_quotes({"quoted": [moves(rows(tune))], "new": [moves(rows(varied(40, 4)))]}, training)
    assert found["quoted"].shares[RUNS.index(32)] == 1
    assert found["quoted"].longest == 39, "40 notes are 39 moves"
    assert found["new"].longest == 0


def test_a_run_over_two_pieces_is_no_quotation() -> None:
    one, other = varied(20, 5), varied(20, 6)
    found = find_quotes({"both": [moves(rows([*one, *other]))]}, [moves(rows(one)), moves(rows(other))])
    assert found["both"].longest == 19


def test_a_repeated_figure_is_nobodys() -> None:
    figure = [60, 64, 67, 64] * 20
    found = find_quotes({"figure": [moves(rows(figure))]}, [moves(rows(figure))])
    assert found["figure"].longest == 0
