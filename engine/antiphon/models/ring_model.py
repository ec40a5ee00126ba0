"""A Transformer that plays without end: its keys and values lie in a ring. It knows no codec and no file.

Which slots of the ring a token sees (`RingSlots`), and how far back they are, is told to the graph with every run.
What was written after a position that is rewound to stays where it is, unseen, until it is overwritten; so a rewind
costs nothing, as long as S >= window + what is rewound - 1, and one run is no longer than S - window + 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from antiphon.models.card import ModelCard, ModelError
from antiphon.models.onnx_session import OnnxSession, Tensor
from antiphon.models.ring_slots import RingSlots, division, earliest_seen
from antiphon.models.step_model import check_logits, check_rewind, check_tokens


class RingModel:
    """A `StepModel` over the graph of a Transformer."""

    def __init__(self, session: OnnxSession, card: ModelCard) -> None:
        """Raises ModelError if the graph is not what the card says."""
        self.card = card
        self.runs_on = session.runs_on
        self.vocabulary = card.vocabulary
        self.position = 0
        self._newest = 0
        """Tokens written since the ring was last begun anew; those from here minus S on are still there."""
        ring = [1, card.heads, card.capacity, card.head_size]
        caches = [f"{kind}_{layer}" for layer in range(card.layers) for kind in "kv"]
        found = session.inputs()
        if any(found.get(f"past_{name}") != ring for name in caches) or card.capacity < card.window + card.chunk - 1:
            raise ModelError(f"'{card.path}' does not hold what its metadata say; export its checkpoint again")
        kept = {name: session.tensor((1, card.heads, card.capacity, card.head_size)) for name in caches}
        sizes = [1 << power for power in reversed(range(card.chunk.bit_length()))]
        self._runs = {size: _Run(session, card, size, kept) for size in sizes}
        for run in list(self._runs.values()) * session.warm_ups:
            run(np.zeros(run.size, np.int64), 0)

    @property
    def earliest(self) -> int:
        """Smallest position, besides 0, where all that a token sees is still in the ring."""
        return earliest_seen(self.position, self._newest, self.card.capacity, self.card.window)

    def feed(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits [vocabulary] after the last of `tokens` [T]; see `StepModel`."""
        check_tokens(tokens, self.vocabulary)
        start = 0
        for run in self._division(len(tokens)):
            logits = self._take_in(run, tokens[start : start + run.size])  # [size, vocabulary]
            start += run.size
        last: NDArray[np.float32] = logits[-1]
        check_logits(last, self.card)
        return last

    def feed_all(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits [T, vocabulary] after each of `tokens` [T]; see `StepModel`."""
        check_tokens(tokens, self.vocabulary)
        logits = np.empty((len(tokens), self.vocabulary), np.float32)
        start = 0
        for run in self._division(len(tokens)):
            logits[start : start + run.size] = self._take_in(run, tokens[start : start + run.size])
            start += run.size
        check_logits(logits, self.card)
        return logits

    def rewind(self, position: int) -> None:
        """Forget all tokens from `position` on; see `StepModel`."""
        check_rewind(position, self.position, self.earliest)
        self.position = position
        if position == 0:
            self._newest = 0

    def _division(self, length: int) -> list[_Run]:
        """Runs that take in so many tokens, the longest first."""
        return [self._runs[size] for size in division(list(self._runs), length)]

    def _take_in(self, run: _Run, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        logits = run(tokens, self.position)
        self.position += len(tokens)
        self._newest = max(self._newest, self.position)
        return logits


class _Run:
    """The graph bound to take in a fixed number of tokens at a time."""

    def __init__(self, session: OnnxSession, card: ModelCard, size: int, kept: dict[str, Tensor]) -> None:
        self.size = size
        self._slots = RingSlots(session, card.capacity, card.window, size)
        self._tokens = session.tensor((1, size), np.int64)
        fed = {"tokens": self._tokens, **self._slots.tensors}
        if card.distances:
            self._distance = fed["distance"] = session.tensor((size, card.capacity), np.int64)
            self._distances = np.minimum(self._slots.back, card.distances - 1)  # [2 * S - 1]
            self._place = self._place_by_distance
        else:
            self._cos = fed["cos"] = session.tensor((size, card.head_size // 2))
            self._sin = fed["sin"] = session.tensor((size, card.head_size // 2))
            # In 64 bits: an angle keeps its precision however long the music.
            self._turn = card.rotary_base ** -(np.arange(0, card.head_size, 2) / card.head_size)  # [D / 2]
            self._place = self._place_by_angle
        self._logits = session.tensor((1, size, card.vocabulary))
        self._fed = tuple(fed.values())
        self._compute = session.bind(
            fed | {f"past_{name}": tensor for name, tensor in kept.items()},
            {"logits": self._logits} | {f"present_{name}": tensor for name, tensor in kept.items()},
        )

    def __call__(self, tokens: NDArray[np.int64], position: int) -> NDArray[np.float32]:
        """Take in `tokens` [size] at `position`; returns logits [size, vocabulary], used again by the next call."""
        self._tokens.array[0] = tokens
        for row, slots in enumerate(self._slots.place(position)):
            self._place(row, position + row, slots)
        for tensor in self._fed:
            tensor.push()
        self._compute()
        self._logits.pull()
        logits: NDArray[np.float32] = self._logits.array[0]
        return logits

    def _place_by_distance(self, row: int, place: int, slots: slice) -> None:
        self._distance.array[row] = self._distances[slots]

    def _place_by_angle(self, row: int, place: int, slots: slice) -> None:
        angles = place * self._turn  # [D / 2]
        self._cos.array[row] = np.cos(angles)
        self._sin.array[row] = np.sin(angles)
