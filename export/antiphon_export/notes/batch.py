"""Readings as tensors, and how badly a model foretells them, by attribute. It trains nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor

from antiphon.note_steps.codec import LIFT
from antiphon.note_steps.spans import BEAT, CLOCKS, FREE, SPAN_CLASSES
from antiphon.note_steps.words import CLOCK, OPEN, SHARED, Reading
from antiphon_plugins.notes.model import HEADS, Drawn, Logits, Model

_UNSAID: Final = -1


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings of one length together, B of T steps."""

    bags: Tensor
    """[B, T, words]"""
    seconds: Tensor
    """[B, T], from the first step of each."""
    drawn: Drawn
    length: Tensor
    """Class of the length, [B, T]; -1 where there is none."""
    beat: Tensor
    """Which readings are in beats, [B]."""

    @classmethod
    def of(cls, readings: Sequence[Reading], steps: int | None = None) -> Batch:
        """The first `steps` of each reading, or all; they must be of one length.

        Time begins with each reading: what is far from the beginning of a session is not less exact.
        """
        taken = [(reading, slice(steps)) for reading in readings]

        def stacked(name: str) -> Tensor:
            return torch.from_numpy(np.stack([getattr(reading, name)[part] for reading, part in taken]))

        seconds = stacked("seconds")
        bags = stacked("bags")
        drawn = Drawn(*(stacked(name) for name in ("time", "part", "pitch", "velocity", "given", "ends")))
        beat = bags[:, 0, 0] == CLOCK + CLOCKS.index("beat")
        return cls(bags, (seconds - seconds[:, :1]).float(), drawn, stacked("length"), beat)

    def to(self, device: torch.device) -> Batch:
        """The same on `device`."""
        drawn = Drawn(*(getattr(self.drawn, name).to(device) for name in Drawn.__slots__))
        return Batch(self.bags.to(device), self.seconds.to(device), drawn, self.length.to(device), self.beat.to(device))

    @property
    def targets(self) -> dict[str, Tensor]:
        """Of each head what it should say, [B, T]; -1 where nothing."""
        drawn = self.drawn
        found = (drawn.time, drawn.part, drawn.pitch, drawn.velocity, self.length)
        return dict(zip(HEADS, found, strict=True))

    @property
    def notes(self) -> int:
        """How many notes are foretold, lifts and edges not counted."""
        return int(((self.drawn.pitch >= 0) & (self.drawn.pitch < LIFT)).sum())


def nats(model: Model, batch: Batch) -> dict[str, Tensor]:
    """What each head's word costs, [B, T], in nats; 0 where nothing is said."""
    logits = model(batch.bags, batch.seconds, batch.drawn)
    return nats_of(logits, batch)


def nats_of(logits: Logits, batch: Batch) -> dict[str, Tensor]:
    """As `nats`, from a model's `logits`. Of the two clocks' classes, only those of the reading's own can be said."""
    costs = {}
    for name, target in batch.targets.items():
        scores = getattr(logits, name).float()  # [B, T, classes]
        if name in ("time", "length"):
            scores = _of_clock(scores, batch.beat)
        flat = F.cross_entropy(scores.flatten(0, 1), target.flatten(), ignore_index=_UNSAID, reduction="none")
        costs[name] = flat.view(target.shape)
    return costs


def _of_clock(scores: Tensor, beat: Tensor) -> Tensor:
    classes = torch.arange(scores.shape[-1], device=scores.device)
    is_beat = (classes >= BEAT.first) & (classes < SPAN_CLASSES)
    is_free = classes < BEAT.first
    foreign = torch.where(beat[:, None], is_free, is_beat)  # [B, classes]
    return scores.masked_fill(foreign[:, None], -1e4)


def spread(batch: Batch) -> dict[str, Tensor]:
    """What it costs beyond `nats` to say time and length exactly, [B, T]: classes that hold several stretches.

    In free time to 10 ms, in beats to a sixteenth.
    """
    widths = torch.from_numpy(np.log(np.concatenate([FREE.widths, BEAT.widths, np.ones(1)])))  # the last: open
    found = {}
    for name, target in (("time", batch.drawn.time), ("length", batch.length)):
        said = (target >= 0) & (target < SHARED)
        found[name] = torch.where(said, widths[target.clamp(0, OPEN)], 0.0)
    return found
