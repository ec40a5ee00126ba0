"""Which scale music keeps to."""

from __future__ import annotations

import pytest

from antiphon.music.note_names import parse_scale
from antiphon.music.tonality import heard_key, scale_of
from antiphon.notes import Note


def melody(*pitches: int) -> list[Note]:
    return [Note(240 * index, pitch, 200, 80) for index, pitch in enumerate(pitches)]


@pytest.mark.parametrize(
    ("pitches", "scale"),
    [
        ((60, 62, 64, 65, 67, 69, 71, 72), "C major"),
        ((62, 66, 69, 74, 73, 71, 69, 67, 66, 64, 62), "D major"),
        ((60, 64, 67), "C major"),
        ((65, 69, 72, 70, 69, 67, 65), "F major"),
    ],
)
def test_a_tune_in_a_major_key_gives_its_scale(pitches: tuple[int, ...], scale: str) -> None:
    assert scale_of(melody(*pitches)) == parse_scale(scale)


def test_minor_music_may_use_both_sevenths() -> None:
    minor = scale_of(melody(57, 60, 64, 62, 60, 59, 57, 64, 65, 64, 60, 57))
    assert minor == frozenset({9, 11, 0, 2, 4, 5, 7, 8})


@pytest.mark.parametrize("pitches", [(), (60,), (60, 72, 60), (60, 67, 72, 60)])
def test_fewer_than_three_pitch_classes_tell_no_scale(pitches: tuple[int, ...]) -> None:
    assert scale_of(melody(*pitches)) is None


def test_a_foreign_note_that_is_played_often_belongs_to_the_scale() -> None:
    scale = scale_of(melody(60, 64, 66, 67, 66, 64, 60, 62, 64, 66, 67, 72, 65, 69, 71))
    assert scale is not None
    assert scale >= {0, 2, 4, 6, 7}


def test_chromatic_music_is_left_alone() -> None:
    assert scale_of(melody(*range(48, 84))) is None


def test_a_change_of_key_is_followed() -> None:
    c_major, f_sharp_major = (60, 62, 64, 65, 67, 69, 71, 72), (66, 68, 70, 71, 73, 75, 77, 78)
    assert scale_of(melody(*c_major * 8, *f_sharp_major * 8)) == parse_scale("F# major")


@pytest.mark.parametrize(
    ("pitches", "tonic", "minor"),
    [
        ((60, 62, 64, 65, 67, 69, 71, 72), 0, False),
        ((69, 71, 72, 74, 76, 77, 76, 74, 72, 71, 68, 69), 9, True),
        ((62, 66, 69, 74, 73, 71, 69, 67, 66, 64, 62), 2, False),
    ],
)
def test_the_key_is_named_by_where_a_phrase_comes_home(pitches: tuple[int, ...], tonic: int, minor: bool) -> None:
    key = heard_key(melody(*pitches))
    assert key is not None
    assert (key.tonic, key.minor) == (tonic, minor)
    assert key.triad <= key.scale
    assert key.confidence > 0.8


def test_chromatic_music_has_no_key() -> None:
    assert heard_key(melody(*range(48, 84))) is None
    assert heard_key([]) is None
