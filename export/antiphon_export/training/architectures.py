"""The models that can be trained, by the name that presets, checkpoints and model files use."""

from __future__ import annotations

from typing import Any

from torch import nn

from antiphon.errors import AntiphonError
from antiphon_plugins.lstm.model import Model as Lstm
from antiphon_plugins.study_transformer.model import Model as StudyTransformer
from antiphon_plugins.transformer.model import Model as Transformer

ARCHITECTURES: dict[str, type[nn.Module]] = {
    "transformer": Transformer,
    "study-transformer": StudyTransformer,
    "lstm": Lstm,
}
"""Each takes `vocabulary` and settings of its own, and keeps them in `settings`."""


def build_model(architecture: str, **settings: Any) -> nn.Module:
    """A fresh model. Raises AntiphonError for an unknown architecture or setting."""
    if architecture not in ARCHITECTURES:
        raise AntiphonError(f"architecture is {architecture!r}; allowed: {', '.join(ARCHITECTURES)}")
    try:
        return ARCHITECTURES[architecture](**settings)
    except TypeError as error:
        raise AntiphonError(f"{architecture} cannot be made with {settings}: {error}") from error
