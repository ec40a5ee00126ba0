"""The study's data: small files against tokens that muspy 0.5.0 gave for them, and the study's own counts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from mido import Message, MetaMessage, MidiFile, MidiTrack

from antiphon.errors import AntiphonError
from antiphon_export.study_data import study_tokens, study_windows

CORPUS = os.environ.get("ANTIPHON_FF_BENCHMARK")
"""Folder with the study's pieces in `train` and `test`."""

Timed = tuple[int, Message | MetaMessage]


def on(pitch: int, channel: int = 0) -> Message:
    """A key goes down."""
    return Message("note_on", channel=channel, note=pitch, velocity=64)


def off(pitch: int, channel: int = 0) -> Message:
    """A key comes up."""
    return Message("note_off", channel=channel, note=pitch)


def metre(numerator: int, denominator: int) -> MetaMessage:
    """A time signature."""
    return MetaMessage("time_signature", numerator=numerator, denominator=denominator)


def saved(path: Path, *tracks: list[Timed], ticks_per_beat: int = 480, kind: int = 1) -> Path:
    """A MIDI file of messages at their ticks."""
    file = MidiFile(type=kind, ticks_per_beat=ticks_per_beat)
    for timed in tracks:
        track = MidiTrack()
        now = 0
        for ticks, message in timed:
            track.append(message.copy(time=ticks - now))
            now = ticks
        file.tracks.append(track)
    file.save(path)
    return path


PIECES: dict[str, tuple[list[list[Timed]], list[int]]] = {
    "half a sixteenth goes to the even one, and empty notes are lost": (
        [
            [
                (0, metre(4, 4)),
                (60, on(60)),
                (180, off(60)),
                (300, on(62)),
                (420, off(62)),
                (540, on(64)),
                (545, off(64)),
                (700, on(65)),
                (705, off(65)),
            ]
        ],
        [1, 72, 122, 3, 74, 122, 5, 76, 121],
    ),
    "of one key, what began first ends first": (
        [[(0, metre(3, 4)), (0, on(60)), (240, on(60)), (480, off(60)), (1440, off(60)), (1500, off(60))]],
        [1, 72, 124, 3, 72, 130],
    ),
    "what is left sounding ends with its track": (
        [[(0, metre(4, 4)), (0, on(60)), (960, on(64)), (1920, MetaMessage("text", text="fine"))], [(0, on(48))]],
        [1, 72, 136, 9, 76, 128],
    ),
    "a note-on without velocity is a note-off, and drums count": (
        [
            [(0, metre(4, 4)), (0, on(36, 9)), (0, on(36)), (240, on(36, 9).copy(velocity=0)), (720, off(36))],
            [
                (0, Message("program_change", program=40)),
                (240, on(90)),
                (480, Message("program_change")),
                (960, off(90)),
            ],
        ],
        [1, 48, 122, 1, 48, 126, 3, 102, 126],
    ),
    "notes and bars beyond their longest are several": (
        [[(0, metre(9, 4)), (120, on(60)), (120 + 70 * 120, off(60)), (9000, on(62)), (9120, off(62))]],
        [2, 72, 152, 32, 0, 3, 72, 152, 6, 0, 30, 72, 126, 32, 0, 6, 0, 4, 74, 121],
    ),
    "barlines stand where time signatures begin and end with the last event": (
        [
            [(0, metre(4, 4)), (2400, metre(3, 8)), (3600, metre(2, 2)), (7200, MetaMessage("marker", text="A"))],
            [(0, on(60)), (2600, off(60)), (2700, on(60)), (2800, off(60))],
            [(8000, Message("control_change", control=64, value=0))],
        ],
        [1, 72, 142, 17, 0, 5, 0, 3, 72, 121, 7, 0, 5, 0, 17, 0, 17, 0],
    ),
    "time signatures are taken in the order of the tracks": (
        [
            [(0, metre(4, 4)), (1920, metre(3, 4)), (7000, MetaMessage("lyrics", text="la"))],
            [(0, metre(4, 4)), (960, metre(5, 8)), (1000, on(70)), (1900, off(70))],
        ],
        [9, 0, 1, 82, 128, 11, 0, 11, 0, 11, 0, 11, 0],
    ),
    "equal notes of several tracks are all kept": (
        [[(0, metre(4, 4)), (0, on(60)), (480, off(60))], [(0, on(60)), (480, off(60))], [(0, on(60)), (240, off(60))]],
        [1, 72, 122, 1, 72, 124, 1, 72, 124],
    ),
}
"""Of each piece its tracks, and its tokens by muspy 0.5.0 and the study's encoding."""


@pytest.mark.parametrize("name", PIECES)
def test_tokens_are_those_that_muspy_gives(name: str, tmp_path: Path) -> None:
    tracks, tokens = PIECES[name]
    assert study_tokens(saved(tmp_path / "piece.mid", *tracks)).tolist() == tokens


def test_pitches_beyond_the_piano_are_moved_by_octaves(tmp_path: Path) -> None:
    path = saved(tmp_path / "piece.mid", [(0, metre(4, 4)), (0, on(20)), (0, on(109)), (120, off(20)), (120, off(109))])
    assert study_tokens(path).tolist() == [1, 33 + 11, 121, 1, 33 + 76, 121]


def test_a_file_of_type_0_reads_as_one_of_type_1(tmp_path: Path) -> None:
    tracks, tokens = PIECES["of one key, what began first ends first"]
    assert study_tokens(saved(tmp_path / "piece.mid", *tracks, kind=0)).tolist() == tokens


@pytest.mark.parametrize(
    ("timed", "problem"),
    [
        ([(0, on(60)), (120, off(60))], "has no time signature"),
        ([(0, metre(4, 4))], "has no notes"),
        ([(0, on(60)), (120, off(60)), (4800, on(60)), (4900, metre(4, 4)), (4900, off(60))], "no barline is near"),
    ],
)
def test_what_the_study_could_not_read_is_refused(timed: list[Timed], problem: str, tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match=rf"piece\.mid' .*{problem}"):
        study_tokens(saved(tmp_path / "piece.mid", timed))


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "noise.mid").write_bytes(b"no music")
    with pytest.raises(AntiphonError, match="cannot be read as MIDI"):
        study_tokens(tmp_path / "noise.mid")
    tracks, _ = PIECES["equal notes of several tracks are all kept"]
    with pytest.raises(AntiphonError, match="no beats in common"):
        study_tokens(saved(tmp_path / "piece.mid", *tracks, kind=2))


def test_a_window_begins_at_every_token_that_has_256_after_it() -> None:
    assert [study_windows(length) for length in (0, 256, 257, 300)] == [0, 0, 1, 44]


@pytest.mark.skipif(CORPUS is None, reason="needs the study's pieces: set ANTIPHON_FF_BENCHMARK to their folder")
@pytest.mark.parametrize(
    ("split", "files", "tokens", "windows"), [("train", 214, 693_905, 639_257), ("test", 24, 76_368, 70_224)]
)
def test_the_corpus_has_as_many_tokens_as_in_the_study(split: str, files: int, tokens: int, windows: int) -> None:
    lengths = [len(study_tokens(path)) for path in sorted(Path(str(CORPUS), split).glob("*.mid"))]
    assert (len(lengths), sum(lengths), sum(map(study_windows, lengths))) == (files, tokens, windows)
