"""How fast the study's Transformer trains here, beside the study's own code: the same batch, turn about."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor, nn

from antiphon.errors import AntiphonError
from antiphon_export.training.trainer import Precision, fast_precision
from antiphon_plugins.study_transformer.model import Model

BATCH: Final = (8, 256)
"""Windows, and tokens of a window."""
_ROUNDS: Final = 8
_VOCABULARY: Final = 153


def training_seconds(study_code: Path) -> Iterator[tuple[str, list[float]]]:
    """Seconds of a training step: of the study's code, of ours in 32 bits, and of ours as `antiphon train` does it.

    `study_code`: a clone of https://github.com/ffsgfy/music-generation.

    Raises:
        AntiphonError: `study_code` holds no such code.
    """
    torch.manual_seed(1)
    theirs = study_model(study_code)
    contestants = {
        "the study's code": _step(theirs, lambda tokens: theirs(tokens, sequence=True), "float32"),
        "study-transformer, float32": _own_step("float32"),
    }
    if fast_precision() == "bfloat16":
        contestants["study-transformer, bfloat16"] = _own_step("bfloat16")
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(_ROUNDS + 1):
        for name, step in contestants.items():
            before = time.perf_counter()
            step()
            if turn:  # The first is for warming up.
                seconds[name].append(time.perf_counter() - before)
    yield from seconds.items()


def _own_step(precision: Precision) -> Callable[[], None]:
    model = Model()
    return _step(model, model, precision)


def _step(model: nn.Module, logits_of: Callable[[Tensor], Tensor], precision: Precision) -> Callable[[], None]:
    """A training step on random tokens, with the study's optimizer."""
    optimizer = torch.optim.Adamax(model.parameters(), lr=0.001)
    tokens = torch.randint(_VOCABULARY, (BATCH[0], BATCH[1] + 1))  # [B, T + 1]
    model.train()

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            logits = logits_of(tokens[:, :-1])  # [B, T, V]
        loss = F.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


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
