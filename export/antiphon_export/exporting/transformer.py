"""Our Transformer as the graph of a step; it must equal `antiphon_plugins.transformer.model`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from antiphon_export.exporting.graph import Graph, Precision, Weights
from antiphon_export.exporting.ring import Ring


def transformer_graph(weights: Weights, settings: Mapping[str, Any], capacity: int, precision: Precision) -> Graph:
    """Takes T tokens at a time, with `cos` and `sin` [T, D / 2] of the angles of their positions."""
    heads, width = settings["heads"], settings["width"]
    head_size = width // heads
    graph = Graph(precision)
    ring = Ring(graph, heads, head_size, capacity)
    tokens = ring.tokens()  # [T]
    angles = [graph.input(name, ("T", head_size // 2)) for name in ("cos", "sin")]
    angles = [graph.op("Unsqueeze", angle, graph.integers(0)) for angle in angles]  # [1, T, D / 2]
    mask = ring.mask()  # [T, S]
    x = graph.op("Gather", graph.matrix(weights["embedding.weight"]), tokens)  # [T, width]
    x = graph.op("Mul", x, graph.numbers(np.array([width**0.5], np.float32)))  # [T, width]
    for layer in range(settings["layers"]):
        block = f"blocks.{layer}"
        projection = weights[f"{block}.query_key_value.weight"].copy()
        # Here, and not on the scores: the runtime's way with one row wants a product as it is.
        projection[:width] *= np.float32(head_size**-0.5)
        normal = graph.layer_norm(x, weights, f"{block}.attention_norm")  # [T, width]
        heads_apart = ring.by_head(graph.linear(normal, projection), 3)  # [1, 3 * H, T, D]
        turning, v = graph.split(heads_apart, 1, (2 * heads, heads))  # [1, 2 * H, T, D], [1, H, T, D]
        q, k = graph.split(graph.op("RotaryEmbedding", turning, *angles), 1, (heads, heads))  # [1, H, T, D] each
        keys, values = ring.write("k", layer, k), ring.write("v", layer, v)  # [1, H, S, D] each
        scores = graph.op("Add", ring.scores(q, keys), mask)  # [1, H, T, S]
        mixed = ring.mixed(scores, values)  # [T, width]
        x = graph.op("Add", x, graph.linear(mixed, weights[f"{block}.attention_out.weight"]))  # [T, width]
        normal = graph.layer_norm(x, weights, f"{block}.feed_forward_norm")  # [T, width]
        halves = graph.linear(normal, weights[f"{block}.gate_up.weight"])  # [T, 2 * feed_forward]
        gate, up = graph.split(halves, 1, (settings["feed_forward"],) * 2)  # [T, feed_forward] each
        gate = graph.op("Mul", gate, graph.op("Sigmoid", gate))  # [T, feed_forward]
        down = graph.linear(graph.op("Mul", gate, up), weights[f"{block}.down.weight"])  # [T, width]
        x = graph.op("Add", x, down)  # [T, width]
    normal = graph.layer_norm(x, weights, "norm")  # [T, width]
    ring.logits(graph.linear(normal, weights["embedding.weight"]), settings["vocabulary"])
    return graph
