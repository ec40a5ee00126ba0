"""Toy models: their logits follow from the last tokens, by tables drawn once. None of them has learnt anything."""

from __future__ import annotations

import math
from copy import copy
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.models.card import ModelCard
from antiphon.models.step_model import check_rewind, check_tokens
from antiphon.tokens.codec import Codec


class ToyModel:
    """A model with the limits of a ring: it forgets, goes back only so far, and is touchy about how it is fed.

    A real model's last bits depend on how tokens are divided among runs. Here whole digits do, so that whoever lets
    this decide what is played is found out.
    """

    def __init__(self, codec: Codec, *, chunk: int = 32, window: int = 64, margin: int = 96, seed: int = 1) -> None:
        """`margin`: how far it can be rewound once it has been fed more than `window` tokens."""
        random = np.random.default_rng(seed)
        size = codec.vocabulary
        self._tables = random.normal(0, (1.5, 1.0, 0.7), (size, size, 3)).astype(np.float32)
        self._touch = random.normal(0, 1.0, (64, size)).astype(np.float32)
        self._kind = _usual(codec)
        self.card = toy_card(codec, chunk=chunk, window=window, capacity=window + margin + chunk)
        self.runs_on = "toy"
        self.vocabulary = size
        self.runs: list[int] = []
        """Size of every run so far."""
        self._tokens: list[int] = []
        self._sizes: list[int] = []
        self._newest = 0

    def twin(self) -> ToyModel:
        """A model with the same tables that has been fed nothing."""
        twin = copy(self)
        twin.runs, twin._tokens, twin._sizes, twin._newest = [], [], [], 0
        return twin

    @property
    def position(self) -> int:
        return len(self._tokens)

    @property
    def earliest(self) -> int:
        return min(self.position, max(0, self._newest - self.card.capacity + self.card.window - 1))

    def feed(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        return self.feed_all(tokens)[-1]

    def feed_all(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        check_tokens(tokens, self.vocabulary)
        logits = []
        todo = tokens.tolist()
        while todo:
            size = min(self.card.chunk, 1 << len(todo).bit_length() - 1)
            self.runs.append(size)
            for token in todo[:size]:
                self._tokens.append(token)
                self._sizes.append(size)
                logits.append(self._logits())
            del todo[:size]
        self._newest = max(self._newest, self.position)
        return np.array(logits)

    def rewind(self, position: int) -> None:
        check_rewind(position, self.position, self.earliest)
        del self._tokens[position:], self._sizes[position:]
        if position == 0:
            self._newest = 0

    def _logits(self) -> NDArray[np.float32]:
        logits = self._kind.copy()
        for back, token in enumerate(reversed(self._tokens[-3:])):
            logits += self._tables[token, :, back]
        return logits + self._touch[sum(self._sizes[-self.card.window :]) % 64]


class BrokenModel(ToyModel):
    """Computes nonsense after so many tokens."""

    def __init__(self, codec: Codec, *, after: int) -> None:
        super().__init__(codec)
        self._after = after

    def feed(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        logits = super().feed(tokens)
        return logits if self.position < self._after else logits * np.float32(math.nan)


def _usual(codec: Codec) -> NDArray[np.float32]:
    """About how often tokens of a kind come in music, as logits [V]."""
    usual = np.zeros(codec.vocabulary, dtype=np.float32)
    if codec.name == "performance":
        usual[:128] = -0.05 * np.abs(np.arange(128) - 62)
        usual[128:256] = 2.0
        usual[256:356] = 1.0 - 0.08 * np.arange(100)
        usual[356:] = -1.0
    else:
        usual[33:121] = -0.08 * np.abs(np.arange(88) - 40)
        usual[121:153] = -0.3 * np.arange(32)
    return usual


def toy_card(codec: Codec, *, chunk: int, window: int, capacity: int) -> ModelCard:
    """What a model's file would say."""
    return ModelCard(
        path=Path("toy.onnx"),
        name="toy",
        version="1",
        architecture="toy",
        codec=codec.name,
        codec_version=codec.version,
        vocabulary=codec.vocabulary,
        parameters=0,
        precision="float32",
        window=window,
        capacity=capacity,
        chunk=chunk,
        layers=1,
        heads=1,
        head_size=1,
        distances=0,
        rotary_base=0.0,
        corpora=(),
        licences="",
        validation_nll=math.nan,
    )
