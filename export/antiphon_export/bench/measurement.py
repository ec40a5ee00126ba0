"""One thing to be measured: its name, and how. What cannot be measured becomes a row that says why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from antiphon.errors import AntiphonError
from antiphon_export.bench.figures import Row, Unmeasured

Measurement = tuple[str, Callable[[Path], list[Row]]]
"""What is about to be measured, for a person who waits; and how, given a folder that does not exist yet."""


def wanted(only: str, measurements: Iterable[Measurement]) -> list[Measurement]:
    """Those of `measurements` that have `only` in their name."""
    return [(what, measure) for what, measure in measurements if only in what]


def measured(what: str, measure: Callable[[Path], list[Row]], folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Tell `what` to `say`, and measure it; an AntiphonError becomes a row."""
    say(what)
    try:
        return measure(folder)
    except AntiphonError as error:
        return [Unmeasured(what, str(error))]
