"""What the codecs share: notes as rows, prefixes, the lookup, and what every encoding and writer must keep to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_music import BARS, as_tokens, constraints, music, played_right, rows, write_random

from antiphon.errors import AntiphonError
from antiphon.generator import Constraints
from antiphon.music.note_rows import NoteRows, notes_of, one_per_pitch, rows_at, rows_of
from antiphon.notes import Note, score_order
from antiphon.tokens.codec import Codec, common_prefix
from antiphon.tokens.codecs import codec_named
from antiphon.tokens.grid_codec import GridCodec
from antiphon.tokens.performance_codec import PerformanceCodec

CODECS: st.SearchStrategy[Codec] = st.sampled_from(BARS).map(lambda bar: GridCodec(bar_ticks=bar)) | st.sampled_from(
    [120.0, 15.0, 77.7, 240.0]
).map(lambda tempo: PerformanceCodec(tempo_bpm=tempo))


@given(music())
def test_notes_survive_as_rows(notes: NoteRows) -> None:
    assert np.array_equal(rows_of(notes_of(notes)), notes)


def test_rows_of_notes_are_in_score_order_with_held_notes_of_length_zero() -> None:
    notes = [Note(480, 60, None, 70), Note(0, 64, 120, 80), Note(0, 60, 240, 90)]
    assert rows_of(notes).tolist() == [[0, 60, 240, 90], [0, 64, 120, 80], [480, 60, 0, 70]]
    assert notes_of(rows_of(notes)) == tuple(sorted(notes, key=score_order))
    assert rows_of([]).shape == (0, 4)


def test_rows_at_a_moment_hold_what_still_sounds_and_lack_what_is_to_come() -> None:
    notes = rows((0, 60, 100, 80), (0, 62, 500, 80), (200, 64, 0, 80), (300, 65, 100, 80), (301, 67, 100, 80))
    assert rows_at(notes, 300).tolist() == [[0, 60, 100, 80], [0, 62, 0, 80], [200, 64, 0, 80], [300, 65, 0, 80]]
    assert notes[1, 2] == 500


@pytest.mark.parametrize(
    ("old", "new", "length"),
    [
        ([], [], 0),
        ([], [1], 0),
        ([1, 2], [1, 2, 3], 2),
        ([1, 2, 3], [1, 2], 2),
        ([1, 2, 3], [1, 4, 3], 1),
        ([5], [6], 0),
    ],
)
def test_a_common_prefix_ends_at_the_first_difference(old: list[int], new: list[int], length: int) -> None:
    assert common_prefix(as_tokens(old), as_tokens(new)) == length


def test_of_notes_struck_together_the_longest_and_loudest_is_left_and_a_restrike_ends_a_note() -> None:
    steps = rows((0, 60, 4, 50), (0, 60, 9, 40), (6, 60, 8, 60), (6, 61, 7, 60))
    assert one_per_pitch(steps).tolist() == [[0, 60, 6, 50], [6, 60, 8, 60], [6, 61, 7, 60]]


def test_codecs_are_found_by_the_name_that_models_give() -> None:
    assert codec_named("grid", bar_ticks=1440) == GridCodec(bar_ticks=1440)
    assert codec_named("performance", tempo_bpm=90.0) == PerformanceCodec(tempo_bpm=90.0)
    assert [(codec.version, codec.vocabulary) for codec in map(codec_named, ("grid", "performance"))] == [
        (1, 153),
        (1, 388),
    ]
    with pytest.raises(AntiphonError, match="codec is 'roll'; allowed: 'grid', 'performance'"):
        codec_named("roll")


@given(CODECS, music())
def test_decoding_gives_back_the_quantised_notes(codec: Codec, notes: NoteRows) -> None:
    tokens = codec.encode(notes)
    assert np.array_equal(codec.decode(tokens, codec.start_ticks(notes)), codec.quantise(notes))


@given(CODECS, music())
def test_quantised_notes_are_encoded_alike_and_quantised_no_further(codec: Codec, notes: NoteRows) -> None:
    quantised = codec.quantise(notes)
    assert np.array_equal(codec.quantise(quantised), quantised)
    assert np.array_equal(codec.encode(quantised), codec.encode(notes))


@given(CODECS, music(), st.integers(-600, 8_000))
def test_what_is_to_come_leaves_no_trace_in_the_tokens_up_to_now(codec: Codec, notes: NoteRows, now: int) -> None:
    begun = notes[notes[:, 0] <= now]
    assert np.array_equal(codec.encode(notes, now), codec.encode(begun, now))


@given(CODECS, st.integers(-3_000, 8_000))
def test_before_the_first_note_a_rest_is_written(codec: Codec, now: int) -> None:
    nothing = rows()
    assert codec.encode(nothing).tolist() == []
    assert codec.start_ticks(nothing) == 0
    assert codec.quantise(nothing).shape == (0, 4)
    assert len(codec.encode(nothing, now)) > 0
    assert codec.decode(codec.encode(nothing, now), 0).shape == (0, 4)


@given(CODECS, st.lists(st.integers(0, 387), max_size=60), st.integers(-3_000, 8_000))
def test_any_tokens_decode_to_notes_of_some_length_in_score_order(codec: Codec, ids: list[int], start: int) -> None:
    tokens = as_tokens([token % codec.vocabulary for token in ids])
    decoded = codec.decode(tokens, start)
    assert (decoded[:, 1] >= 0).all()
    assert (decoded[:, 1] < 128).all()
    assert (decoded[:, 2] >= 0).all()
    assert ((decoded[:, 3] >= 1) & (decoded[:, 3] <= 127)).all()
    assert decoded[:, :2].tolist() == sorted(decoded[:, :2].tolist())


@settings(max_examples=150)
@given(CODECS, music(), constraints(), st.integers(0, 5_000), st.integers(0, 2**32))
def test_whatever_the_masks_allow_is_legal_music(
    codec: Codec, notes: NoteRows, allowed: Constraints, start: int, seed: int
) -> None:
    writer = codec.writer(start, allowed, codec.encode(notes, start))
    begin = writer.now_ticks
    assert begin >= start
    written: list[Note] = []
    for part in range(6):
        before = writer.now_ticks
        write_random(writer, 20, seed + part)
        assert writer.now_ticks >= before
        written += writer.take()
    written += writer.close(writer.now_ticks + 1)
    assert all(note.start_ticks >= begin for note in written)
    played_right(written, allowed)


@settings(max_examples=100)
@given(CODECS, constraints(), st.integers(-20, 20), st.integers(0, 2**32))
def test_a_writer_reads_what_decoding_reads(codec: Codec, allowed: Constraints, beat: int, seed: int) -> None:
    start = codec.start_ticks(rows((480 * beat, 60, 480, 80)))
    writer = codec.writer(start, allowed)
    tokens = as_tokens(write_random(writer, 120, seed))
    assert writer.ringing_since is None or writer.ringing_since >= start
    end = writer.now_ticks + 480
    notes = sorted([*writer.take(), *writer.close(end)], key=score_order)
    decoded = [note.closed(end) for note in notes_of(codec.decode(tokens, start))]
    assert notes == decoded


@settings(max_examples=100)
@given(CODECS, music(held=False), st.floats(0, 1))
def test_a_writer_allows_every_encoding_and_takes_over_within_it(codec: Codec, notes: NoteRows, share: float) -> None:
    tokens = codec.encode(notes)
    # The first barline stands where a writer without context begins.
    opening = 2 if codec.name == GridCodec.name and len(tokens) else 0
    writer = codec.writer(codec.start_ticks(notes), Constraints(polyphony=128))
    ends = [opening]
    for index, token in enumerate(tokens[opening:].tolist(), start=opening + 1):
        writer.write(token)
        if index == len(tokens) or not _within_event(codec, token):
            ends.append(index)
    assert rows_of(writer.take()).tolist() == codec.quantise(notes).tolist()

    split = ends[int(share * (len(ends) - 1))]
    first = codec.writer(codec.start_ticks(notes), Constraints(polyphony=128))
    for token in tokens[opening:split].tolist():
        first.write(token)
    second = codec.writer(first.now_ticks, Constraints(polyphony=128), tokens[:split])
    assert second.now_ticks == first.now_ticks
    first.take()
    first.close(first.now_ticks)
    for token in tokens[split:].tolist():
        first.write(token)
        second.write(token)
    assert first.take() == second.take()


def _within_event(codec: Codec, token: int) -> bool:
    """Whether more tokens of the same event follow `token`."""
    return 0 < token < 121 if codec.name == GridCodec.name else token >= 356


@given(CODECS, constraints(), st.integers(0, 40), st.integers(0, 2**32))
def test_a_copy_goes_its_own_way(codec: Codec, allowed: Constraints, count: int, seed: int) -> None:
    writer = codec.writer(960, allowed)
    write_random(writer, count, seed)
    twin = writer.copy()
    before, now = writer.allowed().copy(), writer.now_ticks
    written = write_random(twin, 40, seed + 1)
    assert np.array_equal(writer.allowed(), before)
    assert writer.now_ticks == now
    for token in written:
        writer.write(token)
    assert np.array_equal(writer.allowed(), twin.allowed())
    end = writer.now_ticks
    assert [*writer.take(), *writer.close(end)] == [*twin.take(), *twin.close(end)]


@given(CODECS, constraints(), st.integers(0, 40), st.integers(0, 2**32))
def test_a_token_that_is_not_allowed_is_refused_and_changes_nothing(
    codec: Codec, allowed: Constraints, count: int, seed: int
) -> None:
    writer = codec.writer(0, allowed)
    write_random(writer, count, seed)
    before = writer.allowed().copy()
    for token in [*np.flatnonzero(~before).tolist(), -1, codec.vocabulary]:
        with pytest.raises(ValueError, match=f"token {token} cannot come here"):
            writer.write(token)
    assert np.array_equal(writer.allowed(), before)
