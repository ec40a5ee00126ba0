"""The door to ONNX Runtime: buffers that a model reads and writes where they lie, or from afar."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from antiphon.models import onnx_session
from antiphon.models.card import ModelError
from antiphon.models.onnx_session import OnnxSession, open_session


@pytest.fixture
def doubling(tmp_path: Path) -> Path:
    """A model that computes y = x + x for two floats."""
    path = tmp_path / "double.onnx"
    path.write_bytes(onnx_session._DOUBLE)
    return path


def test_a_model_reads_and_writes_the_very_arrays(doubling: Path) -> None:
    session = open_session(doubling, "cpu")
    x, y = session.tensor((2,)), session.tensor((2,))
    run = session.bind({"x": x}, {"y": y})
    for values in ([1, 2], [-3, 0.5]):
        x.array[...] = values
        run()
        assert y.array.tolist() == [2 * value for value in values]
    assert (session.runs_on, session.inputs()) == ("cpu", {"x": [2]})


def test_buffers_apart_are_pushed_and_pulled(doubling: Path) -> None:
    session = open_session(doubling, "cpu", apart=True)
    x, y = session.tensor((2,)), session.tensor((2,))
    run = session.bind({"x": x}, {"y": y})
    x.array[...] = [1, 2]
    run()
    y.pull()
    assert y.array.tolist() == [0, 0]  # what was not pushed is not seen
    x.push()
    run()
    assert y.array.tolist() == [0, 0]  # what was not pulled is not here
    y.pull()
    assert y.array.tolist() == [2, 4]


def test_one_tensor_may_be_input_and_output(doubling: Path) -> None:
    session = open_session(doubling, "cpu")
    value = session.tensor((2,))
    value.array[...] = [1, 2]
    run = session.bind({"x": value}, {"y": value})
    run()
    run()
    assert value.array.tolist() == [4, 8]


def test_each_set_of_buffers_has_a_recording_of_its_own(doubling: Path) -> None:
    plain = open_session(doubling, "cpu")
    graph_ids = []

    class Recording:
        def io_binding(self) -> object:
            return plain._session.io_binding()

        def run_with_iobinding(self, binding: object, options: onnx_session.Any) -> None:
            graph_ids.append(options.get_run_config_entry("gpu_graph_id"))
            plain._session.run_with_iobinding(binding, options)

    session = OnnxSession(Recording(), "cuda graph", "cpu")  # a CPU takes the options of a GPU, and records nothing
    for _ in range(2):
        x, y = session.tensor((2,)), session.tensor((2,))
        run = session.bind({"x": x}, {"y": y})
        x.array[...] = [1, 2]
        x.push()
        for _ in range(session.warm_ups):
            run()
        y.pull()
        assert y.array.tolist() == [2, 4]
    assert graph_ids == ["1", "1", "1", "2", "2", "2"]


def test_a_device_that_fails_says_so() -> None:
    class Binding:
        pass

    def fail(binding: object, options: object) -> None:
        raise RuntimeError("out of memory")

    session = OnnxSession(SimpleNamespace(io_binding=Binding, run_with_iobinding=fail), "cuda", "cpu")
    with pytest.raises(ModelError, match=r"cannot be run on cuda \(out of memory\); choose the device 'cpu'"):
        session.bind({}, {})()


def test_a_place_that_does_not_work_is_refused(doubling: Path) -> None:
    if onnx_session.computes_with_cuda():
        assert np.isfinite(open_session(doubling, "cuda").tensor((2,)).array).all()
        return
    for place in ("cuda", "cuda graph"):
        with pytest.raises(ModelError, match=r"double\.onnx' cannot be run"):
            open_session(doubling, place)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("not a model")
    with pytest.raises(ModelError, match=r"text\.onnx' cannot be run \("):
        open_session(tmp_path / "text.onnx", "cpu")
