"""What a report finds, as values. It neither plays, nor measures, nor prints."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from antiphon.notes import Phrase
from antiphon_export.report.plain_calls import PlainScore
from antiphon_export.report.quoting import Quoting
from antiphon_export.report.sense import MovedBeat


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is asked."""

    calls: int = 50
    """From held-out pieces, at most."""
    seeds: int = 3
    """Answers to each of them."""
    plain_seeds: int = 20
    """Answers to each plain call."""
    seed: int = 1
    """The first seed; the others follow it."""
    quotes: bool = True
    """Whether the training pieces are searched."""


@dataclass(frozen=True, slots=True)
class Row:
    """One statistic: means, NaN where there is none."""

    name: str
    decimals: int
    beside: str
    """With which real music it is compared: `continuations`, `endings` or `accompaniments`."""
    real: float
    """Of how the pieces go on."""
    endings: float
    """Of how pieces end."""
    chance: float
    """Of another piece; NaN where that is as real as this one."""
    answers: float
    spread: float
    """How far two halves of the real music lie apart, 90 %."""
    distance: float
    """Of the answers from what they are compared with, in units of `spread`."""
    chance_distance: float
    """Of chance from it."""


@dataclass(frozen=True, slots=True)
class PulseTaken:
    """Coherence with the eighths of a call in even eighths, means."""

    call: float
    answers: float
    noisy_call: float
    """Of the call with 20 ms of human noise."""
    noisy_answers: float
    random: float
    """Of as many onsets at random."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A call for the picture, with what was played."""

    name: str
    call: Phrase
    answer: Phrase
    words: str
    """The answer's scores."""
    real: Phrase | None = None
    """How the piece goes on, if the call is from one."""
    real_words: str = ""
    """The scores of that."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found."""

    generator: str
    model: str | None
    controls: dict[str, float | str]
    folder: str
    extent: Extent
    calls: int
    pieces: int
    pulses: int
    """Calls with a clear pulse."""
    endings: int
    """Pieces whose ends are compared with."""
    answers: int
    silent: int
    """Answers of fewer than 3 notes: nothing else is measured of them."""
    rows: tuple[Row, ...]
    accompaniment: tuple[Row, ...]
    """Empty if the folder has no melodies with accompaniment."""
    plain: dict[str, PlainScore]
    """By plain call."""
    pulse: PulseTaken
    same: int
    """Answers that begin as that to another call does."""
    same_of: int
    """Answers that were compared."""
    moved: MovedBeat | None
    """None but for models of grid tokens."""
    quoting: dict[str, Quoting] | None
    samples: tuple[Sample, ...] = field(default=(), repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Everything but the samples, ready for JSON: NaN is None."""
        found = {name: value for name, value in asdict(self).items() if name != "samples"}
        if self.moved is not None:
            found["moved"]["difference"] = self.moved.difference
        cleaned: dict[str, Any] = _without_nan(found)
        return cleaned


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value
