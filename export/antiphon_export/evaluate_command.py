"""`antiphon evaluate`: the options of an evaluation, and how it is printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from antiphon.errors import AntiphonError

if TYPE_CHECKING:
    from antiphon.codec import Tokens


def evaluate(
    model: Path = typer.Argument(help="A checkpoint (.pt) or a model (.onnx)."),
    folder: Path = typer.Argument(help="Folder of MIDI files, or of chorales as JSON."),
    protocol: str = typer.Option(
        "pieces",
        "--protocol",
        help="study: every window of 257 tokens, as in the published study; pieces: the folder's validation pieces in "
        "windows of 1,025; chorales: whole validation chorales, four tokens a sixteenth.",
    ),
    every: int = typer.Option(1, "--every", min=1, help="Evaluate only each so-many-th window."),
    threads: int = typer.Option(0, "--threads", min=0, help="Of the CPU, for a checkpoint; 0 for all cores."),
    as_json: bool = typer.Option(False, "--json", help="Print it as JSON."),
) -> None:
    """Print a model's negative log-likelihood on music, in nats per token and per note, each window cold."""
    from rich.console import Console
    from rich.progress import Progress

    from antiphon_export.evaluate import evaluate as run
    from antiphon_export.scoring import load_scorer

    if not folder.is_dir():
        raise AntiphonError(f"{str(folder)!r} is not a folder; name one with music in it")
    console = Console(stderr=True)
    scorer = load_scorer(model, threads)
    windows = _windows(
        protocol, folder, scorer.codec, lambda problem: console.print(f"skipped {problem}", markup=False)
    )
    with Progress(console=console) as progress:
        bar = progress.add_task("evaluating", total=-(-len(windows) // every))
        found = run(
            scorer.score,
            windows,
            scorer.codec,
            every=every,
            advance=lambda done: progress.update(bar, completed=done),
        )
    if as_json:
        about = {"model": str(model), "codec": scorer.codec, "protocol": protocol, "every": every}
        typer.echo(json.dumps({**about, **asdict(found)}, indent=2))
        return
    typer.echo(f"{found.nll_per_token:.4f} nats per token ({scorer.codec} codec), {found.nll_per_note:.4f} per note")
    typer.echo(f"{found.windows:,} of {found.windows_in_all:,} windows, {found.tokens:,} tokens")


def _windows(protocol: str, folder: Path, codec: str, report: Callable[[str], None]) -> list[Tokens]:
    from antiphon_export.evaluate import chorale_windows, piece_windows, study_windows

    wanted = {"study": ("grid",), "pieces": ("grid", "performance"), "chorales": ("chorales",)}.get(protocol)
    if wanted is None:
        raise AntiphonError(f"--protocol is {protocol!r}; allowed: study, pieces, chorales")
    if codec not in wanted:
        raise AntiphonError(f"protocol {protocol!r} is for the codec {' or '.join(wanted)}; the model speaks {codec!r}")
    if protocol == "study":
        return study_windows(folder)
    return chorale_windows(folder) if protocol == "chorales" else piece_windows(folder, codec, report)
