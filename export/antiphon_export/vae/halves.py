"""A trained VAE's two halves, from a checkpoint or from a model file, for whoever judges it. They train nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.models.card import ROLL_CODEC, read_any_card
from antiphon.rolls.model import load_roll_model
from antiphon.rolls.roll import Roll
from antiphon_export.training.architectures import restore_weights
from antiphon_export.training.run_folder import load_checkpoint
from antiphon_plugins.vae.model import Model

_AT_ONCE: Final = 256
"""Windows of a batch."""
Codes = NDArray[np.float32]
"""Shape [N, Z]."""


@dataclass(frozen=True, slots=True)
class Halves:
    """What makes codes of rolls, and rolls of codes."""

    steps: int
    """Sixteenths of a roll."""
    latent: int
    """Numbers of a code, Z."""
    encode: Callable[[Roll], Codes]
    """Means [N, Z] of rolls [N, T, 3, 88]."""
    decode: Callable[[Codes], Roll]
    """Rolls [N, T, 3, 88] of codes [N, Z]."""
    directions: Mapping[str, Codes] = field(default_factory=dict)
    """By name, what to add to a code, [Z], for music that is more so."""

    def rebuild(self, rolls: Roll) -> Roll:
        """`rolls` as they come back from their means."""
        return self.decode(self.encode(rolls))


def is_vae(path: Path) -> bool:
    """Whether `path` is a VAE rather than a model of tokens. Raises AntiphonError if it is no model at all."""
    if path.suffix == ".onnx":
        return read_any_card(path).codec == ROLL_CODEC
    return bool(load_checkpoint(path)["codec"] == ROLL_CODEC)


def load_halves(path: Path) -> Halves:
    """The halves of the VAE in `path`, a checkpoint or a model file.

    Raises:
        AntiphonError: there is none in it.
    """
    if path.suffix != ".onnx":
        content = load_checkpoint(path)
        return replace(halves_of(restored_vae(content)), directions=_codes(content.get("directions", {})))
    model = load_roll_model(path, device="cpu")
    return Halves(
        model.card.steps,
        model.card.latent,
        lambda rolls: np.stack([model.encode(roll) for roll in rolls]),
        lambda codes: np.stack([model.decode(code) for code in codes]),
        _codes(model.card.directions),
    )


def halves_of(model: Model) -> Halves:
    """The halves of a model in PyTorch, on the CPU."""
    model = model.cpu().eval()

    def encode(rolls: Roll) -> Codes:
        with torch.inference_mode():
            parts = [model.encode(part)[0] for part in torch.split(torch.from_numpy(rolls), _AT_ONCE)]
        means: Codes = torch.cat(parts).numpy()
        return means

    def decode(codes: Codes) -> Roll:
        with torch.inference_mode():
            parts = [model.decode(part) for part in torch.split(torch.from_numpy(codes), _AT_ONCE)]
        rolls: Roll = torch.cat(parts).numpy()
        return rolls

    return Halves(model.settings["steps"], model.settings["latent"], encode, decode)


def _codes(directions: Mapping[str, Sequence[float]]) -> dict[str, Codes]:
    return {name: np.array(numbers, np.float32) for name, numbers in directions.items()}


def restored_vae(content: Mapping[str, Any]) -> Model:
    """The model of a checkpoint's content, on the CPU.

    Raises:
        AntiphonError: it is of another architecture, or its weights do not fit its settings.
    """
    if content["codec"] != ROLL_CODEC:
        raise AntiphonError(f"the checkpoint holds a {content['architecture']}; wanted: a vae")
    model = Model(**content["settings"])
    restore_weights(model, content)
    return model.eval()
