"""What a training run begins with: a checkpoint, a model file, or a model by its name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from songs import write_songs
from tiny_models import ARCHITECTURES, SETTINGS, write_checkpoint
from typer.testing import CliRunner

from antiphon.cli import app
from antiphon.errors import AntiphonError
from antiphon.models import library
from antiphon.models.card import ModelError
from antiphon_export.commands import add_commands
from antiphon_export.exporting.graph import Precision
from antiphon_export.exporting.model_file import Label, export_checkpoint
from antiphon_export.midi_folder import Corpus
from antiphon_export.tokens.objective import Recipe
from antiphon_export.tokens.run import RunSettings, train_model
from antiphon_export.training.run_folder import RunFolder
from antiphon_export.training.start import find_start


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_songs(tmp_path / "songs")


def exported(checkpoint: Path, precision: Precision = "float32") -> Path:
    out = checkpoint.with_name(f"{precision}.onnx")
    export_checkpoint(checkpoint, out, Label("toy"), precision=precision)
    return out


def first_nll(folder: Path, architecture: str, start_from: Path | None) -> float:
    """Validation NLL of what a run begins with: its one step is of rate 0."""
    settings = RunSettings(
        architecture,
        "grid",
        (Corpus(folder),),
        SETTINGS[architecture],
        Recipe(steps=1, batch=64, length=32, learning_rate=0.0),
        start_from,
    )
    out = RunFolder(folder / f"run-{start_from.suffix if start_from else 'fresh'}")
    return train_model(settings, out, report=lambda _: None, advance=lambda *_: None)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_run_begins_where_its_model_file_is(folder: Path, tmp_path: Path, architecture: str) -> None:
    checkpoint = write_checkpoint(tmp_path / "best.pt", architecture)
    expected = first_nll(folder, architecture, checkpoint)
    assert first_nll(folder, architecture, exported(checkpoint)) == pytest.approx(expected, abs=1e-4)
    assert first_nll(folder, architecture, None) != pytest.approx(expected, abs=0.05)


def test_another_number_of_heads_does_not_fit_though_the_weights_would(folder: Path, tmp_path: Path) -> None:
    settings = {**SETTINGS["transformer"], "heads": 4, "vocabulary": 153, "dropout": 0.0}
    checkpoint = write_checkpoint(tmp_path / "best.pt", "transformer", settings=settings)
    for start in (checkpoint, exported(checkpoint)):
        with pytest.raises(AntiphonError, match=r"holds a transformer with .*'heads': 4.*does not fit.*'heads': 2"):
            first_nll(folder, "transformer", start)


def test_a_model_of_another_architecture_does_not_fit(folder: Path, tmp_path: Path) -> None:
    start = exported(write_checkpoint(tmp_path / "best.pt", "lstm"))
    with pytest.raises(AntiphonError, match=r"float32\.onnx' holds a lstm .* does not fit a study-transformer"):
        first_nll(folder, "study-transformer", start)


def test_the_command_finds_a_model_by_name(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = exported(write_checkpoint(tmp_path / "best.pt", "transformer"), "int8")
    mine.rename(mine.with_name("mine.onnx"))
    monkeypatch.setattr(library, "user_model_folder", lambda: tmp_path)
    assert find_start("mine") == find_start(str(tmp_path / "mine.onnx")) == tmp_path / "mine.onnx"
    sizes = ["--window", "24", "--width", "32", "--layers", "2", "--heads", "2", "--feed-forward", "48"]
    rates = ["--learning-rate", "0", "--muon-rate", "0", "--precision", "float32"]
    add_commands(app)
    run = ["train", "transformer", str(folder), "--codec", "grid", "--length", "32", "--batch", "64", "--steps", "1"]
    result = CliRunner().invoke(app, [*run, *sizes, *rates, "--from", "mine", "--out", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    told = re.search(r"validation NLL (\d+\.\d+)", result.output)
    assert told is not None
    expected = first_nll(folder, "transformer", tmp_path / "best.pt")
    assert float(told[1]) == pytest.approx(expected, abs=0.1), "rounded to 8 bits"


def test_an_unknown_name_is_told_with_those_there_are() -> None:
    with pytest.raises(ModelError, match=r"no model 'performanse'.*performance"):
        find_start("performanse")
