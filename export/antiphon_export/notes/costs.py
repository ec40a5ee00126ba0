"""What notes cost a model, in nats, told as exactly as they are played. It trains nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from antiphon_export.notes.batch import Batch, nats, spread
from antiphon_export.training.computing import Precision
from antiphon_plugins.notes.model import HEADS, Model


@dataclass(frozen=True, slots=True)
class Costs:
    """What notes cost a model, in nats a note, by attribute."""

    by_head: dict[str, float]
    notes: int

    @property
    def total(self) -> float:
        """All attributes together."""
        return sum(self.by_head.values())


def judge(model: Model, batches: Sequence[Batch], device: torch.device, precision: Precision = "float32") -> Costs:
    """What the notes of `batches` cost, told exactly: 10 ms, or sixteenths, and velocities to their bin."""
    totals = dict.fromkeys(HEADS, 0.0)
    notes = 0
    model.eval()
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        for batch in batches:
            costs = nats(model, batch.to(device))
            for name, cost in costs.items():
                totals[name] += float(cost.sum())
            for name, cost in spread(batch).items():
                totals[name] += float(cost.sum())
            notes += batch.notes
    model.train()
    return Costs({name: total / max(1, notes) for name, total in totals.items()}, notes)
