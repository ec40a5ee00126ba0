"""Model files that have learnt nothing, to be timed: a step takes as long whatever the weights. They make no music."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from antiphon.models import onnx_session
from antiphon.models.card import read_card
from antiphon.models.onnx_session import Place
from antiphon.models.recurrent_model import RecurrentModel
from antiphon.models.ring_model import RingModel
from antiphon.models.step_model import StepModel
from antiphon.tokens.codecs import codec_named
from antiphon_export.exporting.graph import Precision
from antiphon_export.exporting.model_file import Label, export_checkpoint
from antiphon_export.training.architectures import build_model


def random_model(
    architecture: str, folder: Path, precision: Precision, window: int = 256, rewind: int = 0, chunk: int = 1
) -> Path:
    """A model file of `architecture` at its usual size, which has learnt nothing.

    `window`: tokens that a token sees; `rewind`, `chunk`: see `export_checkpoint`.
    """
    torch.manual_seed(1)
    model = build_model(architecture)
    codec = codec_named("grid")
    checkpoint = folder / f"{architecture}.pt"
    content: dict[str, Any] = {
        "model": model.state_dict(),
        "architecture": architecture,
        "settings": model.settings,
        "codec": codec.name,
        "codec_version": codec.version,
        "window": window,
        "corpora": [],
    }
    torch.save(content, checkpoint)
    path = folder / f"{architecture}-{precision}-{rewind}.onnx"
    export_checkpoint(checkpoint, path, Label("random"), precision=precision, rewind=rewind, chunk=chunk)
    return path


def step_bytes(path: Path, context: int) -> int:
    """What one step has to read: every weight once, but of the embeddings one row, and `context` keys and values."""
    card = read_card(path)
    weights = sum(len(tensor.raw_data) for tensor in onnx.load(path).graph.initializer)
    width = card.heads * card.head_size
    embeddings = (card.vocabulary - 1) * width * (4 if card.precision == "float32" else 2)
    return weights - embeddings + 2 * card.layers * context * width * 4


def one_token(model: StepModel, context: int) -> Callable[[], object]:
    """A function that feeds `model` one more token; it has seen `context` before."""
    tokens = random_tokens(model.vocabulary, 4096)
    model.feed(tokens[:context])
    following = itertools.cycle(tokens[start : start + 1] for start in range(len(tokens)))
    return lambda: model.feed(next(following))


def open_at(path: Path, place: Place) -> StepModel:
    """The model in `path`, to compute exactly there. Raises ModelError if it cannot."""
    card = read_card(path)
    session = onnx_session.open_session(path, place)
    return RingModel(session, card) if card.capacity else RecurrentModel(session, card)


def random_tokens(vocabulary: int, count: int) -> NDArray[np.int64]:
    """So many tokens, always the same."""
    return np.random.default_rng(1).integers(vocabulary, size=count)
