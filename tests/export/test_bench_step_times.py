"""A step is compared with what computes the same, and with what has to be read for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import write_checkpoint

from antiphon.errors import AntiphonError
from antiphon.models import onnx_session
from antiphon.models.card import ModelError
from antiphon.models.onnx_session import OnnxSession, Place
from antiphon.models.ring_model import RingModel
from antiphon_export.bench import cuda_steps, shipped, step_times
from antiphon_export.bench.cached_steps import CachedSteps
from antiphon_export.bench.figures import Figure, Unmeasured
from antiphon_export.bench.random_models import one_token, open_at, random_model, random_tokens, step_bytes
from antiphon_export.exporting.model_file import Label, export_checkpoint
from antiphon_plugins.study_transformer.model import Model as StudyTransformer

CONTEXT = 6


def test_a_cache_in_pytorch_computes_what_the_model_computes() -> None:
    torch.manual_seed(3)
    model = StudyTransformer(vocabulary=20, width=24, layers=3, heads=4, feed_forward=32, distances=5).eval()
    tokens = torch.randint(20, (12,))
    cached = CachedSteps(model, capacity=14)
    got = torch.stack([cached.feed(int(token)) for token in tokens])
    with torch.inference_mode():
        torch.testing.assert_close(got, model(tokens[None])[0])
    cached.position = 7
    torch.testing.assert_close(cached.feed(int(tokens[7])), got[7])


def test_a_model_that_is_timed_sees_its_whole_context(tmp_path: Path) -> None:
    model = open_at(random_model("study-transformer", tmp_path, "float32", CONTEXT), "cpu")
    go = one_token(model, CONTEXT)
    assert model.position == CONTEXT
    assert isinstance(model, RingModel)
    assert model.card.capacity == CONTEXT
    go()
    assert model.position == CONTEXT + 1


@pytest.mark.parametrize(("precision", "weight_bytes"), [("float32", 4.0), ("int8", 1 + 4 / 64)])
def test_a_step_reads_all_weights_and_what_it_sees(tmp_path: Path, precision: str, weight_bytes: float) -> None:
    path = random_model("study-transformer", tmp_path, precision, CONTEXT)  # type: ignore[arg-type]  # from the table
    weights, one_more = step_bytes(path, 0), step_bytes(path, 1) - step_bytes(path, 0)
    # A little more in 8 bits: norms and biases stay in 32.
    assert weights == pytest.approx(weight_bytes * (4_326_041 - 152 * 256), rel=0.03)
    assert one_more == 2 * 8 * 256 * 4


def test_every_contestant_gets_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_times, "beyond_cache_bytes", lambda size: 100_000)
    threads = torch.get_num_threads()
    rows = step_times.study_steps(tmp_path / "models", turns=2, goes=1, context=CONTEXT, window=4)
    figures = [row for row in rows if isinstance(row, Figure)]
    assert figures == rows
    assert torch.get_num_threads() == threads
    judged = {row.what: row.targets for row in figures if row.targets}
    targets = [str(target) for targets in judged.values() for target in targets]
    assert targets == ["p50 ≤ 0.9", "p50 ≤ 0.45", "p50 ≤ 0.3", "p50 ≥ 2.8", "p50 ≥ 40", "p50 ≥ 40"]
    assert [row.count for row in figures if row.unit == "×"] == [2, 2]


def test_without_the_study_s_code_it_is_said_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match=r"transformer\.py"):
        step_times.study_steps(tmp_path / "models", 1, 1, tmp_path, context=2, window=2)


def test_where_cuda_does_not_work_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_session, "computes_with_cuda", lambda: False)
    (row,) = cuda_steps.study_steps_with_cuda(tmp_path / "models", 1, 1)
    assert isinstance(row, Unmeasured)
    assert "doctor" in row.why


def test_where_cuda_works_both_its_ways_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_session = onnx_session.open_session

    def open_somewhere(path: Path, place: Place) -> OnnxSession:
        if place == "cuda graph" and "int8" in path.name:
            raise ModelError("an operator is not on the device")
        return open_session(path, "cpu", apart=place != "cpu")

    monkeypatch.setattr(onnx_session, "computes_with_cuda", lambda: True)
    monkeypatch.setattr(onnx_session, "open_session", open_somewhere)
    rows = cuda_steps.study_steps_with_cuda(tmp_path / "models", turns=1, goes=1, context=CONTEXT)
    told = {row.what: isinstance(row, Figure) for row in rows if row.what[0] != " "}
    assert told == {
        f"{name}, {precision}, context {CONTEXT}, on {place}": (precision, place) != ("int8", "cuda graph")
        for name in ("study Transformer", "study LSTM")
        for precision in ("float32", "int8")
        for place in ("cuda", "cuda graph")
    }


@pytest.mark.parametrize("architecture", ["transformer", "lstm"])
def test_a_model_of_one_s_own_is_timed_beside_the_shipped_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, architecture: str
) -> None:
    monkeypatch.setattr(shipped, "SHIPPED", ("transformer/none",))
    path = tmp_path / "own.onnx"
    export_checkpoint(write_checkpoint(tmp_path / "own.pt", architecture), path, Label("own"), precision="int8")
    *rows, missing = shipped.shipped_models(turns=1, goes=10, loads=2, others=[path])
    assert [row.what for row in rows] == [f"{path}, int8: a token", "  64 tokens of a call", "  loading"]
    assert [row.count for row in rows if isinstance(row, Figure)] == [10, 1, 2]
    assert isinstance(missing, Unmeasured)
    assert missing.what == "transformer/none"


def test_the_tokens_that_are_fed_are_always_the_same() -> None:
    np.testing.assert_array_equal(random_tokens(153, 5), random_tokens(153, 9)[:5])
