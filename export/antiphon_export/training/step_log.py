"""The log of a training run, a CSV with a line for some of its steps. It knows no column but the step."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_LOG: Final = "log.csv"


def add_line(folder: Path, line: Mapping[str, object]) -> None:
    """Add a line to the log in `folder`: values by column, one of them `step`. A new log begins with the columns."""
    path = folder / _LOG
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(line))
        if fresh:
            writer.writeheader()
        writer.writerow(line)


def told(value: float | None, decimals: int = 5) -> str:
    """A value of a line; empty for one that was not measured."""
    return "" if value is None else f"{value:.{decimals}f}"


def read_lines(folder: Path) -> list[dict[str, str]]:
    """The log in `folder`, in order of steps; none if there is no log.

    A run that was killed goes on from an earlier step: what had been written of later ones counts no more.
    """
    path = folder / _LOG
    if not path.exists():
        return []
    lines: list[dict[str, str]] = []
    with path.open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            lines = [earlier for earlier in lines if int(earlier["step"]) < int(line["step"])]
            lines.append(line)
    return lines
