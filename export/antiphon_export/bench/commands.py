"""`antiphon bench`: the commands that print the numbers. They import what measures when they run."""

from __future__ import annotations

import json

import typer

bench = typer.Typer(help="Measure what this machine makes of Antiphon.", no_args_is_help=True)


@bench.callback()
def _bench() -> None:
    # Without a callback, a group of one command would lose that command's name.
    pass


@bench.command()
def host(
    quick: bool = typer.Option(False, "--quick", help="Measure for two minutes instead of thirteen."),
    seconds: float | None = typer.Option(None, "--seconds", min=1, help="Length of each run with scheduled notes."),
    only: str = typer.Option("", "--only", help="Measure only what has this in its name: burst, JACK, hand-over …"),
    as_json: bool = typer.Option(False, "--json", help="Print it as JSON."),
) -> None:
    """Measure latency, lateness, start-up, memory and bursts against their targets. Leave the machine alone then."""
    from dataclasses import asdict, replace

    from antiphon_export.bench.figures import as_data, table, verdicts
    from antiphon_export.bench.host import FULL, QUICK, measure_host
    from antiphon_export.bench.machine import this_machine

    extent = QUICK if quick else FULL
    if seconds is not None:
        extent = replace(extent, seconds=seconds)
    machine = this_machine()
    rows = list(measure_host(extent, lambda what: typer.echo(f"measuring {what} …", err=True), only))
    if as_json:
        report = {"machine": asdict(machine), "quick": quick, "seconds": extent.seconds, "rows": as_data(rows)}
        typer.echo(json.dumps(report, indent=2))
        return
    typer.echo(str(machine))
    if quick:
        typer.echo("QUICK: few values; do not quote these figures")
    for line in table(rows):
        typer.echo(line)
    typer.echo(verdicts(rows))
