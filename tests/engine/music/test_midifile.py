"""Scores and the files they are kept in."""

from contextlib import suppress
from pathlib import Path

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import AntiphonError
from antiphon.music.messages import SUSTAIN, control_change, is_controller, note_off, note_on, program_change
from antiphon.music.midi_file import Score, Track, read_score, write_score
from antiphon.music.timing import TimeSignature
from antiphon.notes import Note
from antiphon.terminal.demo_keyboard import bundled

ticks = st.integers(0, 50_000)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
representable_tempi = st.integers(150_000, 3_000_000).map(lambda microseconds: 60_000_000 / microseconds)
signatures = st.builds(TimeSignature, st.integers(1, 32), st.sampled_from([1, 2, 4, 8, 16, 32]))
seven_bits = st.integers(0, 127)
harmless_messages = st.one_of(
    st.builds(control_change, st.integers(0, 15), seven_bits, seven_bits),
    st.builds(program_change, st.integers(0, 15), seven_bits),
    st.builds(lambda c, low, high: bytes((0xE0 | c, low, high)), st.integers(0, 15), seven_bits, seven_bits),
    st.builds(note_off, st.integers(0, 15), seven_bits),
)


def first(pair: tuple[int, object]) -> int:
    return pair[0]


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    events = draw(st.lists(st.tuples(ticks, harmless_messages), max_size=6))
    for start, length, pitch in draw(st.lists(st.tuples(ticks, st.integers(1, 2_000), seven_bits), max_size=6)):
        events += [(start, note_on(0, pitch, 80)), (start + length, note_off(0, pitch))]
    return Track(draw(texts), tuple(sorted(events, key=first)))


def tick_map(values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[tuple[int, object], ...]]:
    return st.dictionaries(ticks, values, max_size=4).map(lambda entries: tuple(sorted(entries.items(), key=first)))


scores = st.builds(
    Score,
    tracks=st.lists(tracks(), max_size=3).map(tuple),
    tempo=tick_map(representable_tempi),
    signatures=tick_map(signatures),
    markers=tick_map(texts),
)


@given(scores)
def test_a_score_comes_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, score: Score) -> None:
    path = tmp_path_factory.mktemp("score") / "score.mid"
    write_score(path, score)
    assert read_score(path, allow_empty=True) == score
    assert [file.name for file in path.parent.iterdir()] == ["score.mid"]


def test_tempo_is_kept_to_a_microsecond_a_beat(tmp_path: Path) -> None:
    melody = Track("", ((0, note_on(0, 60, 80)), (480, note_off(0, 60))))
    write_score(tmp_path / "a.mid", Score((melody,), tempo=((0, 97.3),)))
    assert read_score(tmp_path / "a.mid").tempo[0][1] == pytest.approx(97.3, abs=1e-4)


def test_messages_are_timed_by_the_tempo_map_and_merged_in_order() -> None:
    left = Track("left", ((0, note_on(0, 48, 80)), (960, note_off(0, 48))))
    right = Track("right", ((0, note_on(1, 60, 80)), (1440, note_off(1, 60))))
    score = Score((left, right), tempo=((480, 60.0),), signatures=((0, TimeSignature(3, 4)),))
    assert score.timed_messages() == [
        (0.0, note_on(0, 48, 80)),
        (0.0, note_on(1, 60, 80)),
        (1.5, note_off(0, 48)),
        (2.5, note_off(1, 60)),
    ]
    assert score.end_ticks == 1440
    assert score.timeline().signature == TimeSignature(3, 4)


def test_a_phrase_folds_the_pedal_and_leaves_out_drums() -> None:
    melody = ((240, note_on(0, 60, 80)), (250, control_change(0, SUSTAIN, 127)), (480, note_off(0, 60)))
    drums = ((0, note_on(9, 36, 100)), (960, note_off(9, 36)))
    phrase = Score((Track("", melody), Track("", drums))).phrase()
    assert phrase.notes == (Note(240, 60, 720, 80),)
    assert (phrase.start_ticks, phrase.end_ticks) == (0, 960)


