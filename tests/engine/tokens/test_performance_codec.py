"""The performance codec: events of music by hand, what streaming changes, and the masks state by state."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from token_music import as_tokens, music, rows

from antiphon.generator import Constraints
from antiphon.music.note_rows import NoteRows, rows_at
from antiphon.notes import Note
from antiphon.tokens.codec import common_prefix
from antiphon.tokens.performance_codec import PerformanceCodec
from antiphon.tokens.performance_writer import PerformanceWriter

CODEC = PerformanceCodec(tempo_bpm=125.0)
"""A step is ten ticks."""


def on(pitch: int) -> int:
    """The token of a key going down."""
    return pitch


def off(pitch: int) -> int:
    """The token of a key coming up."""
    return 128 + pitch


def shift(steps: int) -> int:
    """The token that lets `steps` pass."""
    return 256 + steps - 1


def loud(velocity: int) -> int:
    """The token of the bin of `velocity`."""
    return 356 + velocity // 4


SHIFTS = [shift(steps) for steps in range(1, 101)]
VELOCITIES = [356 + number for number in range(32)]


def allowed(writer: PerformanceWriter) -> list[int]:
    """The ids that may come next."""
    return np.flatnonzero(writer.allowed()).tolist()


def wrote(writer: PerformanceWriter, *tokens: int) -> PerformanceWriter:
    """The writer, after `tokens`."""
    for token in tokens:
        writer.write(token)
    return writer


def test_keys_go_down_and_come_up_with_time_between() -> None:
    music = rows((1000, 60, 250, 80), (1100, 64, 3000, 80), (1100, 62, 150, 83))
    assert CODEC.encode(music).tolist() == [
        *[loud(80), on(60), shift(10), on(62), on(64)],
        *[shift(15), off(60), off(62)],
        *[shift(100), shift(100), shift(85), off(64)],
    ]
    assert CODEC.start_ticks(music) == 1000


def test_a_second_exactly_is_one_shift() -> None:
    assert CODEC.encode(rows((0, 60, 1000, 80))).tolist() == [loud(80), on(60), shift(100), off(60)]
    assert CODEC.encode(rows((0, 60, 2000, 80)))[2:4].tolist() == [shift(100), shift(100)]


def test_velocity_is_told_when_its_bin_changes_right_before_the_key() -> None:
    music = rows((0, 60, 100, 80), (100, 62, 100, 83), (200, 64, 100, 84), (300, 65, 100, 84))
    assert CODEC.encode(music).tolist() == [
        *[loud(80), on(60), shift(10), off(60), on(62)],
        *[shift(10), off(62), loud(84), on(64), shift(10), off(64), on(65), shift(10), off(65)],
    ]


def test_a_key_struck_again_comes_up_first() -> None:
    assert CODEC.encode(rows((0, 60, 500, 80), (100, 60, 100, 80))).tolist() == [
        *[loud(80), on(60), shift(10), off(60), on(60), shift(10), off(60)]
    ]


def test_a_held_key_does_not_come_up_unless_it_is_struck_again() -> None:
    music = rows((0, 60, 0, 80), (0, 64, 0, 80), (100, 60, 0, 80))
    tokens = CODEC.encode(music)
    assert tokens.tolist() == [loud(80), on(60), on(64), shift(10), off(60), on(60)]
    assert CODEC.decode(tokens, 0).tolist() == [[0, 60, 100, 82], [0, 64, 0, 82], [100, 60, 0, 82]]


def test_the_shortest_note_is_a_step_long() -> None:
    assert CODEC.quantise(rows((4, 60, 1, 1), (6, 60, 3, 127))).tolist() == [[0, 60, 10, 2], [10, 60, 10, 126]]


def test_a_step_is_ten_milliseconds_at_every_tempo() -> None:
    for tempo_bpm in (60.0, 120.0, 200.0):
        second = round(480 * tempo_bpm / 60)
        codec = PerformanceCodec(tempo_bpm=tempo_bpm)
        assert codec.encode(rows((second, 60, second, 80))).tolist() == [loud(80), on(60), shift(100), off(60)]


def test_a_tempo_whose_steps_are_no_longer_than_ticks_is_refused() -> None:
    with pytest.raises(ValueError, match="tempo_bpm is 12; allowed 15 and more"):
        PerformanceCodec(tempo_bpm=12.0)


def test_up_to_now_time_passes_and_what_sounds_is_held() -> None:
    music = rows((0, 60, 5000, 80), (100, 64, 50, 80), (4000, 67, 50, 80))
    heard = [loud(80), on(60), shift(10), on(64), shift(5), off(64)]
    assert CODEC.encode(music, 150).tolist() == heard
    assert CODEC.encode(music, 151).tolist() == [*heard, shift(1)]
    assert CODEC.encode(music, 1500).tolist() == [*heard, shift(100), shift(35)]
    assert CODEC.encode(rows(), 700).tolist() == [shift(100)]


@given(music(), st.integers(-500, 8_000))
def test_it_is_append_only(notes: NoteRows, now: int) -> None:
    """Whatever is played later, the tokens before the present step stay."""
    tokens, whole = CODEC.encode(rows_at(notes, now)), CODEC.encode(notes)
    common = common_prefix(tokens, whole)
    if common < len(tokens):
        waited = tokens[:common][(tokens[:common] >= 256) & (tokens[:common] < 356)] - 255
        assert CODEC.start_ticks(notes) // 10 + waited.sum() >= (now + 5) // 10


def test_decoding_skips_what_makes_no_sense() -> None:
    tokens = as_tokens([off(60), on(62), shift(5), on(62), on(62), shift(5), off(62), off(62), loud(20), shift(3)])
    assert CODEC.decode(tokens, 101).tolist() == [[100, 62, 50, 64], [150, 62, 50, 64]]


def test_a_writer_begins_at_the_first_step_not_before_its_start() -> None:
    assert [CODEC.writer(start).now_ticks for start in (0, 1, 10, 11)] == [0, 10, 10, 20]
    assert PerformanceCodec(120.0).writer(10).now_ticks == 10


def test_before_a_velocity_is_told_no_key_goes_down() -> None:
    assert allowed(CODEC.writer(0)) == [*SHIFTS, *VELOCITIES]


def test_after_a_velocity_a_key_goes_down() -> None:
    writer = wrote(CODEC.writer(0, Constraints(60, 72, frozenset({0}))), loud(80))
    assert allowed(writer) == [on(60), on(72)]


def test_within_a_step_keys_go_down_from_the_lowest_up() -> None:
    writer = wrote(CODEC.writer(0, Constraints(60, 64)), loud(80), on(62))
    others = [token for token in VELOCITIES if token != loud(80)]
    assert allowed(writer) == [on(63), on(64), *SHIFTS, *others]
    assert allowed(wrote(writer, loud(20))) == [on(63), on(64)]
    assert allowed(wrote(writer, on(64))) == SHIFTS


def test_keys_come_up_before_others_go_down_from_the_lowest_up() -> None:
    writer = wrote(CODEC.writer(0, Constraints(60, 64)), loud(80), on(60), on(62), on(64), shift(5))
    others = [token for token in VELOCITIES if token != loud(80)]
    assert allowed(writer) == [on(61), on(63), off(60), off(62), off(64), *others]
    assert allowed(wrote(writer, off(62))) == [on(61), on(62), on(63), off(64), *SHIFTS, *others]
    assert allowed(wrote(writer, on(61))) == [on(62), on(63), *SHIFTS, *others]
    assert writer.take() == [Note(0, 62, 50, 82)]
    assert writer.ringing_since == 0


def test_after_a_short_shift_something_else_comes_and_after_a_full_one_anything() -> None:
    writer = wrote(CODEC.writer(0, Constraints(60, 60)), loud(80), on(60))
    assert allowed(wrote(writer.copy(), shift(100))) == [off(60), *SHIFTS]
    assert allowed(wrote(writer.copy(), shift(99))) == [off(60)]


def test_polyphony_counts_keys_that_are_down() -> None:
    writer = wrote(CODEC.writer(0, Constraints(polyphony=2)), loud(80), on(60), on(64))
    assert allowed(writer) == SHIFTS
    assert allowed(wrote(writer, shift(100))) == [off(60), off(64), *SHIFTS]
    assert allowed(wrote(writer, off(60)))[:5] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("nothing", [Constraints(scale=frozenset()), Constraints(61, 71, frozenset({0}))])
def test_where_no_pitch_is_left_there_are_rests(nothing: Constraints) -> None:
    writer = CODEC.writer(0, nothing)
    for _ in range(3):
        assert allowed(writer) == SHIFTS
        wrote(writer, shift(7))
    assert writer.now_ticks == 210


def test_keys_of_the_context_may_come_up_but_are_no_notes_of_the_writer() -> None:
    heard = rows((0, 60, 0, 80), (0, 20, 0, 80), (100, 64, 100, 80))
    solo = Constraints(60, 64, polyphony=1)
    writer = CODEC.writer(300, solo, CODEC.encode(heard, 300))
    others = [token for token in VELOCITIES if token != loud(80)]
    assert allowed(writer) == [on(61), on(62), on(63), on(64), off(20), off(60), *SHIFTS, *others]
    wrote(writer, off(20), off(60), on(60), shift(10))
    assert writer.take() == []
    assert writer.ringing_since == 300
    assert allowed(writer) == [off(60)]
    assert wrote(writer, off(60)).take() == [Note(300, 60, 100, 82)]
    assert on(20) not in allowed(writer)


def test_right_after_an_event_of_the_context_its_step_goes_on() -> None:
    heard = rows((0, 58, 0, 80), (0, 60, 100, 80), (0, 62, 0, 80), (100, 64, 0, 80))

    def keys_at(start: int, notes: NoteRows) -> list[int]:
        writer = CODEC.writer(start, Constraints(58, 66), CODEC.encode(notes, start))
        return [token for token in allowed(writer) if token < 256]

    assert keys_at(100, heard) == [on(65), on(66)]
    assert keys_at(100, heard[:3]) == [*map(on, (59, 60, 61, 63, 64, 65, 66)), off(62)]
    assert keys_at(101, heard) == [*map(on, (59, 60, 61, 63, 65, 66)), off(58), off(62), off(64)]


def test_notes_that_still_sound_can_be_cut() -> None:
    writer = wrote(CODEC.writer(0), loud(80), on(64), shift(10), on(60), shift(10))
    twin = writer.copy()
    assert writer.close(105) == [Note(100, 60, 5, 82), Note(0, 64, 105, 82)]
    assert writer.close(105) == []
    assert writer.ringing_since is None
    assert twin.close(50) == [Note(100, 60, 1, 82), Note(0, 64, 50, 82)]
    # The keys are still down in the tokens; they come up without a note.
    assert wrote(writer, off(60), off(64)).take() == []
