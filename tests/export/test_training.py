"""Training: pieces, windows, the loop and its folder; with tiny models on music made by rule."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from songs import write_song, write_songs
from torch import Tensor, nn
from typer.testing import CliRunner

from antiphon.cli import app
from antiphon.errors import AntiphonError
from antiphon.tokens.grid_codec import GridCodec
from antiphon.tokens.performance_codec import PerformanceCodec
from antiphon_export.commands import add_commands
from antiphon_export.midi_folder import Corpus
from antiphon_export.tokens.log import read_rows
from antiphon_export.tokens.objective import Recipe, TokenJudgement, TokenObjective
from antiphon_export.training.loop import Trainer
from antiphon_export.training.pieces import files_of, read_performance, read_score, read_shelves
from antiphon_export.training.run_folder import LAST, load_checkpoint
from antiphon_export.training.schedule import rising, rising_and_falling
from antiphon_export.training.validation import judged, sample, weighted
from antiphon_export.training.windows import STILL, GridWindows, PerformanceWindows, grid_streams, transposed
from antiphon_plugins.dropout import Dropout
from antiphon_plugins.transformer.model import Model

TINY = {"width": 32, "layers": 1, "heads": 2, "feed_forward": 32, "window": 32}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_songs(tmp_path / "songs")


def windows_of(folder: Path) -> PerformanceWindows:
    return PerformanceWindows(read_shelves([Corpus(folder)], "train", read_performance), PerformanceCodec())


def trainer_of(folder: Path, recipe: Recipe) -> Trainer[Tensor, TokenJudgement]:
    torch.manual_seed(recipe.seed)
    windows = windows_of(folder)
    model = Model(388, **TINY, dropout=0.2)
    random, device = np.random.default_rng(0), torch.device("cpu")
    samples = [sample("songs", 1.0, [windows.draw(random, recipe.length + 1, STILL) for _ in range(4)], None)]

    def judge(model: nn.Module) -> float:
        return weighted(judged(model, samples, "performance", device, mixed=False), samples)

    about = {"architecture": "transformer", "validation": []}
    return Trainer(TokenObjective(model, windows, judge, recipe, device, about))


def test_a_note_under_the_pedal_sounds_until_the_pedal_comes_up_or_the_key_is_struck_again(tmp_path: Path) -> None:
    write_song(tmp_path / "a.mid", notes=10, pedal=True)
    (piece,) = read_performance(tmp_path / "a.mid", "train")
    melody = piece.parts[0][piece.parts[0][:, 1] > 50]
    end = 10 * 240 + 480
    assert melody[0].tolist() == [0, 60, 8 * 240, 60], "struck again as the ninth note"
    assert melody[2].tolist() == [480, 64, 3 * 240, 62], "struck again as the sixth note"
    assert melody[3, 0] + melody[3, 2] == end, "held by the pedal to its end"


def test_a_score_has_the_bars_of_its_time_signature(tmp_path: Path) -> None:
    write_song(tmp_path / "waltz.mid", notes=24, signature=(3, 4))
    (piece,) = read_score(tmp_path / "waltz.mid", "train")
    assert piece.bar_ticks is not None
    assert piece.bar_ticks.tolist() == [0, 1440, 2880, 4320, 5760]


def test_bars_of_two_quarters_are_joined_to_bars_of_four(tmp_path: Path) -> None:
    write_song(tmp_path / "polka.mid", notes=24, signature=(2, 4))
    (piece,) = read_score(tmp_path / "polka.mid", "train")
    assert piece.bar_ticks is not None
    assert piece.bar_ticks.tolist() == [0, 1920, 3840, 5760]


def test_a_score_becomes_the_tokens_that_its_codec_makes(tmp_path: Path) -> None:
    write_song(tmp_path / "a.mid", notes=32)
    (piece,) = read_score(tmp_path / "a.mid", "train")
    assert grid_streams(piece)[0].tolist() == GridCodec().encode(piece.parts[0]).tolist()


def test_chorales_are_read_by_their_split(tmp_path: Path) -> None:
    path = tmp_path / "chorales.json"
    path.write_text(json.dumps({"train": [[[60, 55, 52, 48]] * 4 + [[62, 55, None, 48]] * 4], "valid": []}))
    (piece,) = read_score(path, "train")
    assert piece.parts[0][:, 1:3].tolist() == [[48, 960], [52, 480], [55, 960], [60, 480], [62, 480]]
    with pytest.raises(AntiphonError, match="no chorales under 'test'"):
        read_score(path, "test")


def test_without_a_manifest_two_arrangements_of_a_work_fall_into_the_same_split(tmp_path: Path) -> None:
    for title in ("Prelude", "The Oath", "Blue Fields", "Epilogue", "Ami", "Rain", "Storm", "Castle") * 3:
        for collection in ("FF4PC_01", "FF7Doremi_02-13"):
            (tmp_path / f"{collection}_{title}.mid").touch()
    kept = {path.stem.split("_")[-1] for path in files_of(Corpus(tmp_path), "valid")}
    learnt = {path.stem.split("_")[-1] for path in files_of(Corpus(tmp_path), "train")}
    assert not kept & learnt
    assert len(kept | learnt) == 8


def test_a_transposed_stream_is_the_stream_of_the_transposed_music(tmp_path: Path) -> None:
    write_song(tmp_path / "a.mid", notes=64)
    (piece,) = read_score(tmp_path / "a.mid", "train")
    moved = piece.parts[0] + np.array([0, 3, 0, 0])
    stream = GridCodec().encode(piece.parts[0])
    assert transposed(stream, 3).tolist() == GridCodec().encode(moved).tolist()


def test_windows_depend_on_the_random_generator_alone(folder: Path) -> None:
    windows = windows_of(folder)
    recipe = Recipe(1)
    draws = [windows.draw(np.random.default_rng(seed), 65, recipe.augmentation).tolist() for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    assert len(draws[0]) == 65


def test_grid_windows_stay_on_the_piano(tmp_path: Path) -> None:
    stream = GridCodec().encode(np.array([[240 * i, 105 + i % 4, 240, 80] for i in range(40)]))
    windows = GridWindows([(1.0, [stream])])
    for seed in range(20):
        tokens = windows.draw(np.random.default_rng(seed), 30, Recipe(1).augmentation)
        assert tokens.max() < 153
        assert set((tokens[(tokens >= 33) & (tokens < 121)] - 12).tolist()) <= set(range(21, 109))


def test_a_run_that_was_killed_goes_on_as_though_it_had_not_been(folder: Path) -> None:
    recipe = Recipe(steps=6, batch=2, length=64, muon_rate=0.01, seed=3)
    whole = trainer_of(folder, recipe)
    losses = [progress.loss for progress in whole.run(1e9)]
    first = trainer_of(folder, recipe)
    before = []
    for progress in first.run(1e9):
        before.append(progress.loss)
        if progress.step == 3:
            break
    second = trainer_of(folder, recipe)
    second.restore(first.checkpoint())
    after = [progress.loss for progress in second.run(1e9)]
    assert before + after == losses


def test_training_learns(folder: Path) -> None:
    trainer = trainer_of(folder, Recipe(steps=40, batch=4, length=64, muon_rate=0.02, learning_rate=0.01))
    before = trainer.validate().loss
    last = list(trainer.run(1e9))[-1]
    assert last.judgement is not None
    assert last.judgement.loss < before - 1.5, f"from {before} to {last.judgement.loss} nats per token"


def test_the_first_judgement_comes_early_and_the_next_after_the_whole_time(folder: Path) -> None:
    trainer = trainer_of(folder, Recipe(steps=30, batch=1, length=32))
    moments = itertools.count(0, 2)  # Looked at twice a step, and once more after a judgement.
    judged = [p.step for p in trainer.run(60.0, clock=lambda: float(next(moments))) if p.judgement is not None]
    assert judged[0] == 3, "the first look is due after 10 s, and not with the first step"
    assert judged[1] == 3 + 15


def test_the_rate_rises_stands_and_falls() -> None:
    steps = (0, 49, 99, 500, 800, 900, 999)
    rates = [round(rising_and_falling(step, 1000, warm_up=0.1, cool_down=0.2), 2) for step in steps]
    assert rates == [0.01, 0.5, 1.0, 1.0, 1.0, 0.5, 0.01]


def test_a_rate_that_rises_over_no_steps_stands_at_once() -> None:
    assert [rising(step, 100, 0.0) for step in (0, 99)] == [1.0, 1.0]
    assert [rising_and_falling(step, 100, 0.0, 0.0) for step in (0, 99)] == [1.0, 1.0]


def test_dropout_keeps_the_mean_and_drops_its_share() -> None:
    torch.manual_seed(0)
    dropout = Dropout(0.25)
    dropped = dropout(torch.ones(300, 400))
    assert abs(float(dropped.mean()) - 1) < 0.02
    assert abs(float((dropped == 0).float().mean()) - 0.25) < 0.01
    assert dropout.eval()(torch.ones(3)).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("option", "text", "problem"),
    [
        ("--transpose", "5", "--transpose is '5'; give LOW:HIGH"),
        ("--transpose", "5:-6", "--transpose is '5:-6'; LOW must not be above HIGH"),
        ("--velocity", "-0.5:1", "--velocity is '-0.5:1'; give LOW:HIGH"),
        ("--tempo", "fast:slow", "--tempo is 'fast:slow'; give LOW:HIGH"),
        ("--tempo", "0:1.5", "--tempo is '0:1.5'; LOW must be above 0"),
    ],
)
def test_a_span_that_is_none_is_refused(folder: Path, tmp_path: Path, option: str, text: str, problem: str) -> None:
    add_commands(app)
    arguments = ["train", "transformer", str(folder), "--out", str(tmp_path / "run"), f"{option}={text}"]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, AntiphonError)
    assert problem in str(result.exception)


def test_the_command_trains_goes_on_and_keeps_its_log(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = [
        "train",
        "transformer",
        str(folder),
        "--out",
        str(out),
        "--batch",
        "2",
        "--length",
        "64",
        "--window",
        "32",
    ]
    options += ["--width", "32", "--layers", "1", "--heads", "2", "--feed-forward", "32", "--precision", "float32"]
    add_commands(app)
    runner = CliRunner()
    first = runner.invoke(app, [*options, "--steps", "2"])
    assert first.exit_code == 0, first.output
    assert load_checkpoint(out / LAST)["step"] == 2
    second = runner.invoke(app, [*options, "--steps", "4"])
    assert second.exit_code == 0, second.output
    assert "going on from step 2" in second.output
    assert [row.step for row in read_rows(out)] == [1, 2, 4]
    assert (out / "curve.png").read_bytes().startswith(b"\x89PNG")
    settings = json.loads((out / "run.json").read_text())
    assert settings["recipe"]["steps"] == 4
    assert settings["corpora"] == [{"name": "songs", "weight": 1.0, "pieces": 3, "notes": 900}]
    other = runner.invoke(app, [*options, "--steps", "4", "--layers", "2"])
    assert isinstance(other.exception, AntiphonError)
    assert "holds a run of another model" in str(other.exception)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_a_broken_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "best.pt"
    path.write_bytes(content)
    with pytest.raises(AntiphonError, match=r"best\.pt' is no checkpoint"):
        load_checkpoint(path)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match="no music under 'train'"):
        read_shelves([Corpus(tmp_path)], "train", read_score)


def test_windows_without_augmentation_are_the_pieces_own(folder: Path) -> None:
    tokens = windows_of(folder).draw(np.random.default_rng(5), 129, STILL)
    assert set((tokens[tokens < 128]).tolist()) <= {*range(36, 41), *range(59, 71)}
