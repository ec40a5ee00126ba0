"""`antiphon bench`: the commands that print the numbers. They import what measures when they run."""

from __future__ import annotations

from pathlib import Path

import typer

from antiphon.cli.terminal import say
from antiphon_export.bench.models_command import models
from antiphon_export.bench.music_command import music

bench = typer.Typer(help="Measure what this machine makes of Antiphon.", no_args_is_help=True)
bench.command("models")(models)
bench.command("music")(music)


@bench.command()
def host(
    quick: bool = typer.Option(False, "--quick", help="Measure for two minutes instead of thirteen."),
    seconds: float | None = typer.Option(None, "--seconds", min=1, help="Length of each run with scheduled notes."),
    only: str = typer.Option("", "--only", help="Measure only what has this in its name: burst, JACK, hand-over …"),
    as_json: bool = typer.Option(False, "--json", help="Print it as JSON."),
) -> None:
    """Measure latency, lateness, start-up, memory and bursts against their targets. Leave the machine alone then."""
    from dataclasses import replace

    from antiphon_export.bench.host import FULL, QUICK, measure_host
    from antiphon_export.bench.machine import this_machine
    from antiphon_export.bench.report import report

    extent = QUICK if quick else FULL
    if seconds is not None:
        extent = replace(extent, seconds=seconds)
    machine = this_machine()
    rows = list(measure_host(extent, lambda what: say(f"measuring {what} …", err=True), only))
    say(report(machine, rows, quick=quick, as_json=as_json, seconds=extent.seconds))


@bench.command()
def training(
    study_code: Path = typer.Option(
        ...,
        "--study-code",
        help="Clone of https://github.com/ffsgfy/music-generation, whose code it is measured against.",
    ),
    threads: int = typer.Option(0, "--threads", min=0, help="Of the CPU; 0 for all cores."),
) -> None:
    """Measure a training step of the study's Transformer, 8 windows of 256 tokens, beside the study's own code."""
    from antiphon_export.bench.figures import milliseconds, table
    from antiphon_export.bench.machine import this_machine
    from antiphon_export.bench.training import training_seconds
    from antiphon_export.training.computing import use_threads

    use_threads(threads)
    seconds = dict(training_seconds(study_code))
    say(str(this_machine()))
    for line in table(milliseconds(name, values) for name, values in seconds.items()):
        say(line)
    slowest, *others = (sorted(values)[len(values) // 2] for values in seconds.values())
    for name, median in zip(list(seconds)[1:], others, strict=True):
        say(f"{name}: {slowest / median:.1f} times as fast as the study's code")
