"""The study's Transformer as the graph of a step, and back.

It must equal `antiphon_plugins.study_transformer.model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from antiphon.models.card import ModelCard
from antiphon_export.exporting.graph import Graph, Precision, Weights
from antiphon_export.exporting.ring import QUERY_KEY_VALUE, Ring, with_scaled_queries

_PARTS: Final = ("query", "key", "value")
"""What one matrix of the graph makes together, as PyTorch's model calls it apart."""


def study_transformer_graph(
    weights: Weights, settings: Mapping[str, Any], capacity: int, precision: Precision
) -> Graph:
    """Takes T tokens at a time, with the `distance` [T, S] from each to every slot, at most `distances` - 1."""
    heads, width = settings["heads"], settings["width"]
    head_size = width // heads
    graph = Graph(precision, fold(weights, head_size))
    ring = Ring(graph, heads, head_size, capacity)
    tokens = ring.tokens()  # [T]
    distance = graph.input("distance", ("T", capacity), np.int64)  # [T, S]
    scores = ring.mask()  # [T, S]: added to the first layer's, and so to all above
    x = graph.op("Gather", graph.matrix("embedding.weight"), tokens)  # [T, width]
    for layer in range(settings["layers"]):
        block = f"blocks.{layer}"
        heads_apart = ring.by_head(graph.linear(x, f"{block}.attention.{QUERY_KEY_VALUE}"), 3)  # [1, 3 * H, T, D]
        q, k, v = graph.split(heads_apart, 1, (heads, heads, heads))  # [1, H, T, D] each
        keys, values = ring.write("k", layer, k), ring.write("v", layer, v)  # [1, H, S, D] each
        relative = graph.op("Gather", graph.matrix(f"{block}.attention.relative"), distance)  # [T, S, D]
        relative = graph.op("Transpose", relative, perm=[0, 2, 1])  # [T, D, S]
        by_token = graph.op("Transpose", q, perm=[0, 2, 1, 3])  # [1, T, H, D]
        bias_of_slot = graph.op("MatMul", by_token, relative)  # [1, T, H, S]
        bias_of_slot = graph.op("Transpose", bias_of_slot, perm=[0, 2, 1, 3])  # [1, H, T, S]
        scores = graph.op("Add", graph.op("Add", ring.scores(q, keys), bias_of_slot), scores)  # [1, H, T, S]
        mixed = graph.linear(ring.mixed(scores, values), f"{block}.attention.out")  # [T, width]
        x = graph.layer_norm(graph.op("Add", x, mixed), f"{block}.attention_norm")  # [T, width]
        expanded = graph.op("Relu", graph.linear(x, f"{block}.up"))  # [T, feed_forward]
        down = graph.linear(expanded, f"{block}.down")  # [T, width]
        x = graph.layer_norm(graph.op("Add", x, down), f"{block}.feed_forward_norm")  # [T, width]
    ring.logits(graph.linear(x, "decoder"), settings["vocabulary"])
    return graph


def fold(weights: Weights, head_size: int) -> Weights:
    """PyTorch's weights -> the graph's, in which one matrix makes queries, keys and values, the queries scaled."""
    folded = dict(weights)
    for name in weights:
        if f".{_PARTS[0]}." in name:
            parts = [folded.pop(name.replace(_PARTS[0], part)) for part in _PARTS]
            folded[name.replace(_PARTS[0], QUERY_KEY_VALUE)] = np.concatenate(parts)
    return with_scaled_queries(folded, head_size**-0.5)


def unfold(weights: Weights, head_size: int) -> Weights:
    """The graph's weights -> PyTorch's."""
    unfolded = dict(with_scaled_queries(weights, head_size**0.5))
    for name in weights:
        if QUERY_KEY_VALUE in name:
            for part, rows in zip(_PARTS, np.split(unfolded.pop(name), len(_PARTS)), strict=True):
                unfolded[name.replace(QUERY_KEY_VALUE, part)] = rows
    return unfolded


def settings_of(card: ModelCard, weights: Weights) -> dict[str, Any]:
    """The settings of the model with this `card` and these `weights`; of dropout a model file knows nothing."""
    return {
        "vocabulary": card.vocabulary,
        "width": card.heads * card.head_size,
        "layers": card.layers,
        "heads": card.heads,
        "feed_forward": len(weights["blocks.0.up.weight"]),
        "distances": card.distances,
    }
