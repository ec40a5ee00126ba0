"""From a file to a model that computes, on the device that is fastest here. It draws no token."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Final, get_args

import numpy as np

from antiphon.generator import Device
from antiphon.models import onnx_session
from antiphon.models.card import NOTE_CODEC, ModelCard, ModelError, read_card
from antiphon.models.onnx_session import Place
from antiphon.models.recurrent_model import RecurrentModel
from antiphon.models.ring_model import RingModel
from antiphon.models.step_model import StepModel

DEVICES: Final[tuple[Device, ...]] = get_args(Device)
"""What `--device` allows."""
_TRIAL_STEPS: Final = 24
"""Single tokens by which two devices are compared."""


def load_model(path: Path, *, device: Device = "auto") -> StepModel:
    """The model in `path`, ready to be fed; it has computed already, so that its first step is as quick as the others.

    `auto` computes with CUDA where that works and is faster at single tokens than the CPU; `runs_on` tells.

    Raises:
        ModelError: what `read_card` raises; it is no model of tokens; it cannot be run; or the device is `cuda`, and
            that does not work here.
    """
    card = read_card(path)
    if card.codec == NOTE_CODEC:
        raise ModelError(
            f"'{path}' takes notes, and is no model of tokens; choose one of the grid or performance codec"
        )
    if device not in DEVICES:
        raise ModelError(f"device is {device!r}; allowed: {', '.join(DEVICES)}")
    if device == "cpu":
        return _open(card, "cpu")
    on_cuda = _open_on_cuda(card)
    if on_cuda is None and device == "cuda":
        raise ModelError(
            f"device is 'cuda', but '{path}' cannot be run with CUDA here; `antiphon doctor` tells whether anything "
            "can, and 'auto' takes the CPU"
        )
    if on_cuda is None:
        return _open(card, "cpu")
    return on_cuda if device == "cuda" else min(_open(card, "cpu"), on_cuda, key=_step_seconds)


def _open(card: ModelCard, place: Place) -> StepModel:
    session = onnx_session.open_session(card.path, place)
    return RingModel(session, card) if card.capacity else RecurrentModel(session, card)


def _open_on_cuda(card: ModelCard) -> StepModel | None:
    """The model with CUDA, as a graph if every operator is on the device; None where neither works."""
    if onnx_session.computes_with_cuda():
        for place in ("cuda graph", "cuda"):
            with suppress(ModelError):
                return _open(card, place)
    return None


def _step_seconds(model: StepModel) -> float:
    """Median time of a step."""
    token = np.zeros(1, np.int64)
    seconds = []
    for _ in range(_TRIAL_STEPS):
        before = time.perf_counter()
        model.feed(token)
        seconds.append(time.perf_counter() - before)
    model.rewind(0)
    return float(np.median(seconds))
