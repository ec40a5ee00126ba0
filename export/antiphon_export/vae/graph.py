"""The VAE as one graph with two halves; it must equal `antiphon_plugins.vae.model`. It is run half at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.rolls.roll import CHANNELS, KEYS
from antiphon_export.exporting.graph import Graph, Precision, Weights
from antiphon_plugins.vae.model import BEAT, LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE

_ROW = CHANNELS * KEYS


def vae_graph(weights: Weights, settings: Mapping[str, Any], precision: Precision) -> Graph:
    """Takes `roll` [1, T, 3, 88] and `z` [1, Z]; gives `mean` and `log_var` [1, Z] of the one, `decoded` of the other.

    No node stands on both inputs, so that a run which asks for one half computes one half.
    """
    steps, latent = settings["steps"], settings["latent"]
    graph = Graph(precision, weights)
    x = _summaries(graph, graph.input("roll", (1, steps, CHANNELS, KEYS)), settings)  # [1, T / 4 * summary]
    graph.op("Identity", graph.linear(x, "mean"), name="mean")
    log_variance = graph.linear(x, "log_variance")  # [1, Z]
    limits = [graph.op("Squeeze", graph.number(limit)) for limit in (LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE)]
    graph.op("Clip", log_variance, *limits, name="log_var")
    x = graph.linear(graph.input("z", (1, latent)), "opening")  # [1, T / 4 * summary]
    x = graph.op("Reshape", x, graph.integers(steps // BEAT, settings["summary"]))  # [T / 4, summary]
    bent = graph.linear(graph.op("Relu", graph.linear(x, "hidden")), "keys")  # [T / 4, 4 * 264]
    logits = graph.op("Add", bent, graph.linear(x, "straight"))
    logits = graph.op("Reshape", logits, graph.integers(1, steps, CHANNELS, KEYS))
    graph.op("Sigmoid", logits, name="decoded")
    for name, shape in (("mean", (1, latent)), ("log_var", (1, latent)), ("decoded", (1, steps, CHANNELS, KEYS))):
        graph.output(name, shape)
    return graph


def _summaries(graph: Graph, roll: str, settings: Mapping[str, Any]) -> str:
    """What all beats tell the code: [1, T / 4 * summary]."""
    steps, beat, recurrent = (settings[name] for name in ("steps", "beat", "recurrent"))
    beats = steps // BEAT
    x = graph.op("Transpose", graph.op("Reshape", roll, graph.integers(1, steps, _ROW)), perm=[0, 2, 1])  # [1, 264, T]
    x = _convolution(graph, x, "near", pads=[1, 1])  # [1, near, T]
    x = _convolution(graph, x, "beat", strides=[BEAT])  # [1, beat, T / 4]
    x = graph.op("Transpose", x, perm=[2, 0, 1])  # [T / 4, 1, beat]
    forward_and_back = ("", "_reverse")
    around = graph.op(
        "GRU",
        x,
        _of_both(graph, [_gates(graph, f"context.weight_ih_l0{way}", recurrent) for way in forward_and_back]),
        _of_both(graph, [_gates(graph, f"context.weight_hh_l0{way}", recurrent) for way in forward_and_back]),
        _of_both(graph, [_biases(graph, way, recurrent) for way in forward_and_back]),
        hidden_size=recurrent,
        direction="bidirectional",
        linear_before_reset=1,
    )  # [T / 4, 2, 1, recurrent]
    around = graph.op("Reshape", around, graph.integers(beats, 2 * recurrent))
    x = graph.op("Reshape", x, graph.integers(beats, beat))
    straight = graph.op("Reshape", roll, graph.integers(beats, BEAT * _ROW))
    x = graph.linear(graph.op("Concat", x, around, straight, axis=1), "summary")  # [T / 4, summary]
    return graph.op("Reshape", x, graph.integers(1, -1))


def _convolution(graph: Graph, x: str, name: str, **attributes: Any) -> str:
    return graph.op(
        "Relu", graph.op("Conv", x, graph.matrix(f"{name}.weight"), graph.weight(f"{name}.bias"), **attributes)
    )


def _gates(graph: Graph, name: str, size: int, bias: bool = False) -> str:
    """PyTorch's gates are reset, update and new; ONNX has update before reset."""
    stored = graph.weight(name) if bias else graph.matrix(name)
    reset, update, new = graph.split(stored, 0, [size] * 3)
    return graph.op("Concat", update, reset, new, axis=0)


def _biases(graph: Graph, way: str, size: int) -> str:
    """Of the inputs, then of the state: [6 * size]."""
    both = [_gates(graph, f"context.bias_{of}_l0{way}", size, bias=True) for of in ("ih", "hh")]
    return graph.op("Concat", *both, axis=0)


def _of_both(graph: Graph, parts: list[str]) -> str:
    """Forward and reverse, joined along a first axis of 2."""
    first = graph.integers(0)
    return graph.op("Concat", *[graph.op("Unsqueeze", part, first) for part in parts], axis=0)
