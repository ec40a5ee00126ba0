"""`antiphon ports`: every MIDI port that can be reached, through every backend. It leaves none open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from antiphon.cli.terminal import Coloured, say, say_json

if TYPE_CHECKING:
    from antiphon.midi.backends import BackendReport


def add_commands(app: typer.Typer) -> None:
    """Add `antiphon ports`."""
    app.command("ports")(ports)


def ports(as_json: bool = typer.Option(False, "--json", help="Print it as JSON.")) -> None:
    """List MIDI inputs and outputs of every usable backend, and what `auto` would take."""
    from antiphon.midi.backends import auto_backend, survey_backends
    from antiphon.midi.port_names import auto_inputs
    from antiphon.processes.runtime import spawn_thread

    reports = survey_backends(spawn_thread)
    chosen = auto_backend(reports)
    if as_json:
        say_json([_as_data(report, report.kind == chosen) for report in reports])
        return
    for report in reports:
        if report.problem is None:
            _print(report, set(auto_inputs(report.inputs)) if report.kind == chosen else set(), report.kind == chosen)
    say(Coloured("Not usable here", bold=True))
    for report in reports:
        if report.problem is not None:
            say(f"  {report.problem}")


def _print(report: BackendReport, taken: set[str], is_chosen: bool) -> None:
    remark = "" if report.virtual else " (no virtual ports)"
    chosen = Coloured("  ← auto", "green") if is_chosen else ""
    say(Coloured(report.kind, bold=True), remark, chosen)
    for direction, names in (("input", report.inputs), ("output", report.outputs)):
        for name in names or ("none",):
            mark = Coloured("  ← auto", "green") if direction == "input" and name in taken else ""
            say(f"  {direction:6}  {name}", mark)


def _as_data(report: BackendReport, is_chosen: bool) -> dict[str, object]:
    from antiphon.midi.port_names import auto_inputs

    return {
        "backend": report.kind,
        "auto": is_chosen,
        "problem": report.problem,
        "virtual": report.virtual,
        "inputs": [{"name": name, "auto": is_chosen and name in auto_inputs(report.inputs)} for name in report.inputs],
        "outputs": list(report.outputs),
    }
