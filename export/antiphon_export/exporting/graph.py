"""An ONNX graph under construction, the three ways in which it stores weights, and the way back from each.

It knows no architecture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_args

import numpy as np
import onnx
from numpy.typing import DTypeLike, NDArray
from onnx import helper, numpy_helper

from antiphon.errors import AntiphonError

Precision = Literal["float32", "float16", "int8"]
PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)

OPSET: Final = 24
"""The first with TensorScatter, which writes into a cache where it lies."""
_MICROSOFT: Final = "com.microsoft"
"""Domain of ONNX Runtime's own operators."""
_IR_VERSION: Final = 11
_BLOCK: Final = 64
"""Weights that share a scale, in 8 bits: half as many cost the same time and 6 % more space."""
_INT8_ACCURACY: Final = 4
"""ONNX Runtime's name for products of 8-bit integers; in 32 bits they take seven times as long."""
_EPSILON: Final = 1e-5
"""Of PyTorch's norms."""
_NAMELESS: Final = "constant_"
"""How constants that are no weights are called, before their number."""
_CODES: Final = ".codes"
_SCALES: Final = ".scales"
"""What the name of a weight in 8 bits ends in: two constants make one weight."""

Weights = Mapping[str, NDArray[np.float32]]
"""A model's weights by the names that PyTorch gives them."""
Size = int | str
"""A number, or a word for what may vary."""


