"""Folders as people have them: odd manifests, names that tell little, few or short pieces, something far away."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from songs import write_song
from typer.testing import CliRunner

from antiphon.cli import app
from antiphon.errors import AntiphonError
from antiphon.music.messages import note_off, note_on
from antiphon.music.midi_file import Score, Track, read_score, write_score
from antiphon.music.timing import TimeSignature
from antiphon.tokens.grid_tokens import BAR
from antiphon.tokens.performance_codec import PerformanceCodec
from antiphon.tokens.performance_tokens import NOTE_OFF
from antiphon_export.commands import add_commands
from antiphon_export.midi_folder import Corpus, read_chorales
from antiphon_export.tokens.chorales import chorale_streams
from antiphon_export.training import pieces
from antiphon_export.training.pieces import files_of, read_performance, read_shelves
from antiphon_export.training.rests import shortening
from antiphon_export.training.windows import STILL, GridWindows, PerformanceWindows, grid_streams

MIDI_FILES = Path(__file__).parent.parent / "midi_files"


def songs(folder: Path, *names: str, notes: int = 8) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        write_song(folder / name, notes=notes)
    return folder


def far_away(path: Path, ticks: int) -> Path:
    """A song, and one note so long after it."""
    write_song(path, notes=64)
    score = read_score(path)
    start = score.end_ticks + ticks
    stray = Track("stray", ((start, note_on(3, 60, 80)), (start + 240, note_off(3, 60))))
    write_score(path, Score((*score.tracks, stray), score.tempo, score.signatures))
    return path


# ---- manifests -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"file;split\na.mid;train\n", "manifest.csv:1: there is no column file and no column split in ['file;split']"),
        (b"path,set\na.mid,train\n", "manifest.csv:1: there is no column file"),
        (b"", "manifest.csv:1: there is no column file"),
        (b"file,split\na.mid,train\nb.mid,validation\n", "manifest.csv:3: file 'b.mid' has split 'validation'"),
        (b"file,split\na.mid\n", "manifest.csv:2: file 'a.mid' has split None"),
        (b"file,split\n,train\n", "manifest.csv:2: file '' has split 'train'"),
        (b"file,split\na.mid,train\nFl\xf6te.mid,train\n", "manifest.csv:3: byte 0xf6 is no UTF-8"),
        ("file,split\na.mid,train\n".encode("utf-16"), "manifest.csv:1: byte 0xff is no UTF-8"),
    ],
)
def test_a_manifest_that_is_none_is_told_by_line(tmp_path: Path, text: bytes, complaint: str) -> None:
    (tmp_path / "manifest.csv").write_bytes(text)
    with pytest.raises(AntiphonError) as error:
        files_of(Corpus(tmp_path), "train")
    assert complaint in str(error.value)
    assert "wanted: UTF-8, columns file and split with commas between them" in str(error.value)


def test_a_mark_that_spreadsheets_begin_a_manifest_with_is_passed_over(tmp_path: Path) -> None:
    text = "file,split,title\r\na.mid,train,Flöte\r\nb.mid,valid,\r\n"
    (tmp_path / "manifest.csv").write_text("\ufeff" + text, encoding="utf-8", newline="")
    assert Corpus(tmp_path).splits() == {tmp_path / "a.mid": "train", tmp_path / "b.mid": "valid"}


# ---- what is found ---------------------------------------------------------------------------------------------------


def test_files_are_found_in_either_case_and_through_links(tmp_path: Path) -> None:
    elsewhere = songs(tmp_path / "elsewhere", "c.Midi")
    music = songs(tmp_path / "music", "a.MID", "b.mid")
    (music / "link").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(music)
    assert [path.name for path in Corpus(music).files()] == ["a.MID", "b.mid", "c.Midi"]


@pytest.mark.parametrize("weight", ["inf", "nan", "-1"])
def test_a_weight_without_end_is_refused(tmp_path: Path, weight: str) -> None:
    with pytest.raises(AntiphonError, match="above 0"):
        Corpus.parse(f"{tmp_path}={weight}")


@pytest.mark.parametrize(
    "names",
    [
        [f"song {number}.mid" for number in range(5)],
        ["a.mid", "b.mid"],
        [f"jam_{number:02}_piano.mid" for number in range(40)],
        [f"{number:03}.mid" for number in range(100)],
        [f"take {number} - {title}.mid" for number in range(20) for title in ("blues", "waltz")],
    ],
    ids=["five", "two", "forty numbers", "numbers alone", "two titles"],
)
def test_there_is_something_to_learn_and_something_to_validate_on(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).touch()
    learnt, kept = (set(files_of(Corpus(tmp_path), split)) for split in ("train", "valid"))
    assert not learnt & kept
    assert len(learnt | kept) == len(names)
    assert 1 <= len(kept) <= len(names) // 2


# ---- short pieces ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [pieces.read_performance, pieces.read_score])
def test_pieces_shorter_than_a_window_fill_it_together(tmp_path: Path, read: pieces.ReadPieces) -> None:
    shelves = read_shelves([Corpus(songs(tmp_path / "music", "a.mid", "b.mid"))], "train", read)
    windows = (
        PerformanceWindows(shelves, PerformanceCodec())
        if read is read_performance
        else GridWindows([(1.0, [stream for shelf in shelves for p in shelf.pieces for stream in grid_streams(p)])])
    )
    for seed in range(5):
        tokens = windows.draw(np.random.default_rng(seed), 1025, STILL)
        assert len(tokens) == 1025 > 2 * windows.tokens


@pytest.mark.parametrize("codec", ["performance", "grid"])
def test_a_folder_of_odd_files_trains(tmp_path: Path, codec: str) -> None:
    music = tmp_path / "music"
    music.mkdir()
    for path in MIDI_FILES.glob("*.mid"):
        (music / path.name).write_bytes(path.read_bytes())
    (music / "settings.json").write_text('{"train": {"steps": 3}}')
    (music / "list.json").write_text("[1, 2]")
    (music / "half.json").write_text('{"train": [[[60, "x"]]]')
    add_commands(app)
    options = "--steps 1 --batch 2 --length 256 --window 32 --width 32 --layers 1 --heads 2 --feed-forward 32"
    arguments = ["train", "transformer", str(music), "--out", str(tmp_path / "run"), "--codec", codec]
    result = CliRunner().invoke(app, [*arguments, *options.split(), "--precision", "float32"])
    assert result.exit_code == 0, result.output
    said = result.output.replace("\n", "")
    for name in ("division_0.mid", "type2.mid", "drums_only.mid", "settings.json", "list.json", "half.json"):
        assert name in said


# ---- what is far away ------------------------------------------------------------------------------------------------


def test_a_note_far_away_does_not_fill_windows_with_bars(tmp_path: Path) -> None:
    (piece,) = pieces.read_score(far_away(tmp_path / "a.mid", ticks=1_000_000_000), "train")
    (stream, *_) = grid_streams(piece)
    assert (stream == BAR).sum() < 20
    assert (piece.parts[0][:, 1]).tolist()[-1] == 60, "the note is there, a few bars later"


def test_a_note_far_away_does_not_fill_windows_with_rests(tmp_path: Path) -> None:
    (piece,) = read_performance(far_away(tmp_path / "a.mid", ticks=1_000_000_000), "train")
    tokens = PerformanceCodec().encode(piece.parts[0])
    assert len(tokens) < 12 * len(piece.parts[0])
    assert (tokens < NOTE_OFF).sum() == len(piece.parts[0])


def test_a_note_held_for_ever_is_cut(tmp_path: Path) -> None:
    held = ((0, note_on(0, 60, 80)), (960, note_on(0, 64, 80)), (1200, note_off(0, 64)), (10**9, note_off(0, 60)))
    write_score(tmp_path / "a.mid", Score((Track("", held),)))
    (score,) = pieces.read_score(tmp_path / "a.mid", "train")
    assert score.parts[0].tolist() == [[0, 60, 960 + 4 * 1920, 80], [960, 64, 240, 80]]
    (played,) = read_performance(tmp_path / "a.mid", "train")
    assert played.parts[0].tolist() == [[0, 60, 960 + 9600, 80], [960, 64, 240, 80]]


def test_rests_on_the_grid_are_shortened_by_whole_bars(tmp_path: Path) -> None:
    late = 100 * 1440 + 360
    notes = ((0, note_on(0, 60, 80)), (240, note_off(0, 60)), (late, note_on(0, 64, 80)), (late + 240, note_off(0, 64)))
    write_score(tmp_path / "a.mid", Score((Track("", notes),), signatures=((0, TimeSignature(3, 4)),)))
    (piece,) = pieces.read_score(tmp_path / "a.mid", "train")
    assert piece.parts[0][:, 0].tolist() == [0, 4 * 1440 + 360]
    assert piece.bar_ticks is not None
    assert piece.bar_ticks.tolist() == [0, 1440, 2880, 4320, 5760]


def test_what_lies_close_together_is_not_moved() -> None:
    places = np.array([0, 100, 300])
    moved = shortening(places, np.array([200, 200, 200]), np.array([7, 7, 7]))
    assert moved(np.array([0, 50, 100, 299, 300, 500])).tolist() == [0, 50, 100, 299, 300, 500]
    assert moved(np.array([501, 10**12])).tolist() == [500, 500]


# ---- chorales --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "holds no chorales: JSONDecodeError"),
        ("[" * 100_000, "holds no chorales: RecursionError"),
        ("3", "has no chorales under 'train'"),
        ('{"train": 3}', "has no chorales under 'train'"),
        ('{"train": [3]}', r"train\[0\] is no chorale"),
        ('{"train": [[[60, 48]], []]}', r"train\[1\] is no chorale"),
        ('{"train": [[60, 48]]}', r"train\[0\] is no chorale"),
        ('{"train": [[["c", 48]]]}', r"train\[0\] is no chorale"),
        ('{"train": [[[null, -1, 128, NaN]]]}', r"train\[0\] is no chorale"),
    ],
)
def test_a_json_that_is_no_chorale_is_refused_in_words(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "some.json"
    path.write_text(content)
    with pytest.raises(AntiphonError, match=rf"some\.json.*{complaint}|some\.json: {complaint}"):
        read_chorales(path, "train")


def test_other_json_beside_chorales_is_told(tmp_path: Path) -> None:
    four = [[60, 55, 52, 48]] * 4
    (tmp_path / "chorales.json").write_text(json.dumps({"train": [four]}))
    (tmp_path / "three.json").write_text(json.dumps({"train": [[[60, 55, 52]]]}))
    (tmp_path / "settings.json").write_text("{}")
    told: list[str] = []
    (stream,) = chorale_streams(Corpus(tmp_path), "train", told.append)
    assert stream.tolist() == [60, 55, 52, 48] * 4
    assert [text.split(":")[0].split(" ")[0] for text in told] == ["settings.json", "three.json"]
