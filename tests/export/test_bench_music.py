"""A generator beside real music: what is measured of a phrase, and what counts as a quotation."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.notes import Note, Phrase
from antiphon_export.bench.calls import calls
from antiphon_export.bench.music import FEATURES, excerpts, features
from antiphon_export.bench.quoting import RUNS, find_quotes, moves
from antiphon_export.training.pieces import Piece


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


def test_features_say_what_they_are_named_for() -> None:
    call = Phrase.of([Note(480 * i, 60 + i, 480, 70) for i in range(4)], 0, 1920)
    chords = [Note(1920 + 960 * i, pitch + 2 * i, 480, 90) for i in range(4) for pitch in (60, 64)]
    found = dict(zip([name for name, _ in FEATURES], features(call, Phrase.of(chords, 1920, 5760)), strict=True))
    assert found["onsets a beat"] == pytest.approx(0.5)
    assert found["notes an onset"] == 2
    assert found["sounding at once"] == pytest.approx(1)
    assert found["gap, beats"] == 2
    assert found["length, beats"] == 1
    assert found["leap, semitones"] == 2
    assert found["steps"] == 1
    assert found["velocity - call's"] == 20
    assert found["its deviation"] == 0


def test_an_excerpt_begins_at_a_bar_and_goes_on_as_the_piece_does() -> None:
    music = rows(varied(400, 7))
    piece = Piece("piece", (music,), np.arange(0, 240 * 400, 1920))
    (excerpt,) = excerpts([piece], 5)
    assert (excerpt.call.start_ticks, excerpt.call.end_ticks) == (0, 7680)
    pitches = [note.pitch for phrase in (excerpt.call, excerpt.continuation) for note in phrase.notes]
    whole = music[:, 1].tolist()
    assert any(whole[start : start + 64] == pitches for start in range(0, 400, 8))


def test_every_call_but_silence_has_notes_that_end() -> None:
    for name, call in calls().items():
        assert bool(call.notes) == (name != "silence")
        assert all((note.end_ticks or 0) <= call.end_ticks + 200 for note in call.notes)
