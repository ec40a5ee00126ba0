"""The log of a VAE's training and its curve, in the run's folder. It keeps no checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from antiphon_export.training.step_log import add_line, read_lines


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
    valid_loss: float | None
    """Of the validation windows; the divergence at its full weight. None, as the others, where it was not measured."""
    divergence: float | None
    """Nats that a code of them tells."""
    f1: float | None
    """Of their notes that come back."""


def add_row(folder: Path, row: Row) -> None:
    """Add a line to `log.csv` in `folder`, and draw `curve.png` anew."""
    add_line(folder, {name: "" if value is None else round(value, 5) for name, value in asdict(row).items()})
    draw_curve(read_rows(folder), folder / "curve.png")


def read_rows(folder: Path) -> list[Row]:
    """The log in `folder`; of lines about the same step, written again after a kill, the last."""
    rows = []
    for line in read_lines(folder):
        step, windows = int(line.pop("step")), int(line.pop("windows"))
        seconds, train_loss = float(line.pop("seconds")), float(line.pop("train_loss"))
        measured = {name: float(value) if value else None for name, value in line.items()}
        rows.append(Row(step=step, seconds=seconds, windows=windows, train_loss=train_loss, **measured))
    return rows


def draw_curve(rows: list[Row], path: Path) -> None:
    """Draw the losses, and the F1 of notes that come back, over windows, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    judged = [row for row in rows if row.valid_loss is not None]
    at = [row.windows / 1e3 for row in judged]
    thousands = [row.windows / 1e3 for row in rows]
    left.plot(thousands, [row.train_loss for row in rows], marker=".", label="training (transposed)")
    left.plot(at, [row.valid_loss for row in judged], marker=".", label="validation")
    left.plot(at, [row.divergence for row in judged], label="what a code tells", linestyle=":")
    left.set_ylabel("nats a window")
    left.set_ylim(bottom=0)
    left.legend()
    right.plot(at, [row.f1 for row in judged], marker=".", color="C2")
    right.set_ylabel("F1 of notes that come back")
    right.set_ylim(0, 1)
    for axes in (left, right):
        axes.set_xlabel("thousand windows")
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
