"""The log of a run of a model of tokens and its curve, in the run's folder. It keeps no checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from antiphon_export.training.step_log import add_line, read_lines, told


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the log: the mean since the line before."""

    step: int
    seconds: float
    """Time spent training, over all sittings."""
    tokens: int
    """Tokens learnt from so far."""
    train_nll: float
    """Nats per token, over the steps since the row before."""
    valid_nll: float | None
    """Nats per token; None where it was not measured, as after a run's first step."""


def add_row(folder: Path, row: Row) -> None:
    """Add a line to `log.csv` in `folder`, and draw `curve.png` anew."""
    exact = {"train_nll": f"{row.train_nll:.5f}", "valid_nll": told(row.valid_nll)}
    add_line(folder, {**asdict(row), "seconds": f"{row.seconds:.1f}", **exact})
    draw_curve(read_rows(folder), folder / "curve.png")


def read_rows(folder: Path) -> list[Row]:
    """The log in `folder`; of lines about the same step, written again after a kill, the last."""
    return [
        Row(
            int(line["step"]),
            float(line["seconds"]),
            int(line["tokens"]),
            float(line["train_nll"]),
            float(line["valid_nll"]) if line["valid_nll"] else None,
        )
        for line in read_lines(folder)
    ]


def draw_curve(rows: list[Row], path: Path) -> None:
    """Draw NLL over tokens, training and validation, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    judged = [(row.tokens, row.valid_nll) for row in rows if row.valid_nll is not None]
    for label, points in (
        ("training (augmented, with dropout)", [(row.tokens, row.train_nll) for row in rows]),
        ("validation", judged),
    ):
        axes.plot([tokens / 1e6 for tokens, _ in points], [nll for _, nll in points], marker=".", label=label)
    axes.set_xlabel("million tokens")
    axes.set_ylabel("nats per token")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)
