"""Models as scorers: the NLL of given tokens, from a PyTorch checkpoint or an `.onnx`. It generates nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from antiphon.models.loading import load_model
from antiphon_export.evaluate import Score
from antiphon_export.training.architectures import restored_model
from antiphon_export.training.computing import use_threads
from antiphon_export.training.run_folder import load_checkpoint
from antiphon_export.training.validation import torch_score


@dataclass(frozen=True, slots=True)
class Scorer:
    """A model that can be evaluated."""

    codec: str
    """Name of its codec."""
    score: Score
    """Its NLL of windows."""


def load_scorer(path: Path, threads: int = 0) -> Scorer:
    """The scorer of a checkpoint, or of an `.onnx`. Raises AntiphonError if the file is neither."""
    return _onnx_scorer(path) if path.suffix == ".onnx" else _torch_scorer(path, threads)


def _torch_scorer(path: Path, threads: int) -> Scorer:
    use_threads(threads)
    checkpoint = load_checkpoint(path)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = restored_model(checkpoint).to(device)

    return Scorer(checkpoint["codec"], torch_score(model, device))


def _onnx_scorer(path: Path) -> Scorer:
    model = load_model(path, device="cpu")

    def score(windows: NDArray[np.int64]) -> NDArray[np.float64]:
        scored = np.empty((len(windows), windows.shape[1] - 1))  # [B, T]
        for index, tokens in enumerate(windows):
            model.rewind(0)
            logits = model.feed_all(tokens[:-1]).astype(np.float64)  # [T, V]
            peak = logits.max(axis=1)  # [T]
            total = np.log(np.exp(logits - peak[:, None]).sum(axis=1)) + peak  # [T]
            scored[index] = total - np.take_along_axis(logits, tokens[1:, None], axis=1)[:, 0]
        return scored

    return Scorer(model.card.codec, score)
