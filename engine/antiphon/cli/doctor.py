"""`antiphon doctor`: what is ready on this machine, and what to do about the rest. It mends nothing itself."""

from __future__ import annotations

import json

import typer

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def add_commands(app: typer.Typer) -> None:
    """Add `antiphon doctor`."""
    app.command("doctor")(doctor)


def doctor(
    backend: str | None = typer.Option(
        None, "--midi", help="MIDI system to examine: auto, jack, rtmidi, alsa, … (as in `jam`)."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print it as JSON."),
) -> None:
    """Examine ports, timing, sound and models; exit with 1 if anything fails (warnings do not)."""
    from dataclasses import asdict

    from antiphon.doctor import examine
    from antiphon.runtime import spawn_thread

    findings = []
    for finding in examine(spawn_thread, backend):
        findings.append(finding)
        if not as_json:
            mark = typer.style(f"{finding.level:4}", fg=_COLOURS[finding.level])
            typer.echo(f"{mark}  {finding.subject}: {finding.text}")
            if finding.advice:
                typer.echo(f"      → {finding.advice}")
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    if any(finding.level == "fail" for finding in findings):
        raise typer.Exit(1)
