"""`antiphon evaluate --music`: it prints and draws the same each time, and says in words what it cannot do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from songs import write_song
from tiny_models import write_checkpoint
from typer.testing import CliRunner

from antiphon.cli import app
from antiphon.errors import AntiphonError
from antiphon.plugins.host import load_plugins
from antiphon_export.commands import add_commands
from antiphon_export.exporting.model_file import Label, export_checkpoint
from antiphon_export.report.musician import find_musician, model_file
from antiphon_export.report.statistics import STATISTICS

QUICK = ("--calls", "4", "--seeds", "2", "--plain-seeds", "2")


def evaluate(*arguments: object) -> Result:
    if "evaluate" not in {command.name for command in app.registered_commands}:
        add_commands(app)
    return CliRunner().invoke(app, ["evaluate", "--music", *map(str, arguments)], obj=load_plugins())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four songs, two of them kept back."""
    made = tmp_path_factory.mktemp("songs")
    for number in range(4):
        write_song(made / f"{number}.mid", notes=160 + 8 * number)
    rows = [f"{number}.mid,{'valid' if number > 1 else 'train'}" for number in range(4)]
    (made / "manifest.csv").write_text("\n".join(["file,split", *rows]) + "\n")
    return made


@pytest.fixture(scope="module")
def grid_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models")
    export_checkpoint(write_checkpoint(made / "tiny.pt", "transformer"), made / "tiny.onnx", Label("tiny"))
    return made / "tiny.onnx"


def test_a_report_is_printed_and_drawn(folder: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    result = evaluate("markov", folder, *QUICK, "--picture", picture)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"markov beside {folder.name}: 4 calls of 2 pieces")
    for statistic in STATISTICS:
        assert any(line.startswith(f"| {statistic.name} |") for line in lines)
    assert any(line.startswith("| a swung tune |") for line in lines)
    assert any(line.startswith("the same answer to different calls: ") and line.endswith(" of 20") for line in lines)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_same_seed_gives_the_same_report_and_another_does_not(folder: Path) -> None:
    first, again, other = (evaluate("markov", folder, *QUICK, "--json", "--seed", seed).stdout for seed in (1, 1, 5))
    assert first == again
    assert first != other
    found = json.loads(first)
    assert (found["generator"], found["calls"], found["answers"]) == ("markov", 4, 8)
    rows = {row["name"]: row for row in found["rows"]}
    assert rows["in the key"]["real"] > rows["in the key"]["chance"] or rows["in the key"]["real"] == 1
    assert rows["clashes"]["chance"] is None, "another piece is as real as this one"
    assert found["moved"] is None, "it has no tokens"
    assert set(found["quoting"]) == {"real", "answers"}


def test_any_model_file_is_played_by_who_plays_its_codec(folder: Path, grid_model: Path) -> None:
    result = evaluate(grid_model, folder, *QUICK, "--json", "--no-quotes")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["generator"], found["model"]) == ("grid-transformer", str(grid_model))
    moved = found["moved"]
    assert moved["difference"] == pytest.approx(moved["moved"] - moved["aligned"])
    assert found["quoting"] is None


def test_the_model_that_a_generator_brings_is_found() -> None:
    plugins = load_plugins()
    found = {name: model_file(find_musician(plugins, name)) for name in ("transformer", "grid-transformer", "lstm")}
    assert {name: path and path.name for name, path in found.items()} == {
        "transformer": "performance.onnx",
        "grid-transformer": None,
        "lstm": "grid-lstm.onnx",
    }
    assert model_file(find_musician(plugins, "markov")) is None


def message(result: Result) -> str:
    assert isinstance(result.exception, AntiphonError), result.output
    return str(result.exception)


def test_what_cannot_be_done_is_said_in_words(folder: Path, grid_model: Path, tmp_path: Path) -> None:
    assert "did you mean 'markov'?" in message(evaluate("markow", folder))
    assert "choose the generator 'grid-transformer'" in message(
        evaluate(grid_model, folder, "--generator", "transformer")
    )
    assert "antiphon export" in message(evaluate("run/best.pt", folder))
    assert "--generator markov" in message(evaluate("table.npz", folder))
    assert "there is no model file" in message(evaluate(tmp_path / "none.onnx", folder))
    assert "0 pieces under 'valid'" in message(evaluate("markov", tmp_path))
    assert "is not a folder" in message(evaluate("markov", tmp_path / "none"))
    assert "no control 'volume'" in message(evaluate("markov", folder, "--control", "volume=1"))
    assert "--control: 'loud' sets no control" in message(evaluate("markov", folder, "--control", "loud"))
    assert "there is no folder" in message(evaluate("markov", folder, "--picture", tmp_path / "none" / "page.png"))
