"""The host's numbers: what is measured, in which order, on which ports. It changes nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from antiphon_export.bench import jamming, playing
from antiphon_export.bench.figures import Row, Unmeasured
from antiphon_export.bench.generators import BUSY, enlist
from antiphon_export.bench.measurement import Measurement, measured, wanted
from antiphon_export.bench.programs import environment, jack_server

_BURST_NOTES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Extent:
    """How thoroughly is measured."""

    seconds: float
    """Length of each run in which notes are scheduled."""
    calls: tuple[tuple[int, int], ...]
    """Notes of a call, and how many such calls are answered."""
    starts: int
    """How often the command is started."""
    idle_seconds: float


FULL: Final = Extent(60.0, ((8, 20), (64, 20), (512, 10), (4096, 5)), 8, 10.0)
QUICK: Final = Extent(5.0, ((8, 5), (64, 3), (512, 1)), 2, 3.0)


def measure_host(extent: Extent, say: Callable[[str], None], only: str = "") -> Iterator[Row]:
    """Measure one thing after the other; all takes about ten times `extent.seconds`.

    `say` is told what is being measured; what does not have `only` in its name is left out. What cannot be measured
    comes as `Unmeasured`.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="antiphon-bench-")))
        stack.enter_context(environment(ANTIPHON_SOCKET_PORTS=str(folder / "ports")))
        stack.enter_context(enlist(folder / "plugin"))
        for what, measure in wanted(only, _on_sockets(extent)):
            yield from measured(what, measure, folder / what, say)
        on_jack = wanted(only, _on_jack(extent))
        why_not = stack.enter_context(jack_server(folder)) if on_jack else None
        for what, measure in on_jack:
            if why_not is not None:
                yield Unmeasured(what, why_not)
            else:
                yield from measured(what, measure, folder / what, say)


def _on_sockets(extent: Extent) -> Iterator[Measurement]:
    backend = "socket"
    yield "start-up", partial(jamming.readiness, backend=backend, times=extent.starts)
    yield "memory and idle CPU", partial(jamming.idleness, backend=backend, seconds=extent.idle_seconds)
    yield "the player's own notes", partial(playing.thru, backend=backend, seconds=extent.seconds / 2)
    for generator in (BUSY, "markov"):
        what = f"lateness beside {generator}"
        yield what, partial(playing.lateness, backend=backend, seconds=extent.seconds, generator=generator)
    yield "a MIDI clock", partial(playing.clock, backend=backend, seconds=extent.seconds)
    for by in ("silence", "trigger"):
        yield f"hand-over by {by}", partial(playing.handover, backend=backend, lengths=extent.calls, by=by)
    yield "a burst through sockets", partial(playing.burst, backend=backend, notes=_BURST_NOTES)


def _on_jack(extent: Extent) -> Iterator[Measurement]:
    backend = "jack"
    yield "memory and idle CPU on JACK", partial(jamming.idleness, backend=backend, seconds=extent.idle_seconds)
    yield "the player's own notes on JACK", partial(playing.thru, backend=backend, seconds=extent.seconds / 2)
    what = "lateness beside a busy generator on JACK"
    yield what, partial(playing.lateness, backend=backend, seconds=extent.seconds, generator=BUSY)
    yield "a MIDI clock on JACK", partial(playing.clock, backend=backend, seconds=extent.seconds)
    yield "a burst through JACK", partial(playing.burst, backend=backend, notes=_BURST_NOTES)
