"""What `antiphon evaluate` takes: paths and names as presets do, Markov's tables, and two models beside each other."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from songs import write_song, write_songs
from tiny_models import write_checkpoint
from typer.testing import CliRunner

from antiphon.cli import app
from antiphon.errors import AntiphonError
from antiphon.models import library
from antiphon.plugins.host import load_plugins
from antiphon_export import commands
from antiphon_export.exporting.model_file import Label, export_checkpoint
from antiphon_export.judging import find_judged, seen, shipped
from antiphon_export.markov import learn_table
from antiphon_export.markov_evaluation import evaluate_table
from antiphon_export.midi_folder import Corpus
from antiphon_plugins.markov.table import MOVES, SHIPPED, load_table, save_table


@pytest.fixture(scope="module", autouse=True)
def _commands() -> None:
    commands.add_commands(app)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_songs(tmp_path / "songs")


def evaluate(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_a_name_means_a_model_of_ones_own_then_one_that_ships_then_a_generators(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = load_plugins()
    assert find_judged(plugins, "grid-lstm").path.name == "grid-lstm.onnx"
    assert find_judged(plugins, "transformer").path.name == "performance.onnx"
    assert find_judged(plugins, "markov").path == SHIPPED
    assert find_judged(plugins, str(SHIPPED)).codec == "markov"
    write_checkpoint(tmp_path / "best.pt", "transformer")
    export_checkpoint(tmp_path / "best.pt", tmp_path / "mine.onnx", Label("tiny"))
    monkeypatch.setattr(library, "user_model_folder", lambda: tmp_path)
    assert find_judged(plugins, "mine").path == tmp_path / "mine.onnx"
    with pytest.raises(AntiphonError, match="no model 'grid-lstn'; did you mean 'grid-lstm'"):
        find_judged(plugins, "grid-lstn")
    with pytest.raises(AntiphonError, match=r"gone\.pt"):
        find_judged(plugins, "gone.pt")


@pytest.mark.parametrize(("codec", "name"), [("grid", "grid-lstm"), ("performance", "performance"), ("roll", "vae")])
def test_a_model_of_every_codec_ships_to_be_compared_with(codec: str, name: str) -> None:
    assert shipped(load_plugins(), codec).path.stem == name


def test_for_a_codec_that_no_shipped_model_speaks_another_must_be_named() -> None:
    with pytest.raises(AntiphonError, match="no model of the codec 'chorales' comes with Antiphon"):
        shipped(load_plugins(), "chorales")


def test_a_corpus_that_a_model_has_seen_is_known_by_the_name_of_its_folder(tmp_path: Path) -> None:
    performance = find_judged(load_plugins(), "performance")
    assert seen(performance, tmp_path / "POP-909") == ["pop909"]
    assert seen(performance, tmp_path / "pop909" / "valid") == ["pop909"]
    assert seen(performance, tmp_path / "mine") == []


def test_a_model_is_compared_with_the_shipped_one_and_who_has_seen_the_music_is_told(tmp_path: Path) -> None:
    music = write_songs(tmp_path / "chopin")
    write_checkpoint(tmp_path / "best.pt", "transformer")
    done = evaluate(tmp_path / "best.pt", music, "--compare")
    assert done.exit_code == 0, done.output
    ours, theirs = (float(part) for part in done.stdout.partition("beside grid-lstm: ")[2].split()[0:3:2])
    assert done.stdout.startswith(f"{ours:.4f} nats per token (grid codec)")
    assert ours > theirs, "weights that nobody has trained"
    difference, verdict = done.stdout.partition("nats per token: ")[2].split(", ")[:2]
    assert float(difference) == pytest.approx(ours - theirs, abs=2e-4), "each figure is rounded by itself"
    assert verdict.startswith("worse")
    assert "mind that grid-lstm has learnt from chopin" in done.output
    assert "mind that best" not in done.output
    data = json.loads(evaluate(tmp_path / "best.pt", music, "--compare", "--json").stdout)
    assert data["compared"]["seen"] == ["chopin"]
    assert data["compared"]["nll_per_token"] == pytest.approx(theirs, abs=1e-4)
    itself = evaluate(tmp_path / "best.pt", music, "--compare-with", tmp_path / "best.pt")
    assert "nats per token: +0.0000, the same" in itself.output


def test_models_of_two_codecs_do_not_compare(folder: Path) -> None:
    done = evaluate("markov", folder, "--compare-with", "grid-lstm")
    assert isinstance(done.exception, AntiphonError)
    assert "compare models of one codec" in str(done.exception)


# ---- Markov's tables -------------------------------------------------------------------------------------------


def test_a_table_that_knows_nothing_finds_every_move_equally_likely(tmp_path: Path) -> None:
    music, learnt = tmp_path / "music", tmp_path / "learnt"
    for place in (music, learnt):
        place.mkdir()
        write_song(place / "a.mid", 40)
        (place / "manifest.csv").write_text(
            "file,split\na.mid,valid\n" if place is music else "file,split\na.mid,train\n"
        )
    table = learn_table([Corpus(learnt)], min_pieces=2)  # Nothing occurs in two pieces.
    assert not len(table.line.keys)
    found = evaluate_table(table, music)
    assert found.line == pytest.approx(math.log(MOVES))
    assert found.events == found.events_in_all
    assert evaluate_table(table, music, every=3).events == -(-found.events // 3)


def test_what_a_table_says_of_all_moves_together_is_certain(folder: Path) -> None:
    table = load_table()
    known = table.line.mixture([], MOVES)
    assert known.sum() == 0
    rich = learn_table([Corpus(folder)], min_pieces=1)
    for key in rich.line.keys[:50]:
        assert 0 < rich.line.mixture([int(key)], MOVES).sum() <= 1


def test_a_table_foretells_what_it_has_learnt_from_better_than_another(folder: Path, tmp_path: Path) -> None:
    own = learn_table([Corpus(folder)], min_pieces=1)
    save_table(tmp_path / "own.npz", own)
    done = evaluate(tmp_path / "own.npz", folder, "--compare")
    assert done.exit_code == 0, done.output
    assert "nats per event (line " in done.output
    assert "tables compare with tables alone" in done.output
    beside = next(line for line in done.output.splitlines() if line.startswith("beside table: "))
    assert beside.endswith(", better")
    ours, theirs = (evaluate_table(table, folder) for table in (own, load_table()))
    assert ours.nats_per_event < theirs.nats_per_event
    both = ours.line + ours.voicing
    assert ours.nats_per_event == pytest.approx(both)
    assert ours.nats_per_note == pytest.approx(both * ours.events / ours.notes)
    assert np.isfinite(theirs.nats_per_note)


def test_a_folder_without_validation_pieces_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("file,split\na.mid,train\n")
    write_song(tmp_path / "a.mid", 1)
    with pytest.raises(AntiphonError, match="has no pieces for validation"):
        evaluate_table(load_table(), tmp_path)