def test_an_empty_score_is_an_empty_phrase() -> None:
    assert Score().phrase().notes == ()


def midi(body: bytes, *, kind: int = 0, division: int = 480, tracks: int = 1) -> bytes:
    header = (
        b"MThd"
        + (6).to_bytes(4, "big")
        + b"".join(value.to_bytes(2, "big", signed=value < 0) for value in (kind, tracks, division))
    )
    return header + b"MTrk" + len(body).to_bytes(4, "big") + body


END = bytes((0, 0xFF, 0x2F, 0))
ONE_NOTE = bytes((0, 0x90, 60, 80, 96, 60, 0)) + END
"""A quarter at 96 ticks a beat, with running status and a note-on of velocity 0."""


def read_bytes(tmp_path: Path, data: bytes, *, allow_empty: bool = False) -> Score:
    path = tmp_path / "given.mid"
    path.write_bytes(data)
    return read_score(path, allow_empty=allow_empty)


@pytest.mark.parametrize(
    ("division", "length_ticks"),
    [
        pytest.param(96, 480, id="96 a beat"),
        pytest.param(480, 96, id="480 a beat"),
        pytest.param(1024, 45, id="1024 a beat"),
        pytest.param(-25 * 256 + 40, 92, id="SMPTE, a millisecond a tick"),
        pytest.param(-29 * 256 + 100, 31, id="SMPTE, 29.97 frames of 100"),
    ],
)
def test_any_resolution_becomes_480_a_beat(tmp_path: Path, division: int, length_ticks: int) -> None:
    score = read_bytes(tmp_path, midi(ONE_NOTE, division=division))
    assert score.phrase().notes == (Note(0, 60, length_ticks, 80),)


def test_rescaling_does_not_drift(tmp_path: Path) -> None:
    file = mido.MidiFile(type=0, ticks_per_beat=1001)
    file.add_track().extend(mido.Message("note_on", note=60, time=7) for _ in range(143 * 10))
    file.save(tmp_path / "long.mid")
    assert read_score(tmp_path / "long.mid").end_ticks == 480 * 10


def test_a_note_that_never_ends_is_closed_at_the_end_of_its_track(tmp_path: Path) -> None:
    body = bytes((0, 0x90, 60, 80, 10, 62, 80, 10, 62, 0)) + bytes((100, 0xFF, 0x2F, 0))
    assert read_bytes(tmp_path, midi(body)).tracks[0].messages[-1] == (120, note_off(0, 60))


def test_system_exclusive_is_skipped(tmp_path: Path) -> None:
    sysex = bytes((0, 0xF0, 3, 0x7E, 0x09, 0xF7))
    assert len(read_bytes(tmp_path, midi(sysex + ONE_NOTE)).tracks[0].messages) == 2


@pytest.mark.parametrize(
    "text", ["Flöte".encode("latin-1"), "ピアノ".encode("shift-jis"), "Flöte".encode(), b"\0\xff\x80"]
)
def test_names_and_markers_come_back_byte_for_byte(tmp_path: Path, text: bytes) -> None:
    texts = b"".join(bytes((0, 0xFF, kind, len(text))) + text for kind in (3, 6))
    score = read_bytes(tmp_path, midi(texts + ONE_NOTE))
    write_score(tmp_path / "again.mid", score)
    assert read_score(tmp_path / "again.mid") == score
    assert (tmp_path / "again.mid").read_bytes().count(bytes((len(text),)) + text) == 2


def test_a_rest_too_long_for_one_delta_time_is_written_in_several(tmp_path: Path) -> None:
    late = 480 * ((1 << 28) - 1) + 7
    score = Score((Track("", ((late, note_on(0, 60, 80)), (late + 480, note_off(0, 60)))),))
    write_score(tmp_path / "late.mid", score)
    assert read_score(tmp_path / "late.mid") == score


