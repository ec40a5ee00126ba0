"""What a model of notes reads and should foretell."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.note_steps import words as words
from antiphon.note_steps.codec import LIFT, MACHINE, PLAYER, NoteSteps, encode
from antiphon.note_steps.controls import STYLES
from antiphon.note_steps.spans import BEAT, FREE
from antiphon.note_steps.words import ENDS, OPEN, SHARED, Moments, read


def steps_of(*notes: tuple[int, int, int, int]) -> NoteSteps:
    """Notes in units of 10 ms: (onset, pitch, length, part); struck alike."""
    music = np.array([(round(o * 9.6), p, round(n * 9.6), 80) for o, p, n, _ in notes], dtype=np.int64)
    return encode(music, np.array([part for *_, part in notes]), "free")


def test_each_step_foretells_the_one_after_it() -> None:
    steps = steps_of((0, 60, 30, 1), (50, 64, 30, 1), (120, 67, 30, 1))
    reading = read(steps, "free")
    assert reading.asked.tolist() == [1, 2, -1]
    assert FREE.units_of(reading.time[:2]).tolist() == [50, 70]
    assert reading.pitch.tolist() == [64, 67, -1]


def test_a_note_that_ends_with_one_that_sounds_says_with_which() -> None:
    steps = steps_of((0, 48, 100, 1), (0, 60, 30, 1), (50, 64, 50, 1))
    reading = read(steps, "free")
    # The bass was told before the tune, which has ended; so the bass's end is the first of those told.
    assert reading.length[1] == SHARED
    assert FREE.units_of(reading.ends[1, :1]).tolist() == [50]
    assert (reading.ends[1, 1:] == -1).all()


def test_lifted_notes_say_that_they_are_open_and_lifts_have_no_length() -> None:
    steps = steps_of((0, 60, 100, 1), (20, 64, 80, 1), (40, 67, 60, 1))
    reading = read(steps, "free")
    assert reading.length[:2].tolist() == [OPEN, OPEN]
    assert (reading.pitch[2], reading.length[2], reading.velocity[2]) == (LIFT, -1, -1)


def test_for_the_machine_alone_all_steps_foretell_its_next_note() -> None:
    steps = steps_of((0, 60, 30, PLAYER), (20, 62, 30, PLAYER), (50, 48, 30, MACHINE), (70, 64, 30, PLAYER))
    reading = read(steps, "free", machine_only=True)
    assert reading.asked.tolist() == [2, 2, -1, -1]
    assert FREE.units_of(reading.time[:2]).tolist() == [50, 30]


def test_what_is_heard_late_is_told_to_be_late() -> None:
    steps = steps_of((0, 60, 30, PLAYER), (40, 62, 30, PLAYER), (50, 48, 30, MACHINE))
    late = steps.take(np.array([0, 2, 1]))  # the player's second note becomes known after the machine's
    reading = read(late, "free", machine_only=True)
    elapsed = reading.bags[2, 8]
    assert words.LATE <= elapsed < words.PLACE
    assert words.ELAPSED <= reading.bags[1, 8] < words.LATE


def test_the_place_in_the_bar_is_told_of_the_step_and_of_what_is_foretold() -> None:
    music = np.array([[0, 60, 240, 0], [240, 62, 240, 0], [960, 64, 240, 0]])
    steps = encode(music, np.full(3, MACHINE), "beat")
    bar = np.zeros(3, dtype=np.int64)
    reading = read(steps, "beat", moments=Moments(bar, bar + 96))
    assert (reading.bags[:, 9] - words.PLACE).tolist() == [0, 12, 48]
    assert (reading.given[:2, 0] - words.GIVEN_PLACE).tolist() == [12, 48]
    assert BEAT.units_of(reading.time[:2]).tolist() == [12, 36]


def test_how_much_is_left_shrinks_towards_the_end() -> None:
    steps = steps_of((0, 60, 30, 1), (100, 64, 30, 1), (300, 67, 30, 1))
    reading = read(steps, "free", moments=Moments(phrase_end=np.full(3, 330)))
    left = reading.bags[:, 11]
    assert (np.diff(left) < 0).all()
    assert (left > 0).all()
    assert (read(steps, "free").bags[:, 11] == 0).all()


def test_a_hidden_length_is_read_as_open_and_foretold_as_it_is() -> None:
    steps = steps_of((0, 60, 200, PLAYER), (50, 64, 20, PLAYER), (90, 67, 20, PLAYER))
    hidden = np.array([True, False, False])
    plain, held = read(steps, "free"), read(steps, "free", hidden=hidden)
    assert held.bags[0, 7] == words.LENGTH + OPEN != plain.bags[0, 7]
    assert held.length.tolist() == plain.length.tolist()
    assert (held.bags[1, 13 : 13 + ENDS] != plain.bags[1, 13 : 13 + ENDS]).any()


@pytest.mark.parametrize("style", [*STYLES, None])
def test_a_style_is_one_word(style: str | None) -> None:
    reading = read(steps_of((0, 60, 30, 1)), "free", style=style)
    assert (reading.bags[0, 1] > 0) == (style is not None)


@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.integers(30, 90), st.integers(1, 400), st.integers(0, 2)),
        min_size=2,
        max_size=40,
    )
)
def test_what_is_read_of_a_beginning_does_not_depend_on_what_follows(notes: list[tuple[int, int, int, int]]) -> None:
    """What a model was fed stays true when more is heard, as long as no length becomes known later."""
    steps = steps_of(*notes)
    whole = read(steps, "free")
    count = len(steps) // 2 + 1
    begun = read(steps.take(slice(count)), "free")
    assert (begun.bags == whole.bags[:count]).all()
    for name in ("time", "pitch", "part", "velocity", "length"):
        assert getattr(begun, name)[: count - 1].tolist() == getattr(whole, name)[: count - 1].tolist()


def test_all_words_fit() -> None:
    steps = steps_of(*((7 * n, 30 + n % 60, 900, n % 3) for n in range(120)))
    for machine_only in (False, True):
        reading = read(steps, "free", machine_only=machine_only, style="pop")
        assert reading.bags.min() >= 0
        assert reading.bags.max() < words.READ_WORDS
        assert reading.given.max() < words.GIVEN_WORDS
        assert reading.length.max() < words.LENGTHS
        for field in fields(reading):
            assert len(getattr(reading, field.name)) == len(steps)
