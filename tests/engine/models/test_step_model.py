"""Choosing where a model computes, and refusing what cannot be fed: what needs no model file."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from model_files import write_model
from numpy.typing import NDArray

from antiphon.models import loading, onnx_session
from antiphon.models.card import ModelCard, ModelError, read_card
from antiphon.models.loading import load_model
from antiphon.models.step_model import StepModel, check_logits, check_rewind, check_tokens
from antiphon.music.clock import ManualClock


class Paced:
    """A model that takes its time, by a clock that it turns itself."""

    vocabulary = 4
    earliest = 0

    def __init__(self, card: ModelCard, runs_on: str, clock: ManualClock, seconds: float) -> None:
        self.card, self.runs_on, self.position = card, runs_on, 0
        self._clock, self._seconds = clock, seconds

    def feed(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        self.position += len(tokens)
        self._clock.advance(self._seconds)
        return np.zeros(4, np.float32)

    def feed_all(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        raise NotImplementedError

    def rewind(self, position: int) -> None:
        self.position = position


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_model(tmp_path / "toy.onnx")


class Opening:
    """Stands in for opening a model: CUDA is four times as fast as the CPU."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken: set[str] = set()
        """Places where a model cannot be run."""
        self.places: list[str] = []
        """Where one was opened."""
        self.clock = ManualClock()
        monkeypatch.setattr(loading, "time", SimpleNamespace(perf_counter=self.clock.now))
        monkeypatch.setattr(loading, "_open", self)

    def __call__(self, card: ModelCard, place: str) -> StepModel:
        if place in self.broken:
            raise ModelError(f"cannot be run on {place}")
        self.places.append(place)
        return Paced(card, place, self.clock, 0.0008 if place == "cpu" else 0.0002)


@pytest.fixture
def opening(monkeypatch: pytest.MonkeyPatch) -> Opening:
    monkeypatch.setattr(onnx_session, "computes_with_cuda", lambda: True)
    return Opening(monkeypatch)


def test_the_cpu_plays_where_it_was_asked_for(file: Path, opening: Opening) -> None:
    assert load_model(file, device="cpu").runs_on == "cpu"
    assert opening.places == ["cpu"]


def test_cuda_plays_where_it_was_asked_for(file: Path, opening: Opening) -> None:
    assert load_model(file, device="cuda").runs_on == "cuda graph"
    assert opening.places == ["cuda graph"]


def test_a_model_that_cannot_be_recorded_plays_without(file: Path, opening: Opening) -> None:
    opening.broken = {"cuda graph"}
    assert load_model(file, device="cuda").runs_on == "cuda"


def test_of_two_devices_the_faster_one_plays_and_begins_at_the_beginning(file: Path, opening: Opening) -> None:
    model = load_model(file, device="auto")
    assert (model.runs_on, model.position) == ("cuda graph", 0)
    assert sorted(opening.places) == ["cpu", "cuda graph"]


def test_a_model_that_only_the_cpu_can_run_plays_there(file: Path, opening: Opening) -> None:
    opening.broken = {"cuda graph", "cuda"}
    assert load_model(file, device="auto").runs_on == "cpu"
    with pytest.raises(ModelError, match=r"cannot be run with CUDA here.*antiphon doctor"):
        load_model(file, device="cuda")


def test_without_cuda_the_cpu_plays(file: Path, opening: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_session, "computes_with_cuda", lambda: False)
    assert load_model(file, device="auto").runs_on == "cpu"
    assert opening.places == ["cpu"]
    with pytest.raises(ModelError, match=r"cannot be run with CUDA here.*antiphon doctor"):
        load_model(file, device="cuda")


def test_a_model_that_nothing_can_run_is_refused(file: Path, opening: Opening) -> None:
    opening.broken = {"cuda graph", "cuda", "cpu"}
    with pytest.raises(ModelError, match="cannot be run on cpu"):
        load_model(file, device="auto")


def test_an_unknown_device_is_refused(file: Path) -> None:
    with pytest.raises(ModelError, match="device is 'tpu'; allowed: auto, cpu, cuda"):
        load_model(file, device="tpu")  # type: ignore[arg-type] - what a preset may say


def test_a_file_with_metadata_and_no_sound_graph_is_refused(file: Path) -> None:
    with pytest.raises(ModelError, match=r"toy\.onnx' cannot be run \("):
        load_model(file, device="cpu")


def test_tokens_outside_the_vocabulary_are_refused() -> None:
    check_tokens(np.array([0, 3]), 4)
    with pytest.raises(ValueError, match="reach from 0 to 4; allowed 0 to 3"):
        check_tokens(np.array([0, 4]), 4)
    with pytest.raises(ValueError, match="reach from -1 to 2"):
        check_tokens(np.array([2, -1]), 4)
    with pytest.raises(ValueError, match="at least 1"):
        check_tokens(np.array([], np.int64), 4)


def test_logits_that_are_no_numbers_are_refused(file: Path) -> None:
    card = read_card(file)
    check_logits(np.array([1, -5], np.float32), card)
    for nonsense in (np.nan, np.inf):
        with pytest.raises(ModelError, match=f"toy.onnx' computed {nonsense}"):
            check_logits(np.array([1, nonsense], np.float32), card)


def test_a_rewind_reaches_the_beginning_and_what_is_kept() -> None:
    for position in (0, 40, 100):
        check_rewind(position, 100, 40)
    for position in (-1, 39, 101):
        with pytest.raises(ValueError, match=f"rewind to {position}; allowed: 0, and 40 to 100"):
            check_rewind(position, 100, 40)
