"""Notes and scales by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.music.note_names import SCALES, UnknownName, parse_pitch, parse_scale, pitch_class_names, pitch_name


@pytest.mark.parametrize(
    ("name", "pitch"),
    [("C4", 60), ("c4", 60), ("A0", 21), ("C8", 108), ("F#3", 54), ("Gb3", 54), ("G♭3", 54), ("C-1", 0), ("G9", 127)],
)
def test_note_names_are_midi_numbers_with_c4_as_middle_c(name: str, pitch: int) -> None:
    assert parse_pitch(name) == pitch


def test_flats_and_sharps_cross_the_octave() -> None:
    assert parse_pitch("Cb4") == 59
    assert parse_pitch("B#3") == 60


@given(st.integers(0, 127))
def test_a_pitch_is_read_back_from_its_name_and_from_its_number(pitch: int) -> None:
    assert parse_pitch(pitch_name(pitch)) == parse_pitch(pitch) == pitch


@pytest.mark.parametrize("value", ["", "H", "C", "C10", "G#9", "Cb-1", "C 4", "C##4", -1, 128, 60.0, True, None, [60]])
def test_what_is_no_note_is_refused(value: object) -> None:
    with pytest.raises(UnknownName):
        parse_pitch(value)


def test_a_german_h_suggests_b() -> None:
    with pytest.raises(UnknownName, match=r"^B3$"):
        parse_pitch("H3")


@pytest.mark.parametrize(
    ("value", "notes"),
    [
        ("C major", "C D E F G A B"),
        ("a minor", "C D E F G A B"),
        ("D dorian", "C D E F G A B"),
        ("A harmonic  minor", "C D E F G# A B"),
        ("Bb pentatonic", "C D F G A#"),
        ("F# blues", "C C# E F# A B"),
        (["C", "Eb", 7], "C D# G"),
        (["B#"], "C"),
    ],
)
def test_scales_are_sets_of_pitch_classes(value: object, notes: str) -> None:
    classes = parse_scale(value)
    assert classes is not None
    assert pitch_class_names(classes) == notes.split()


@pytest.mark.parametrize("value", ["chromatic", "G chromatic", list(range(12))])
def test_all_twelve_notes_are_no_limit(value: object) -> None:
    assert parse_scale(value) is None


@pytest.mark.parametrize("name", SCALES)
def test_every_scale_begins_on_its_tonic_and_rises(name: str) -> None:
    steps = SCALES[name]
    assert steps[0] == 0
    assert list(steps) == sorted(set(steps))
    assert steps[-1] < 12


@pytest.mark.parametrize(
    ("value", "nearest"),
    [("C dorain", "C dorian"), ("major", "C major"), ("Eb mixolidian", "Eb mixolydian"), ("C4 major", "C major")],
)
def test_an_unknown_scale_suggests_the_nearest(value: str, nearest: str) -> None:
    with pytest.raises(UnknownName, match=f"^{nearest}$"):
        parse_scale(value)


@pytest.mark.parametrize("value", ["", "C", [], ["C4"], [12], [True], 3, None])
def test_what_is_no_scale_is_refused(value: object) -> None:
    with pytest.raises(UnknownName):
        parse_scale(value)
