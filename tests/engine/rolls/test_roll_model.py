"""A model of piano rolls from its file: what it computes, what it does not, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from model_files import METADATA as TOKEN_METADATA
from model_files import write_model
from toy_roll_model import CLEAR, LATENT, METADATA, STEPS, write_toy_vae

from antiphon.models.card import ModelError, RollCard, read_any_card, read_card, read_roll_card
from antiphon.models.onnx_session import computes_with_cuda, open_session
from antiphon.notes import Note
from antiphon.rolls.model import RollModel, load_roll_model
from antiphon.rolls.roll import notes_of, roll_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_toy_vae(tmp_path / "toy.onnx")


def test_a_roll_is_encoded_and_its_code_is_decoded(file: Path) -> None:
    model = load_roll_model(file)
    notes = [Note(0, 60, 240, 64), Note(480, 64, 120, 64)]
    code = model.encode(roll_of(notes, 0, STEPS))
    assert code.shape == (LATENT,)
    assert [(n.start_ticks, n.pitch, n.length_ticks) for n in notes_of(model.decode(code), 0)] == [
        (0, 60, 240),
        (480, 64, 120),
    ]
    assert model.runs_on == "cpu (model toy, float32)"


def test_what_comes_out_is_not_written_over_by_the_next_run(file: Path) -> None:
    model = load_roll_model(file)
    empty = np.zeros((STEPS, 3, 88), np.float32)
    first = model.encode(empty)
    model.encode(empty + 1)
    assert not first.any()


def test_one_half_does_not_mind_what_the_other_was_given(file: Path) -> None:
    model = load_roll_model(file)
    nothing = np.full(LATENT, np.nan, np.float32)
    with pytest.raises(ModelError, match="computed a value that is no number"):
        model.decode(nothing)
    assert np.isfinite(model.encode(np.zeros((STEPS, 3, 88), np.float32))).all()


def test_it_is_the_same_where_buffers_lie_apart(file: Path) -> None:
    here, apart = load_roll_model(file), RollModel(open_session(file, "cpu", apart=True), read_roll_card(file))
    code = np.linspace(-CLEAR, CLEAR, LATENT, dtype=np.float32)
    assert (here.decode(code) == apart.decode(code)).all()


def test_directions_are_those_of_the_card(file: Path) -> None:
    model = load_roll_model(file)
    assert model.direction("loudness").any()
    assert not model.direction("sadness").any()
    assert model.direction("sadness").shape == (LATENT,)


def test_a_model_that_computes_nonsense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"toy\.onnx' computed a value that is no number; .* earlier checkpoint"):
        load_roll_model(write_toy_vae(tmp_path / "toy.onnx", gain=float("nan")))


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"steps": "16"}, "input 'roll' is .1, 32, 3, 88., wanted .1, 16, 3, 88."),
        ({"latent": "7"}, "input 'z' is .1, 8448., wanted .1, 7."),
        ({"codec_version": "2"}, "speaks version 2 of the codec roll; this Antiphon speaks 1"),
        ({"steps": "many"}, "damaged metadata"),
    ],
)
def test_metadata_that_are_not_true_are_refused(tmp_path: Path, changed: dict[str, str], problem: str) -> None:
    file = write_toy_vae(tmp_path / "toy.onnx", METADATA | changed)
    with pytest.raises(ModelError, match=problem):
        load_roll_model(file)


def test_a_direction_of_another_size_is_refused(tmp_path: Path) -> None:
    file = write_toy_vae(tmp_path / "toy.onnx", directions={"density": [1.0, 2.0]})
    with pytest.raises(ModelError, match="a direction 'density' of 2 numbers, its codes have 8448"):
        load_roll_model(file)


def test_a_graph_without_an_output_is_refused(tmp_path: Path) -> None:
    import onnx

    file = write_toy_vae(tmp_path / "toy.onnx")
    model = onnx.load(file)
    del model.graph.output[0]
    onnx.save(model, file)
    with pytest.raises(ModelError, match="output 'mean' is missing"):
        load_roll_model(file)


def test_cuda_is_used_only_where_it_is_asked_for_and_works(file: Path) -> None:
    if computes_with_cuda():
        assert load_roll_model(file, device="cuda").runs_on.startswith("cuda")
        return
    assert load_roll_model(file, device="auto").runs_on.startswith("cpu")
    with pytest.raises(ModelError, match="choose the device 'cpu'"):
        load_roll_model(file, device="cuda")


def test_a_card_of_rolls_and_a_card_of_tokens_are_told_apart(file: Path, tmp_path: Path) -> None:
    card = read_any_card(file)
    assert isinstance(card, RollCard)
    assert (card.name, card.steps, card.latent, sorted(card.directions)) == (
        "toy",
        STEPS,
        LATENT,
        ["density", "loudness", "register"],
    )
    tokens = write_model(tmp_path / "tokens.onnx", TOKEN_METADATA)
    assert read_any_card(tokens) == read_card(tokens)
    with pytest.raises(ModelError, match=r"toy\.onnx' is a vae, which reads no tokens"):
        read_card(file)
    with pytest.raises(ModelError, match=r"tokens\.onnx' is a transformer of tokens; wanted: a model of piano rolls"):
        read_roll_card(tokens)


@pytest.mark.parametrize("directions", ["[1, 2]", '{"density": 3}', "{", '{"density": ["much"]}'])
def test_directions_that_make_no_sense_are_refused(tmp_path: Path, directions: str) -> None:
    file = write_model(tmp_path / "toy.onnx", METADATA | {"directions": directions})
    with pytest.raises(ModelError, match="damaged metadata"):
        read_roll_card(file)
