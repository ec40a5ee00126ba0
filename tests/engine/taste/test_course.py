"""What a line keeps to: key, chord, register, texture, and the places of a pulse."""

import numpy as np
import pytest

from antiphon.music.pulse import Pulse
from antiphon.music.tonality import Key
from antiphon.notes import Note
from antiphon.taste.course import below_nats, counts_of, foreign_nats, register_nats, thinness_nats

C_MAJOR = Key(0, False, frozenset({0, 2, 4, 5, 7, 9, 11}))


def test_places_that_the_call_does_not_use_hardly_count() -> None:
    eighths = Pulse(480, 0, shares=(0.6, 0.0, 0.4, 0.0))
    counts = counts_of(eighths, np.array([0.0, 120.0, 240.0, 360.0]), 1.0, None)
    assert counts[0] == pytest.approx(1.0)
    assert 0.6 < counts[2] < 0.8
    assert counts[1] == counts[3] < 0.1
    assert (counts_of(eighths, np.array([0.0, 120.0]), 0.0, None) == 1).all()


def test_notes_outside_the_key_cost_more_than_notes_beside_the_chord_and_chord_notes_nothing() -> None:
    nats = foreign_nats(C_MAJOR, frozenset({5, 9, 0}), 1.0)
    assert nats[[5, 9, 0]].tolist() == [0, 0, 0]
    assert nats[2] == nats[7] > 0
    assert nats[6] >= nats[7]
    assert (foreign_nats(C_MAJOR, None, 1.0)[[0, 2, 4, 5, 7, 9, 11]] == 0).all()
    assert not foreign_nats(C_MAJOR, frozenset({5, 9, 0}), 0.0).any()
    assert not foreign_nats(None, None, 1.0).any()


def test_a_register_is_the_call_s_and_a_little_more() -> None:
    nats = register_nats([60, 72], 1.0)
    assert not nats[56:77].any()
    assert (np.diff(nats[76:]) > 0).all()
    assert (np.diff(nats[:57]) < 0).all()
    assert not register_nats([60, 72], 0.0).any()
    assert not register_nats([], 1.0).any()


def test_an_accompaniment_lies_below_the_tune() -> None:
    nats = below_nats([72, 79, 76], 1.0)
    assert not nats[36:70].any()
    assert (np.diff(nats[69:]) > 0).all()
    assert (np.diff(nats[:37]) < 0).all()
    assert not below_nats([], 1.0).any()


def test_chords_are_rare_after_single_notes_and_as_they_come_after_chords() -> None:
    line = [Note(240 * step, 60 + step, 240, 80) for step in range(8)]
    chords = [Note(480 * beat, pitch, 480, 80) for beat in range(4) for pitch in (60, 64, 67)]
    assert thinness_nats(line, 1.0) > 1
    assert thinness_nats(chords, 1.0) == 0
    assert 0 < thinness_nats([*line, Note(1920, 60, 240, 80), Note(1920, 64, 240, 80)], 1.0) < thinness_nats(line, 1.0)
    assert thinness_nats(line, 0.0) == 0
    assert thinness_nats([], 1.0) == 0
