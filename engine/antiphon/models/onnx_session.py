"""The way to ONNX Runtime, and the only module that imports it. It knows neither tokens nor music."""

from __future__ import annotations

import base64
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from antiphon.errors import AntiphonError, pip_line
from antiphon.models.card import ModelError
from antiphon.quiet import quiet_stderr

_HAS_GPU_BUILD: Final = (sys.platform, platform.machine()) in {("linux", "x86_64"), ("win32", "AMD64")}
PACKAGE: Final = "onnxruntime-gpu" if _HAS_GPU_BUILD else "onnxruntime"
"""What brings ONNX Runtime to this machine, as Antiphon's own requirements have it."""
_DOUBLE: Final = base64.b64decode(
    "CAg6OgoOCgF4CgF4EgF5IgNBZGQSBmRvdWJsZVoPCgF4EgoKCAgBEgQKAggCYg8KAXkSCgoICAESBAoCCAJCBAoAEBE="
)
"""A model that computes y = x + x for two floats, made by the package `onnx`:

    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "double", value[:1], value[1:])
    helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()
"""

Place = Literal["cpu", "cuda", "cuda graph"]
"""Where a model can be told to compute; a graph is a recording of all its kernels, started as one."""

_CUDA: Final = "CUDAExecutionProvider"
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


def computes_with_cuda() -> bool:
    """Whether a model can be run with CUDA here and now. Raises AntiphonError if ONNX Runtime cannot be imported."""
    onnxruntime = _onnxruntime()
    return _CUDA in onnxruntime.get_available_providers() and _computes(onnxruntime, _CUDA)


class Tensor:
    """An array that a model reads or writes: here, and where the model computes.

    On a CPU the two are one. Elsewhere `push` and `pull` copy, and what is never looked at stays on the device.
    """

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike, device: str | None) -> None:
        """Zeros. `device`: where the model computes, as ONNX Runtime calls it; None if it reads this very array."""
        self.array: NDArray[Any] = np.zeros(shape, dtype)
        self.value = _onnxruntime().OrtValue.ortvalue_from_numpy(
            # What it makes for a CPU shares the array's memory; so a copy that is to be apart must be made here.
            self.array if device is None else self.array.copy(),
            device or "cpu",
            0,
        )
        self._apart = device is not None

    def push(self) -> None:
        """Let the model see what is in `array`."""
        if self._apart:
            self.value.update_inplace(self.array)

    def pull(self) -> None:
        """Bring what the model computed into `array`."""
        if self._apart:
            self.array[...] = self.value.numpy()


class OnnxSession:
    """A model file, loaded to be run again and again on the same buffers."""

    def __init__(self, session: Any, runs_on: Place, device: str | None) -> None:
        """`session`: ONNX Runtime's; `device`: see `Tensor`."""
        self.runs_on = runs_on
        """What really computes."""
        self.warm_ups = 1 if runs_on != "cuda graph" else 3
        """Runs after which all others take the same time: one allocates, and graphs are recorded after that."""
        self._session = session
        self._device = device
        self._bound = 0

    def inputs(self) -> dict[str, list[int | str]]:
        """Shape of each input; a word stands for a size that may vary."""
        return {value.name: value.shape for value in self._session.get_inputs()}

    def outputs(self) -> dict[str, list[int | str]]:
        """Shape of each output, likewise."""
        return {value.name: value.shape for value in self._session.get_outputs()}

    def tensor(self, shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> Tensor:
        """Zeros to be bound."""
        return Tensor(shape, dtype, self._device)

    def bind(
        self, inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor], *, only_these: bool = False
    ) -> Callable[[], None]:
        """A function that runs the model once on these very tensors; one tensor may be both input and output.

        `only_these`: compute no more than these outputs need. The function raises ModelError if the device fails.
        """
        binding = self._session.io_binding()
        for name, tensor in inputs.items():
            binding.bind_ortvalue_input(name, tensor.value)
        for name, tensor in outputs.items():
            binding.bind_ortvalue_output(name, tensor.value)
        self._bound += 1
        options = _onnxruntime().RunOptions()
        options.only_execute_path_to_fetches = only_these
        if self.runs_on == "cuda graph":
            options.add_run_config_entry("gpu_graph_id", str(self._bound))  # a recording for each set of buffers
        session = self._session

        def run() -> None:
            try:
                session.run_with_iobinding(binding, options)
            except Exception as error:  # every provider raises errors of its own kind
                raise ModelError(
                    f"a model cannot be run on {self.runs_on} ({error}); choose the device 'cpu'"
                ) from error

        return run


def open_session(path: Path, place: Place, *, apart: bool = False, inside: bytes | None = None) -> OnnxSession:
    """Load the model in `path` to compute at `place`, with one thread; or the one `inside` it, which it carries.

    `apart` keeps a CPU's buffers apart from the arrays, as they are on any other device: for tests.

    Raises:
        ModelError: ONNX Runtime cannot load it, or not to that place.
    """
    if place == "cpu":
        return OnnxSession(_load(path, "CPUExecutionProvider", {}, inside), place, "cpu" if apart else None)
    options = {"enable_cuda_graph": "1"} if place == "cuda graph" else {}
    return OnnxSession(_load(path, _CUDA, options, inside), place, "cuda")


def _load(path: Path, provider: str, provider_options: dict[str, str], inside: bytes | None) -> Any:
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # fatal: what goes wrong is raised, and reported by who called
    try:
        with quiet_stderr():
            session = onnxruntime.InferenceSession(
                str(path) if inside is None else inside,
                options,
                providers=[(provider, provider_options)],
                enable_fallback=0,
            )
    except Exception as error:  # every provider raises errors of its own kind
        raise ModelError(f"'{path}' cannot be run ({error}); export its checkpoint again") from error
    if session.get_providers()[0] != provider:
        raise ModelError(f"'{path}' cannot be run with {provider}, which does not work here; choose the device 'cpu'")
    return session


def _computes(onnxruntime: Any, provider: str) -> bool:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # fatal: that a provider is missing is the answer, not an error
    options.intra_op_num_threads = 1
    try:
        with quiet_stderr():
            # Without the fallback, which announces itself on stdout: a provider that fails says so by raising.
            session = onnxruntime.InferenceSession(_DOUBLE, options, providers=[provider], enable_fallback=0)
            if provider not in session.get_providers():
                return False
            (doubled,) = session.run(None, {"x": np.array([1, 2], np.float32)})
    except Exception:  # every provider raises errors of its own kind
        return False
    return bool((doubled == [2, 4]).all())


def _onnxruntime() -> Any:
    try:
        with quiet_stderr():  # it complains about machines without a GPU
            import onnxruntime
    except ImportError as error:
        raise AntiphonError(f"ONNX Runtime cannot be imported: {error}; install it with: {pip_line(PACKAGE)}") from None
    return onnxruntime
