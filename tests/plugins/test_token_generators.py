"""The Transformers and the LSTM as the host sees them, with real model files: tiny ones, and those that are shipped."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.generator import Casting, GeneratorInfo, MakeGenerator, Request
from antiphon.models.card import read_card
from antiphon.models.loading import load_model
from antiphon.notes import Note, Phrase
from antiphon.plugins.host import load_plugins
from antiphon.testing import check_generator, sample_phrases, streamed
from antiphon.tokens.codecs import codec_named
from antiphon.tokens.generator import TokenGenerator
from antiphon.tokens.performance_codec import PerformanceCodec
from antiphon_export.exporting.model_file import Label, export_checkpoint
from antiphon_export.training.architectures import build_model
from antiphon_plugins import lstm, transformer

BAR = 1920
TINY: dict[str, dict[str, Any]] = {
    "transformer": {"window": 48, "width": 32, "layers": 2, "heads": 2, "feed_forward": 48},
    "lstm": {"embedding": 8, "hidden": 16, "layers": 2, "wide": 24, "narrow": 16},
}
PLAYERS: dict[str, tuple[GeneratorInfo, MakeGenerator, str]] = {
    "transformer": (transformer.INFO, transformer.make, "performance"),
    "grid-transformer": (transformer.GRID_INFO, transformer.make_grid, "grid"),
    "lstm": (lstm.INFO, lstm.make, "grid"),
}
SHIPPED = {
    "transformer": Path(transformer.__file__).with_name("performance.onnx"),
    "lstm": Path(lstm.__file__).with_name("grid-lstm.onnx"),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each generator a model that has learnt nothing, in microseconds a token."""
    folder = tmp_path_factory.mktemp("models")
    files = {}
    for name, (_, _, codec) in PLAYERS.items():
        architecture = "lstm" if name == "lstm" else "transformer"
        torch.manual_seed(0)
        model = build_model(architecture, vocabulary=388 if codec == "performance" else 153, **TINY[architecture])
        content = {
            "model": model.state_dict(),
            "architecture": architecture,
            "settings": model.settings,
            "codec": codec,
            "codec_version": 1,
            "window": 48,
            "corpora": [],
            "step": 0,
        }
        torch.save(content, folder / "checkpoint.pt")
        files[name] = folder / f"{name}.onnx"
        export_checkpoint(folder / "checkpoint.pt", files[name], Label(name), rewind=40, chunk=32)
    return files


@pytest.mark.parametrize("name", PLAYERS)
def test_it_keeps_every_rule_of_the_contract(name: str, models: dict[str, Path]) -> None:
    info, make, _ = PLAYERS[name]
    phrases = {"held": sample_phrases()["held"]}
    report = check_generator(make, info, model=str(models[name]), phrases=phrases, allowance=100)
    assert report.seeds_differ
    assert set(report.idle_controls) <= {"repetition", "top_k"}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_model_answers(name: str) -> None:
    """That it keeps the rules, too, follows from the tiny ones: it differs in size alone, and would take minutes."""
    info, make, codec = PLAYERS[name]
    card = read_card(SHIPPED[name])
    assert card.codec == codec
    assert card.licences, "what is shipped says on what terms"
    heard = sample_phrases()["melody"]
    player = make(Casting(0))
    player.prime(heard)
    notes = player.extend(Request(heard.end_ticks, 4 * BAR, info.resolve_controls({}))).notes
    assert len(notes) >= 4
    assert player.runs_on.startswith(("cpu (model ", "cuda"))  # type: ignore[attr-defined]  # a generator need not say


@pytest.mark.parametrize("name", PLAYERS)
def test_it_is_registered_with_the_folder_of_its_models(name: str) -> None:
    info, make, _ = PLAYERS[name]
    registered = load_plugins().generator(name)
    assert (registered.info, registered.make) == (info, make)
    assert info.models == SHIPPED.get(name, SHIPPED["transformer"]).parent
    assert info.follows == ("free" if name == "transformer" else "beat")


def test_a_model_of_the_wrong_codec_is_refused_with_who_plays_it(models: dict[str, Path]) -> None:
    with pytest.raises(AntiphonError, match="choose the generator 'grid-transformer' for it"):
        transformer.make(Casting(0, str(models["lstm"])))
    with pytest.raises(AntiphonError, match="choose the generator 'transformer' for it"):
        lstm.make(Casting(0, str(models["transformer"])))


