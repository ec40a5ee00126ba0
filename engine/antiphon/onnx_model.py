"""The way to ONNX Runtime, and the only module that imports it. It knows neither tokens nor music."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Final

from antiphon.errors import AntiphonError
from antiphon.quiet import quiet_stderr

_DOUBLE: Final = base64.b64decode(
    "CAg6OgoOCgF4CgF4EgF5IgNBZGQSBmRvdWJsZVoPCgF4EgoKCAgBEgQKAggCYg8KAXkSCgoICAESBAoCCAJCBAoAEBE="
)
"""A model that computes y = x + x for two floats, made by the package `onnx`:

    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "double", value[:1], value[1:])
    helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()
"""

_NOT_LOCAL: Final = frozenset({"AzureExecutionProvider"})
"""Providers that ask another machine."""


@dataclass(frozen=True, slots=True)
class Providers:
    """What ONNX Runtime says it has, and what of that works."""

    version: str
    """Version of ONNX Runtime."""
    listed: tuple[str, ...]
    """Execution providers it was built with, fastest first, as in `CUDAExecutionProvider`."""
    usable: tuple[str, ...]
    """Those of them that computed something here and now."""


def probe_providers() -> Providers:
    """Run a tiny model on every provider. Raises AntiphonError if ONNX Runtime cannot be imported.

    A provider whose libraries or device are missing is listed all the same, and its sessions silently run on the CPU:
    so only the session itself tells.
    """
    onnxruntime = _onnxruntime()
    listed = tuple(name for name in onnxruntime.get_available_providers() if name not in _NOT_LOCAL)
    usable = tuple(name for name in listed if _computes(onnxruntime, name))
    return Providers(onnxruntime.__version__, listed, usable)


def _computes(onnxruntime: Any, provider: str) -> bool:
    import numpy

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # fatal: that a provider is missing is the answer, not an error
    options.intra_op_num_threads = 1
    try:
        with quiet_stderr():
            # Without the fallback, which announces itself on stdout: a provider that fails says so by raising.
            session = onnxruntime.InferenceSession(_DOUBLE, options, providers=[provider], enable_fallback=0)
            if provider not in session.get_providers():
                return False
            (doubled,) = session.run(None, {"x": numpy.array([1, 2], numpy.float32)})
    except Exception:  # every provider raises errors of its own kind
        return False
    return bool((doubled == [2, 4]).all())


def _onnxruntime() -> Any:
    try:
        with quiet_stderr():  # it complains about machines without a GPU
            import onnxruntime
    except ImportError as error:
        raise AntiphonError(
            f"ONNX Runtime cannot be imported: {error}; pip install onnxruntime-gpu (on macOS and Arm: onnxruntime)"
        ) from None
    return onnxruntime
