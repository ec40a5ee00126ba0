"""A measured figure beside its target, and how a reader sees a table of them. It measures nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from antiphon.session.percentiles import percentiles

Statistic = Literal["p50", "p95", "p99", "max"]
STATISTICS: Final[tuple[Statistic, ...]] = ("p50", "p95", "p99", "max")


@dataclass(frozen=True, slots=True)
class Target:
    """What a statistic may reach at most, or must reach at least."""

    statistic: Statistic
    limit: float
    """In the unit of the figure."""
    at_least: bool = False
    """Whether more is better, as of a ratio to something slower."""

    def __str__(self) -> str:
        return f"{self.statistic} {'≥' if self.at_least else '≤'} {self.limit:g}"

    @property
    def name(self) -> str:
        """What it is called in JSON."""
        return f"{self.statistic} at least" if self.at_least else self.statistic

    def met_by(self, value: float) -> bool:
        """Whether a statistic of `value` is good enough."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what was measured, how it came out, and how it was meant to."""

    what: str
    unit: str
    count: int
    """How many values there are."""
    values: dict[Statistic, float]
    targets: tuple[Target, ...] = ()
    """None: told for its own sake."""

    @property
    def verdict(self) -> Literal["met", "missed", ""]:
        """Whether every target was met; empty without any."""
        if not self.targets:
            return ""
        return "met" if all(t.met_by(self.values[t.statistic]) for t in self.targets) else "missed"


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A row without a figure."""

    what: str
    why: str
    """What is missing, and what to do about it."""


Row = Figure | Unmeasured


def figure(what: str, unit: str, values: Sequence[float], *targets: Target) -> Row:
    """`values`, each in `unit`, as a row; `Unmeasured` if there are none."""
    found = percentiles(values)
    if found is None:
        return Unmeasured(what, "nothing arrived that could be measured")
    return Figure(what, unit, len(values), {name: found[name] for name in STATISTICS}, targets)


def milliseconds(what: str, seconds: Iterable[float], *targets: Target) -> Row:
    """`figure` in milliseconds, of values in seconds."""
    return figure(what, "ms", [1000 * value for value in seconds], *targets)


def table(rows: Iterable[Row]) -> list[str]:
    """The lines of a table with a head; figures to the right, words to the left."""
    cells = [_HEAD, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    # The last column ends the line, however long it is.
    widths[-1] = 0
    return ["  ".join(map(_aligned, line, widths, _TO_THE_RIGHT)).rstrip() for line in cells]


_HEAD: Final = ("what", "n", *STATISTICS, "unit", "target", "")
_TO_THE_RIGHT: Final = tuple(title == "n" or title in STATISTICS for title in _HEAD)


def _cells(row: Row) -> tuple[str, ...]:
    if isinstance(row, Unmeasured):
        return (row.what, *[""] * (len(_HEAD) - 2), f"not measured: {row.why}")
    # Of a single value all statistics are the same.
    shown = STATISTICS if row.count > 1 else STATISTICS[-1:]
    values = [f"{_shown(row.values[name])}" if name in shown else "" for name in STATISTICS]
    return (row.what, str(row.count), *values, row.unit, ", ".join(map(str, row.targets)), row.verdict)


def _shown(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _aligned(text: str, width: int, to_the_right: bool) -> str:
    return text.rjust(width) if to_the_right else text.ljust(width)


def verdicts(rows: Iterable[Row]) -> str:
    """How many targets were met, in one line, and which rows missed theirs."""
    judged = [row for row in rows if isinstance(row, Figure) and row.verdict]
    missed = [row.what for row in judged if row.verdict == "missed"]
    line = f"{len(judged) - len(missed)} of {len(judged)} rows meet their targets"
    return f"{line}; missed: {'; '.join(map(str.strip, missed))}" if missed else line


def as_data(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows as plain values for JSON."""
    return [
        {
            "what": row.what,
            "unit": row.unit,
            "n": row.count,
            **{str(name): value for name, value in row.values.items()},
            "targets": {target.name: target.limit for target in row.targets},
            "verdict": row.verdict or None,
        }
        if isinstance(row, Figure)
        else {"what": row.what, "not_measured": row.why}
        for row in rows
    ]
