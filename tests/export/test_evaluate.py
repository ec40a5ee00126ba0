"""Evaluation: windows by protocol, and the same NLL from a checkpoint and from its `.onnx`."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import mido
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from typer.testing import CliRunner

from antiphon.cli import app
from antiphon.errors import AntiphonError
from antiphon_export.commands import add_commands
from antiphon_export.evaluate import chorale_windows, evaluate, piece_windows, study_windows
from antiphon_export.exporting.model_file import Label, export_checkpoint
from antiphon_export.scoring import load_scorer
from antiphon_export.training.architectures import build_model

TINY = {
    "transformer": {"vocabulary": 153, "width": 32, "layers": 2, "heads": 2, "feed_forward": 32, "window": 64},
    "study-transformer": {"vocabulary": 153, "width": 32, "layers": 2, "heads": 2, "feed_forward": 32, "distances": 30},
    "lstm": {"vocabulary": 153, "embedding": 8, "hidden": 16, "wide": 16, "narrow": 8},
}


def write_song(path: Path, notes: int) -> None:
    """Quarter notes, each 3 tokens, with a time signature at 0, which is no barline of its own."""
    track = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=4, denominator=4)])
    for index in range(notes):
        track.append(mido.Message("note_on", note=60 + index % 7, velocity=80))
        track.append(mido.Message("note_off", note=60 + index % 7, time=480))
    mido.MidiFile(tracks=[track], ticks_per_beat=480).save(path)


def write_checkpoint(path: Path, architecture: str) -> None:
    torch.manual_seed(0)
    model = build_model(architecture, **TINY[architecture])
    about = {"architecture": architecture, "settings": model.settings, "codec": "grid", "codec_version": 1}
    torch.save({**about, "window": 64, "corpora": [], "model": model.state_dict(), "step": 0}, path)


def even(windows: NDArray[np.int64]) -> NDArray[np.float64]:
    """A model that holds every token of 153 for equally likely."""
    return np.full((len(windows), windows.shape[1] - 1), np.log(153))


def test_the_studys_windows_are_257_tokens_long_and_one_token_apart(tmp_path: Path) -> None:
    write_song(tmp_path / "long.mid", 100)
    write_song(tmp_path / "short.mid", 10)
    windows = study_windows(tmp_path)
    assert {len(window) for window in windows} == {257}
    tokens = 100 * 3 + 24 * 2  # 100 beats have 25 bars, and the first begins no barline
    assert len(windows) == tokens - 256
    assert windows[0][1:].tolist() == windows[1][:-1].tolist()


def test_nll_per_note_is_all_that_is_said_of_a_note() -> None:
    windows = [np.array([1, 33, 121, 2, 34, 122, 3, 35, 123, 4])] * 3
    found = evaluate(even, windows, "grid")
    assert found.nll_per_token == pytest.approx(np.log(153))
    assert found.nll_per_note == pytest.approx(3 * np.log(153))
    assert (found.windows, found.tokens) == (3, 27)


def test_windows_of_different_lengths_count_by_their_tokens() -> None:
    def by_length(windows: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.full((len(windows), windows.shape[1] - 1), float(windows.shape[1] - 1))

    windows = [np.arange(33, 38), np.arange(33, 36), np.arange(33, 36)]
    found = evaluate(by_length, windows, "grid")
    assert found.nll_per_token == pytest.approx((4 * 4 + 2 * 2 * 2) / 8)


def test_every_so_many_windows_are_taken_and_told(tmp_path: Path) -> None:
    write_song(tmp_path / "a.mid", 100)
    windows = study_windows(tmp_path)
    told: list[int] = []
    found = evaluate(even, windows, "grid", every=10, batch=4, advance=told.append)
    assert found.windows == -(-len(windows) // 10) == told[-1]
    assert found.windows_in_all == len(windows)


@pytest.mark.parametrize("architecture", TINY)
def test_a_checkpoint_and_its_model_file_agree(tmp_path: Path, architecture: str) -> None:
    write_checkpoint(tmp_path / "best.pt", architecture)
    export_checkpoint(tmp_path / "best.pt", tmp_path / "model.onnx", Label("tiny"))
    windows = np.random.default_rng(0).integers(0, 153, (2, 60))
    torch_nll, onnx_nll = (load_scorer(tmp_path / name).score(windows) for name in ("best.pt", "model.onnx"))
    assert torch_nll.shape == onnx_nll.shape == (2, 59)
    np.testing.assert_allclose(torch_nll, onnx_nll, atol=1e-4)


def test_the_command_prints_what_a_stranger_can_check(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "best.pt", "transformer")
    write_song(tmp_path / "a.mid", 100)
    add_commands(app)
    result = CliRunner().invoke(
        app, ["evaluate", str(tmp_path / "best.pt"), str(tmp_path), "--protocol", "study", "--every", "20", "--json"]
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["protocol"], found["windows"], found["windows_in_all"]) == ("study", 5, 92)
    assert 4 < found["nll_per_token"] < 12
    assert found["nll_per_note"] > found["nll_per_token"]


def test_whole_pieces_are_cut_so_that_each_token_is_foretold_once(tmp_path: Path) -> None:
    write_song(tmp_path / "a.mid", 800)
    (tmp_path / "manifest.csv").write_text("file,split\na.mid,valid\n")
    for codec in ("grid", "performance"):
        windows = piece_windows(tmp_path, codec, print)
        assert all(one[-1] == other[0] for one, other in pairwise(windows))
        assert {len(window) for window in windows[:-1]} == {1025}


def test_chorales_are_four_tokens_a_sixteenth(tmp_path: Path) -> None:
    (tmp_path / "jsb16.json").write_text(json.dumps({"valid": [[[60, 55, 52, -1], [60, 55, 53, 48]]], "train": []}))
    (window,) = chorale_windows(tmp_path)
    assert window.tolist() == [60, 55, 52, 128, 60, 55, 53, 48]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--protocol", "stduy"], "allowed: study, pieces, chorales"),
        (["--protocol", "chorales"], "is for the codec chorales; the model speaks 'grid'"),
    ],
)
def test_a_protocol_that_does_not_fit_is_named(tmp_path: Path, options: list[str], problem: str) -> None:
    write_checkpoint(tmp_path / "best.pt", "lstm")
    add_commands(app)
    result = CliRunner().invoke(app, ["evaluate", str(tmp_path / "best.pt"), str(tmp_path), *options])
    assert isinstance(result.exception, AntiphonError)
    assert problem in str(result.exception)


def test_a_folder_without_music_is_named(tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match=r"has no \.mid files"):
        study_windows(tmp_path)
    with pytest.raises(AntiphonError, match="nothing to evaluate"):
        evaluate(even, [], "grid")
