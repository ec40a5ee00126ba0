"""Checkpoints of all architectures, so small that a test makes one in milliseconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from antiphon_export.training.architectures import build_model

WINDOW = 24
SETTINGS: dict[str, dict[str, Any]] = {
    "transformer": {"window": WINDOW, "width": 32, "layers": 2, "heads": 2, "feed_forward": 48},
    "study-transformer": {"width": 32, "layers": 3, "heads": 4, "feed_forward": 48, "distances": 10},
    "lstm": {"embedding": 8, "hidden": 16, "layers": 2, "wide": 24, "narrow": 16},
}
ARCHITECTURES = tuple(SETTINGS)


def write_checkpoint(path: Path, architecture: str, seed: int = 0, **changes: Any) -> Path:
    """A checkpoint as training leaves it, of a model whose weights are large enough to have opinions."""
    torch.manual_seed(seed)
    model = build_model(architecture, vocabulary=153, **SETTINGS[architecture])
    content = {
        "model": {name: weight * 1.5 for name, weight in model.state_dict().items()},
        "architecture": architecture,
        "settings": model.settings,
        "codec": "grid",
        "codec_version": 1,
        "window": WINDOW,
        "corpora": [{"name": "scales", "weight": 1.0, "pieces": 3}],
        "step": 12,
        "validation_nll": 2.5,
    }
    torch.save(content | changes, path)
    return path
