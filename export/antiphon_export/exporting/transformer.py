"""Our Transformer as the graph of a step, and back; it must equal `antiphon_plugins.transformer.model`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.models.card import ModelCard
from antiphon_export.exporting.graph import Graph, Precision, Weights
from antiphon_export.exporting.ring import QUERY_KEY_VALUE, Ring, with_scaled_queries


def transformer_graph(weights: Weights, settings: Mapping[str, Any], capacity: int, precision: Precision) -> Graph:
    """Takes T tokens at a time, with `cos` and `sin` [T, D / 2] of the angles of their positions."""
    heads, width = settings["heads"], settings["width"]
    head_size = width // heads
    graph = Graph(precision, fold(weights, head_size))
    ring = Ring(graph, heads, head_size, capacity)
    tokens = ring.tokens()  # [T]
    angles = [graph.input(name, ("T", head_size // 2)) for name in ("cos", "sin")]
    angles = [graph.op("Unsqueeze", angle, graph.integers(0)) for angle in angles]  # [1, T, D / 2]
    mask = ring.mask()  # [T, S]
    x = graph.op("Gather", graph.matrix("embedding.weight"), tokens)  # [T, width]
    x = graph.op("Mul", x, graph.number(width**0.5))  # [T, width]
    normal = add_blocks(graph, ring, x, angles, mask, settings)  # [T, width]
    ring.logits(graph.linear(normal, "embedding"), settings["vocabulary"])
    return graph


def add_blocks(graph: Graph, ring: Ring, x: str, angles: Sequence[str], mask: str, settings: Mapping[str, Any]) -> str:
    """The stream `x` [T, width] after all blocks, normalised; `angles` are two of [1, T, D / 2], `mask` is [T, S].

    What a layer adds to the stream is added where the next one normalises it.
    """
    normal = graph.layer_norm(x, "blocks.0.attention_norm")  # [T, width]
    for layer in range(settings["layers"]):
        block = f"blocks.{layer}"
        heads_apart = ring.by_head(graph.linear(normal, f"{block}.{QUERY_KEY_VALUE}"), 3)  # [1, 3 * H, T, D]
        turning, v = graph.split(heads_apart, 1, (2 * ring.heads, ring.heads))  # [1, 2 * H, T, D], [1, H, T, D]
        turned = graph.op("RotaryEmbedding", turning, *angles)
        q, k = graph.split(turned, 1, (ring.heads, ring.heads))  # [1, H, T, D] each
        keys, values = ring.write("k", layer, k), ring.write("v", layer, v)  # [1, H, S, D] each
        scores = graph.op("Add", ring.scores(q, keys), mask)  # [1, H, T, S]
        mixed = graph.linear(ring.mixed(scores, values), f"{block}.attention_out")  # [T, width]
        normal, x = graph.add_norm(x, mixed, f"{block}.feed_forward_norm")  # [T, width] each
        halves = graph.linear(normal, f"{block}.gate_up")  # [T, 2 * feed_forward]
        gate, up = graph.split(halves, 1, (settings["feed_forward"],) * 2)  # [T, feed_forward] each
        gate = graph.op("Mul", gate, graph.op("Sigmoid", gate))  # [T, feed_forward]
        down = graph.linear(graph.op("Mul", gate, up), f"{block}.down")  # [T, width]
        last = layer == settings["layers"] - 1
        normal, x = graph.add_norm(x, down, "norm" if last else f"blocks.{layer + 1}.attention_norm")
    return normal


def fold(weights: Weights, head_size: int) -> Weights:
    """PyTorch's weights -> the graph's, in which queries are scaled already."""
    return with_scaled_queries(weights, head_size**-0.5)


def unfold(weights: Weights, head_size: int) -> Weights:
    """The graph's weights -> PyTorch's."""
    return with_scaled_queries(weights, head_size**0.5)


def settings_of(card: ModelCard, weights: Weights) -> dict[str, Any]:
    """The settings of the model with this `card` and these `weights`; of dropout a model file knows nothing."""
    return {
        "vocabulary": card.vocabulary,
        "window": card.window,
        "width": card.heads * card.head_size,
        "layers": card.layers,
        "heads": card.heads,
        "feed_forward": weights["blocks.0.down.weight"].shape[1],
    }
