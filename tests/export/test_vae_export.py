"""A VAE's model file: its two halves compute what PyTorch does, and it says what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from tiny_models import write_checkpoint
from tiny_vaes import SETTINGS, music, tiny_vae, write_vae
from typer.testing import CliRunner

from antiphon.errors import AntiphonError
from antiphon.rolls.model import load_roll_model
from antiphon_export.bench.figures import Figure, Unmeasured
from antiphon_export.bench.vae_times import vae_halves
from antiphon_export.exporting.command import export
from antiphon_export.exporting.graph import PRECISIONS, Precision
from antiphon_export.exporting.model_file import Label
from antiphon_export.vae import model_file
from antiphon_export.vae.model_file import Parity, export_vae, vae_parity

LABEL = Label("tiny", "3", "CC0")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_vae(tmp_path / "best.pt")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_file_computes_what_pytorch_does(tmp_path: Path, checkpoint: Path, precision: Precision) -> None:
    out = tmp_path / "tiny.onnx"
    export_vae(checkpoint, out, LABEL, precision=precision)
    parity = vae_parity(checkpoint, out, windows=8)
    if precision == "int8":  # its products are of integers, which PyTorch here has not
        assert parity.computing < 0.5
        return
    assert parity.is_rounding
    assert parity.storing <= (1e-4 if precision == "float32" else 0.05)
    assert precision == "float32" or parity.storing > parity.computing


def test_each_half_of_the_file_is_that_of_the_model(tmp_path: Path, checkpoint: Path) -> None:
    export_vae(checkpoint, tmp_path / "tiny.onnx", LABEL)
    file, model = load_roll_model(tmp_path / "tiny.onnx", device="cpu"), tiny_vae()
    (roll,) = music(1)
    with torch.inference_mode():
        mean = model.encode(torch.from_numpy(roll[None]))[0]
        decoded = model.decode(mean)
    assert np.allclose(file.encode(roll), mean[0].numpy(), atol=1e-4)
    assert np.allclose(file.decode(mean[0].numpy()), decoded[0].numpy(), atol=1e-4)


def test_the_file_says_what_it_is(tmp_path: Path, checkpoint: Path) -> None:
    card = export_vae(checkpoint, tmp_path / "tiny.onnx", LABEL, precision="float16")
    assert (card.name, card.version, card.licences, card.precision) == ("tiny", "3", "CC0", "float16")
    assert (card.architecture, card.codec, card.codec_version) == ("vae", "roll", 1)
    assert (card.steps, card.latent) == (SETTINGS["steps"], SETTINGS["latent"])
    assert card.parameters == sum(weight.numel() for weight in tiny_vae().parameters())
    assert card.directions["register"] == (0.25,) * 12
    assert card.corpora == ("scales",)


def test_a_checkpoint_of_another_kind_is_refused(tmp_path: Path) -> None:
    other = write_checkpoint(tmp_path / "other.pt", "lstm")
    with pytest.raises(AntiphonError, match="holds a lstm; wanted: a vae"):
        export_vae(other, tmp_path / "tiny.onnx", LABEL)
    broken = write_vae(tmp_path / "broken.pt", settings={**SETTINGS, "hidden": 15})
    with pytest.raises(AntiphonError, match="do not fit its settings"):
        export_vae(broken, tmp_path / "tiny.onnx", LABEL)


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path, checkpoint: Path) -> None:
    with pytest.raises(AntiphonError, match="cannot be written"):
        export_vae(checkpoint, tmp_path / "nowhere" / "tiny.onnx", LABEL)


def test_both_halves_are_timed(tmp_path: Path, checkpoint: Path) -> None:
    export_vae(checkpoint, tmp_path / "tiny.onnx", LABEL)
    rows = vae_halves(tmp_path / "bench", 2, 3, 2, tmp_path / "tiny.onnx")
    figures = [row for row in rows if isinstance(row, Figure)]
    assert [(row.count, [target.limit for target in row.targets]) for row in figures] == [(6, [5]), (6, [3]), (2, [])]
    assert all(row.values["max"] > 0 for row in figures)


def test_what_is_not_there_is_not_timed(tmp_path: Path) -> None:
    (row,) = vae_halves(tmp_path, 2, 3, 2, tmp_path / "none.onnx")
    assert isinstance(row, Unmeasured)


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(export)
    return app


def test_the_command_refuses_a_file_that_computes_something_else(
    tmp_path: Path, checkpoint: Path, app: typer.Typer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_file, "vae_parity", lambda *_: Parity(0.1, 0.1))
    result = CliRunner().invoke(app, [str(checkpoint), "-o", str(tmp_path / "tiny.onnx")])
    assert "means and rolls differ by at most 1.0e-01" in result.output
    assert isinstance(result.exception, AntiphonError)
    assert "does not compute what its checkpoint does" in str(result.exception)
    eight_bits = CliRunner().invoke(app, [str(checkpoint), "-o", str(tmp_path / "tiny.onnx"), "--precision", "int8"])
    assert eight_bits.exit_code == 0, "there, products are of integers"


def test_the_command_exports_a_vae_as_it_does_a_model_of_tokens(
    tmp_path: Path, checkpoint: Path, app: typer.Typer
) -> None:
    out = tmp_path / "tiny.onnx"
    result = CliRunner().invoke(app, [str(checkpoint), "-o", str(out), "--precision", "float16", "--name", "rolls"])
    assert result.exit_code == 0, result.output
    assert "parameters in float16" in result.output
    assert "against PyTorch: means and rolls differ by at most" in result.output
    assert load_roll_model(out, device="cpu").card.name == "rolls"