@pytest.mark.parametrize("message", [b"", b"\x90\x3c", b"\x90\x3c\xc8", b"\xf8", b"\xf0\x01\xf7"])
def test_only_channel_messages_are_written(tmp_path: Path, message: bytes) -> None:
    with pytest.raises(ValueError, match="is not a channel message"):
        write_score(tmp_path / "a.mid", Score((Track("", ((0, message),)),)))
    assert list(tmp_path.iterdir()) == []


def test_a_tempo_or_metre_of_nothing_is_ignored(tmp_path: Path) -> None:
    nothing = bytes((0, 0xFF, 0x51, 3, 0, 0, 0)) + bytes((0, 0xFF, 0x58, 4, 0, 2, 24, 8))
    nothing += bytes((0, 0xFF, 0x51, 1, 7)) + bytes((0, 0xFF, 0x58, 4, 4, 200, 24, 8)) + bytes((0, 0xFF, 0x58, 0))
    score = read_bytes(tmp_path, midi(nothing + ONE_NOTE))
    assert (score.tempo, score.signatures) == ((), ())


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        pytest.param(b"", "is not a MIDI file", id="empty"),
        pytest.param(b"RIFF1234WAVE", "it begins with b'RIFF' and holds b'WAVE'; allowed: b'RMID'", id="a sound"),
        pytest.param(b"RIFF1234RMIDdata", "is truncated", id="wrapped nothing"),
        pytest.param(
            b"RIFF1234RMIDdata" + bytes((9, 0, 0, 0)) + b"no chunks", "begins with b'no c'", id="wrapped noise"
        ),
        pytest.param(b"MThd\0\0", "is truncated", id="half a header"),
        pytest.param(midi(ONE_NOTE)[:-6], "is truncated", id="half a track"),
        pytest.param(midi(ONE_NOTE)[:14], "is truncated", id="no track"),
        pytest.param(midi(ONE_NOTE, kind=2), "of type 2; allowed: 0 or 1", id="type 2"),
        pytest.param(midi(ONE_NOTE, division=0), "its resolution is 0", id="no resolution"),
        pytest.param(midi(ONE_NOTE, division=-20 * 256 + 4), "its resolution is -5116", id="no frame rate of SMPTE"),
        pytest.param(
            midi(bytes((0, 0x90, 200, 60)) + END), "is a note on key 200; allowed: 0 to 127", id="no such key"
        ),
        pytest.param(midi(b"\x80" * 4 + ONE_NOTE), "is a number of more than 4 bytes", id="endless delta time"),
        pytest.param(midi(bytes((0, 0xF0, 99)) + ONE_NOTE) + bytes(99), "goes on beyond the end", id="endless sysex"),
        pytest.param(midi(bytes((0, 60, 80)) + END), "is damaged", id="running status out of nowhere"),
        pytest.param(midi(END), "has no notes", id="no notes"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_reason(tmp_path: Path, data: bytes, complaint: str) -> None:
    with pytest.raises(AntiphonError, match=r"given\.mid") as error:
        read_bytes(tmp_path, data)
    assert complaint in str(error.value)


@given(st.data())
def test_a_file_cut_or_bent_anywhere_is_read_or_refused_but_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = bytearray(midi(ONE_NOTE))
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4)):
        whole[place] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    folder = tmp_path_factory.mktemp("bent")
    with suppress(AntiphonError):
        score = read_bytes(folder, cut)
        score.phrase()
        write_score(folder / "again.mid", score)
        assert read_score(folder / "again.mid") == score


TUNE = (60, 64, 67, 65, 62, 64, 60, 67)
MIDI_FILES = Path(__file__).parents[2] / "midi_files"


