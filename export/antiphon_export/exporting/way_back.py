"""From a model file back to what it was exported from, as near as its precision kept it. It reads no checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import onnx
import torch

from antiphon.errors import AntiphonError
from antiphon.models.card import ModelCard, ModelError, read_card, read_heads
from antiphon_export.exporting import lstm, note_transformer, study_transformer, transformer
from antiphon_export.exporting.graph import Weights, read_weights

_Unfold = Callable[[Weights, int], Weights]
_SettingsOf = Callable[[ModelCard, Weights], dict[str, Any]]

_WAYS: Final[Mapping[str, tuple[_Unfold, _SettingsOf]]] = {
    "transformer": (transformer.unfold, transformer.settings_of),
    "study-transformer": (study_transformer.unfold, study_transformer.settings_of),
    "lstm": (lstm.unfold, lstm.settings_of),
    "note-transformer": (transformer.unfold, note_transformer.settings_of),
}


def read_model_file(path: Path) -> dict[str, Any]:
    """The model in `path` as a checkpoint has it: `architecture`, `settings`, `codec` and the weights in `model`.

    Raises:
        ModelError: there is no such file, or it is no model of Antiphon.
        AntiphonError: it does not name its weights, or its architecture is unknown.
    """
    card = read_card(path)
    if card.architecture not in _WAYS:
        raise ModelError(f"'{path}' is a {card.architecture!r}; allowed: {', '.join(_WAYS)}")
    weights = read_weights(onnx.load(path))
    heads = read_heads(path)
    if heads is not None:
        weights |= read_weights(onnx.load_model_from_string(heads))
    if not weights:
        raise AntiphonError(
            f"'{path}' was exported by an earlier version of Antiphon, which did not name the weights: it plays, "
            "but cannot be trained on; export its checkpoint again, or begin with the checkpoint"
        )
    unfold, settings_of = _WAYS[card.architecture]
    return {
        "architecture": card.architecture,
        "settings": settings_of(card, weights),
        "codec": card.codec,
        "model": {name: torch.from_numpy(array) for name, array in unfold(weights, card.head_size).items()},
    }
