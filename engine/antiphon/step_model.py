"""A model that reads tokens one after another: its contract, and the way from a file to one. It draws no token."""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from antiphon import onnx_model
from antiphon.codec import Codec
from antiphon.generator import Device
from antiphon.model_card import ModelCard, ModelError, read_card
from antiphon.note_codec import NAME as NOTES
from antiphon.onnx_model import Place

DEVICES: Final[tuple[Device, ...]] = get_args(Device)
"""What `--device` allows."""

_TRIAL_STEPS: Final = 24
"""Single tokens by which two devices are compared."""


class StepModel(Protocol):
    """A model with a memory of what it was fed, which can be cut back."""

    @property
    def card(self) -> ModelCard:
        """What its file says of it."""
        ...

    @property
    def runs_on(self) -> str:
        """What really computes, as in `cpu`."""
        ...

    @property
    def vocabulary(self) -> int:
        """Number of token ids."""
        ...

    @property
    def position(self) -> int:
        """Tokens fed so far."""
        ...

    @property
    def earliest(self) -> int:
        """Smallest position that `rewind` can reach now, besides 0."""
        ...

    def feed(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """Take in `tokens` [T], T at least 1; returns logits [vocabulary] of the token after the last.

        The array is one that the next call uses again. How tokens are divided among calls makes no difference
        beyond rounding.

        Raises:
            ValueError: no token, or one outside the vocabulary.
            ModelError: the model computed something that is not a number.
        """
        ...

    def feed_all(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """As `feed`, but returns logits [T, vocabulary] after every token, in an array of their own."""
        ...

    def rewind(self, position: int) -> None:
        """Forget all tokens from `position` on, in microseconds.

        Raises:
            ValueError: `position` is beyond what was fed, or neither 0 nor at least `earliest`.
        """
        ...


def load_model(
    path: Path,
    *,
    device: Device = "auto",
    codec: Codec | None = None,
    architectures: Collection[str] = (),
) -> StepModel:
    """The model in `path`, ready to be fed; it has computed already, so that its first step is as quick as the others.

    `auto` computes with CUDA where that works and is faster at single tokens than the CPU; `runs_on` tells. If
    `codec` or `architectures` are given, other files are refused.

    Raises:
        ModelError: what `read_card` raises; the model is none of those wanted; it cannot be run; or the device is
            `cuda`, and that does not work here.
    """
    card = read_card(path)
    if architectures and card.architecture not in architectures:
        raise ModelError(f"'{path}' is a {card.architecture}; wanted: {' or '.join(sorted(architectures))}")
    if codec is not None:
        _check_codec(card, codec)
    if card.codec == NOTES:
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


def check_tokens(tokens: NDArray[np.int64], vocabulary: int) -> None:
    """Raise ValueError unless there is a token, and all are of the vocabulary."""
    if not len(tokens):
        raise ValueError("no token to feed; give at least 1")
    if tokens.astype(np.uint64).max() >= vocabulary:  # a negative number becomes a large one
        raise ValueError(f"tokens reach from {tokens.min()} to {tokens.max()}; allowed 0 to {vocabulary - 1}")


def check_logits(logits: NDArray[np.float32], card: ModelCard) -> None:
    """Raise ModelError unless all `logits` are numbers."""
    flat = logits.ravel()
    # One pass instead of two, at every step: the sum of squares is a number if all of them are.
    if not math.isfinite(flat.dot(flat)):
        worst = flat[np.abs(flat).argmax()]  # of which NaN counts as the largest
        raise ModelError(
            f"model '{card.path}' computed {worst}; "
            "its weights are damaged, or its training diverged: export an earlier checkpoint"
        )


def check_rewind(position: int, fed: int, earliest: int) -> None:
    """Raise ValueError unless a model that was fed `fed` tokens can be rewound to `position`."""
    if position and not earliest <= position <= fed:
        raise ValueError(f"rewind to {position}; allowed: 0, and {earliest} to {fed}")


def _check_codec(card: ModelCard, codec: Codec) -> None:
    if (card.codec, card.codec_version) != (codec.name, codec.version):
        raise ModelError(
            f"'{card.path}' speaks the codec {card.codec} (version {card.codec_version}); "
            f"wanted: {codec.name} (version {codec.version})"
        )
    if card.vocabulary != codec.vocabulary:
        raise ModelError(
            f"'{card.path}' has {card.vocabulary} tokens; the codec {codec.name} has {codec.vocabulary}: "
            "export its checkpoint again"
        )


def _open(card: ModelCard, place: Place) -> StepModel:
    from antiphon.recurrent_model import RecurrentModel
    from antiphon.ring_model import RingModel

    session = onnx_model.open_session(card.path, place)
    return RingModel(session, card) if card.capacity else RecurrentModel(session, card)


def _open_on_cuda(card: ModelCard) -> StepModel | None:
    """The model with CUDA, as a graph if every operator is on the device; None where neither works."""
    if onnx_model.computes_with_cuda():
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
