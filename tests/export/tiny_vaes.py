"""VAEs so small that a test makes one in milliseconds, and music by rule to show them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from antiphon.notes import Note
from antiphon.rolls.roll import Roll, roll_of
from antiphon_plugins.vae.model import Model

STEPS = 16
SETTINGS = {"steps": STEPS, "latent": 12, "near": 10, "beat": 12, "recurrent": 6, "summary": 8, "hidden": 14}


def tiny_vae(seed: int = 0, **changes: int) -> Model:
    """A model whose weights are large enough to have opinions."""
    torch.manual_seed(seed)
    model = Model(**{**SETTINGS, **changes})
    with torch.no_grad():
        for weight in model.parameters():
            weight *= 2
    return model.eval()


def write_vae(path: Path, **changes: Any) -> Path:
    """A checkpoint as training leaves it."""
    model = tiny_vae()
    content = {
        "model": model.state_dict(),
        "architecture": "vae",
        "settings": model.settings,
        "codec": "roll",
        "codec_version": 1,
        "corpora": [{"name": "scales", "weight": 1.0, "pieces": 3}],
        "step": 12,
        "directions": {"density": [0.5] * 12, "register": [0.25] * 12, "loudness": [-0.125] * 12},
    }
    torch.save(content | changes, path)
    return path


def music(count: int, steps: int = STEPS, seed: int = 0) -> Roll:
    """Windows [count, steps, 3, 88] of chords and tunes in C, each of its own."""
    random = np.random.default_rng(seed)
    rolls = []
    for _ in range(count):
        root = int(random.choice([48, 53, 55, 57]))
        chord = [Note(0, root + up, 120 * steps, 70) for up in (0, 4, 7)]
        tune = [Note(240 * at, int(random.choice([72, 74, 76, 77, 79])), 240, 90) for at in range(steps // 2)]
        rolls.append(roll_of(chord + tune, 0, steps))
    return np.stack(rolls)
