"""How fast the study's Transformer trains here, beside the study's own code: the same batch, turn about."""

from __future__ import annotations

import importlib.util
import math
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from numpy.typing import NDArray
from torch import nn

from antiphon.errors import AntiphonError
from antiphon_export.tokens.objective import Recipe, TokenObjective
from antiphon_export.training.computing import Precision, fast_precision
from antiphon_export.training.loop import Trainer
from antiphon_export.training.memory import keep_memory
from antiphon_export.training.windows import Augmentation
from antiphon_plugins.study_transformer.model import Model

BATCH: Final = (8, 256)
"""Windows, and tokens of a window."""
_ROUNDS: Final = 8
_VOCABULARY: Final = 153

Step = Callable[[], float]
"""One step of training; its NLL in nats per token."""


def training_seconds(study_code: Path) -> Iterator[tuple[str, list[float]]]:
    """Seconds of a training step: of the study's code, of ours in 32 bits, and of ours as `antiphon train` does it.

    Each trains in a process of its own, with as many threads as this one; while one works the others wait.
    `study_code`: a clone of https://github.com/ffsgfy/music-generation.

    Raises:
        AntiphonError: `study_code` holds no such code.
    """
    contestants: dict[str, Callable[[], Step]] = {
        "the study's code": partial(study_step, study_code),
        "study-transformer, float32": partial(own_step, "float32"),
    }
    if fast_precision() == "bfloat16":
        contestants["study-transformer, bfloat16"] = partial(own_step, "bfloat16")
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    with ExitStack() as stack:
        processes: dict[str, ProcessPoolExecutor] = {}
        for name, make_step in contestants.items():
            spawned = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
            processes[name] = stack.enter_context(spawned)
            spawned.submit(_get_ready, make_step, torch.get_num_threads()).result()
        for _ in range(_ROUNDS):
            for name, process in processes.items():
                seconds[name].append(process.submit(_timed_step).result())
    yield from seconds.items()


_ready: list[Step] = []
"""What this process steps, once it is ready."""


def _get_ready(make_step: Callable[[], Step], threads: int) -> None:
    torch.set_num_threads(threads)
    step = make_step()
    step()  # A first one to warm up.
    _ready.append(step)


def _timed_step() -> float:
    before = time.perf_counter()
    _ready[0]()
    return time.perf_counter() - before


def study_step(study_code: Path) -> Step:
    """A step as the study's `train` makes it, with its model and its optimizer.

    Raises:
        AntiphonError: `study_code` holds no such code.
    """
    torch.manual_seed(1)
    model = study_model(study_code)
    optimizer = torch.optim.Adamax(model.parameters(), lr=0.01)
    batch = torch.from_numpy(np.stack([_window(row) for row in range(BATCH[0])]))  # [B, T + 1]
    model.train()

    def step() -> float:
        optimizer.zero_grad()
        scores = F.log_softmax(model(batch[:, :-1], sequence=True), dim=-1).transpose(-1, -2)  # [B, V, T]
        loss = F.nll_loss(scores, batch[:, 1:])
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss.item()

    return step


def own_step(precision: Precision) -> Step:
    """A step as `antiphon train study-transformer` makes it."""
    torch.manual_seed(1)
    keep_memory()
    # One to warm up, and one that is never made: after the last a run validates.
    recipe = Recipe(_ROUNDS + 2, *BATCH, precision=precision)
    about = {"architecture": "study-transformer"}
    objective = TokenObjective(Model(), _Same(), lambda _: math.nan, recipe, torch.device("cpu"), about)
    run = Trainer(objective).run(validate_every_seconds=float("inf"))
    return lambda: next(run).loss


class _Same:
    """The same windows for every step."""

    tokens = BATCH[0] * BATCH[1]

    def __init__(self) -> None:
        self._drawn = 0

    def draw(self, random: np.random.Generator, length: int, augmentation: Augmentation) -> NDArray[np.int64]:
        self._drawn += 1
        return _window((self._drawn - 1) % BATCH[0])


def _window(row: int) -> NDArray[np.int64]:
    """Row `row` of the batch: random tokens [T + 1]."""
    return np.random.default_rng(row).integers(_VOCABULARY, size=BATCH[1] + 1)


def study_model(folder: Path) -> nn.Module:
    """The study's own Transformer, from a clone in `folder`. Raises AntiphonError if it holds no such code."""
    path = folder / "transformer.py"
    spec = importlib.util.spec_from_file_location("study_transformer_code", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise AntiphonError(
            f"{str(folder)!r} has no transformer.py; "
            "clone https://github.com/ffsgfy/music-generation and name its folder"
        )
    module = importlib.util.module_from_spec(spec)
    with _stand_ins():
        spec.loader.exec_module(module)
    model: nn.Module = module.Model()
    return model


@contextmanager
def _stand_ins() -> Iterator[None]:
    """What the study's model imports but does not need to compute: its command line, and its reader of data."""

    class ModelBase(nn.Module):
        data_fmt = SimpleNamespace(EVENT_COUNT=_VOCABULARY)

    modules: dict[str, Any] = {"fire": {"Fire": lambda _: None}, "utils": {"ModelBase": ModelBase, "train": None}}
    before = {name: sys.modules.get(name) for name in modules}
    for name, members in modules.items():
        module = ModuleType(name)
        vars(module).update(members)
        sys.modules[name] = module
    try:
        yield
    finally:
        for name, module_before in before.items():
            if module_before is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module_before