@pytest.mark.parametrize(
    "name",
    [
        "alien_chunk_before",
        "header_8",
        "key_8_sharps",
        "key_mode_255",
        "plain",
        "says_5_tracks",
        "seqnum_1byte",
        "signature_short",
        "sjis_name",
        "smpte_25_40",
        "smpte_offset_bad",
        "sysex_high",
        "tempo_4_bytes",
        "volume_255",
        "wrapped",
    ],
)
def test_what_nobody_uses_refuses_no_file(name: str) -> None:
    phrase = read_score(MIDI_FILES / f"{name}.mid").phrase()
    assert phrase.notes == tuple(Note(480 * index, pitch, 480, 80) for index, pitch in enumerate(TUNE))


def test_values_too_high_for_midi_are_the_highest_there_are(tmp_path: Path) -> None:
    loud = bytes((0, 0xB0, 7, 255, 0, 0xC0, 200, 0, 0xB0, 200, 1, 0, 0x90, 60, 200, 96, 60, 0))
    score = read_bytes(tmp_path, midi(loud + END))
    assert score.merged() == [(0, control_change(0, 7, 127)), (0, note_on(0, 60, 127)), (96, bytes((0x90, 60, 0)))]


def test_running_status_goes_on_over_what_is_passed_over(tmp_path: Path) -> None:
    between = bytes((0, 0xF0, 2, 0x92, 0xF7, 0, 0xF8, 0, 0xF2, 1, 2, 0, 0xFF, 0x7F, 1, 0x80))
    body = bytes((0, 0x90, 60, 80)) + between + bytes((96, 60, 0)) + END
    assert read_bytes(tmp_path, midi(body)).phrase().notes == (Note(0, 60, 96, 80),)


def test_a_track_ends_where_it_says_so_whatever_length_its_chunk_claims(tmp_path: Path) -> None:
    first, second = midi(ONE_NOTE, kind=1), midi(ONE_NOTE, kind=1)[14:]
    long = second[:4] + (1 << 20).to_bytes(4, "big") + second[8:]
    no_end = second[:4] + (len(ONE_NOTE) - len(END)).to_bytes(4, "big") + second[8 : -len(END)]
    score = read_bytes(tmp_path, first + no_end + long)
    assert [len(track.messages) for track in score.tracks] == [2, 2, 2]


def test_bytes_after_the_last_chunk_are_passed_over(tmp_path: Path) -> None:
    for tail in (b"\0", b"\0" * 7, b"JUNK\xff\xff\xff\xff"):
        assert read_bytes(tmp_path, midi(ONE_NOTE) + tail).phrase().notes == (Note(0, 60, 96, 80),)


def test_a_file_too_large_for_music_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "given.mid").open("wb") as file:
        file.write(midi(ONE_NOTE))
        file.truncate((1 << 26) + 1)  # Sparse: it takes no room.
    with pytest.raises(AntiphonError, match=r"given\.mid': it is larger than 64 MiB"):
        read_score(tmp_path / "given.mid")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match=r"cannot read '.*nowhere\.mid': No such file"):
        read_score(tmp_path / "nowhere.mid")
    with pytest.raises(AntiphonError, match=r"cannot read '.*': embedded null byte"):
        read_score(tmp_path / "no\0where.mid")


def test_a_folder_that_cannot_be_written_is_named_and_the_old_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept.mid"
    path.write_bytes(b"precious")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(AntiphonError, match=r"cannot write '.*kept\.mid': No space left"):
        write_score(path, Score())
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"precious"]


def test_the_bundled_call_is_music() -> None:
    phrase = read_score(bundled("call")).phrase()
    assert 20 <= len(phrase.notes) <= 80


def test_the_bundled_groove_is_two_bars_and_turns_the_wheel() -> None:
    score = read_score(bundled("wheel"))
    bars = {note.start_ticks // 1920 for note in score.phrase().notes}
    assert bars == {0, 1}
    wheel = [message[2] for _, message in score.merged() if is_controller(message, 1)]
    assert wheel == list(range(128))
    assert score.end_ticks < 10 * 1920


def test_an_unknown_bundled_phrase_lists_what_there_is() -> None:
    with pytest.raises(AntiphonError, match="no bundled phrase 'nothing'; there are: call, wheel"):
        bundled("nothing")
