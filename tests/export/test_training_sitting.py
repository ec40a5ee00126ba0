"""A sitting at a run: what the first step tells, an early log, one figure for one thing, and Ctrl-C."""

from __future__ import annotations

import math
import os
import re
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from songs import write_songs
from typer.testing import CliRunner

from antiphon.cli import app
from antiphon_export import commands
from antiphon_export.tokens.log import read_rows
from antiphon_export.training import sitting
from antiphon_export.training.loop import Trainer
from antiphon_export.training.run_folder import BEST, LAST, RunFolder, load_checkpoint
from antiphon_export.training.sitting import Ending, told_of_the_first_step
from antiphon_export.training.step_log import read_lines

TINY = {
    "transformer": "--length 64 --window 32 --width 32 --layers 1 --heads 2 --feed-forward 32",
    "study-transformer": "--length 64 --width 32 --layers 2 --heads 4 --feed-forward 32",
    "lstm": "--length 64 --embedding 8 --hidden 16 --layers 1 --wide 24 --narrow 16",
    "notes": "--length 32 --window 32 --width 32 --layers 1 --heads 2 --feed-forward 32 --head-width 16",
    "vae": "--bars 1 --latent 8 --near 8 --beat 16 --recurrent 8 --summary 8 --hidden 16",
}


@pytest.fixture(scope="module", autouse=True)
def _commands() -> None:
    commands.add_commands(app)


@pytest.fixture(autouse=True)
def _no_early_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow machine ten seconds pass within a few steps; then a run would judge before its end."""
    monkeypatch.setattr(sitting, "FIRST_LOOK_SECONDS", math.inf)


@pytest.fixture(autouse=True)
def _few_windows(few_windows: None) -> None:
    """No run here is to learn anything."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_songs(tmp_path / "songs")


def train(kind: str, folder: Path, out: Path, *more: str) -> Any:
    options = [*TINY[kind].split(), "--batch", "2", "--threads", "1", *more]
    if kind != "vae":
        options += ["--precision", "float32"]
    return CliRunner().invoke(app, ["train", kind, str(folder), "--out", str(out), *options])


@pytest.mark.parametrize("kind", TINY)
def test_sizes_are_options_of_every_architecture_and_the_first_step_is_told(
    folder: Path, tmp_path: Path, kind: str
) -> None:
    done = train(kind, folder, tmp_path / "run", "--steps", "3")
    assert done.exit_code == 0, done.output
    assert re.search(r"the first step took [\d.e-]+ s; 2 steps take less than a minute", done.output)
    settings = load_checkpoint(tmp_path / "run" / LAST)["settings"]
    for option, value in zip(*[iter(TINY[kind].split())] * 2, strict=True):
        name = option.strip("-").replace("-", "_")
        assert settings.get(name, int(value)) == int(value)
    assert {"log.csv", "curve.png"} <= {path.name for path in (tmp_path / "run").iterdir()}
    assert [line["step"] for line in read_lines(tmp_path / "run")] == ["1", "3"]
    assert sum(weight.numel() for weight in load_checkpoint(tmp_path / "run" / LAST)["model"].values()) < 200_000


