"""A model file of piano rolls that has learnt nothing: its code is the roll itself, so what is decoded is plain."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

STEPS = 32
LATENT = STEPS * 3 * 88
CLEAR = 4.0
"""Where the code of an onset or a hold lies; half of that is as likely as not."""

METADATA = {
    "antiphon_contract": "1",
    "name": "toy",
    "version": "1",
    "architecture": "vae",
    "codec": "roll",
    "codec_version": "1",
    "parameters": "0",
    "precision": "float32",
    "steps": str(STEPS),
    "latent": str(LATENT),
    "corpora": "[]",
    "licences": "CC0",
}


def write_toy_vae(
    path: Path,
    metadata: Mapping[str, str] = METADATA,
    *,
    directions: Mapping[str, Sequence[float]] | None = None,
    gain: float = CLEAR,
) -> Path:
    """The code of a roll is about 4 times the roll, and a code decodes to the roll again.

    How far from the middle a cell lies differs a little, so that half-way between two rolls some of each are likelier.

    `density` adds a note on every beat, `register` an octave of them above, `loudness` a fifth of all velocity.
    """
    roll, code = [1, STEPS, 3, 88], [1, LATENT]
    nodes = [
        helper.make_node("Reshape", ["roll", "code_shape"], ["flat"]),
        helper.make_node("Mul", ["flat", "gain"], ["mean"]),
        helper.make_node("Sub", ["mean", "mean"], ["log_var"]),
        helper.make_node("Reshape", ["z", "roll_shape"], ["square"]),
        helper.make_node("Sub", ["square", "half"], ["centred"]),
        helper.make_node("Mul", ["centred", "steepness"], ["steep"]),
        helper.make_node("Sigmoid", ["steep"], ["decoded"]),
    ]
    half = np.full((1, 1, 3, 1), CLEAR / 2, np.float32)
    steepness = np.full((1, 1, 3, 1), 4, np.float32)
    steepness[0, 0, 2] = 1  # Velocities are spread out; of onsets and holds all are nearly certain.
    constants = {
        "code_shape": np.array(code),
        "roll_shape": np.array(roll),
        "gain": (gain * _certainty()).astype(np.float32).reshape(code),
        "half": half,
        "steepness": steepness,
    }
    graph = helper.make_graph(
        nodes,
        "toy",
        [_tensor("roll", roll), _tensor("z", code)],
        [_tensor("mean", code), _tensor("log_var", code), _tensor("decoded", roll)],
        [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    told = {**metadata, "directions": json.dumps(_directions() if directions is None else dict(directions))}
    helper.set_model_props(model, told)
    path.write_bytes(model.SerializeToString())
    return path


def _certainty() -> np.ndarray:
    step, channel, key = np.indices((STEPS, 3, 88))
    return np.where(channel == 2, 1.0, 1.0 + 0.02 * ((5 * step + 3 * key) % 11 - 5))


def _tensor(name: str, shape: Sequence[int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _directions() -> dict[str, list[float]]:
    moved = {}
    for name, channel, keys, amount in (
        ("density", 0, slice(39, 40), CLEAR),
        ("register", 0, slice(51, 52), CLEAR),
        ("loudness", 2, slice(0, 88), 0.8),
    ):
        direction = np.zeros((STEPS, 3, 88))
        direction[:: 4 if channel == 0 else 1, channel, keys] = amount
        moved[name] = direction.ravel().tolist()
    return moved