class Graph:
    """Nodes, weights, inputs and outputs, as they are added. Values are known by name, as in ONNX.

    A weight that is used becomes a constant of its own name, so that `read_weights` finds it again.
    """

    def __init__(self, precision: Precision, weights: Weights) -> None:
        """`weights`: those that nodes can ask for by name."""
        self.precision = precision
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[object, onnx.TensorProto] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, shape: Sequence[Size], dtype: DTypeLike = np.float32) -> str:
        """An input of the graph."""
        self._inputs.append(_value_info(name, shape, dtype))
        return name

    def output(self, name: str, shape: Sequence[Size]) -> str:
        """Declare that the value `name` is an output of the graph, in 32 bits."""
        self._outputs.append(_value_info(name, shape, np.float32))
        return name

    def op(self, kind: str, *inputs: str, name: str = "", domain: str = "", **attributes: Any) -> str:
        """The value of an operator with one output, called `name` if it needs to be."""
        (value,) = self._node(kind, inputs, 1, name, domain, attributes)
        return value

    def split(self, value: str, axis: int, sizes: Sequence[int]) -> tuple[str, ...]:
        """`value` cut along `axis` into parts of `sizes`."""
        return self._node("Split", (value, self.integers(*sizes)), len(sizes), "", "", {"axis": axis})

    def integers(self, *numbers: int) -> str:
        """A constant vector."""
        return self._constant(np.array(numbers, np.int64))

    def number(self, number: float) -> str:
        """A constant vector of one number in 32 bits."""
        return self._constant(np.array([number], np.float32))

    def weight(self, name: str) -> str:
        """The weight `name`, kept in 32 bits whatever the precision: of a norm, or a bias."""
        return self._constant(self._weights[name], name)

    def matrix(self, name: str) -> str:
        """The weight `name`, kept in 16 bits unless the precision is 32."""
        if self.precision == "float32":
            return self.weight(name)
        stored = self._constant(self._weights[name].astype(np.float16), name)
        return self.op("Cast", stored, to=onnx.TensorProto.FLOAT)

    def linear(self, x: str, name: str) -> str:
        """`x` [T, in] times the transpose of `name.weight` [out, in], plus `name.bias` [out] if there is one."""
        weight = f"{name}.weight"
        inputs = [self.weight(f"{name}.bias")] if f"{name}.bias" in self._weights else []
        if self.precision != "int8":
            return self.op("Gemm", x, self.matrix(weight), *inputs, transB=1)
        rows, columns = self._weights[weight].shape
        codes, scales = in_blocks(self._weights[weight])
        return self.op(
            "MatMulNBits",
            x,
            self._constant(codes, weight + _CODES),
            self._constant(scales, weight + _SCALES),
            *([""] * 2 * len(inputs)),  # zero points, which are 128, and an order of rows
            *inputs,
            domain=_MICROSOFT,
            K=columns,
            N=rows,
            bits=8,
            block_size=_BLOCK,
            accuracy_level=_INT8_ACCURACY,
        )

    def layer_norm(self, x: str, name: str) -> str:
        """`x` [T, width], each row normalised, then scaled by `name.weight` and moved by `name.bias`."""
        scale, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=_EPSILON)

    def add_norm(self, x: str, more: str, name: str) -> tuple[str, str]:
        """`x` plus `more`, both [T, width], normalised as `layer_norm` does; and the sum itself.

        In 8 bits, where files want ONNX Runtime's own operators anyway, it is one operator in place of two.
        """
        if self.precision != "int8":
            total = self.op("Add", x, more)
            return self.layer_norm(total, name), total
        inputs = (x, more, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"))
        normal, _, _, total = self._node("SkipLayerNormalization", inputs, 4, "", _MICROSOFT, {"epsilon": _EPSILON})
        return normal, total

    def model(self, metadata: Mapping[str, str]) -> onnx.ModelProto:
        """All of it, as what a file holds."""
        graph = helper.make_graph(self._nodes, "step", self._inputs, self._outputs, list(self._constants.values()))
        opsets = [helper.make_opsetid("", OPSET)]
        if self.precision == "int8":
            opsets.append(helper.make_opsetid(_MICROSOFT, 1))
        model = helper.make_model(graph, ir_version=_IR_VERSION, opset_imports=opsets, producer_name="antiphon")
        helper.set_model_props(model, dict(metadata))
        return model

    def _node(
        self,
        kind: str,
        inputs: Sequence[str],
        outputs: int,
        name: str,
        domain: str,
        attributes: Mapping[str, Any],
    ) -> tuple[str, ...]:
        stem = name or f"{kind}_{len(self._nodes)}"
        names = [stem] if outputs == 1 else [f"{stem}_{index}" for index in range(outputs)]
        self._nodes.append(helper.make_node(kind, list(inputs), names, name=stem, domain=domain, **attributes))
        return tuple(names)

    def _constant(self, array: NDArray[Any], name: str = "") -> str:
        """A weight is kept once under its name; of all else, what is the same is kept once."""
        array = np.ascontiguousarray(array)
        key = name or (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            name = name or f"{_NAMELESS}{len(self._constants)}"
            self._constants[key] = numpy_helper.from_array(array, name)
        return self._constants[key].name


def read_weights(model: onnx.ModelProto) -> dict[str, NDArray[np.float32]]:
    """The weights of a graph by name, as near as its precision kept them; none if it does not name them.

    One that is there in 8 bits and in more is taken from the more.
    """
    constants = {
        constant.name: numpy_helper.to_array(constant)
        for constant in model.graph.initializer
        if not constant.name.startswith(_NAMELESS)
    }
    weights: dict[str, NDArray[np.float32]] = {}
    for node in model.graph.node:
        if node.op_type == "MatMulNBits" and node.input[1] in constants:
            codes, scales = (constants.pop(name) for name in node.input[1:3])
            columns = next(attribute.i for attribute in node.attribute if attribute.name == "K")
            weights[node.input[1].removesuffix(_CODES)] = from_blocks(codes, scales, columns)
    return weights | {name: constant.astype(np.float32) for name, constant in constants.items()}


def check_precision(text: str) -> Precision:
    """`text` as a precision. Raises AntiphonError if it is none."""
    for precision in PRECISIONS:
        if text == precision:
            return precision
    raise AntiphonError(f"precision is {text!r}; allowed: {', '.join(PRECISIONS)}")


def in_blocks(weight: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """`weight` [out, in] in 8 bits, as MatMulNBits reads it: code - 128 times the scale of its block.

    Returns codes [out, blocks, 64] and scales [out * blocks]; the last block is filled up with zeros.
    """
    rows, columns = weight.shape
    blocks = -(-columns // _BLOCK)
    padded = np.zeros((rows, blocks * _BLOCK), np.float32)
    padded[:, :columns] = weight
    cut = padded.reshape(rows, blocks, _BLOCK)
    scales = np.maximum(np.abs(cut).max(axis=-1) / 127, np.finfo(np.float32).tiny).astype(np.float32)
    codes = (np.round(cut / scales[..., None]) + 128).astype(np.uint8)
    return codes, scales.reshape(-1)


def from_blocks(codes: NDArray[np.uint8], scales: NDArray[np.float32], columns: int) -> NDArray[np.float32]:
    """The weight [out, columns] of what `in_blocks` made of it, rounded to its 8 bits."""
    rows = len(codes)
    cut = (codes.astype(np.float32) - 128) * scales.reshape(rows, -1, 1)  # [out, blocks, 64]
    return np.ascontiguousarray(cut.reshape(rows, -1)[:, :columns])


def _value_info(name: str, shape: Sequence[Size], dtype: DTypeLike) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), list(shape))
