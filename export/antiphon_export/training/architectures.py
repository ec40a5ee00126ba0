"""The models by the name that checkpoints and model files use: made anew, or restored. It trains none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from antiphon.errors import AntiphonError
from antiphon_plugins.lstm.model import Model as Lstm
from antiphon_plugins.notes.model import Model as NoteTransformer
from antiphon_plugins.study_transformer.model import Model as StudyTransformer
from antiphon_plugins.transformer.model import Model as Transformer

NOTE_TRANSFORMER = "note-transformer"
"""It takes notes, not tokens, and has no vocabulary."""

ARCHITECTURES: dict[str, type[nn.Module]] = {
    "transformer": Transformer,
    "study-transformer": StudyTransformer,
    "lstm": Lstm,
    NOTE_TRANSFORMER: NoteTransformer,
}
"""Each takes settings of its own, those of tokens also `vocabulary`, and keeps them in `settings`."""


def build_model(architecture: str, **settings: Any) -> nn.Module:
    """A fresh model. Raises AntiphonError for an unknown architecture or setting."""
    if architecture not in ARCHITECTURES:
        raise AntiphonError(f"architecture is {architecture!r}; allowed: {', '.join(ARCHITECTURES)}")
    try:
        return ARCHITECTURES[architecture](**settings)
    except TypeError as error:
        raise AntiphonError(f"{architecture} cannot be made with {settings}: {error}") from error


def restored_model(content: Mapping[str, Any]) -> nn.Module:
    """The model in a checkpoint's content, as it is used: without dropout, on the CPU.

    Raises:
        AntiphonError: its settings or weights are of another model.
    """
    model = build_model(content["architecture"], **content["settings"])
    restore_weights(model, content)
    return model.eval()


def restore_weights(model: nn.Module, content: Mapping[str, Any]) -> None:
    """Give `model` the weights of a checkpoint's content. Raises AntiphonError if they do not fit."""
    try:
        model.load_state_dict(content["model"])
    except RuntimeError as error:
        raise AntiphonError(f"the checkpoint's weights do not fit its settings: {error}") from error
