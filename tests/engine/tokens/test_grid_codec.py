"""The grid codec: the study's arithmetic on music by hand, what streaming changes, and the masks state by state."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from token_music import as_tokens, music, rows

from antiphon.generator import Constraints
from antiphon.music.note_rows import NoteRows, rows_at
from antiphon.notes import Note
from antiphon.tokens.codec import Tokens, common_prefix
from antiphon.tokens.grid_codec import GridCodec
from antiphon.tokens.grid_tokens import barlines, folded, grid_tokens, split_bars, split_notes
from antiphon.tokens.grid_writer import GridWriter

CODEC = GridCodec()
BAR = 0


def offset(steps: int) -> int:
    """The token of `steps` since the barline."""
    return 1 + steps


def note(steps: int, pitch: int, length: int) -> list[int]:
    """The three tokens of a note."""
    return [offset(steps), 33 + pitch - 21, 121 + length - 1]


def bar(steps: int) -> list[int]:
    """The two tokens of a barline."""
    return [offset(steps), BAR]


def allowed(writer: GridWriter) -> list[int]:
    """The ids that may come next."""
    return np.flatnonzero(writer.allowed()).tolist()


def wrote(writer: GridWriter, *tokens: int) -> GridWriter:
    """The writer, after `tokens`."""
    for token in tokens:
        writer.write(token)
    return writer


def tokens_before(tokens: Tokens, step: int) -> int:
    """How many of `tokens` belong to events before `step`, counted from the first barline."""
    begun_bar = count = 0
    for index in np.flatnonzero((tokens >= 1) & (tokens < 33)).tolist():
        time = begun_bar + int(tokens[index]) - 1
        is_bar = tokens[index + 1] == BAR
        if time < step:
            count += 2 if is_bar else 3
        if is_bar:
            begun_bar = time
    return count


def test_notes_and_barlines_come_in_order_of_time_the_barline_first() -> None:
    music = rows((480, 64, 240, 80), (480, 60, 480, 80), (1920, 72, 120, 80), (2040, 48, 960, 80))
    assert CODEC.encode(music).tolist() == [
        *bar(0),
        *note(4, 60, 4),
        *note(4, 64, 2),
        *bar(16),
        *note(0, 72, 1),
        *note(1, 48, 8),
    ]


def test_the_first_barline_is_that_of_the_first_note() -> None:
    assert CODEC.encode(rows((4000, 60, 120, 80))).tolist() == [*bar(0), *note(1, 60, 1)]
    assert CODEC.start_ticks(rows((4000, 60, 120, 80))) == 3840
    assert CODEC.encode(rows((3835, 60, 120, 80))).tolist() == [*bar(0), *note(0, 60, 1)]
    assert CODEC.start_ticks(rows((3835, 60, 120, 80))) == 3840
    assert CODEC.encode(rows((-240, 60, 120, 80))).tolist() == [*bar(0), *note(14, 60, 1)]


def test_long_notes_are_struck_again_after_two_whole_notes() -> None:
    assert CODEC.encode(rows((0, 60, 40 * 120, 80))).tolist() == [
        *bar(0),
        *note(0, 60, 32),
        *bar(16),
        *bar(16),
        *note(0, 60, 8),
    ]


def test_long_bars_are_written_as_several() -> None:
    codec = GridCodec(bar_ticks=36 * 120)
    assert codec.encode(rows((32 * 120, 60, 120, 80), (36 * 120, 60, 120, 80))).tolist() == [
        *bar(0),
        *note(1, 60, 1),
        *bar(5),
        *note(0, 60, 1),
    ]
    assert codec.start_ticks(rows((32 * 120, 60, 120, 80))) == 31 * 120


def test_bars_that_are_no_whole_sixteenths_fall_on_the_nearest() -> None:
    assert barlines(180, 0, 7).tolist() == [0, 2, 3, 5, 6]
    assert barlines(170, 3, 3).tolist() == [3]


def test_pieces_of_bars_and_notes_are_as_in_the_study() -> None:
    assert split_bars(np.array([0, 16, 16, 48, 120]), 0).tolist() == [16, 47, 48, 79, 110, 120]
    pieces = split_notes(np.array([3, 5, 9]), np.array([60, 61, 62]), np.array([70, 0, 32]))
    assert [column.tolist() for column in pieces] == [[3, 35, 67, 9], [60, 60, 60, 62], [32, 32, 6, 32]]


def test_without_barlines_there_is_nothing_to_split() -> None:
    assert split_bars(np.array([0]), 0).tolist() == []


def test_notes_far_from_any_barline_are_refused() -> None:
    one = np.array([1])
    assert grid_tokens(np.array([31]), 60 * one, one, np.array([0]), 0).tolist() == [*bar(0), *note(31, 60, 1)]
    with pytest.raises(ValueError, match="offsets are 0 to 32; allowed 0 to 31: add barlines"):
        grid_tokens(np.array([32]), 60 * one, one, np.array([0]), 0)
    with pytest.raises(ValueError, match="offsets are -1 to 0; allowed 0 to 31"):
        grid_tokens(np.array([-1]), 60 * one, one, np.array([0]), 0)


def test_pitches_beyond_the_piano_are_moved_by_octaves() -> None:
    assert folded(np.array([0, 8, 20, 21, 108, 109, 127])).tolist() == [24, 32, 32, 21, 108, 97, 103]


@pytest.mark.parametrize(("elapsed", "guess"), [(0, 4), (4, 4), (5, 8), (9, 16), (17, 32), (32, 32)])
def test_a_held_note_is_thought_to_last_longer_the_longer_it_lasts(elapsed: int, guess: int) -> None:
    held = rows((0, 60, 0, 80))
    assert CODEC.encode(held, elapsed * 120)[:5].tolist() == [*bar(0), *note(0, 60, guess)]


def test_a_note_held_for_long_is_struck_again_but_not_beyond_now() -> None:
    tokens = CODEC.encode(rows((0, 60, 0, 80)), 40 * 120).tolist()
    assert tokens == [*bar(0), *note(0, 60, 32), *bar(16), *bar(16), *note(0, 60, 32)]


def test_barlines_up_to_now_are_written_and_no_later_one() -> None:
    music = rows((0, 60, 120, 80))
    opening = [*bar(0), *note(0, 60, 1)]
    assert CODEC.encode(music, 1800).tolist() == opening
    assert CODEC.encode(music, 1801).tolist() == [*opening, *bar(16)]
    assert CODEC.encode(music, 3840).tolist() == [*opening, *bar(16), *bar(16)]
    assert CODEC.encode(rows(), 2000).tolist() == bar(0)


@given(music(), st.integers(0, 8_000))
def test_all_but_held_notes_is_append_only(notes: NoteRows, now: int) -> None:
    heard = rows_at(notes, now)
    first_held = int(heard[heard[:, 2] == 0, 0].min(initial=now))
    unchanged = (first_held + 60) // 120 - CODEC.start_ticks(notes) // 120
    tokens, whole = CODEC.encode(heard), CODEC.encode(notes)
    assert common_prefix(tokens, whole) >= tokens_before(tokens, unchanged)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="bar_ticks is 119; allowed 120 and more"):
        GridCodec(bar_ticks=119)
    with pytest.raises(ValueError, match="velocity is 128; allowed 1 to 127"):
        GridCodec(velocity=128)


def test_decoding_skips_what_is_no_whole_event() -> None:
    tokens = as_tokens([121, 40, *note(2, 60, 4), offset(5), offset(6), 33, *bar(16), 130, *note(1, 62, 1), 1, 50])
    assert CODEC.decode(tokens, 1920).tolist() == [[2160, 60, 480, 80], [3960, 62, 120, 80]]


def test_notes_have_the_velocity_of_the_codec() -> None:
    codec = GridCodec(velocity=99)
    assert codec.decode(as_tokens(note(2, 60, 4)), 0).tolist() == [[240, 60, 480, 99]]
    assert wrote(codec.writer(0), *note(2, 60, 4)).take() == [Note(240, 60, 480, 99)]


def test_after_a_barline_any_offset_up_to_the_next_may_come() -> None:
    assert allowed(CODEC.writer(0)) == [offset(steps) for steps in range(17)]
    assert allowed(GridCodec(bar_ticks=4320).writer(0)) == [offset(steps) for steps in range(32)]
    assert allowed(GridCodec(bar_ticks=4320).writer(31 * 120)) == [offset(steps) for steps in range(6)]


def test_a_writer_begins_at_the_first_sixteenth_not_before_its_start() -> None:
    writer = CODEC.writer(1920 + 481)
    assert writer.now_ticks == 1920 + 600
    assert allowed(writer) == [offset(steps) for steps in range(5, 17)]


def test_at_the_next_barline_only_a_barline_comes_and_before_it_only_a_pitch() -> None:
    narrow = Constraints(60, 72, frozenset({0, 7}))
    assert allowed(wrote(CODEC.writer(0, narrow), offset(16))) == [BAR]
    writer = wrote(CODEC.writer(0, narrow), offset(15))
    assert allowed(writer) == [33 + pitch - 21 for pitch in (60, 67, 72)]
    assert writer.now_ticks == 15 * 120


def test_after_a_pitch_a_duration_comes() -> None:
    assert allowed(wrote(CODEC.writer(0), offset(0), 33 + 39)) == list(range(121, 153))


def test_pitches_rise_within_an_offset_and_the_offset_closes_above_the_highest() -> None:
    narrow = Constraints(60, 64, frozenset({0, 2, 4}))
    writer = wrote(CODEC.writer(0, narrow), *note(3, 62, 1), offset(3))
    assert allowed(writer) == [33 + 64 - 21]
    wrote(writer, *note(3, 64, 1)[1:])
    assert allowed(writer) == [offset(steps) for steps in range(4, 17)]


def test_a_sounding_pitch_does_not_begin_again_before_its_end() -> None:
    alone = Constraints(60, 60)
    writer = wrote(CODEC.writer(0, alone), *note(3, 60, 4))
    assert allowed(writer) == [offset(steps) for steps in range(7, 17)]
    assert allowed(wrote(writer, *bar(16), *note(0, 60, 32))) == bar(16)[:1]
    assert allowed(wrote(writer, *bar(16))) == bar(16)[:1]
    assert allowed(wrote(writer, *bar(16))) == [offset(steps) for steps in range(17)]


def test_polyphony_counts_what_sounds_at_an_onset() -> None:
    duo = Constraints(polyphony=2)
    writer = wrote(CODEC.writer(0, duo), *note(0, 60, 4), *note(0, 64, 8))
    assert allowed(writer) == [offset(steps) for steps in range(4, 17)]
    assert allowed(wrote(writer, *note(4, 62, 1))) == [offset(steps) for steps in range(5, 17)]


@pytest.mark.parametrize("nothing", [Constraints(scale=frozenset()), Constraints(10, 20), Constraints(109, 127)])
def test_where_no_pitch_is_left_there_are_rests(nothing: Constraints) -> None:
    writer = CODEC.writer(600, nothing)
    for _ in range(3):
        assert allowed(writer) == [offset(16)]
        wrote(writer, offset(16))
        assert allowed(writer) == [BAR]
        wrote(writer, BAR)
    assert writer.now_ticks == 3 * 1920


def test_after_a_context_pitches_at_its_last_onset_are_above_its_last() -> None:
    heard = rows((0, 60, 240, 80), (480, 72, 240, 80))
    top = Constraints(72, 74)
    right_there = CODEC.writer(480, top, CODEC.encode(heard, 480))
    assert allowed(wrote(right_there, offset(4))) == [33 + pitch - 21 for pitch in (73, 74)]
    later = CODEC.writer(481, top, CODEC.encode(heard, 481))
    assert allowed(wrote(later, offset(5))) == [33 + pitch - 21 for pitch in (72, 73, 74)]
    at_the_barline = CODEC.writer(1920, top, CODEC.encode(heard, 1920))
    assert allowed(wrote(at_the_barline, offset(0))) == [33 + pitch - 21 for pitch in (72, 73, 74)]


def test_a_context_that_breaks_off_within_an_event_is_refused() -> None:
    for broken in ([offset(3)], [*bar(0), offset(3)], [*bar(0), offset(3), 50], [130]):
        with pytest.raises(ValueError, match="it must end with a whole note or barline"):
            CODEC.writer(480, Constraints(), as_tokens(broken))


def test_nothing_rings_on_for_notes_are_written_with_their_lengths() -> None:
    writer = wrote(CODEC.writer(0), *note(0, 60, 32))
    assert writer.ringing_since is None
    assert writer.take() == [Note(0, 60, 3840, 80)]
    assert writer.take() == []
    assert writer.close(120) == []
