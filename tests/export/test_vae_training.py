"""The VAE's model, its losses, its beginning and its training; with tiny models on music made by rule."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from songs import write_songs
from tiny_vaes import SETTINGS, STEPS, music, tiny_vae
from torch import Tensor
from typer.testing import CliRunner

from antiphon.errors import AntiphonError
from antiphon.rolls.roll import ONSET
from antiphon_export.midi_folder import Corpus
from antiphon_export.training.loop import Trainer
from antiphon_export.training.pieces import read_score, read_shelves
from antiphon_export.training.run_folder import BEST, load_checkpoint
from antiphon_export.vae import run
from antiphon_export.vae.beginning import begin_with_components
from antiphon_export.vae.command import add_command
from antiphon_export.vae.completion import complete
from antiphon_export.vae.halves import halves_of
from antiphon_export.vae.log import Row, add_row, read_rows
from antiphon_export.vae.losses import Weighing, losses
from antiphon_export.vae.objective import Judgement, Recipe, VaeObjective
from antiphon_export.vae.reconstruction import hits
from antiphon_export.vae.windows import Source
from antiphon_plugins.vae.generator import DIRECTIONS
from antiphon_plugins.vae.model import Model


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(read_shelves([Corpus(write_songs(tmp_path / "songs"))], "train", read_score), STEPS)


def trainer_of(source: Source, recipe: Recipe) -> Trainer[Tensor, Judgement]:
    torch.manual_seed(recipe.seed)
    valid = source.draw(np.random.default_rng(0), 8, (0, 0), (0, 0))
    return Trainer(VaeObjective(Model(**SETTINGS), source, valid, recipe, torch.device("cpu"), {}))


def test_the_model_at_its_defaults_has_less_than_five_million_parameters() -> None:
    assert sum(weight.numel() for weight in Model().parameters()) == 3_228_320


def test_a_roll_becomes_a_code_and_a_code_a_roll_without_any_of_its_neighbours() -> None:
    model = tiny_vae()
    rolls = torch.from_numpy(music(3))
    mean, log_variance = model.encode(rolls)
    assert mean.shape == log_variance.shape == (3, 12)
    decoded = model.decode(mean)
    assert decoded.shape == rolls.shape
    assert torch.allclose(decoded[1:2], model.decode(model.encode(rolls[1:2])[0]), atol=1e-5)


def test_codes_are_drawn_around_their_means() -> None:
    model = tiny_vae()
    with torch.no_grad():
        model.log_variance.weight.zero_()
        model.log_variance.bias.fill_(2.0)
    rolls = torch.from_numpy(music(2))
    torch.manual_seed(0)
    first, mean, _ = model(rolls)
    assert not torch.equal(first, model(rolls)[0])
    assert torch.equal(mean, model.encode(rolls)[0])


def test_a_number_of_a_code_tells_a_little_for_nothing() -> None:
    rolls = torch.from_numpy(music(1))
    logits = torch.zeros(rolls.shape)
    mean = torch.tensor([[0.0, 0.1, 2.0]])
    log_variance = torch.tensor([[0.0, 0.0, -1.0]])
    told = 0.5 * (2.0**2 + np.exp(-1) - 1 + 1)
    parts = losses(logits, mean, log_variance, rolls, Weighing(free_nats=0.02))
    assert float(parts.divergence) == pytest.approx(0.02 + 0.02 + told)


def test_a_missed_onset_costs_more_than_a_needless_one() -> None:
    rolls = torch.from_numpy(music(1))
    onsets = rolls[:, :, ONSET].numel()
    missed = float(rolls[:, :, ONSET].sum())
    silent = torch.full(rolls.shape, -20.0)
    parts = losses(silent, torch.zeros(1, 3), torch.zeros(1, 3), rolls, Weighing(onset=3.0))
    assert float(parts.onset) == pytest.approx(3 * 20 * missed, rel=1e-3)
    loud = losses(-silent, torch.zeros(1, 3), torch.zeros(1, 3), rolls, Weighing(onset=3.0))
    assert float(loud.onset) == pytest.approx(20 * (onsets - missed), rel=1e-3)
    assert float(parts.total(Weighing(divergence=0))) == pytest.approx(
        float(parts.onset + 0.5 * parts.hold + 20 * parts.velocity)
    )


def test_it_begins_with_principal_components_that_rebuild_music() -> None:
    torch.manual_seed(0)
    model = Model(**{**SETTINGS, "latent": 40, "summary": 30})
    halves = halves_of(model)
    rolls = music(400)
    assert hits([rolls], halves.rebuild)[0].f1 < 0.2
    begin_with_components(model, rolls)
    assert hits([music(50, seed=9)], halves.rebuild)[0].f1 > 0.9
    codes = halves.encode(rolls)
    assert np.allclose(codes.mean(axis=0), 0, atol=0.3)


def test_training_goes_on_where_it_was_as_though_it_had_never_stopped(source: Source) -> None:
    recipe = Recipe(4, batch=2)
    whole = trainer_of(source, recipe)
    list(whole.run(1e9))
    begun = trainer_of(source, recipe)
    for progress in begun.run(1e9):
        if progress.step == 2:
            break
    resumed = trainer_of(source, recipe)
    resumed.restore(begun.checkpoint())
    steps = [progress.step for progress in resumed.run(1e9)]
    assert steps == [3, 4]
    for name, weight in whole.objective.model.state_dict().items():
        assert torch.equal(weight, resumed.objective.model.state_dict()[name]), name


def test_training_makes_the_loss_small(source: Source) -> None:
    trainer = trainer_of(source, Recipe(60, batch=8, learning_rate=0.01, weighing=Weighing(divergence=0.01)))
    before = trainer.validate()
    (*_, last) = trainer.run(1e9)
    assert last.judgement is not None
    assert last.judgement.loss < 0.5 * before.loss


def test_the_divergence_counts_little_at_first(source: Source) -> None:
    at_once, slowly = (next(trainer_of(source, Recipe(100, telling=share)).run(1e9)).loss for share in (0.0, 1.0))
    assert slowly < at_once


def test_when_it_has_learnt_as_many_notes_are_expected_as_there_are() -> None:
    model, rolls = tiny_vae(), music(60)
    begin_with_components(model, rolls)
    with torch.no_grad():
        model.keys.bias += 1
    directions = complete(model, rolls, rolls)
    expected = halves_of(model).rebuild(rolls)[:, :, ONSET].sum()
    assert expected == pytest.approx(rolls[:, :, ONSET].sum(), rel=1e-3)
    assert {name: len(direction) for name, direction in directions.items()} == dict.fromkeys(DIRECTIONS, 12)
    assert np.allclose(directions["loudness"], 0, atol=1e-9), "music by rule has always the same velocities"


def test_of_lines_written_again_after_a_kill_the_last_counts(tmp_path: Path) -> None:
    for step, loss in ((100, 9.0), (200, 8.0), (150, 7.0)):
        add_row(tmp_path, Row(step, 1.0, 32 * step, loss, loss, 50.0, 0.5))
    assert [(row.step, row.train_loss) for row in read_rows(tmp_path)] == [(100, 9.0), (150, 7.0)]
    assert (tmp_path / "curve.png").stat().st_size > 1000


def train(*arguments: str) -> str:
    app = typer.Typer()
    app.callback()(lambda: None)
    add_command(app)
    result = CliRunner().invoke(app, ["vae", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_the_command_trains_finds_directions_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_FIRST_WINDOWS", 64)
    monkeypatch.setattr(run, "_LAST_WINDOWS", 16)
    monkeypatch.setattr(run, "_VALID_WINDOWS", 4)
    songs, out = write_songs(tmp_path / "songs"), tmp_path / "run"
    arguments = [str(songs), "--out", str(out), "--bars", "1", "--latent", "16", "--batch", "2", "--threads", "1"]
    assert "F1" in train(*arguments, "--steps", "2")
    checkpoint = load_checkpoint(out / BEST)
    assert {name: len(way) for name, way in checkpoint["directions"].items()} == {
        "density": 16,
        "register": 16,
        "loudness": 16,
    }
    assert json.loads((out / "run.json").read_text())["settings"]["steps"] == 16
    assert "going on from step 2" in train(*arguments, "--steps", "3")
    assert [row.step for row in read_rows(out)] == [1, 2, 3]
    with pytest.raises(AntiphonError, match="holds a run of another model"):
        train(*arguments[:-4], "--batch", "2", "--latent", "24", "--steps", "3")


def test_a_span_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match="--velocity is 'loud'; give LOW:HIGH"):
        train(str(write_songs(tmp_path / "songs")), "--out", str(tmp_path / "run"), "--velocity", "loud")
    with pytest.raises(AntiphonError, match="LOW must not be above HIGH"):
        train(str(tmp_path / "songs"), "--out", str(tmp_path / "run"), "--transpose", "5:-6")
