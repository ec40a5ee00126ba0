"""Notes and phrases keep their order, their spans and their lengths, whatever is done to them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.notes import Note, Phrase, score_order

TICKS = st.integers(0, 10_000)
LENGTHS = st.integers(1, 5_000)
NOTES = st.builds(Note, TICKS, st.integers(0, 127), LENGTHS, st.integers(1, 127))
HELD = st.builds(Note, TICKS, st.integers(0, 127), st.none(), st.integers(1, 127))


def test_a_held_note_has_no_end() -> None:
    assert Note(10, 60, None, 80).end_ticks is None
    assert Note(10, 60, 5, 80).end_ticks == 15


def test_a_note_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Note(0, 60, 1, 80).pitch = 61  # type: ignore[misc] # on purpose


@given(HELD, TICKS)
def test_closing_a_held_note_ends_it_there_but_never_before_it_sounded(note: Note, at_ticks: int) -> None:
    closed = note.closed(at_ticks)
    assert closed.end_ticks == max(at_ticks, note.start_ticks + 1)
    assert replace(closed, length_ticks=None) == note


@given(NOTES, TICKS)
def test_closing_a_released_note_changes_nothing(note: Note, at_ticks: int) -> None:
    assert note.closed(at_ticks) is note


@given(st.one_of(NOTES, HELD), TICKS)
def test_a_clipped_note_ends_in_time_or_sounds_for_one_tick(note: Note, end_ticks: int) -> None:
    clipped = note.clipped(end_ticks)
    assert clipped.end_ticks is not None
    assert clipped.end_ticks <= max(end_ticks, note.start_ticks + 1)
    assert note.end_ticks is None or clipped.end_ticks <= note.end_ticks
    assert clipped.clipped(end_ticks) == clipped


@given(st.one_of(NOTES, HELD), st.integers(-10_000, 10_000))
def test_shifting_a_note_there_and_back_changes_nothing(note: Note, by_ticks: int) -> None:
    assert note.shifted(by_ticks).start_ticks == note.start_ticks + by_ticks
    assert note.shifted(by_ticks).length_ticks == note.length_ticks
    assert note.shifted(by_ticks).shifted(-by_ticks) == note


@given(st.lists(NOTES, min_size=1))
def test_a_phrase_of_notes_is_in_score_order_and_spans_them_all(notes: list[Note]) -> None:
    phrase = Phrase.of(notes)
    assert sorted(phrase.notes, key=score_order) == list(phrase.notes)
    assert sorted(map(repr, phrase.notes)) == sorted(map(repr, notes))
    assert phrase.start_ticks == min(note.start_ticks for note in notes)
    assert phrase.end_ticks == max(note.end_ticks or 0 for note in notes)
    assert phrase.length_ticks == phrase.end_ticks - phrase.start_ticks


@given(st.lists(NOTES, min_size=1), st.integers(-10_000, 10_000))
def test_shifting_a_phrase_shifts_its_span_and_its_notes(notes: list[Note], by_ticks: int) -> None:
    phrase = Phrase.of(notes)
    shifted = phrase.shifted(by_ticks)
    assert shifted.length_ticks == phrase.length_ticks
    assert [note.start_ticks - by_ticks for note in shifted.notes] == [note.start_ticks for note in phrase.notes]
    assert shifted.shifted(-by_ticks) == phrase


def test_a_phrase_may_be_longer_than_its_notes() -> None:
    phrase = Phrase.of([Note(100, 60, 10, 80)], start_ticks=0, end_ticks=480)
    assert (phrase.start_ticks, phrase.end_ticks, phrase.length_ticks) == (0, 480, 480)


def test_a_rest_needs_a_span() -> None:
    assert Phrase.of([], 0, 480) == Phrase(0, 480)
    assert Phrase.of([], 480).length_ticks == 0
    with pytest.raises(ValueError, match="a phrase without notes needs start_ticks and end_ticks"):
        Phrase.of([])


def test_a_phrase_with_a_held_note_needs_an_end() -> None:
    held = Note(0, 60, None, 80)
    assert Phrase.of([held], end_ticks=480).end_ticks == 480
    with pytest.raises(ValueError, match="a phrase with a held note needs end_ticks"):
        Phrase.of([held, Note(5, 62, 10, 80)])
