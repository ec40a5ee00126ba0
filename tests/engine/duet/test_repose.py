"""Whether a rest is an end or a breath. At 120 bpm a beat is 480 ticks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from antiphon.duet.repose import Weighed, weigh
from antiphon.music.pulse import Pulse
from antiphon.music.timing import TimeSignature
from antiphon.notes import Note

FOUR = TimeSignature()


def line(notes: Sequence[tuple[int, float]], hold: float = 0.9) -> list[Note]:
    """Pitches, each with its length in beats."""
    said, at = [], 0.0
    for pitch, beats in notes:
        said.append(Note(round(at * 480), pitch, round(beats * hold * 480), 80))
        at += beats
    return said


def weighed(notes: Sequence[tuple[int, float]]) -> Weighed:
    call = line(notes)
    return weigh(call, call, 120, FOUR)


def test_a_phrase_that_comes_home_on_a_long_note_is_at_rest() -> None:
    assert weighed([(60, 0.5), (62, 0.5), (64, 0.5), (65, 0.5), (67, 0.5), (65, 0.5), (62, 0.5), (60, 1)]).at_rest


def test_a_lick_that_stops_short_of_home_is_not() -> None:
    assert not weighed([(60, 0.5), (63, 0.5), (65, 0.5), (66, 0.5)]).at_rest


def test_whole_bars_are_an_end_whatever_they_end_on() -> None:
    assert weighed([(60, 1), (64, 1), (67, 1), (64, 1), (65, 1), (62, 1), (65, 1), (62, 1)]).at_rest


def test_without_a_pulse_nothing_speaks_for_a_breath() -> None:
    free = weighed([(60, 0.31), (63, 1.7), (65, 0.83), (66, 0.47), (61, 1.21), (66, 0.59)])
    assert free.pulse is None
    assert free.at_rest


@pytest.mark.parametrize(
    ("places", "entry"), [((0.0, 0.25, 0.5, 0.75), 1440), ((0.0, 2 / 3), 1520), ((0.0, 1 / 3, 2 / 3), 1520)]
)
def test_an_answer_comes_in_on_a_beat_or_in_the_middle_of_one(places: tuple[float, ...], entry: int) -> None:
    shares = tuple(1 / len(places) for _ in places)
    pulse = Pulse(480, 240, places, shares)
    assert Weighed(pulse, at_rest=True).entry_near(1460, 1400) == entry
    assert Weighed(pulse, at_rest=True).entry_near(1650, 1640) == 1680
