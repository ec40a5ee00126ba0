"""What a generator declares is resolved and checked, and what it returns is legal or refused by name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.generator import Constraints, Control, Generator, GeneratorInfo, IllegalPhrase, Request, check_phrase
from antiphon.notes import Note, Phrase

INFO = GeneratorInfo("walker", "Walks.", (Control("leap", 1, 12, 5, ""), Control("heat", 0, 2.5, 1, "")))
REQUEST = Request(960, 480)
NOTE = Note(1000, 60, 100, 80)


def test_controls_are_defaults_overlaid_with_what_the_preset_says() -> None:
    assert INFO.resolve_controls({}) == {"leap": 5, "heat": 1}
    assert INFO.resolve_controls({"heat": 2.5}) == {"leap": 5, "heat": 2.5}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"speed": 1}, "generator 'walker' has no control 'speed'; it has: heat, leap"),
        ({"heat": 2.6}, "heat is 2.6; allowed: a number, 0 to 2.5"),
        ({"leap": 0}, "leap is 0; allowed: a number, 1 to 12"),
        ({"leap": float("nan")}, "leap is nan; allowed: a number, 1 to 12"),
    ],
)
def test_controls_that_are_unknown_or_out_of_range_are_refused(values: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        INFO.resolve_controls(values)


def test_a_generator_without_controls_says_so() -> None:
    with pytest.raises(ValueError, match="it has: none"):
        GeneratorInfo("plain", "Plays.").resolve_controls({"heat": 1})


@given(st.floats(-100, 100), st.floats(0, 100), st.floats(-300, 300))
def test_a_control_takes_what_lies_in_its_range_ends_included(low: float, width: float, value: float) -> None:
    control = Control("x", low, low + width, low, "")
    assert control.allows(control.low)
    assert control.allows(control.high)
    assert control.allows(value) == (control.low <= value <= control.high)


def test_a_request_ends_where_its_length_says() -> None:
    assert REQUEST.end_ticks == 1440
    assert REQUEST.constraints == Constraints()


def test_anything_with_the_three_methods_is_a_generator() -> None:
    class Three:
        def prime(self, heard: Phrase) -> None: ...
        def rewind(self, to_ticks: int) -> None: ...
        def extend(self, request: Request) -> Phrase:
            return Phrase(request.start_ticks, request.end_ticks)

    assert isinstance(Three(), Generator)
    assert not isinstance(object(), Generator)


@given(
    st.lists(st.builds(Note, st.integers(960, 1439), st.integers(0, 127), st.integers(1, 9999), st.integers(1, 127)))
)
def test_legal_notes_pass_unchanged_though_they_ring_beyond_the_phrase(notes: list[Note]) -> None:
    phrase = Phrase.of(notes, 960, 1440)
    assert check_phrase(phrase, REQUEST) is phrase


@pytest.mark.parametrize(
    ("phrase", "sentence"),
    [
        (None, "extend returned NoneType; it must return a Phrase"),
        (Phrase(961, 1440), "phrase spans ticks 961 to 1440; asked for 960 to 1440"),
        (Phrase(960, 1439), "phrase spans ticks 960 to 1439; asked for 960 to 1440"),
        (Phrase(960, 1440, (60,)), r"notes\[0\] is int; it must be a Note"),  # type: ignore[arg-type] # on purpose
        (Phrase(960, 1440, (NOTE, replace(NOTE, pitch=59))), r"notes\[1\] at tick 1000 is out of order"),
        (Phrase(960, 1440, (NOTE, replace(NOTE, start_ticks=999))), r"notes\[1\] at tick 999 is out of order"),
    ],
)
def test_a_phrase_that_does_not_answer_the_request_is_refused(phrase: object, sentence: str) -> None:
    with pytest.raises(IllegalPhrase, match=sentence):
        check_phrase(phrase, REQUEST)


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("start_ticks", 959, "960 to 1439"),
        ("start_ticks", 1440, "960 to 1439"),
        ("start_ticks", 1000.0, "960 to 1439"),
        ("pitch", -1, "0 to 127"),
        ("pitch", 128, "0 to 127"),
        ("pitch", True, "0 to 127"),
        ("velocity", 0, "1 to 127"),
        ("velocity", 128, "1 to 127"),
        ("length_ticks", 0, "at least 1"),
        ("length_ticks", None, "at least 1"),
        ("length_ticks", -5, "at least 1"),
    ],
)
def test_a_note_that_cannot_be_played_is_refused_by_field_and_value(field: str, value: object, allowed: str) -> None:
    wrong = replace(NOTE, **{field: value})  # type: ignore[arg-type] # on purpose
    with pytest.raises(IllegalPhrase, match=rf"notes\[0\].{field} is {value!r}; allowed: a whole number, {allowed}"):
        check_phrase(Phrase(960, 1440, (wrong,)), REQUEST)


def test_two_notes_of_one_pitch_at_one_tick_are_legal() -> None:
    phrase = Phrase(960, 1440, (NOTE, NOTE))
    assert check_phrase(phrase, REQUEST) is phrase


def test_a_shortened_request_leads_to_the_same_end() -> None:
    last = Request(960, 1920, final=True)
    assert last.shortened(1440) == Request(960, 480, left_ticks=1920)
    assert Request(960, 1920, left_ticks=5000).shortened(1440).left_ticks == 5000
