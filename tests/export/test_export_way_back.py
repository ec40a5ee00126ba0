"""A model file gives back the weights it was exported from, so that it can be trained on."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch
from tiny_models import ARCHITECTURES, write_checkpoint
from torch import Tensor

from antiphon.errors import AntiphonError
from antiphon.models.card import ModelError
from antiphon.models.loading import load_model
from antiphon_export.exporting.graph import PRECISIONS, Precision
from antiphon_export.exporting.model_file import Label, export_checkpoint
from antiphon_export.exporting.parity import check_parity
from antiphon_export.exporting.way_back import read_model_file
from antiphon_export.training.architectures import restored_model
from antiphon_export.training.run_folder import load_checkpoint


@pytest.fixture(params=ARCHITECTURES)
def checkpoint(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "best.pt", request.param)


def exported(checkpoint: Path, precision: Precision = "float32") -> Path:
    out = checkpoint.with_name(f"{precision}.onnx")
    export_checkpoint(checkpoint, out, Label("toy"), precision=precision, rewind=20, chunk=8)
    return out


def summed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """`weights` with the two biases of an LSTM's cell, which nothing tells apart, in the first."""
    summed = dict(weights)
    for name in weights:
        if "bias_hh" in name:
            other = name.replace("hh", "ih")
            summed[other] = weights[name] + weights[other]
            summed[name] = torch.zeros_like(weights[name])
    return summed


def tolerance(weight: Tensor, precision: Precision) -> Tensor:
    """How far each number of `weight` may be off: half a step of its precision, and rounding."""
    rounding = weight.abs() * 2e-7
    if precision == "float32" or weight.ndim == 1:
        return rounding
    if precision == "float16":
        return weight.abs() * 2**-11 + 2**-22 + rounding  # the second for numbers that 16 bits have few steps for
    return weight.abs().max() / 127 / 2 * 1.1 + rounding  # a cell's two matrices share scales


@pytest.mark.parametrize("precision", PRECISIONS)
def test_weights_come_back_as_near_as_their_precision_kept_them(checkpoint: Path, precision: Precision) -> None:
    content = load_checkpoint(checkpoint)
    again = read_model_file(exported(checkpoint, precision))
    assert (again["architecture"], again["codec"]) == (content["architecture"], "grid")
    assert again["settings"] == {name: value for name, value in content["settings"].items() if name != "dropout"}
    expected = summed(content["model"])
    assert again["model"].keys() == expected.keys()
    for name, weight in again["model"].items():
        off = (weight - expected[name]).abs() - tolerance(expected[name], precision)
        assert off.max() <= 0, name


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_model_of_them_computes_what_the_file_computes(checkpoint: Path, precision: Precision) -> None:
    out = exported(checkpoint, precision)
    parity = check_parity(restored_model(read_model_file(out)), load_model(out, device="cpu"), steps=100)
    assert parity.is_rounding


def test_of_an_embedding_in_eight_and_in_sixteen_bits_the_sixteen_come_back(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "best.pt", "transformer")
    out = exported(checkpoint, "int8")
    assert {"embedding.weight", "embedding.weight.codes"} <= {
        weight.name for weight in onnx.load(out).graph.initializer
    }
    again = read_model_file(out)["model"]["embedding.weight"]
    assert torch.equal(again, load_checkpoint(checkpoint)["model"]["embedding.weight"].half().float())


def test_equal_weights_keep_their_names_and_equal_sizes_are_stored_once(tmp_path: Path) -> None:
    model = load_checkpoint(write_checkpoint(tmp_path / "first.pt", "transformer"))["model"]
    for name in ("blocks.0.attention_norm.weight", "blocks.1.attention_norm.weight"):
        model[name] = torch.ones_like(model[name])
    out = exported(write_checkpoint(tmp_path / "best.pt", "transformer", model=model))
    constants = {constant.name: constant.raw_data for constant in onnx.load(out).graph.initializer}
    nameless = [content for name, content in constants.items() if name not in model]
    assert constants["blocks.0.attention_norm.weight"] == constants["blocks.1.attention_norm.weight"]
    assert len(set(nameless)) == len(nameless)


def test_a_file_that_does_not_name_its_weights_is_refused(checkpoint: Path) -> None:
    out = exported(checkpoint)
    model = onnx.load(out)
    numbers = {constant.name: f"constant_{number}" for number, constant in enumerate(model.graph.initializer)}
    for constant in model.graph.initializer:
        constant.name = numbers[constant.name]
    for node in model.graph.node:
        node.input[:] = [numbers.get(name, name) for name in node.input]
    onnx.save(model, out)
    assert load_model(out, device="cpu").card.name == "toy", "it plays"
    with pytest.raises(AntiphonError, match=r"float32\.onnx' was exported by an earlier version.*cannot be trained on"):
        read_model_file(out)


def test_what_is_no_model_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "toy.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="truncated, or no ONNX model"):
        read_model_file(tmp_path / "toy.onnx")
