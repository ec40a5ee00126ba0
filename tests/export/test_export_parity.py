"""A model file computes what PyTorch computes, however it is fed and rewound, and wherever its buffers are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny_models import ARCHITECTURES, WINDOW, write_checkpoint
from torch import nn

from antiphon.models.card import ModelCard
from antiphon.models.loading import load_model
from antiphon.models.onnx_session import open_session
from antiphon.models.recurrent_model import RecurrentModel
from antiphon.models.ring_model import RingModel
from antiphon.models.step_model import StepModel
from antiphon_export.exporting.graph import Precision
from antiphon_export.exporting.model_file import Label, export_checkpoint
from antiphon_export.exporting.parity import TOLERANCE, check_parity, reference_logits
from antiphon_export.training.architectures import restored_model
from antiphon_export.training.run_folder import load_checkpoint

REWIND, CHUNK = 20, 8
RINGS = ("transformer", "study-transformer")


@pytest.fixture(scope="module", params=ARCHITECTURES)
def architecture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name in ARCHITECTURES:
        write_checkpoint(folder / f"{name}.pt", name)
        export(folder, name)
    return folder


def export(folder: Path, name: str, precision: Precision = "float32") -> ModelCard:
    out = folder / f"{name}-{precision}.onnx"
    return export_checkpoint(folder / f"{name}.pt", out, Label(name), precision=precision, rewind=REWIND, chunk=CHUNK)


def loaded(folder: Path, name: str, precision: Precision = "float32") -> StepModel:
    return load_model(folder / f"{name}-{precision}.onnx", device="cpu")


def reference(folder: Path, name: str) -> nn.Module:
    return restored_model(load_checkpoint(folder / f"{name}.pt"))


def logits(model: nn.Module, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
    """[T, V], read at once, with the window."""
    return reference_logits(model, tokens, WINDOW)


def music(length: int, seed: int = 1) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(153, size=length)


def test_it_equals_pytorch_over_a_thousand_steps(folder: Path, architecture: str) -> None:
    parity = check_parity(reference(folder, architecture), loaded(folder, architecture))
    assert parity.steps == 1000
    assert parity.rewinds == 50
    assert parity.largest_difference <= TOLERANCE
    assert parity.mean_divergence < 1e-9


def test_it_equals_pytorch_with_its_buffers_apart(folder: Path, architecture: str) -> None:
    here = loaded(folder, architecture)
    session = open_session(here.card.path, "cpu", apart=True)
    apart = RingModel(session, here.card) if here.card.capacity else RecurrentModel(session, here.card)
    assert check_parity(reference(folder, architecture), apart, steps=200).largest_difference < TOLERANCE


def test_a_difference_is_noticed(folder: Path, architecture: str) -> None:
    other = reference(folder, architecture)
    with torch.no_grad():
        next(other.parameters())[:, 0] += 0.05
    parity = check_parity(other, loaded(folder, architecture), steps=100)
    assert parity.largest_difference > 10 * TOLERANCE
    assert parity.mean_divergence > 1e-6


def test_however_tokens_are_divided_the_logits_are_the_same(folder: Path, architecture: str) -> None:
    tokens = music(150)
    expected = logits(reference(folder, architecture), tokens)
    model = loaded(folder, architecture)
    for lengths in ([150], [1] * 150, [7, 1, 64, 3, 75], [149, 1]):
        model.rewind(0)
        end = 0
        for length in lengths:
            last = model.feed(tokens[end : end + length])
            end += length
            assert np.abs(last - expected[end - 1]).max() < TOLERANCE
        assert model.position == 150


def test_all_logits_are_those_of_single_steps_in_an_array_of_their_own(folder: Path, architecture: str) -> None:
    tokens = music(40)
    model = loaded(folder, architecture)
    together = model.feed_all(tokens)
    kept = together.copy()
    model.rewind(0)
    singly = np.array([model.feed(tokens[index : index + 1]).copy() for index in range(40)])
    assert together.shape == (40, 153)
    assert np.abs(together - singly).max() < TOLERANCE
    assert np.array_equal(together, kept)


def test_the_earliest_position_still_sees_all_that_it_should(folder: Path, architecture: str) -> None:
    tokens = music(2000)
    expected = logits(reference(folder, architecture), tokens)
    model = loaded(folder, architecture)
    model.feed(tokens[:1990])
    for _ in range(3):
        earliest = model.earliest
        model.rewind(earliest)
        assert model.earliest == earliest
        with pytest.raises(ValueError, match="allowed: 0, and"):
            model.rewind(earliest - 1)
        assert (
            np.abs(model.feed(tokens[earliest : earliest + CHUNK]) - expected[earliest + CHUNK - 1]).max() < TOLERANCE
        )
        got = model.feed_all(tokens[model.position : 1995])
        assert np.abs(got - expected[earliest + CHUNK : 1995]).max() < TOLERANCE


@pytest.mark.parametrize("name", RINGS)
def test_a_ring_can_be_rewound_by_what_was_asked_for(folder: Path, name: str) -> None:
    model = loaded(folder, name)
    assert model.card.capacity == WINDOW + REWIND - 1
    model.feed(music(500))
    assert model.earliest <= 500 - REWIND
    assert model.earliest == 500 - model.card.capacity + WINDOW - 1


def test_what_was_rewound_leaves_no_trace(folder: Path, architecture: str) -> None:
    tokens = music(80)
    model = loaded(folder, architecture)
    model.feed(tokens)
    for place in (70, 60, 0):
        model.rewind(place)
        model.feed(music(10, seed=place + 2))
        model.rewind(place)
        expected = logits(reference(folder, architecture), tokens[: place + 3])[-1]
        assert np.abs(model.feed(tokens[place : place + 3]) - expected).max() < TOLERANCE
        model.rewind(place)


@pytest.mark.parametrize("name", RINGS)
def test_it_plays_on_without_end(folder: Path, name: str) -> None:
    reach = 3 * WINDOW  # layers times window: nothing before matters
    tokens = music(20_000)
    model = loaded(folder, name)
    model.feed(tokens[:-20])
    got = model.feed_all(tokens[-20:])
    expected = logits(reference(folder, name), tokens[-20 - reach :])[-20:]
    assert np.abs(got - expected).max() < 10 * TOLERANCE


@pytest.mark.parametrize(("precision", "divergence"), [("float16", 1e-4), ("int8", 0.02)])
def test_smaller_weights_lose_little(folder: Path, architecture: str, precision: Precision, divergence: float) -> None:
    card = export(folder, architecture, precision)
    assert card.precision == precision
    assert card.path.stat().st_size < (folder / f"{architecture}-float32.onnx").stat().st_size
    parity = check_parity(reference(folder, architecture), loaded(folder, architecture, precision), steps=300)
    # Rounding, of logits that are as far apart as only such small models have them.
    assert 0 < parity.mean_divergence < divergence
