"""How long a token, a call and the loading take the models that come with Antiphon. It does not judge their music."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import antiphon_plugins
from antiphon.models.loading import load_model
from antiphon.models.step_model import StepModel
from antiphon_export.bench.contest import Contestant, take_turns
from antiphon_export.bench.figures import Row, Unmeasured, milliseconds
from antiphon_export.bench.random_models import one_token, random_tokens

SHIPPED: Final = ("transformer/performance", "lstm/grid-lstm")
"""Model files, without `.onnx`, in the folder of the generators."""
_PART_TOKENS: Final = 64
"""Tokens of a part of a call, fed at once."""
_PART_SHARE: Final = 0.1


def shipped_models(turns: int, goes: int, loads: int, others: Sequence[Path] = ()) -> list[Row]:
    """Steps of all shipped models and of `others`, their memory full. Each is loaded `loads` times.

    `turns`, `goes`: see `take_turns`.
    """
    generators = Path(antiphon_plugins.__file__).parent
    paths = {name: generators / f"{name}.onnx" for name in SHIPPED} | {str(path): path for path in others}
    missing = [name for name in SHIPPED if not paths[name].is_file()]
    loading: dict[str, list[float]] = {}
    models: dict[str, StepModel] = {}
    for name, path in paths.items():
        if name not in missing:
            loading[name], models[name] = _loaded(path, loads)
    contestants = []
    for name, model in models.items():
        tokens = random_tokens(model.vocabulary, _PART_TOKENS)
        contestants.append(Contestant(name, one_token(model, max(model.card.capacity, 1))))
        contestants.append(Contestant(f"{name} part", partial(model.feed, tokens), _PART_SHARE))
    times = take_turns(contestants, turns, goes)
    rows: list[Row] = []
    for name, model in models.items():
        rows.append(milliseconds(f"{name}, {model.card.precision}: a token", times.of(name)))
        rows.append(milliseconds(f"  {_PART_TOKENS} tokens of a call", times.of(f"{name} part")))
        rows.append(milliseconds("  loading", loading[name]))
    return rows + [Unmeasured(name, "there is no such model yet; see docs/models") for name in missing]


def _loaded(path: Path, times: int) -> tuple[list[float], StepModel]:
    """Seconds it took to load the model in `path`, `times` times; and the model."""
    seconds = []
    for _ in range(times):
        before = time.perf_counter()
        model = load_model(path, device="cpu")
        seconds.append(time.perf_counter() - before)
    return seconds, model
