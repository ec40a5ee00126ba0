"""From a model file to a player; no model is run here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from model_files import METADATA, write_model
from toy_models import ToyModel

from antiphon.generator import Casting, Device, GeneratorInfo, Request
from antiphon.models.card import ModelError, read_card
from antiphon.models.step_model import StepModel
from antiphon.notes import Note, Phrase
from antiphon.plugins.models import with_model_file
from antiphon.tokens import making
from antiphon.tokens.codec import Codec
from antiphon.tokens.codecs import codec_named
from antiphon.tokens.making import make_token_player

GRID = METADATA | {"codec": "grid", "vocabulary": "153", "architecture": "lstm"}
HEARD = Phrase.of([Note(240 * index, 60 + index % 5, 200, 80) for index in range(8)])


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Codec, Device]]:
    """Every model is a toy; returns which were asked for."""
    loaded = []

    def load(path: Path, *, device: Device) -> StepModel:
        card = read_card(path)
        codec = codec_named(card.codec)
        loaded.append((path, codec, device))
        toy = ToyModel(codec)
        toy.card = replace(toy.card, codec_version=card.codec_version, vocabulary=card.vocabulary)
        return toy

    monkeypatch.setattr(making, "load_model", load)
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


def test_it_beats_with_every_run_of_its_model(tmp_path: Path) -> None:
    beats: list[None] = []
    casting = Casting(0, beat=lambda: beats.append(None))
    player = make_token_player(casting, write_model(tmp_path / "own.onnx"), "performance")
    assert not beats
    player.prime(HEARD)
    heard = len(beats)
    player.extend(Request(HEARD.end_ticks, 7680))
    assert 0 < heard < len(beats)


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


def test_a_model_is_found_by_name_and_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    wind = GeneratorInfo("wind", "plays", models=tmp_path)
    with pytest.raises(ModelError, match=r"there is no model file '.*gone\.onnx'"):
        with_model_file(Casting(0, str(tmp_path / "gone.onnx")), wind)
    with pytest.raises(ModelError, match="no model 'gone'"):
        with_model_file(Casting(0, "gone"), wind)
    own = Casting(0)
    assert with_model_file(own, wind) is own
    table = Casting(0, "a table")
    assert with_model_file(table, replace(wind, models=None)) is table, "what is no model is the generator's to find"
    found = with_model_file(Casting(0, "grid-lstm"), wind).model
    assert found is not None
    assert Path(found).is_file()


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ({"codec_version": "9"}, r"performance \(version 9\); wanted: performance \(version 1\)"),
        ({"vocabulary": "153"}, "has 153 tokens; the codec performance has 388"),
    ],
)
def test_a_model_with_another_version_or_vocabulary_is_refused(
    tmp_path: Path, metadata: dict[str, str], problem: str
) -> None:
    other = write_model(tmp_path / "other.onnx", METADATA | metadata)
    with pytest.raises(ModelError, match=problem):
        make_token_player(Casting(0, str(other)), other, "performance")
