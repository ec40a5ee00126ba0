"""An ONNX graph under construction, and the three ways in which its weights are stored. It knows no architecture."""

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

Weights = Mapping[str, NDArray[np.float32]]
"""A model's weights by the names that PyTorch gives them."""
Size = int | str
"""A number, or a word for what may vary."""


class Graph:
    """Nodes, weights, inputs and outputs, as they are added. Values are known by name, as in ONNX."""

    def __init__(self, precision: Precision) -> None:
        self.precision = precision
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], onnx.TensorProto] = {}
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

    def numbers(self, array: NDArray[np.float32]) -> str:
        """A constant that is kept in 32 bits whatever the precision: norms, biases, single numbers."""
        return self._constant(array.astype(np.float32))

    def matrix(self, array: NDArray[np.float32]) -> str:
        """A matrix, kept in 16 bits unless the precision is 32."""
        if self.precision == "float32":
            return self.numbers(array)
        return self.op("Cast", self._constant(array.astype(np.float16)), to=onnx.TensorProto.FLOAT)

    def linear(self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32] | None = None) -> str:
        """`x` [T, in] times the transpose of `weight` [out, in], plus `bias` [out]."""
        inputs = [] if bias is None else [self.numbers(bias)]
        if self.precision != "int8":
            return self.op("Gemm", x, self.matrix(weight), *inputs, transB=1)
        codes, scales = in_blocks(weight)
        return self.op(
            "MatMulNBits",
            x,
            self._constant(codes),
            self._constant(scales),
            *([""] * 2 * len(inputs)),  # zero points, which are 128, and an order of rows
            *inputs,
            domain=_MICROSOFT,
            K=weight.shape[1],
            N=weight.shape[0],
            bits=8,
            block_size=_BLOCK,
            accuracy_level=_INT8_ACCURACY,
        )

    def layer_norm(self, x: str, weights: Weights, name: str) -> str:
        """`x` [T, width], each row normalised, scaled and moved by `weights` of the norm `name`."""
        scale, bias = self.numbers(weights[f"{name}.weight"]), self.numbers(weights[f"{name}.bias"])
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-5)

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

    def _constant(self, array: NDArray[Any]) -> str:
        """What is the same is kept once."""
        array = np.ascontiguousarray(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = numpy_helper.from_array(array, f"constant_{len(self._constants)}")
        return self._constants[key].name


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


def _value_info(name: str, shape: Sequence[Size], dtype: DTypeLike) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), list(shape))
