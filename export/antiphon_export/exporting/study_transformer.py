"""The study's Transformer as the graph of a step; it must equal `antiphon_plugins.study_transformer.model`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from antiphon_export.exporting.graph import Graph, Precision, Weights
from antiphon_export.exporting.ring import Ring


def study_transformer_graph(
    weights: Weights, settings: Mapping[str, Any], capacity: int, precision: Precision
) -> Graph:
    """Takes T tokens at a time, with the `distance` [T, S] from each to every slot, at most `distances` - 1."""
    heads, width = settings["heads"], settings["width"]
    head_size = width // heads
    graph = Graph(precision)
    ring = Ring(graph, heads, head_size, capacity)
    tokens = ring.tokens()  # [T]
    distance = graph.input("distance", ("T", capacity), np.int64)  # [T, S]
    scores = ring.mask()  # [T, S]: added to the first layer's, and so to all above
    x = graph.op("Gather", graph.matrix(weights["embedding.weight"]), tokens)  # [T, width]
    for layer in range(settings["layers"]):
        block = f"blocks.{layer}"
        parts = [f"{block}.attention.{part}" for part in ("query", "key", "value")]
        projection = np.concatenate([weights[f"{part}.weight"] for part in parts])
        bias = np.concatenate([weights[f"{part}.bias"] for part in parts])
        # Here, and not on the scores: the runtime's way with one row wants a product as it is.
        projection[:width] *= np.float32(head_size**-0.5)
        bias[:width] *= np.float32(head_size**-0.5)
        heads_apart = ring.by_head(graph.linear(x, projection, bias), 3)  # [1, 3 * H, T, D]
        q, k, v = graph.split(heads_apart, 1, (heads, heads, heads))  # [1, H, T, D] each
        keys, values = ring.write("k", layer, k), ring.write("v", layer, v)  # [1, H, S, D] each
        relative = graph.op("Gather", graph.matrix(weights[f"{block}.attention.relative"]), distance)  # [T, S, D]
        relative = graph.op("Transpose", relative, perm=[0, 2, 1])  # [T, D, S]
        by_token = graph.op("Transpose", q, perm=[0, 2, 1, 3])  # [1, T, H, D]
        bias_of_slot = graph.op("MatMul", by_token, relative)  # [1, T, H, S]
        bias_of_slot = graph.op("Transpose", bias_of_slot, perm=[0, 2, 1, 3])  # [1, H, T, S]
        scores = graph.op("Add", graph.op("Add", ring.scores(q, keys), bias_of_slot), scores)  # [1, H, T, S]
        mixed = _linear(graph, ring.mixed(scores, values), weights, f"{block}.attention.out")  # [T, width]
        x = graph.layer_norm(graph.op("Add", x, mixed), weights, f"{block}.attention_norm")  # [T, width]
        expanded = graph.op("Relu", _linear(graph, x, weights, f"{block}.up"))  # [T, feed_forward]
        down = _linear(graph, expanded, weights, f"{block}.down")  # [T, width]
        x = graph.layer_norm(graph.op("Add", x, down), weights, f"{block}.feed_forward_norm")  # [T, width]
    ring.logits(_linear(graph, x, weights, "decoder"), settings["vocabulary"])
    return graph


def _linear(graph: Graph, x: str, weights: Weights, name: str) -> str:
    return graph.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])
