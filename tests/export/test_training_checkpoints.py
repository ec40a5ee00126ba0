"""What a run leaves is a promise: files of earlier versions go on, key by key, whichever family they are of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from songs import write_songs
from typer.testing import CliRunner

from antiphon.cli import app
from antiphon_export import commands
from antiphon_export.training.run_folder import BEST, LAST, load_checkpoint
from antiphon_export.training.step_log import read_lines

TINY = {
    "lstm": "--length 64 --embedding 8 --hidden 16 --layers 1 --wide 24 --narrow 16 --precision float32",
    "notes": "--length 32 --window 32 --width 32 --layers 1 --heads 2 --feed-forward 32 --head-width 16 "
    "--precision float32",
    "vae": "--bars 1 --latent 8 --near 8 --beat 16 --recurrent 8 --summary 8 --hidden 16",
}
MODEL = {"architecture", "settings", "codec", "codec_version", "corpora", "model", "step", "recipe"}
"""What every file says."""
KEYS = {
    "lstm": (
        MODEL | {"window", "validation", "optimizers", "best_nll", "seconds"},
        MODEL | {"window", "validation", "validation_nll"},
    ),
    "notes": (
        MODEL | {"window", "notes", "validation_nll", "begun_at", "optimizers", "best_nll", "seconds"},
        MODEL | {"window", "notes", "validation_nll"},
    ),
    "vae": (
        MODEL | {"optimizer", "best_loss", "seconds"},
        MODEL | {"directions"},
    ),
}
"""Of `last.pt` and of `best.pt`, as they have been since the first of these files that people keep."""
COLUMNS = {
    "lstm": ["step", "seconds", "tokens", "train_nll", "valid_nll"],
    "notes": ["step", "seconds", "notes", "train_nats", "valid_nats"],
    "vae": ["step", "seconds", "windows", "train_loss", "valid_loss", "divergence", "f1"],
}
SECONDS = 5000.0


@pytest.fixture(scope="module", autouse=True)
def _commands() -> None:
    commands.add_commands(app)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_songs(tmp_path / "songs")


def train(kind: str, folder: Path, out: Path, *more: str) -> str:
    options = [*TINY[kind].split(), "--batch", "2", "--threads", "1", *more]
    done = CliRunner().invoke(app, ["train", kind, str(folder), "--out", str(out), *options])
    assert done.exit_code == 0, done.output
    return done.output


def as_it_was(kind: str, path: Path) -> dict[str, Any]:
    """The checkpoint in `path` as earlier versions wrote it, after a long time, and with a loss that is hard to beat.

    The VAE's optimizer did not keep its highest rate.
    """
    content = load_checkpoint(path)
    content |= {"seconds": SECONDS, "best_loss" if kind == "vae" else "best_nll": -1.0}
    if kind == "vae":
        for group in content["optimizer"]["param_groups"]:
            del group["highest_lr"]
    torch.save(content, path)
    return content


@pytest.mark.parametrize("kind", KEYS)
def test_a_run_of_an_earlier_version_goes_on(folder: Path, tmp_path: Path, few_windows: None, kind: str) -> None:
    out = tmp_path / "run"
    train(kind, folder, out, "--steps", "2")
    last, best = KEYS[kind]
    assert set(load_checkpoint(out / BEST)) == best
    before = as_it_was(kind, out / LAST)
    assert set(before) == last
    assert "going on from step 2" in train(kind, folder, out, "--steps", "5")
    after = load_checkpoint(out / LAST)
    assert set(after) == last
    assert (after["step"], after["best_loss" if kind == "vae" else "best_nll"]) == (5, -1.0)
    assert after["seconds"] > SECONDS
    optimizers = [after["optimizer"]] if kind == "vae" else after["optimizers"]
    assert {float(state["step"]) for each in optimizers[:1] for state in each["state"].values()} == {5.0}
    lines = read_lines(out)
    assert [line["step"] for line in lines][-1] == "5"
    assert list(lines[0])[: len(COLUMNS[kind])] == COLUMNS[kind]
    assert float(lines[-1]["seconds"]) >= SECONDS, "told to a tenth"


def test_what_cools_down_branches_off_a_run_of_an_earlier_version_and_goes_on(folder: Path, tmp_path: Path) -> None:
    run, branch = tmp_path / "run", tmp_path / "branch"
    train("notes", folder, run, "--steps", "2")
    before = as_it_was("notes", run / LAST)
    said = train("notes", folder, branch, "--from", str(run / LAST), "--cool-down", "3")
    assert f"starting from {run / LAST}" in said
    cooled = load_checkpoint(branch / LAST)
    assert (cooled["step"], cooled["recipe"]["steps"], cooled["begun_at"]) == (5, 5, before["begun_at"])
    assert cooled["notes"] > before["notes"]
    assert cooled["seconds"] > SECONDS
    assert cooled["best_nll"] > 0, "the best of the branch, not of the run"
    again = train("notes", folder, branch, "--from", str(run / LAST), "--cool-down", "3")
    assert "going on from step 5" in again
    assert load_checkpoint(branch / LAST)["step"] == 5
