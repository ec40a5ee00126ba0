"""The LSTM as the graph of a step; it must equal `antiphon_plugins.lstm.model`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon_export.exporting.graph import Graph, Precision, Weights


def lstm_graph(weights: Weights, settings: Mapping[str, Any], precision: Precision) -> Graph:
    """Takes one `token` [1, 1], with the states `h` and `c` [layers, 1, hidden], and gives `h_out` and `c_out`.

    The cells are written out, because ONNX's LSTM cannot be stored in 8 bits.
    """
    layers, hidden = settings["layers"], settings["hidden"]
    graph = Graph(precision)
    token = graph.op("Squeeze", graph.input("token", (1, 1), np.int64), graph.integers(0))  # [1]
    state = (layers, 1, hidden)
    below = [_by_layer(graph, graph.input(name, state), layers) for name in "hc"]  # [1, hidden] for each layer
    x = graph.op("Gather", graph.matrix(weights["embedding.weight"]), token)  # [1, embedding]
    after: list[tuple[str, str]] = []
    for layer, (h, c) in enumerate(zip(*below, strict=True)):
        cell = f"recurrent.{layer}"
        matrix = np.concatenate([weights[f"{cell}.weight_ih_l0"], weights[f"{cell}.weight_hh_l0"]], axis=1)
        bias = weights[f"{cell}.bias_ih_l0"] + weights[f"{cell}.bias_hh_l0"]
        both = graph.op("Concat", x, h, axis=1)  # [1, in + hidden]
        gates = graph.linear(both, _sigmoids_first(matrix), _sigmoids_first(bias))  # [1, 4 * hidden]
        opening, fresh = graph.split(gates, 1, (3 * hidden, hidden))  # [1, 3 * hidden], [1, hidden]
        write, keep, read = graph.split(graph.op("Sigmoid", opening), 1, (hidden,) * 3)  # [1, hidden] each
        written = graph.op("Mul", write, graph.op("Tanh", fresh))  # [1, hidden]
        c = graph.op("Add", graph.op("Mul", keep, c), written)  # [1, hidden]
        x = graph.op("Mul", read, graph.op("Tanh", c))  # [1, hidden]
        after.append((x, c))
    for name, states in zip(("h_out", "c_out"), zip(*after, strict=True), strict=True):
        rows = [graph.op("Unsqueeze", row, graph.integers(0)) for row in states]  # [1, 1, hidden] each
        graph.output(graph.op("Concat", *rows, axis=0, name=name), state)
    for name in ("wide", "narrow"):
        x = graph.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])  # [1, wide], [1, narrow]
        x = graph.op("Relu", graph.layer_norm(x, weights, f"{name}_norm"))
    logits = graph.linear(x, weights["decoder.weight"], weights["decoder.bias"])  # [1, vocabulary]
    graph.output(graph.op("Identity", logits, name="logits"), (1, settings["vocabulary"]))
    return graph


def _by_layer(graph: Graph, state: str, layers: int) -> list[str]:
    """`state` [layers, 1, hidden] -> [1, hidden] for each layer."""
    rows = graph.split(state, 0, (1,) * layers) if layers > 1 else (state,)
    return [graph.op("Squeeze", row, graph.integers(0)) for row in rows]


def _sigmoids_first(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gates in PyTorch's order (write, keep, fresh, read) -> write, keep, read, fresh."""
    write, keep, fresh, read = np.split(rows, 4)
    return np.concatenate([write, keep, read, fresh])
