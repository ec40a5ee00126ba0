"""A VAE's checkpoint as one model file: graph, weights and metadata, compared with PyTorch. It trains nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch

from antiphon.models.card import RollCard, read_roll_card
from antiphon.rolls.model import load_roll_model
from antiphon.rolls.roll import CHANNELS, KEYS
from antiphon_export.exporting.graph import Precision, read_weights
from antiphon_export.exporting.model_file import Label, common_metadata, write_model
from antiphon_export.training.run_folder import load_checkpoint
from antiphon_export.vae.graph import vae_graph
from antiphon_export.vae.halves import restored_vae
from antiphon_plugins.vae.model import Model

TOLERANCE: Final = 1e-4
"""Largest difference of a mean or a probability from PyTorch's, with the weights that the file holds."""
_DIGITS: Final = 5
"""Of a direction's numbers."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How far a model file is from PyTorch."""

    computing: float
    """Largest difference of a mean or a probability, with the weights that the file holds."""
    storing: float
    """The same, with the checkpoint's weights: what its precision does besides."""

    @property
    def is_rounding(self) -> bool:
        """Whether the file computes what PyTorch does, up to rounding in 32 bits."""
        return self.computing <= TOLERANCE


def export_vae(checkpoint: Path, out: Path, label: Label, *, precision: Precision = "float32") -> RollCard:
    """Write the VAE of `checkpoint` to `out`; returns its card as read back.

    A file that is there already is replaced at once, or not at all.

    Raises:
        AntiphonError: there is no VAE in `checkpoint`, or `out` cannot be written.
    """
    content = load_checkpoint(checkpoint)
    model = restored_vae(content)
    settings = model.settings
    weights = {name: weight.float().numpy() for name, weight in model.state_dict().items()}
    directions = {
        name: [round(number, _DIGITS) for number in direction]
        for name, direction in content.get("directions", {}).items()
    }
    metadata = {
        **common_metadata(content, model, label, precision),
        "steps": settings["steps"],
        "latent": settings["latent"],
        "directions": json.dumps(directions),
        "settings": json.dumps(settings),
    }
    write_model(vae_graph(weights, settings, precision), metadata, out)
    return read_roll_card(out)


def vae_parity(checkpoint: Path, file: Path, *, windows: int = 64, seed: int = 0) -> Parity:
    """Compare the model `file` with its `checkpoint` in PyTorch: random rolls are encoded, random codes decoded.

    Raises:
        AntiphonError: one of them holds no VAE.
    """
    model = load_roll_model(file, device="cpu")
    trained = restored_vae(load_checkpoint(checkpoint))
    stored = Model(**trained.settings)
    stored.load_state_dict({name: torch.from_numpy(weight) for name, weight in read_weights(onnx.load(file)).items()})
    random = np.random.default_rng(seed)
    rolls = (random.random((windows, model.card.steps, CHANNELS, KEYS)) < 0.02).astype(np.float32)
    codes = random.standard_normal((windows, model.card.latent)).astype(np.float32)
    means = torch.from_numpy(np.stack([model.encode(roll) for roll in rolls]))
    decoded = torch.from_numpy(np.stack([model.decode(code) for code in codes]))
    differences = []
    with torch.inference_mode():
        for reference in (stored, trained):
            of_means = (reference.encode(torch.from_numpy(rolls))[0] - means).abs().max()
            of_decoded = (reference.decode(torch.from_numpy(codes)) - decoded).abs().max()
            differences.append(max(float(of_means), float(of_decoded)))
    return Parity(*differences)
