"""The log and the curve of a run of a model of notes. It trains nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from antiphon_export.notes.costs import Costs
from antiphon_export.training.step_log import add_line, read_lines, told
from antiphon_plugins.notes.model import HEADS


def add_judgement(
    folder: Path,
    step: int,
    seconds: float,
    notes: int,
    train_nats: float,
    valid_nats: float | None,
    costs: Mapping[str, Costs | None],
) -> None:
    """Add a line to `log.csv` in `folder`, and draw the curve anew. All nats are a note's, `train_nats` a step's.

    `costs`: by shelf; of one that was not measured, None.
    """
    line: dict[str, object] = {
        "step": step,
        "seconds": f"{seconds:.1f}",
        "notes": notes,
        "train_nats": f"{train_nats:.4f}",
        "valid_nats": told(valid_nats, 4),
    }
    for name, cost in costs.items():
        line[name] = told(None if cost is None else cost.total, 4)
        line |= {f"{name} {head}": told(None if cost is None else cost.by_head[head], 4) for head in HEADS}
    add_line(folder, line)
    draw_curve(read_lines(folder), list(costs), folder / "curve.png")


def draw_curve(lines: list[dict[str, str]], shelves: list[str], path: Path) -> None:
    """Draw nats a note over notes learnt from, for each shelf, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    judged = [line for line in lines if line["valid_nats"]]
    millions = [int(line["notes"]) / 1e6 for line in judged]
    for name in shelves:
        axes.plot(millions, [float(line[name]) for line in judged], marker=".", label=name)
    axes.set_xlabel("million notes")
    axes.set_ylabel("nats a note, validation pieces")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", ncols=2)
    figure.savefig(path, dpi=110)
