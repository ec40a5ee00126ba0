"""A checkpoint as one model file: graph, weights and metadata. It trains nothing and judges no music."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from torch import nn

from antiphon.errors import AntiphonError
from antiphon.models.card import CONTRACT, HEADS_FIELD, ModelCard, read_card
from antiphon.note_steps.words import READ_WORDS
from antiphon_export.exporting.graph import Graph, Precision, Weights
from antiphon_export.exporting.lstm import lstm_graph
from antiphon_export.exporting.note_transformer import heads_graph, note_transformer_graph
from antiphon_export.exporting.study_transformer import study_transformer_graph
from antiphon_export.exporting.transformer import fold, transformer_graph
from antiphon_export.training.architectures import NOTE_TRANSFORMER, restored_model
from antiphon_export.training.run_folder import load_checkpoint
from antiphon_plugins.transformer.model import ROTARY_BASE

REWIND: Final = 192
"""Tokens that a ring can be rewound by, unless told otherwise: some bars of a guess at an answer."""
CHUNK: Final = 64
"""Most tokens of one run: more would not be quicker, and would need a larger ring."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a model file says that its checkpoint does not know."""

    name: str
    version: str = "1"
    licences: str = ""
    """Of the corpora and the weights."""


def export_checkpoint(
    checkpoint: Path,
    out: Path,
    label: Label,
    *,
    precision: Precision = "float32",
    rewind: int = REWIND,
    chunk: int = CHUNK,
    window: int | None = None,
) -> ModelCard:
    """Write the model of `checkpoint` to `out`; returns its card as read back.

    `window`: tokens that a token sees, if fewer than in training; a smaller ring makes quicker steps.
    `rewind`: tokens that can be forgotten without feeding anew, beyond those of the window; `chunk`: most tokens of
    one run. An LSTM needs neither. A file that is there already is replaced at once, or not at all.

    Raises:
        AntiphonError: the checkpoint is none, `rewind`, `chunk` or `window` is out of range, or
            `out` cannot be written.
    """
    if rewind < 0 or chunk < 1:
        raise AntiphonError(f"rewind is {rewind} and chunk {chunk}; allowed: at least 0 and at least 1")
    content = load_checkpoint(checkpoint)
    if window is not None and not 1 <= window <= content["window"]:
        raise AntiphonError(f"window is {window}; allowed: 1 to {content['window']}, which it was trained with")
    content["window"] = window or content["window"]
    model = restored_model(content)
    settings = content["settings"]
    weights = {name: weight.float().numpy() for name, weight in model.state_dict().items()}
    family = FAMILIES[content["architecture"]]
    shape = family.shape(content, rewind, chunk)
    graph = family.graph(weights, settings, int(shape["capacity"]), precision)
    metadata = {
        **common_metadata(content, model, label, precision),
        "vocabulary": settings.get("vocabulary", READ_WORDS),
        "window": content["window"],
        **shape,
        "validation_nll": content.get("validation_nll", math.nan),
    }
    if content["architecture"] == NOTE_TRANSFORMER:
        heads = heads_graph(weights, settings, precision).model({}).SerializeToString()
        metadata[HEADS_FIELD] = base64.b64encode(heads).decode()
    write_model(graph, metadata, out)
    return read_card(out)


def common_metadata(
    content: Mapping[str, Any], model: nn.Module, label: Label, precision: Precision
) -> dict[str, object]:
    """What every model file says of itself: of the checkpoint with this `content`, and of `model`, made of it."""
    return {
        "antiphon_contract": CONTRACT,
        "name": label.name,
        "version": label.version,
        "architecture": content["architecture"],
        "codec": content["codec"],
        "codec_version": content["codec_version"],
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "precision": precision,
        "corpora": json.dumps(content["corpora"]),
        "licences": label.licences,
    }


def write_model(graph: Graph, metadata: Mapping[str, object], out: Path) -> None:
    """Write `graph` and its `metadata` to `out`. A file that is there already is replaced at once, or not at all.

    Raises:
        AntiphonError: `out` cannot be written.
    """
    file = graph.model({name: str(value) for name, value in metadata.items()}).SerializeToString()
    fresh = out.with_name(f"{out.name}.new")
    try:
        fresh.write_bytes(file)
        fresh.replace(out)
    except OSError as error:
        raise AntiphonError(
            f"{str(out)!r} cannot be written ({error.strerror}); choose another place with --out"
        ) from error


def _lstm_graph(weights: Weights, settings: Mapping[str, Any], capacity: int, precision: Precision) -> Graph:
    return lstm_graph(weights, settings, precision)


def _note_graph(weights: Weights, settings: Mapping[str, Any], capacity: int, precision: Precision) -> Graph:
    folded = fold(weights, settings["width"] // settings["heads"])
    return note_transformer_graph(folded, settings, capacity, precision)


def _ring_form(content: Mapping[str, Any], rewind: int, chunk: int) -> dict[str, float]:
    settings = content["settings"]
    return {
        "capacity": content["window"] + max(rewind, chunk) - 1,
        "chunk": chunk,
        "layers": settings["layers"],
        "heads": settings["heads"],
        "head_size": settings["width"] // settings["heads"],
        "distances": settings.get("distances", 0),
        "rotary_base": 0 if "distances" in settings else ROTARY_BASE,
    }


def _recurrent_form(content: Mapping[str, Any], rewind: int, chunk: int) -> dict[str, float]:
    settings = content["settings"]
    return {
        "capacity": 0,
        "chunk": 1,
        "layers": settings["layers"],
        "heads": 1,
        "head_size": settings["hidden"],
        "distances": 0,
        "rotary_base": 0,
    }


@dataclass(frozen=True, slots=True)
class Family:
    """How models of an architecture become a file."""

    graph: Callable[[Weights, Mapping[str, Any], int, Precision], Graph]
    """Makes the graph of weights, settings and capacity."""
    shape: Callable[[Mapping[str, Any], int, int], dict[str, float]]
    """What the card says of it, given a checkpoint's content, how far it is rewound, and the longest run."""


FAMILIES: Final[Mapping[str, Family]] = {
    "transformer": Family(transformer_graph, _ring_form),
    "study-transformer": Family(study_transformer_graph, _ring_form),
    "lstm": Family(_lstm_graph, _recurrent_form),
    NOTE_TRANSFORMER: Family(_note_graph, _ring_form),
}
"""By the name that checkpoints and model files use."""
