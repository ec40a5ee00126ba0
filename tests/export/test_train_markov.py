"""Learning a table from a person's own folder of MIDI files."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import mido
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from antiphon.errors import AntiphonError
from antiphon.generator import Casting, Request
from antiphon.notes import Phrase
from antiphon_export.commands import add_commands
from antiphon_export.markov import learn_table, read_line
from antiphon_export.midi_folder import Corpus, read_pieces
from antiphon_plugins.markov import INFO, make
from antiphon_plugins.markov.table import MOVE_GAPS, MOVE_MOTIONS, MOVES, line_contexts, load_table, move_of, save_table

TUNE = (0, 2, 4, 5, 7, 5, 4, 2) * 8


def write_midi(path: Path, pitches: list[int], step: int = 240) -> None:
    track = mido.MidiTrack()
    for pitch in pitches:
        track.append(mido.Message("note_on", note=pitch, velocity=80))
        track.append(mido.Message("note_off", note=pitch, time=step))
    mido.MidiFile(tracks=[track], ticks_per_beat=480).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pieces: one tune in four keys, the last of them with an ending all its own."""
    music = tmp_path / "music"
    music.mkdir()
    for index, tonic in enumerate((60, 62, 65, 55)):
        ending = (0, 9, -3, 14, 1) if index == 3 else ()
        write_midi(music / f"{index}.mid", [tonic + step for step in (*TUNE, *ending)])
    return music


def run(*arguments: str) -> object:
    app = typer.Typer()
    add_commands(app)
    return CliRunner().invoke(app, ["train", "markov", *arguments])


def test_a_folder_of_midi_becomes_a_table_to_play_from(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.npz"
    result = run(str(folder), "--out", str(out))
    assert result.exit_code == 0, result.output  # type: ignore[attr-defined]
    player = make(Casting(0, str(out)))
    player.prime(Phrase(0, 0))
    notes = player.extend(Request(0, 7680, INFO.resolve_controls({}))).notes
    motions = {abs(b.pitch - a.pitch) for a, b in pairwise(notes)}
    assert len(notes) > 8
    assert motions <= {1, 2}


def test_training_twice_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        save_table(tmp_path / name, learn_table([Corpus(folder)]))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_what_only_one_piece_does_is_not_learnt(folder: Path) -> None:
    table = learn_table([Corpus(folder)])
    assert set(abs(MOVE_MOTIONS[np.unique(table.line.values)]).tolist()) <= {1, 2}
    loose = learn_table([Corpus(folder)], min_pieces=1)
    assert set(abs(MOVE_MOTIONS[np.unique(loose.line.values)]).tolist()) >= {1, 2, 9, 12, 17}


def test_what_is_learnt_is_found_where_the_player_looks(folder: Path) -> None:
    line = learn_table([Corpus(folder)]).line
    up_to_the_third = [move_of(2, 4, 1), move_of(2, 4, 1)]
    chances = line.mixture(list(line_contexts(4, up_to_the_third)), MOVES)
    assert chances.argmax() == move_of(1, 4, 1)
    assert set(MOVE_GAPS[np.flatnonzero(chances)].tolist()) == {4}


def test_a_broken_file_is_reported_and_skipped(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.mid").write_bytes((folder / "0.mid").read_bytes()[:40])
    (folder / "not.mid").write_bytes(b"hello")
    write_midi(folder / "silent.mid", [])
    result = run(str(folder), "--out", str(tmp_path / "mine.npz"))
    assert result.exit_code == 0  # type: ignore[attr-defined]
    said = result.output.replace("\n", "")  # type: ignore[attr-defined]
    assert said.count("skipped") == 3
    assert all(name in said for name in ("broken.mid", "not.mid", "silent.mid"))
    assert load_table(tmp_path / "mine.npz").origin["corpora"][0]["pieces"] == 4


def test_a_manifest_keeps_held_out_pieces_out(folder: Path) -> None:
    rows = ["file,split", *(f"{i}.mid,{'valid' if i == 3 else 'train'}" for i in range(4))]
    (folder / "manifest.csv").write_text("\n".join(rows))
    corpus = Corpus(folder)
    assert [path.name for path in corpus.files()] == ["0.mid", "1.mid", "2.mid"]
    assert [path.name for path in corpus.files("valid")] == ["3.mid"]


def test_weights_decide_how_much_a_folder_counts(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for index in range(4):
        write_midi(other / f"{index}.mid", [60 - step for step in TUNE])

    def rising(weight: float) -> float:
        chances = learn_table([Corpus(folder, weight), Corpus(other)]).line.mixture(list(line_contexts(0, [])), MOVES)
        return float(chances[MOVE_MOTIONS > 0].sum() / chances.sum())

    assert rising(9.0) > rising(1.0) > rising(0.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{folder}=0", "above 0"),
        ("{folder}=much", "above 0"),
        ("nowhere", "not a folder"),
        ("nowhere=2", "not a folder"),
    ],
)
def test_a_wrong_folder_or_weight_is_refused(folder: Path, text: str, message: str) -> None:
    with pytest.raises(AntiphonError, match=message):
        Corpus.parse(text.format(folder=folder))


def test_nothing_to_learn_from_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match="nothing to learn from"):
        learn_table([Corpus(tmp_path)])


def test_chorales_are_read_from_their_json(tmp_path: Path) -> None:
    steps = [[67, 64, 60, 48]] * 4 + [[69, 65, 60, 53]] * 2 + [[-1, 65, None, 53]] * 2 + [[69, 65, 60, 53]]
    (tmp_path / "jsb.json").write_text(json.dumps({"train": [steps], "valid": [steps, steps]}))
    (piece,) = read_pieces(tmp_path / "jsb.json")
    assert len(list(read_pieces(tmp_path / "jsb.json", "valid"))) == 2
    soprano = [row for row in piece.parts[0].tolist() if row[1] >= 67]
    assert soprano == [[0, 67, 480, 80], [480, 69, 240, 80], [960, 69, 120, 80]]
    with pytest.raises(AntiphonError, match="no chorales"):
        list(read_pieces(tmp_path / "jsb.json", "test"))


def test_a_line_is_read_alike_in_every_key() -> None:
    def line(tonic: int) -> list[int]:
        notes = np.array([(240 * i, tonic + step, 240, 80) for i, step in enumerate(TUNE)], dtype=np.int64)
        found = read_line(notes, on_grid=True)
        return [*found.move.tolist(), *found.degree.tolist(), *found.phase.tolist()]

    assert line(60) == line(67) == line(49)
