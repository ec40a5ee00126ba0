"""Making a model file: its card, its command, and the mistakes that are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
import typer
from tiny_models import ARCHITECTURES, WINDOW, write_checkpoint
from typer.testing import CliRunner

from antiphon.errors import AntiphonError
from antiphon.models.card import ModelError
from antiphon.models.loading import load_model
from antiphon_export.exporting import command, parity
from antiphon_export.exporting.graph import OPSET, in_blocks
from antiphon_export.exporting.model_file import Label, export_checkpoint


@pytest.fixture(params=ARCHITECTURES)
def checkpoint(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "best.pt", request.param)


def rewrite(path: Path, **metadata: str) -> None:
    """Change what a model file says of itself."""
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {entry.key: entry.value for entry in model.metadata_props} | metadata)
    onnx.save(model, path)


def test_the_card_tells_what_the_checkpoint_knows(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "best.pt", "study-transformer")
    out = tmp_path / "toy.onnx"
    card = export_checkpoint(checkpoint, out, Label("toy", "7", "CC0"), precision="float16", rewind=30, chunk=16)
    assert (card.name, card.version, card.licences, card.path) == ("toy", "7", "CC0", out)
    assert (card.architecture, card.codec, card.codec_version, card.vocabulary) == ("study-transformer", "grid", 1, 153)
    assert (card.window, card.capacity, card.chunk) == (WINDOW, WINDOW + 30 - 1, 16)
    assert (card.layers, card.heads, card.head_size, card.distances, card.rotary_base) == (3, 4, 8, 10, 0)
    assert (card.corpora, card.validation_nll, card.precision) == (("scales",), 2.5, "float16")
    weights = torch.load(checkpoint, weights_only=True)["model"].values()
    assert card.parameters == sum(weight.numel() for weight in weights)


def test_the_file_is_sound_onnx_without_anybody_s_own_operators(checkpoint: Path, tmp_path: Path) -> None:
    export_checkpoint(checkpoint, tmp_path / "toy.onnx", Label("toy"))
    model = onnx.load(tmp_path / "toy.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", OPSET)]


def test_the_same_checkpoint_gives_the_same_bytes(checkpoint: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        export_checkpoint(checkpoint, tmp_path / f"{name}.onnx", Label("toy"), precision="int8")
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()


def test_a_checkpoint_without_validation_has_no_nll(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "last.pt", "lstm", validation_nll=float("nan"))
    assert np.isnan(export_checkpoint(checkpoint, tmp_path / "toy.onnx", Label("toy")).validation_nll)


def test_eight_bits_are_off_by_half_a_step_at_most() -> None:
    weight = np.random.default_rng(0).normal(size=(5, 100)).astype(np.float32)
    codes, scales = in_blocks(weight)
    assert (codes.shape, scales.shape) == ((5, 2, 64), (10,))
    values = (codes.astype(np.float32) - 128) * scales.reshape(5, 2, 1)
    assert np.abs(values.reshape(5, 128)[:, :100] - weight).max() <= scales.max() / 2 * 1.001
    assert not values.reshape(5, 128)[:, 100:].any()


def test_a_row_of_zeros_stays_zero() -> None:
    codes, scales = in_blocks(np.zeros((2, 64), np.float32))
    assert (codes == 128).all()
    assert np.isfinite(scales).all()


@pytest.mark.parametrize("options", [{"rewind": -1}, {"chunk": 0}])
def test_sizes_that_make_no_sense_are_refused(tmp_path: Path, options: dict[str, int]) -> None:
    with pytest.raises(AntiphonError, match="allowed: at least 0 and at least 1"):
        export_checkpoint(tmp_path / "best.pt", tmp_path / "toy.onnx", Label("toy"), **options)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "best.pt", "lstm", model={"wide.weight": torch.zeros(3, 3)})
    with pytest.raises(AntiphonError, match="weights do not fit its settings"):
        export_checkpoint(checkpoint, tmp_path / "toy.onnx", Label("toy"))


def test_a_place_that_cannot_be_written_is_named(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match=r"nowhere/toy\.onnx.*cannot be written.*--out"):
        export_checkpoint(checkpoint, tmp_path / "nowhere" / "toy.onnx", Label("toy"))


def test_a_file_that_does_not_hold_what_it_says_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "toy.onnx"
    export_checkpoint(checkpoint, out, Label("toy"))
    rewrite(out, head_size="48")
    with pytest.raises(ModelError, match="does not hold what its metadata say"):
        load_model(out, device="cpu")


def test_a_ring_that_is_too_small_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "toy.onnx"
    export_checkpoint(write_checkpoint(tmp_path / "best.pt", "transformer"), out, Label("toy"), rewind=0)
    load_model(out, device="cpu")
    rewrite(out, window=str(WINDOW + 1))
    with pytest.raises(ModelError, match="does not hold what its metadata say"):
        load_model(out, device="cpu")


def test_a_truncated_file_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "toy.onnx"
    export_checkpoint(checkpoint, out, Label("toy"))
    out.write_bytes(out.read_bytes()[:-2000])
    with pytest.raises(ModelError, match=r"toy\.onnx' is truncated"):
        load_model(out, device="cpu")


def test_a_model_that_computes_nonsense_says_so(tmp_path: Path) -> None:
    for architecture in ARCHITECTURES:
        checkpoint = write_checkpoint(tmp_path / "best.pt", architecture)
        content = torch.load(checkpoint, weights_only=True)
        content["model"]["embedding.weight"][7] = torch.nan
        torch.save(content, checkpoint)
        export_checkpoint(checkpoint, tmp_path / "toy.onnx", Label("toy"))
        model = load_model(tmp_path / "toy.onnx", device="cpu")
        if architecture != "transformer":  # there the damaged row is also the logit of its token
            assert np.isfinite(model.feed(np.array([3, 4]))).all()
        with pytest.raises(ModelError, match=r"toy\.onnx' computed nan"):
            model.feed(np.array([7]))


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command("export")(command.export)
    return app


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_command_exports_and_compares(checkpoint: Path, tmp_path: Path, app: typer.Typer, precision: str) -> None:
    out = tmp_path / "grid.onnx"
    options = [str(checkpoint), "-o", str(out), "--precision", precision, "--steps", "100", "--rewind", "40"]
    result = CliRunner().invoke(app, [*options, "--model-version", "2", "--licences", "CC0"])
    assert result.exit_code == 0, result.output
    assert f"parameters in {precision}" in result.output
    assert "against PyTorch, over 1" in result.output
    card = load_model(out, device="cpu").card
    assert (card.name, card.version, card.licences, card.precision) == ("grid", "2", "CC0", precision)
    assert card.corpora == ("scales",)


def test_the_command_fails_if_the_file_computes_something_else(
    checkpoint: Path, tmp_path: Path, app: typer.Typer, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = parity.reference_logits
    monkeypatch.setattr(parity, "reference_logits", lambda *arguments: exact(*arguments) + 0.01)
    result = CliRunner().invoke(app, [str(checkpoint), "-o", str(tmp_path / "toy.onnx"), "--steps", "50"])
    assert isinstance(result.exception, AntiphonError)
    assert "does not compute what its checkpoint does" in str(result.exception)


def test_the_command_refuses_an_unknown_precision(checkpoint: Path, tmp_path: Path, app: typer.Typer) -> None:
    result = CliRunner().invoke(app, [str(checkpoint), "-o", str(tmp_path / "toy.onnx"), "--precision", "int4"])
    assert "precision is 'int4'; allowed: float32, float16, int8" in str(result.exception)


def test_the_command_refuses_what_is_no_checkpoint(tmp_path: Path, app: typer.Typer) -> None:
    (tmp_path / "best.pt").write_bytes(b"not a zip")
    result = CliRunner().invoke(app, [str(tmp_path / "best.pt"), "-o", str(tmp_path / "toy.onnx")])
    assert isinstance(result.exception, AntiphonError)
    assert "is no checkpoint" in str(result.exception)