def test_who_brings_no_model_wants_one_named() -> None:
    with pytest.raises(AntiphonError, match="brings none; name one that speaks the codec 'grid'"):
        transformer.make_grid(Casting(0))


def test_any_architecture_plays_where_the_codec_is_right(models: dict[str, Path]) -> None:
    heard = sample_phrases()["melody"]
    for make, model in ((lstm.make, "grid-transformer"), (transformer.make_grid, "lstm")):
        player = make(Casting(0, str(models[model])))
        player.prime(heard)
        assert player.extend(Request(heard.end_ticks, 4 * BAR)).notes


def test_the_transformer_plays_in_steps_of_ten_milliseconds_at_any_tempo(models: dict[str, Path]) -> None:
    player = transformer.make(Casting(0, str(models["transformer"])))
    player.prime(sample_phrases()["melody"])
    notes = player.extend(Request(5760, 4 * BAR, tempo_bpm=75.0)).notes
    step = PerformanceCodec(75.0).step_ticks
    assert all(abs(note.start_ticks - round(note.start_ticks / step) * step) <= 0.5 for note in notes)


def test_the_grid_players_play_sixteenths_with_accents_on_the_bars_of_the_preset(models: dict[str, Path]) -> None:
    for name in ("grid-transformer", "lstm"):
        player = PLAYERS[name][1](Casting(0, str(models[name])))
        player.prime(Phrase.of([Note(480 * i, 60 + i % 7, 400, 50) for i in range(12)]))
        notes = player.extend(Request(5760, 32 * 1440, bar_ticks=1440)).notes
        assert all(note.start_ticks % 120 == 0 for note in notes)
        on_bar = [note.velocity for note in notes if note.start_ticks % 1440 == 0]
        off_beat = [note.velocity for note in notes if note.start_ticks % 240]
        assert sum(on_bar) / len(on_bar) > sum(off_beat) / len(off_beat) + 5


def test_a_turned_knob_is_heard_in_the_next_phrase(models: dict[str, Path]) -> None:
    heard = sample_phrases()["melody"]
    controls = transformer.INFO.resolve_controls({})
    phrases = []
    for density in (0.0, 1.0):
        player = transformer.make(Casting(0, str(models["transformer"])))
        player.prime(heard)
        first = player.extend(Request(5760, 480, controls))
        asked = Request(6240, BAR, {**controls, "density": density})
        phrases.append((first, player.extend(asked)))
    assert phrases[0][0] == phrases[1][0]
    assert phrases[0][1] != phrases[1][1]


def test_two_players_in_one_process_share_nothing(models: dict[str, Path]) -> None:
    heard = sample_phrases()["melody"]
    alone, one, other = (transformer.make(Casting(0, str(models["transformer"]))) for _ in range(3))
    for player in (alone, one):
        player.prime(heard)
    other.prime(replace(heard, notes=heard.notes[:4]))
    asked = Request(heard.end_ticks, BAR)
    other.extend(asked)
    assert one.extend(asked) == alone.extend(asked)


class Overheard:
    """A model, and the logits it has computed."""

    def __init__(self, path: Path) -> None:
        self._model = load_model(path, device="cpu")
        self.logits: list[bytes] = []

    def feed(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        logits = self._model.feed(tokens)
        self.logits.append(logits.tobytes())
        return logits

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


@pytest.mark.parametrize("name", PLAYERS)
def test_how_music_was_told_changes_no_bit_of_the_logits(name: str, models: dict[str, Path]) -> None:
    heard = sample_phrases()["long"]
    heard = Phrase(0, heard.notes[150].start_ticks, heard.notes[:150])
    logits = []
    for told in (0, 1, 3):  # never before, at each event, at each third
        model = Overheard(models[name])
        player = TokenGenerator(0, partial(codec_named, PLAYERS[name][2]), model)
        for index, part in enumerate(streamed(heard)):
            if told and index % told == 0:
                player.prime(part)
                player.extend(Request(part.end_ticks, 240))
        player.prime(heard)
        model.logits.clear()
        player.extend(Request(heard.end_ticks, BAR))
        logits.append(model.logits)
    assert logits[0] == logits[1] == logits[2]


def test_listing_the_generators_loads_neither_numpy_nor_a_model() -> None:
    code = (
        "import sys; from antiphon.plugins.host import load_plugins; load_plugins().generators;"
        "assert not {'numpy', 'onnxruntime', 'torch'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
