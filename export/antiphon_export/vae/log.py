"""The log of a VAE's training and its curve, in the run's folder. It keeps no checkpoint."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the log."""

    step: int
    seconds: float
    """Time spent training, over all sittings."""
    windows: int
    """Windows learnt from so far."""
    train_loss: float
    """Mean over the steps since the row before, in nats a window; the divergence as it counted then."""
    valid_loss: float
    """Of the validation windows; the divergence at its full weight."""
    divergence: float
    """Nats that a code of them tells."""
    f1: float
    """Of their notes that come back."""


def add_row(folder: Path, row: Row) -> None:
    """Add a line to `log.csv` in `folder`, and draw `curve.png` anew."""
    path = folder / "log.csv"
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        if fresh:
            writer.writeheader()
        writer.writerow({name: round(value, 5) for name, value in asdict(row).items()})
    draw_curve(read_rows(folder), folder / "curve.png")


def read_rows(folder: Path) -> list[Row]:
    """The log in `folder`; of lines about the same step, written again after a kill, the last."""
    rows: dict[int, Row] = {}
    with (folder / "log.csv").open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            step, windows = int(line.pop("step")), int(line.pop("windows"))
            rows = {known: row for known, row in rows.items() if known < step}
            rows[step] = Row(step=step, windows=windows, **{name: float(value) for name, value in line.items()})
    return list(rows.values())


def draw_curve(rows: list[Row], path: Path) -> None:
    """Draw the losses, and the F1 of notes that come back, over windows, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    thousands = [row.windows / 1e3 for row in rows]
    left.plot(thousands, [row.train_loss for row in rows], label="training (transposed)")
    left.plot(thousands, [row.valid_loss for row in rows], label="validation")
    left.plot(thousands, [row.divergence for row in rows], label="what a code tells", linestyle=":")
    left.set_ylabel("nats a window")
    left.set_ylim(bottom=0)
    left.legend()
    right.plot(thousands, [row.f1 for row in rows], color="C2")
    right.set_ylabel("F1 of notes that come back")
    right.set_ylim(0, 1)
    for axes in (left, right):
        axes.set_xlabel("thousand windows")
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
