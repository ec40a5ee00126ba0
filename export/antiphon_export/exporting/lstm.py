"""The LSTM as the graph of a step, and back; it must equal `antiphon_plugins.lstm.model`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.models.card import ModelCard
from antiphon_export.exporting.graph import Graph, Precision, Weights


def lstm_graph(weights: Weights, settings: Mapping[str, Any], precision: Precision) -> Graph:
    """Takes one `token` [1, 1], with the states `h` and `c` [layers, 1, hidden], and gives `h_out` and `c_out`.

    The cells are written out, because ONNX's LSTM cannot be stored in 8 bits.
    """
    layers, hidden = settings["layers"], settings["hidden"]
    graph = Graph(precision, fold(weights))
    token = graph.op("Squeeze", graph.input("token", (1, 1), np.int64), graph.integers(0))  # [1]
    state = (layers, 1, hidden)
    below = [_by_layer(graph, graph.input(name, state), layers) for name in "hc"]  # [1, hidden] for each layer
    x = graph.op("Gather", graph.matrix("embedding.weight"), token)  # [1, embedding]
    after: list[tuple[str, str]] = []
    for layer, (h, c) in enumerate(zip(*below, strict=True)):
        both = graph.op("Concat", x, h, axis=1)  # [1, in + hidden]
        gates = graph.linear(both, f"recurrent.{layer}.gates")  # [1, 4 * hidden]
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
        x = graph.linear(x, name)  # [1, wide], [1, narrow]
        x = graph.op("Relu", graph.layer_norm(x, f"{name}_norm"))
    logits = graph.linear(x, "decoder")  # [1, vocabulary]
    graph.output(graph.op("Identity", logits, name="logits"), (1, settings["vocabulary"]))
    return graph


def fold(weights: Weights) -> Weights:
    """PyTorch's weights -> the graph's: a cell has one matrix, for what is below it and before it, and one bias."""
    folded = dict(weights)
    for name in weights:
        cell, _, part = name.rpartition(".")
        if part == "weight_ih_l0":
            below, before = folded.pop(name), folded.pop(f"{cell}.weight_hh_l0")
            folded[f"{cell}.gates.weight"] = _sigmoids_first(np.concatenate([below, before], axis=1))
            bias = folded.pop(f"{cell}.bias_ih_l0") + folded.pop(f"{cell}.bias_hh_l0")
            folded[f"{cell}.gates.bias"] = _sigmoids_first(bias)
    return folded


def unfold(weights: Weights, hidden: int) -> Weights:
    """The graph's weights -> PyTorch's, whose second bias is 0: the first one is both."""
    unfolded = dict(weights)
    for name in weights:
        cell, found, _ = name.partition(".gates.weight")
        if found:
            matrix = _sigmoids_apart(unfolded.pop(name))  # [4 * hidden, in + hidden]
            bias = _sigmoids_apart(unfolded.pop(f"{cell}.gates.bias"))  # [4 * hidden]
            unfolded |= {f"{cell}.weight_ih_l0": matrix[:, :-hidden], f"{cell}.weight_hh_l0": matrix[:, -hidden:]}
            unfolded |= {f"{cell}.bias_ih_l0": bias, f"{cell}.bias_hh_l0": np.zeros_like(bias)}
    return unfolded


def settings_of(card: ModelCard, weights: Weights) -> dict[str, Any]:
    """The settings of the model with this `card` and these `weights`; of dropout a model file knows nothing."""
    return {
        "vocabulary": card.vocabulary,
        "embedding": weights["embedding.weight"].shape[1],
        "hidden": card.head_size,
        "layers": card.layers,
        "wide": len(weights["wide.weight"]),
        "narrow": len(weights["narrow.weight"]),
    }


def _by_layer(graph: Graph, state: str, layers: int) -> list[str]:
    """`state` [layers, 1, hidden] -> [1, hidden] for each layer."""
    rows = graph.split(state, 0, (1,) * layers) if layers > 1 else (state,)
    return [graph.op("Squeeze", row, graph.integers(0)) for row in rows]


def _sigmoids_first(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gates in PyTorch's order (write, keep, fresh, read) -> write, keep, read, fresh."""
    write, keep, fresh, read = np.split(rows, 4)
    return np.concatenate([write, keep, read, fresh])


def _sigmoids_apart(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gates in the order write, keep, read, fresh -> PyTorch's."""
    write, keep, read, fresh = np.split(rows, 4)
    return np.concatenate([write, keep, fresh, read])
