"""What a run is judged by: windows that `antiphon evaluate` takes, so that both say the same. It trains nothing."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from numpy.typing import NDArray
from torch import nn

from antiphon.tokens.codec import Tokens
from antiphon_export.evaluate import Score, evaluate

_MOST_WINDOWS: Final = 96
"""Of a corpus: more would take too much of the time for training."""
_BATCH: Final = 16


@dataclass(frozen=True, slots=True)
class Sample:
    """Validation windows of one corpus, evenly spread."""

    name: str
    weight: float
    windows: Sequence[Tokens]
    """Those that are looked at."""
    every: int
    """Each so-many-th of all there are."""
    again: tuple[str, ...] | None
    """What `antiphon evaluate CHECKPOINT` is given to look at the same windows; None if there is no such command."""

    @property
    def about(self) -> dict[str, Any]:
        """What a checkpoint and `run.json` say of it."""
        return {"name": self.name, "weight": self.weight, "windows": len(self.windows), "every": self.every}


def sample(name: str, weight: float, windows: Sequence[Tokens], again: tuple[str, ...] | None) -> Sample:
    """At most 96 of `windows`. `again`: what an evaluation on all of them is given."""
    every = stride(len(windows), _MOST_WINDOWS)
    return Sample(name, weight, windows[::every], every, again and (*again, *every_option(every)))


def stride(count: int, most: int) -> int:
    """Each so-many-th of `count` is at most `most` in all."""
    return max(1, -(-count // most))


def every_option(every: int) -> tuple[str, ...]:
    """The option of an evaluation on each `every`-th window."""
    return ("--every", str(every)) if every > 1 else ()


def evaluation_command(checkpoint: Path, *arguments: str) -> str:
    """The command line that evaluates `checkpoint`."""
    return shlex.join(["antiphon", "evaluate", str(checkpoint), *arguments])


def judged(
    model: nn.Module, samples: Sequence[Sample], codec: str, device: torch.device, *, mixed: bool
) -> list[float]:
    """Nats per token on each of `samples`; with products in 16 bits, if `mixed`."""
    model.eval()
    score = torch_score(model, device, mixed=mixed)
    return [evaluate(score, part.windows, codec, batch=_BATCH).nll_per_token for part in samples]


def weighted(costs: Sequence[float], samples: Sequence[Sample]) -> float:
    """The mean of `costs`, one of each of `samples`, by their weights."""
    return float(np.average(costs, weights=[part.weight for part in samples]))


def torch_score(model: nn.Module, device: torch.device, *, mixed: bool = False) -> Score:
    """`model`, which is on `device`, as a scorer; with products in 16 bits, if `mixed`."""

    def score(windows: NDArray[np.int64]) -> NDArray[np.float64]:
        tokens = torch.from_numpy(windows).to(device)  # [B, T + 1]
        with torch.inference_mode():
            with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
                logits = model(tokens[:, :-1])  # [B, T, V]
            nll = F.cross_entropy(logits.double().flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")  # [B * T]
        scored: NDArray[np.float64] = nll.view(len(windows), -1).cpu().numpy()
        return scored

    return score
