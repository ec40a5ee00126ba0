"""Music as a line of text: read, written, and refused with the word that is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.notes import Note, Phrase
from antiphon.presets.step_notation import parse_steps, steps_text


def test_a_word_is_a_sixteenth() -> None:
    text = """
        C3  -  E3+G3! .  |
        A3? .  .      .
    """
    notes = (Note(0, 48, 240, 84), Note(240, 52, 120, 84), Note(240, 55, 120, 108), Note(480, 57, 120, 56))
    assert parse_steps(text) == Phrase(0, 960, notes)


def test_a_hold_holds_the_whole_chord() -> None:
    assert [note.length_ticks for note in parse_steps("C3+E3 - - G3 .").notes] == [360, 360, 120]


def test_a_rest_at_the_end_counts() -> None:
    assert parse_steps("C3 . . . . . . .").end_ticks == 960


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("C3 . H3", "'H3' is no note"),
        ("C3 C", "'C' is no note"),
        ("C3 60", "'60' is no note"),
        ("C3 E3!?", r"'E3!\?' is no note"),
        ("C3 E3+", "'' is no note"),
        (". - C3", "word 2, '-', holds nothing"),
        ("C3 . - ", "word 3, '-', holds nothing"),
        (". . |", "it has no notes"),
        ("", "it has no notes"),
    ],
)
def test_a_mistake_is_named(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_steps(text)


names = st.sampled_from(["C3", "E3!", "G3?", "F#7", "C-1"])
chords = st.lists(names, min_size=1, max_size=3, unique_by=lambda name: name.rstrip("!?")).map("+".join)


@given(st.lists(st.one_of(chords, st.sampled_from([".", "-", "|"])), max_size=20))
def test_what_is_written_is_read_as_the_same_music(words: list[str]) -> None:
    try:
        phrase = parse_steps(" ".join(words))
    except ValueError:
        return
    text = steps_text(phrase)
    assert text is not None
    assert parse_steps(text) == phrase


@pytest.mark.parametrize(
    "note",
    [
        Note(7, 60, 120, 84),
        Note(0, 60, 100, 84),
        Note(0, 60, 120, 85),
        Note(0, 60, 2000, 84),
        Note(-120, 60, 120, 84),
    ],
)
def test_music_that_the_text_cannot_say_has_none(note: Note) -> None:
    assert steps_text(Phrase(0, 1920, (note,))) is None
    assert steps_text(Phrase(0, 1920)) is None


def test_lines_that_overlap_have_no_text() -> None:
    assert steps_text(Phrase(0, 1920, (Note(0, 60, 480, 84), Note(240, 64, 120, 84)))) is None
