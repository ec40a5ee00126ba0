"""From a model file to a player; no model is run here."""

from __future__ import annotations

from pathlib import Path

import pytest
from model_files import METADATA, write_model
from toy_models import ToyModel

from antiphon import token_player
from antiphon.codec import Codec
from antiphon.generator import Casting, Device, Request
from antiphon.model_card import ModelError
from antiphon.notes import Note, Phrase
from antiphon.token_player import make_token_player

GRID = METADATA | {"codec": "grid", "vocabulary": "153", "architecture": "lstm"}
HEARD = Phrase.of([Note(240 * index, 60 + index % 5, 200, 80) for index in range(8)])


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Codec, Device]]:
    """Every model is a toy; returns which were asked for."""
    loaded = []

    def load(path: Path, *, device: Device, codec: Codec) -> ToyModel:
        loaded.append((path, codec, device))
        return ToyModel(codec)

    monkeypatch.setattr(token_player, "load_model", load)
    return loaded


def test_without_a_model_in_the_preset_it_plays_its_own(tmp_path: Path, toys: list[tuple[Path, Codec, Device]]) -> None:
    own = write_model(tmp_path / "own.onnx")
    player = make_token_player(Casting(0), own, "performance")
    player.prime(HEARD)
    notes = player.extend(Request(HEARD.end_ticks, 7680, tempo_bpm=150.0)).notes
    assert notes
    assert all(note.start_ticks % 12 == 0 for note in notes), "10 ms at 150 bpm"
    ((path, codec, device),) = toys
    assert (path, codec.name, device) == (own, "performance", "auto")


def test_a_model_is_chosen_by_path_whatever_its_architecture(
    tmp_path: Path, toys: list[tuple[Path, Codec, Device]]
) -> None:
    other = write_model(tmp_path / "other.onnx", GRID)
    player = make_token_player(Casting(0, str(other), device="cpu"), tmp_path / "own.onnx", "grid")
    player.prime(HEARD)
    notes = player.extend(Request(HEARD.end_ticks, 3840)).notes
    assert len({note.velocity for note in notes}) > 1, "the grid tells no loudness"
    ((path, codec, device),) = toys
    assert (path, codec.name, device) == (other, "grid", "cpu")
    assert player.runs_on == "toy (model toy, float32)"


def test_a_model_of_another_codec_is_refused_with_the_generator_that_plays_it(tmp_path: Path) -> None:
    other = write_model(tmp_path / "other.onnx", GRID)
    casting = Casting(0, str(other))
    with pytest.raises(ModelError) as caught:
        make_token_player(casting, tmp_path / "own.onnx", "performance", {"grid": "bells", "performance": "wind"})
    assert str(caught.value) == (
        f"model '{other}' speaks the codec 'grid', this generator 'performance': choose the generator 'bells' for it"
    )
    with pytest.raises(ModelError, match=r"'performance'$"):
        make_token_player(casting, tmp_path / "own.onnx", "performance")


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no model file '.*gone\.onnx'"):
        make_token_player(Casting(0, str(tmp_path / "gone.onnx")), tmp_path / "own.onnx", "grid")
    with pytest.raises(ModelError, match="no model 'gone'"):
        make_token_player(Casting(0, "gone"), tmp_path / "own.onnx", "grid")
