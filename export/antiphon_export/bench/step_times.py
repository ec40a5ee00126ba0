"""How long a token takes the study's models as they play, beside PyTorch and beside what memory allows.

Their weights are random: a step takes as long whatever they are. What is measured is `StepModel.feed`, as a generator
calls it, with all that is computed for the graph on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch

from antiphon_export.bench.cached_steps import CachedSteps
from antiphon_export.bench.contest import Contestant, Times, take_turns
from antiphon_export.bench.figures import Row, Target, figure, milliseconds
from antiphon_export.bench.random_models import one_token, open_at, random_model, random_tokens, step_bytes
from antiphon_export.bench.reading import beyond_cache_bytes, last_cache_bytes, quickest_reading
from antiphon_export.bench.training import study_model
from antiphon_export.exporting.graph import Precision
from antiphon_export.exporting.model_file import CHUNK, REWIND
from antiphon_plugins.study_transformer.model import Model as StudyTransformer

CONTEXT: Final = 512
"""Tokens that a token sees, itself included."""
WINDOW: Final = 256
"""Tokens that the study computes anew for every token."""

_STEP: Final[dict[Precision, Target]] = {"float32": Target("p50", 0.9), "int8": Target("p50", 0.45)}
_LSTM_STEP: Final = Target("p50", 0.3)
_BESIDE_CACHE: Final = Target("p50", 2.8, at_least=True)
_BESIDE_WINDOW: Final = Target("p50", 40, at_least=True)
_OF_BANDWIDTH: Final = Target("p50", 40, at_least=True)

_CACHED_SHARE, _WINDOW_SHARE = 0.2, 0.03
"""How often a slower one goes, beside a step of ours."""
_READINGS: Final = 5


def study_steps(
    folder: Path, turns: int, goes: int, study_code: Path | None = None, context: int = CONTEXT, window: int = WINDOW
) -> list[Row]:
    """Steps of the study's Transformer and LSTM, in 32 and in 8 bits, beside what else there is.

    `turns`, `goes`: see `take_turns`. `study_code`: a clone of the study's code, to be measured against, too.
    """
    windows = _windows(window, study_code)
    folder.mkdir()
    with one_thread():
        precisions = tuple(_STEP)
        files = {precision: random_model("study-transformer", folder, precision, context) for precision in precisions}
        roomy = {
            precision: random_model("study-transformer", folder, precision, context, REWIND, CHUNK)
            for precision in precisions
        }
        lstm = {precision: random_model("lstm", folder, precision) for precision in precisions}
        sizes = {precision: step_bytes(files[precision], context) for precision in precisions}
        times = take_turns(
            [
                *(Contestant(f"{p}", one_token(open_at(files[p], "cpu"), context)) for p in precisions),
                *(Contestant(f"roomy {p}", one_token(open_at(roomy[p], "cpu"), context)) for p in precisions),
                *(Contestant(f"lstm {p}", one_token(open_at(lstm[p], "cpu"), 1)) for p in precisions),
                *(Contestant(f"reading {p}", quickest_reading(sizes[p])) for p in precisions),
                Contestant("cache", _one_cached_token(context), _CACHED_SHARE),
                *(Contestant(name, go, _WINDOW_SHARE) for name, go in windows.items()),
            ],
            turns,
            goes,
        )
        return [
            *_own_rows(times, context),
            milliseconds("PyTorch, eager, with a cache in place", times.of("cache")),
            figure(
                "  float32 is so many times as fast as a cache", "×", times.ratios("cache", "float32"), _BESIDE_CACHE
            ),
            *_window_rows(times, windows),
            *_reading_rows(times, sizes),
        ]


def _own_rows(times: Times, context: int) -> Iterator[Row]:
    for precision, target in _STEP.items():
        yield milliseconds(f"study Transformer, {precision}, context {context}", times.of(precision), target)
        what = f"  with room to take {REWIND} tokens back, as exported"
        yield milliseconds(what, times.of(f"roomy {precision}"))
    yield milliseconds("study LSTM, float32", times.of("lstm float32"), _LSTM_STEP)
    yield milliseconds("study LSTM, int8", times.of("lstm int8"))


def _window_rows(times: Times, windows: dict[str, Callable[[], object]]) -> Iterator[Row]:
    for name in windows:
        yield milliseconds(name, times.of(name))
        yield figure(
            f"  float32 is so many times as fast as {name}", "×", times.ratios(name, "float32"), _BESIDE_WINDOW
        )


def _reading_rows(times: Times, sizes: dict[Precision, int]) -> Iterator[Row]:
    for precision, size in sizes.items():
        reading = f"reading {precision}"
        yield _bandwidth(
            f"memory: {size / 1e6:.1f} MB again and again, as a step in {precision} reads", size, times.of(reading)
        )
        shares = [100 * ratio for ratio in times.ratios(reading, precision)]
        targets = [_OF_BANDWIDTH] if precision == "float32" else []
        yield figure(f"  share of that limit that a step in {precision} reaches", "%", shares, *targets)
    cache = last_cache_bytes()
    size = beyond_cache_bytes(cache)
    seconds = take_turns([Contestant("all", quickest_reading(size))], 1, _READINGS).of("all")
    yield _bandwidth(f"memory: {size / 1e6:.0f} MB, where the last cache has {cache / 1e6:.0f} MB", size, seconds)


def _bandwidth(what: str, size_bytes: int, seconds: list[float]) -> Row:
    return figure(what, "GB/s", [size_bytes / 1e9 / each for each in seconds])


# ---- those who are timed ---------------------------------------------------------------------------------------------


def _one_cached_token(context: int) -> Callable[[], object]:
    cached = CachedSteps(_study_transformer(), context)
    tokens = [int(token) for token in random_tokens(153, context)]
    for token in tokens:
        cached.feed(token)

    def go() -> None:
        cached.position = context - 1
        cached.feed(tokens[-1])

    return go


def _windows(window: int, study_code: Path | None) -> dict[str, Callable[[], object]]:
    """What computes `window` tokens for one, by its name."""
    tokens = torch.from_numpy(random_tokens(153, window))[None]  # [1, T]
    models: dict[str, Any] = {f"PyTorch, {window} tokens anew for each": _study_transformer()}
    if study_code is not None:
        models[f"the study's own code, {window} tokens anew for each"] = study_model(study_code).eval()

    def computing(model: Any) -> Callable[[], object]:
        def go() -> object:
            with torch.inference_mode():
                return model(tokens)

        return go

    return {name: computing(model) for name, model in models.items()}


def _study_transformer() -> StudyTransformer:
    torch.manual_seed(1)
    return StudyTransformer().eval()


@contextmanager
def one_thread() -> Iterator[None]:
    """Within, PyTorch computes with one thread, as the model files do."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
