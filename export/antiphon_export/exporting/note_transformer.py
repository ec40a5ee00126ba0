"""The Transformer of notes as two graphs, a step and the heads that speak after it; and back.

They must equal `antiphon_plugins.notes.model`. The heads are a model of their own, which the file of the step carries
in its metadata: ONNX Runtime computes a graph whole, and heads are asked four times a note.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from antiphon.models.card import ModelCard
from antiphon.note_steps.words import BAG, ENDS, GIVEN_TOLD
from antiphon_export.exporting.graph import Graph, Precision, Weights
from antiphon_export.exporting.ring import Ring
from antiphon_export.exporting.transformer import add_blocks
from antiphon_plugins.notes.model import HEADS


def note_transformer_graph(weights: Weights, settings: Mapping[str, Any], capacity: int, precision: Precision) -> Graph:
    """Takes T steps at a time; `weights` have their queries scaled already."""
    heads, width, head_width = settings["heads"], settings["width"], settings["head_width"]
    head_size = width // heads
    graph = Graph(precision, weights)
    ring = Ring(graph, heads, head_size, capacity)
    bags = graph.input("bags", ("T", BAG), np.int64)
    graph.input("write_pos", (1,), np.int64)
    angles = [graph.input(name, ("T", head_size // 2)) for name in ("cos", "sin")]
    angles = [graph.op("Unsqueeze", angle, graph.integers(0)) for angle in angles]  # [1, T, D / 2]
    mask = ring.mask()  # [T, S]
    vectors = graph.op("Gather", graph.matrix("words.weight"), bags)  # [T, BAG, width]
    x = graph.op("ReduceSum", vectors, graph.integers(1), keepdims=0)  # [T, width]
    normal = add_blocks(graph, ring, x, angles, mask, settings)  # [T, width]
    state = graph.op("Identity", graph.linear(normal, "state"), name="state")
    graph.output(state, ("T", len(HEADS) * head_width))
    time, *_ = graph.split(state, 1, (head_width,) * len(HEADS))  # [T, head_width] each
    _speak(graph, "time", time, "T")

    return graph


def heads_graph(weights: Weights, settings: Mapping[str, Any], precision: Precision) -> Graph:
    """Takes N states, what is given of each [N, GIVEN_TOLD], and `ends` [N, ENDS]; speaks of all but the time."""
    head_width = settings["head_width"]
    graph = Graph(precision, weights)
    told = graph.input("state", ("N", len(HEADS) * head_width))
    given = graph.input("given", ("N", GIVEN_TOLD), np.int64)
    ends = graph.input("ends", ("N", ENDS), np.int64)
    _, *rest = graph.split(told, 1, (head_width,) * len(HEADS))  # [N, head_width] each
    rows = graph.op("Gather", graph.matrix("given.weight"), given)  # [N, GIVEN_TOLD, 4 * head_width]
    moment = graph.op("ReduceSum", rows, graph.integers(1), keepdims=0)  # [N, 4 * head_width]
    parts = graph.split(moment, 1, (head_width,) * len(rest))  # [N, head_width] each
    for name, row, part in zip(HEADS[1:-1], rest, parts, strict=False):
        _speak(graph, name, graph.op("Add", row, part), "N")
    length = graph.op("Gelu", graph.op("Add", rest[-1], parts[-1]))  # [N, head_width]
    own = graph.linear(length, "out.length")  # [N, OPEN + 1]
    known = graph.op("Max", ends, graph.integers(0))  # [N, ENDS]
    keys = graph.op("Gather", graph.matrix("ending.weight"), known)  # [N, ENDS, head_width]
    column = graph.op("Unsqueeze", length, graph.integers(2))  # [N, head_width, 1]
    shared = graph.op("Squeeze", graph.op("MatMul", keys, column), graph.integers(2))  # [N, ENDS]
    shared = graph.op("Mul", shared, graph.number(head_width**-0.5))
    none = graph.op("Less", ends, graph.integers(0))
    shared = graph.op("Where", none, graph.number(-1e9), shared)
    logits = graph.op("Concat", own, shared, name="logits_length", axis=1)
    graph.output(logits, ("N", "lengths"))
    return graph


def _speak(graph: Graph, name: str, row: str, count: str) -> None:
    """Declare the logits of the head `name`, of `row` [count, head_width], as an output."""
    logits = graph.linear(graph.op("Gelu", row), f"out.{name}")
    graph.output(graph.op("Identity", logits, name=f"logits_{name}"), (count, f"{name}s"))


def settings_of(card: ModelCard, weights: Weights) -> dict[str, Any]:
    """The settings of the model with this `card` and these `weights`."""
    return {
        "window": card.window,
        "width": card.heads * card.head_size,
        "layers": card.layers,
        "heads": card.heads,
        "feed_forward": weights["blocks.0.down.weight"].shape[1],
        "head_width": weights["state.weight"].shape[0] // len(HEADS),
    }
