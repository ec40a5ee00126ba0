"""The ends of a morph: what counts as played last, and what a capture holds fast. At 4/4 a bar is 1,920 ticks."""

from __future__ import annotations

import pytest

from antiphon.duet.morph import MOST_BARS, Ends
from antiphon.duet.plan import MorphPlan
from antiphon.generator import Morph
from antiphon.music.messages import control_change, note_off, note_on
from antiphon.notes import Note, Phrase

BAR, BEAT = 1920, 480
GIVEN = Phrase(0, BAR, (Note(0, 36, 120, 84),))


def call(ends: Ends, *onsets: int, pitch: int = 60, length: int = 100) -> None:
    """A call of notes of one pitch."""
    for number, ticks in enumerate(onsets):
        ends.hear(note_on(0, pitch, 80), ticks, begins=number == 0)
        ends.hear(note_off(0, pitch), ticks + length, begins=False)


def spans(morph: Morph) -> list[tuple[int, int] | None]:
    return [None if end is None else (end.start_ticks, end.end_ticks) for end in (morph.a, morph.b)]


def test_before_anything_was_played_there_is_only_what_the_model_holds_likely() -> None:
    assert Ends(MorphPlan(), BAR, BAR).morph() == Morph(None, None)


@pytest.mark.parametrize(
    ("grid", "onsets", "span"),
    [
        (BAR, (2000, 3000), (1920, 3840)),
        (BAR, (2000, 3900), (1920, 5760)),
        (BEAT, (2450, 3000), (2400, 4320)),
        (None, (2003, 3000), (2003, 3923)),
        # A little before the bar line is on it; and a last note on a bar line closes the loop.
        (BAR, (1880, 3000), (1920, 3840)),
        (BAR, (1920, 3000, 3840), (1920, 3840)),
        (BAR, (1920, 3000, 3895), (1920, 3840)),
        (BAR, (1920, 3000, 3901), (1920, 5760)),
        (None, (7, 1900), (7, 1927)),
        (BAR, (0,), (0, 1920)),
    ],
)
def test_what_was_played_is_a_loop_of_whole_bars(
    grid: int | None, onsets: tuple[int, ...], span: tuple[int, int]
) -> None:
    ends = Ends(MorphPlan(), BAR, grid)
    call(ends, *onsets)
    assert spans(ends.morph()) == [span, None]


def test_what_is_early_begins_with_the_bar_and_what_closes_the_loop_is_left_out() -> None:
    ends = Ends(MorphPlan(), BAR, BAR)
    call(ends, 1880, 3000, 3840)
    assert ends.morph().a == Phrase(1920, 3840, (Note(1920, 60, 100, 80), Note(3000, 60, 100, 80)))


def test_a_key_that_is_held_is_held_to_the_end_of_the_loop() -> None:
    ends = Ends(MorphPlan(), BAR, BAR)
    ends.hear(note_on(0, 60, 80), 480, begins=True)
    assert ends.morph().a == Phrase(0, BAR, (Note(480, 60, 1440, 80),))


def test_a_new_call_takes_the_place_of_the_last_one() -> None:
    ends = Ends(MorphPlan(), BAR, BAR)
    call(ends, 0, 480, 960)
    call(ends, 9600, 9700, pitch=72)
    assert ends.morph().a == Phrase(9600, 11520, (Note(9600, 72, 100, 80), Note(9700, 72, 100, 80)))


def test_a_pedal_that_went_down_before_the_call_holds_its_notes() -> None:
    ends = Ends(MorphPlan(), BAR, BAR)
    ends.hear(control_change(0, 64, 127), 0, begins=False)
    call(ends, 480)
    ends.hear(control_change(0, 64, 0), 1000, begins=False)
    assert ends.morph().a == Phrase(0, BAR, (Note(480, 60, 520, 80),))


def test_of_a_long_call_the_last_bars_count() -> None:
    ends = Ends(MorphPlan(), BAR, BAR)
    call(ends, *range(0, 40 * BAR, 240))
    played = ends.morph().a
    assert played is not None
    assert (played.start_ticks, played.end_ticks) == ((40 - MOST_BARS) * BAR, 40 * BAR)
    assert len(played.notes) == 8 * MOST_BARS


def test_captures_are_a_and_b_in_turn_and_stay() -> None:
    ends = Ends(MorphPlan("played", GIVEN, capture_note=108, capture_cc=20), BAR, BAR)
    press, lift = note_on(0, 108, 90), note_off(0, 108)
    assert ends.capture(press) is None, "nothing has been played"
    ends.capture(lift)
    said = []
    for number in range(3):
        call(ends, number * 9600, pitch=60 + number)
        said += [ends.capture(press), ends.capture(press), ends.capture(lift)]
        if number == 0:
            assert ends.morph().b == GIVEN
    assert said == ["captured as A: 1 notes", None, None, "captured as B: 1 notes", None, None, *said[6:]]
    assert said[6] == "captured as A: 1 notes"
    call(ends, 60_000, pitch=90)
    morph = ends.morph()
    assert [end.notes[0].pitch for end in (morph.a, morph.b) if end is not None] == [62, 61]


def test_only_a_rising_controller_captures() -> None:
    ends = Ends(MorphPlan(capture_cc=20), BAR, BAR)
    call(ends, 0)
    values = (63, 64, 127, 0, 64)
    assert [ends.capture(control_change(0, 20, value)) is not None for value in values] == [
        False,
        True,
        False,
        False,
        True,
    ]


def test_what_captures_is_no_music() -> None:
    ends = Ends(MorphPlan(capture_note=108, capture_cc=20), BAR, BAR)
    swallowed = [note_on(0, 108, 1), note_off(5, 108), control_change(0, 20, 0)]
    passed = [note_on(0, 107, 1), control_change(0, 21, 127), bytes((0xC0, 108))]
    assert [ends.swallows(message) for message in swallowed + passed] == [True] * 3 + [False] * 3
    assert not Ends(MorphPlan(), BAR, BAR).swallows(note_on(0, 108, 1))
