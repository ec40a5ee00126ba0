"""How long a token takes the study's models on a GPU: its kernels started one by one, or recorded as a graph."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from antiphon.models import onnx_session
from antiphon.models.card import ModelError
from antiphon.models.onnx_session import Place
from antiphon_export.bench.contest import Contestant, take_turns
from antiphon_export.bench.figures import Row, Unmeasured, figure, milliseconds
from antiphon_export.bench.random_models import one_token, open_at, random_model
from antiphon_export.bench.step_times import CONTEXT
from antiphon_export.exporting.graph import Precision

_NAMES: Final = {"study-transformer": "study Transformer", "lstm": "study LSTM"}
"""By architecture."""
_PRECISIONS: Final[tuple[Precision, ...]] = ("float32", "int8")
_PLACES: Final[tuple[Place, ...]] = ("cuda", "cuda graph")


def study_steps_with_cuda(folder: Path, turns: int, goes: int, context: int = CONTEXT) -> list[Row]:
    """The study's models on a GPU, their kernels started one by one and as a recorded graph, beside the CPU."""
    if not onnx_session.computes_with_cuda():
        why = "ONNX Runtime computes nothing with CUDA here; `antiphon doctor` tells what it finds"
        return [Unmeasured("the study's models with CUDA", why)]
    folder.mkdir()
    rows: list[Row] = []
    for architecture, name in _NAMES.items():
        for precision in _PRECISIONS:
            path = random_model(architecture, folder, precision, context)
            rows += _rows(f"{name}, {precision}, context {context}", path, turns, goes, context)
    return rows


def _rows(what: str, path: Path, turns: int, goes: int, context: int) -> list[Row]:
    rows: list[Row] = []
    contestants = [Contestant("cpu", one_token(open_at(path, "cpu"), context))]
    for place in _PLACES:
        try:
            contestants.append(Contestant(place, one_token(open_at(path, place), context)))
        except ModelError as error:
            rows.append(Unmeasured(f"{what}, on {place}", str(error)))
    times = take_turns(contestants, turns, goes)
    for device in (contestant.name for contestant in contestants[1:]):
        rows.append(milliseconds(f"{what}, on {device}", times.of(device)))
        rows.append(figure("  so many times as fast as the CPU", "×", times.ratios("cpu", device)))
    return rows