@pytest.mark.parametrize("kind", ["transformer", "study-transformer", "lstm", "notes", "vae"])
def test_evaluate_says_of_a_checkpoint_what_its_training_said(folder: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "run"
    done = train(kind, folder, out, "--steps", "4")
    assert done.exit_code == 0, done.output
    figures = re.findall(r"(\d+\.\d+)(?: nats.*)? on \d+ windows of .*: (antiphon evaluate .*)", done.output)
    assert figures, done.output
    for figure, command in figures:
        again = CliRunner().invoke(app, shlex.split(command)[1:])
        assert again.exit_code == 0, again.output
        assert figure in again.output
    if kind in ("transformer", "lstm", "study-transformer"):
        kept = load_checkpoint(out / BEST)["validation_nll"]
        assert f"{kept:.4f}" == figures[0][0]
        assert f"its training measured {kept:.4f} on" in again.output


def test_a_checkpoint_from_before_the_two_were_one_is_explained(folder: Path, tmp_path: Path) -> None:
    assert train("transformer", folder, tmp_path / "run", "--steps", "1").exit_code == 0
    old = load_checkpoint(tmp_path / "run" / BEST)
    del old["validation"]
    torch.save({**old, "validation_nll": 1.4781}, tmp_path / "old.pt")
    said = CliRunner().invoke(app, ["evaluate", str(tmp_path / "old.pt"), str(folder)]).output
    assert "its training measured 1.4781 on windows of another kind; the two figures do not compare" in said


@pytest.mark.parametrize("kind", ["transformer", "notes", "vae"])
def test_ctrl_c_ends_after_the_step_says_what_is_kept_and_the_same_command_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    step, out = Trainer._train_step, tmp_path / "run"

    def interrupted(self: Trainer[Any, Any]) -> float:
        if self.step == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return step(self)

    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "_train_step", interrupted)
        done = train(kind, folder, out, "--steps", "50")
    said = done.output
    assert done.exit_code == 130, done.output
    assert "ending after this step; Ctrl-C once more ends at once" in said
    assert "has all of step 3: the same command goes on from there" in said
    assert "there is no best.pt yet, as nothing has been judged" in said
    assert load_checkpoint(out / LAST)["step"] == 3
    again = train(kind, folder, out, "--steps", "4")
    assert again.exit_code == 0, again.output
    assert "going on from step 3" in again.output
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_pressed_twice_ends_in_the_middle_of_a_step(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer._train_step

    def interrupted(self: Trainer[Any, Any]) -> float:
        if self.step == 1:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        return step(self)

    monkeypatch.setattr(Trainer, "_train_step", interrupted)
    done = train("transformer", folder, tmp_path / "run", "--steps", "50")
    assert done.exit_code == 130, done.output
    assert "has all of step 1" in done.output, "the first step is kept at once"
    assert load_checkpoint(tmp_path / "run" / LAST)["step"] == 1


def test_a_log_and_a_curve_are_there_before_the_run_is_over(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitting, "FIRST_LOOK_SECONDS", 0.0)
    seen: list[set[str]] = []
    step, out = Trainer._train_step, tmp_path / "run"

    def watched(self: Trainer[Any, Any]) -> float:
        seen.append({path.name for path in out.iterdir()})
        return step(self)

    monkeypatch.setattr(Trainer, "_train_step", watched)
    assert train("transformer", folder, out, "--steps", "4").exit_code == 0
    assert {"log.csv", "curve.png", LAST} <= seen[1], "from the first step on"
    assert BEST in seen[2]
    first, *later = read_rows(out)
    assert (first.step, first.valid_nll) == (1, None)
    assert [row.step for row in later] == [2, 4]


@pytest.mark.parametrize(
    ("seconds", "steps", "told"),
    [
        (0.1, 200, "the first step took 0.1 s; 200 steps take less than a minute"),
        (0.1, 1000, "the first step took 0.1 s; 1,000 steps take about 2 minutes"),
        (3.2, 1000, "1,000 steps take about 53 minutes; for a first look add --steps 90 (about 5 minutes)"),
        (19.0, 1000, "about 5 hours; for a first look at a smaller model add --steps 60 --width 8, and another --out"),
    ],
)
def test_what_the_first_step_tells(seconds: float, steps: int, told: str) -> None:
    assert told in told_of_the_first_step(seconds, steps, "--width 8")


def test_who_ends_before_the_first_step_is_told_that_nothing_is_kept(tmp_path: Path) -> None:
    assert "nothing is kept" in RunFolder(tmp_path / "run").kept()
    with Ending(lambda _: None) as ending:
        assert not ending.asked
