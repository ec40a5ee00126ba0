"""The model of notes as a player, with tiny models that have learnt nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from antiphon.testing import check_generator, sample_phrases
from antiphon_export.exporting.model_file import Label, export_checkpoint
from antiphon_plugins import notes
from antiphon_plugins.notes.model import Model

TINY = {"window": 48, "width": 32, "layers": 1, "heads": 2, "feed_forward": 32, "head_width": 16}
PLAYERS = {"notes": (notes.INFO, notes.make), "grid-notes": (notes.GRID_INFO, notes.make_grid)}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learnt nothing, but has opinions."""
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    tiny = Model(**TINY)
    weights = {name: weight + 0.1 * torch.randn_like(weight) for name, weight in tiny.state_dict().items()}
    weights["words.weight"][0] = weights["given.weight"][0] = 0
    content = {
        "model": weights,
        "architecture": "note-transformer",
        "settings": tiny.settings,
        "codec": "notes",
        "codec_version": 1,
        "window": TINY["window"],
        "corpora": [],
        "step": 0,
    }
    torch.save(content, folder / "checkpoint.pt")
    export_checkpoint(folder / "checkpoint.pt", folder / "tiny.onnx", Label("tiny"), rewind=40, chunk=32)
    return folder / "tiny.onnx"


@pytest.mark.parametrize("name", PLAYERS)
@pytest.mark.parametrize("phrase", ["held", "nothing", "chords", "dense", "extremes"])
def test_it_keeps_every_rule_of_the_contract(name: str, phrase: str, model: Path) -> None:
    info, make = PLAYERS[name]
    phrases = {phrase: sample_phrases()[phrase]}
    report = check_generator(make, info, model=str(model), phrases=phrases, deadline_seconds=15)
    assert report.seeds_differ
