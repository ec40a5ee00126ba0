"""Which chord a tune suggests."""

import pytest

from antiphon.generator import Request
from antiphon.music.tonality import Key
from antiphon.notes import Note
from antiphon.taste.harmony import suggested_chord
from antiphon.taste.hearing import told

C_MAJOR = Key(0, False, frozenset({0, 2, 4, 5, 7, 9, 11}))
A_MINOR = Key(9, True, frozenset({0, 2, 4, 5, 7, 8, 9, 11}))
SCALE = [Note(240 * step, pitch, 240, 80) for step, pitch in enumerate([60, 62, 64, 65, 67, 69, 71, 72])]


def quarters(*pitches: int) -> list[Note]:
    return [Note(480 * beat, pitch, 480, 80) for beat, pitch in enumerate(pitches)]


@pytest.mark.parametrize(
    ("tune", "key", "chord"),
    [
        (quarters(60, 64, 67, 64), C_MAJOR, {0, 4, 7}),
        (quarters(65, 69, 72, 69), C_MAJOR, {5, 9, 0}),
        (quarters(62, 67, 71, 67), C_MAJOR, {7, 11, 2}),
        (quarters(69, 72, 76, 72), A_MINOR, {9, 0, 4}),
        (quarters(68, 71, 64, 71), A_MINOR, {4, 8, 11}),
    ],
)
def test_a_broken_triad_suggests_itself(tune: list[Note], key: Key, chord: set[int]) -> None:
    assert suggested_chord(tune, key, 1920) == chord


def test_one_note_is_of_the_commonest_triad_that_has_it() -> None:
    assert suggested_chord(quarters(67), C_MAJOR, 480) == {0, 4, 7}
    assert suggested_chord(quarters(71), C_MAJOR, 480) == {7, 11, 2}


def test_what_is_still_down_counts_more_and_what_is_long_over_does_not() -> None:
    before = quarters(60, 64, 67, 64)
    assert suggested_chord([*before, Note(1920, 65, None, 80)], C_MAJOR, 1920 + 3 * 480) == {5, 9, 0}
    assert suggested_chord(before, C_MAJOR, 10 * 480) is None
    assert suggested_chord([], C_MAJOR, 0) is None


def test_only_who_plays_beside_the_player_is_told_of_it_and_own_notes_say_nothing() -> None:
    own = [Note(1920 + 480 * beat, 65, 480, 80, own=True) for beat in range(4)]
    assert told(Request(1920, 480), SCALE).chord is None
    beside = Request(3840, 480, beside=True)
    assert told(beside, SCALE).chord is None, "the scale is four beats ago"
    assert told(beside, [*SCALE, *own]).chord is None
    played = [*SCALE, *(Note(1920 + n.start_ticks, n.pitch, n.length_ticks, 80) for n in quarters(60, 64, 67, 64))]
    assert told(beside, [*played, *own]).chord == {0, 4, 7}
