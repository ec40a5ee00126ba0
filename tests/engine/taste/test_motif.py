"""What a call is made of, and how a tune goes on that takes it up."""

from __future__ import annotations

from antiphon.music.tonality import Key
from antiphon.notes import Note
from antiphon.taste.motif import Motif, tune_of

C_MAJOR = Key(0, minor=False, scale=frozenset({0, 2, 4, 5, 7, 9, 11}))


def line(*notes: tuple[int, int]) -> list[Note]:
    """Onset and pitch of each."""
    return [Note(start, pitch, 100, 80) for start, pitch in notes]


def test_the_tune_is_the_highest_of_what_is_struck_together() -> None:
    assert tune_of(line((0, 48), (0, 64), (20, 60), (480, 67), (960, 55))) == [(0, 64), (480, 67), (960, 55)]


def test_a_figure_is_taken_up_on_any_degree_of_the_scale() -> None:
    call = line((0, 60), (240, 62), (480, 64), (960, 60))
    motif = Motif.of(call, C_MAJOR)
    assert motif.moves == (1, 1, -2)
    # From D on: D, E, F, and back to D; the steps are not as wide as the call's.
    assert motif.pitches([(5000, 62)]) == {64: 1}
    assert motif.pitches([(5000, 62), (5240, 64), (5480, 65)]) == {67: 2, 62: 3}


def test_where_nothing_agrees_the_figure_begins_anew() -> None:
    motif = Motif.of(line((0, 60), (240, 64), (480, 65)), C_MAJOR)
    assert motif.pitches([(5000, 72), (5100, 60)]) == {64: 1}


def test_where_there_is_no_tune_nothing_is_wished_for() -> None:
    motif = Motif.of(line((0, 60), (240, 62), (480, 64)), C_MAJOR)
    assert motif.pitches([]) == motif.onsets([]) == {}
    assert Motif.of([], C_MAJOR).pitches([(0, 60)]) == {}


def test_gaps_go_on_as_the_call_did_also_a_little_faster() -> None:
    motif = Motif.of(line((0, 60), (480, 62), (720, 64), (960, 65)), None)
    assert motif.onsets([(5000, 62), (5450, 60)]) == {5690: 2}


def test_without_a_key_moves_are_semitones() -> None:
    motif = Motif.of(line((0, 60), (240, 61), (480, 64)), None)
    assert motif.pitches([(5000, 66), (5240, 67)]) == {70: 2}
