"""What the graphs of all Transformers share: tokens in, keys and values in rings, heads apart. It adds no weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon_export.exporting.graph import Graph, Weights

QUERY_KEY_VALUE: Final = "query_key_value"
"""In the names of weights and biases whose rows make queries, keys and values, a third each."""


@dataclass(frozen=True, slots=True)
class Ring:
    """The rings of all layers in a graph under construction."""

    graph: Graph
    heads: int
    head_size: int
    capacity: int
    """Slots, S."""

    def tokens(self) -> str:
        """The input `tokens` [1, T], as [T]; also declares where they are written."""
        tokens = self.graph.input("tokens", (1, "T"), np.int64)
        self.graph.input("write_pos", (1,), np.int64)
        return self.graph.op("Squeeze", tokens, self.graph.integers(0))

    def mask(self) -> str:
        """The input `mask` [T, S], added to scores."""
        return self.graph.input("mask", ("T", self.capacity))

    def by_head(self, x: str, parts: int) -> str:
        """`x` [T, parts * width] -> [1, parts * H, T, D]."""
        apart = self.graph.op("Reshape", x, self.graph.integers(1, -1, parts * self.heads, self.head_size))
        return self.graph.op("Transpose", apart, perm=[0, 2, 1, 3])

    def together(self, x: str) -> str:
        """`x` [1, H, T, D] -> [T, width]."""
        by_token = self.graph.op("Transpose", x, perm=[0, 2, 1, 3])  # [1, T, H, D]
        return self.graph.op("Reshape", by_token, self.graph.integers(-1, self.heads * self.head_size))

    def write(self, kind: str, layer: int, rows: str) -> str:
        """The ring `kind` (`k` or `v`) of a layer [1, H, S, D], with `rows` [1, H, T, D] written into it in place."""
        shape = (1, self.heads, self.capacity, self.head_size)
        past = self.graph.input(f"past_{kind}_{layer}", shape)
        present = self.graph.op(
            "TensorScatter", past, rows, "write_pos", name=f"present_{kind}_{layer}", axis=-2, mode="circular"
        )
        return self.graph.output(present, shape)

    def scores(self, queries: str, keys: str) -> str:
        """`queries` [1, H, T, D] with the ring of `keys` [1, H, S, D] -> [1, H, T, S]."""
        return self.graph.op("MatMul", queries, self.graph.op("Transpose", keys, perm=[0, 1, 3, 2]))

    def mixed(self, scores: str, values: str) -> str:
        """The ring of `values` [1, H, S, D], mixed by `scores` [1, H, T, S] -> [T, width]."""
        shares = self.graph.op("Softmax", scores, axis=-1)  # [1, H, T, S]
        return self.together(self.graph.op("MatMul", shares, values))

    def logits(self, rows: str, vocabulary: int) -> None:
        """Declare `rows` [T, vocabulary] to be the graph's output `logits` [1, T, vocabulary]."""
        logits = self.graph.op("Unsqueeze", rows, self.graph.integers(0), name="logits")
        self.graph.output(logits, (1, "T", vocabulary))


def with_scaled_queries(weights: Weights, factor: float) -> Weights:
    """`weights` with what makes the queries times `factor`.

    It is done here, and not on the scores: the runtime's way with one row wants a product as it is.
    """
    return {name: _scaled(weight, factor) if QUERY_KEY_VALUE in name else weight for name, weight in weights.items()}


def _scaled(projection: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    queries, keys, values = np.split(projection, 3)
    return np.concatenate([queries * np.float32(factor), keys, values])
