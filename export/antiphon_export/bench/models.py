"""The numbers of the neural core: what is measured, in which order. It changes nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from antiphon_export.bench import token_voice
from antiphon_export.bench.cuda_steps import study_steps_with_cuda
from antiphon_export.bench.figures import Row, Target
from antiphon_export.bench.generators import enlist
from antiphon_export.bench.jamming import readiness
from antiphon_export.bench.measurement import Measurement, measured, wanted
from antiphon_export.bench.note_times import note_times
from antiphon_export.bench.programs import environment
from antiphon_export.bench.shipped import shipped_models
from antiphon_export.bench.step_times import study_steps
from antiphon_export.bench.vae_times import vae_halves

_BACKEND: Final = "socket"
_READY: Final = Target("p95", 2.5)


@dataclass(frozen=True, slots=True)
class Extent:
    """How thoroughly is measured."""

    turns: int
    goes: int
    """See `take_turns`."""
    loads: int
    """How often a model is loaded."""
    calls: tuple[tuple[int, int], ...]
    """Events of a call, and how many such calls are handed over by a trigger."""
    silent_calls: tuple[int, int]
    """The same, of those that are handed over by silence."""
    bars: int
    """Over which CPU is measured, of 1.92 s each."""
    seconds: float
    """In which notes are scheduled beside the Transformer."""
    starts: int
    """How often the command is started."""


FULL: Final = Extent(20, 100, 6, ((64, 20), (256, 20), (1024, 10), (4096, 6)), (256, 10), 12, 30.0, 8)
QUICK: Final = Extent(3, 40, 2, ((64, 2), (256, 2), (1024, 1), (4096, 1)), (256, 2), 6, 5.0, 2)


@dataclass(frozen=True, slots=True)
class Others:
    """What is measured besides what is shipped."""

    model: Path | None = None
    """A performance model that plays instead of the shipped one, and is timed beside it."""
    study_code: Path | None = None
    """A clone of the study's code."""


def measure_models(
    extent: Extent, say: Callable[[str], None], only: str = "", others: Others | None = None
) -> Iterator[Row]:
    """Measure one thing after the other; in full it takes about five minutes.

    `say` is told what is being measured; what does not have `only` in its name is left out. What cannot be measured
    comes as `Unmeasured`.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="antiphon-bench-")))
        stack.enter_context(environment(ANTIPHON_SOCKET_PORTS=str(folder / "ports")))
        stack.enter_context(enlist(folder / "plugin"))
        for what, measure in wanted(only, _measurements(extent, others or Others())):
            yield from measured(what, measure, folder / what, say)


def _measurements(extent: Extent, others: Others) -> Iterator[Measurement]:
    turns, goes = extent.turns, extent.goes
    yield "step time", partial(study_steps, turns=turns, goes=goes, study_code=others.study_code)
    yield "step time with CUDA", partial(study_steps_with_cuda, turns=turns, goes=goes)
    models = [] if others.model is None else [others.model]
    yield "shipped models", lambda _: shipped_models(turns, goes, extent.loads, models)
    yield "a note", lambda _: note_times(turns, goes)
    yield "VAE", partial(vae_halves, turns=turns, goes=goes, loads=extent.loads)
    played = None if others.model is None else str(others.model.resolve())
    yield "start-up", partial(readiness, backend=_BACKEND, times=extent.starts, preset=None, target=_READY)
    for by, lengths in (("trigger", extent.calls), ("silence", (extent.silent_calls,))):
        answered = partial(token_voice.hand_overs, backend=_BACKEND, lengths=lengths, by=by, model=played)
        yield f"hand-over by {by}", answered
    weighed = partial(token_voice.weight, backend=_BACKEND, bars=extent.bars, model=played)
    yield "CPU and memory of a voice", weighed
    beside = partial(token_voice.lateness, backend=_BACKEND, seconds=extent.seconds, model=played)
    yield "lateness beside the Transformer", beside
