"""`antiphon bench models`: what the neural models take of this machine, beside what they may."""

from __future__ import annotations

from pathlib import Path

import typer

from antiphon.cli.terminal import say


def models(
    quick: bool = typer.Option(False, "--quick", help="Measure for a minute and a half instead of five."),
    model: Path | None = typer.Option(
        None,
        "--model",
        exists=True,
        dir_okay=False,
        help="A performance model (.onnx) to play with, instead of the shipped one, and to be timed beside it.",
    ),
    study_code: Path | None = typer.Option(
        None,
        "--study-code",
        help="Clone of https://github.com/ffsgfy/music-generation, whose code is then measured, too.",
    ),
    only: str = typer.Option("", "--only", help="Measure only what has this in its name: step, hand-over, CPU …"),
    as_json: bool = typer.Option(False, "--json", help="Print it as JSON."),
) -> None:
    """Measure the models' step times, hand-over, CPU and memory against their targets. Leave the machine alone then."""
    from antiphon_export.bench.machine import this_machine
    from antiphon_export.bench.models import FULL, QUICK, Others, measure_models
    from antiphon_export.bench.report import report

    machine = this_machine()
    extent, others = QUICK if quick else FULL, Others(model, study_code)
    rows = list(measure_models(extent, lambda what: say(f"measuring {what} …", err=True), only, others))
    say(report(machine, rows, quick=quick, as_json=as_json))
