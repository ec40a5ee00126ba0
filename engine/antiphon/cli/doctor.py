"""`antiphon doctor`: what is ready on this machine, and what to do about the rest. It mends nothing itself."""

from __future__ import annotations

import json

import typer

from antiphon.cli.terminal import Coloured, say, say_json

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def add_commands(app: typer.Typer) -> None:
    """Add `antiphon doctor`."""
    app.command("doctor")(doctor)


def doctor(
    backend: str | None = typer.Option(
        None, "--midi", help="MIDI system to examine: auto, jack, rtmidi, alsa, … (as in `jam`)."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print it as JSON."),
    latency: tuple[str, str] | None = typer.Option(
        None,
        "--latency",
        metavar="OUT IN",
        help="Instead, time notes from this output to this input, which you have connected, and propose an offset.",
    ),
) -> None:
    """Examine ports, timing, sound and models; exit with 1 if anything fails (warnings do not)."""
    if latency is not None:
        _time_port(*latency, backend, as_json)
        return
    from dataclasses import asdict

    from antiphon.doctor.checks import examine
    from antiphon.processes.runtime import spawn_thread

    findings = []
    for finding in examine(spawn_thread, backend):
        findings.append(finding)
        if not as_json:
            mark = Coloured(f"{finding.level:4}", _COLOURS[finding.level])
            say(mark, f"  {finding.subject}: {finding.text}")
            if finding.advice:
                say(f"      → {finding.advice}")
    if as_json:
        say_json([asdict(finding) for finding in findings])
    if any(finding.level == "fail" for finding in findings):
        raise typer.Exit(1)


def _time_port(output: str, input_name: str, backend: str | None, as_json: bool) -> None:
    from antiphon.doctor.checks import measure_latency
    from antiphon.processes.runtime import spawn_thread

    found = measure_latency(output, input_name, spawn_thread, backend, lambda text: say(text, err=True))
    trips, offset = found.trips, found.trips.offset_ms(one_way=found.one_way)
    if as_json:
        line = {"output": found.output, "input": found.input, "backend": found.backend, "sent": trips.sent}
        say_json({**line, "lost": trips.lost, "ms": trips.milliseconds(), "offset_ms": offset})
        return
    times = ", ".join(f"{name} {value:.2f} ms" for name, value in trips.milliseconds().items())
    say(f"{trips.sent} notes out of {found.output} and back into {found.input}, on {found.backend}: {times}")
    if trips.lost:
        say(f"{trips.lost} of them did not come back: look for a filter, or for a MIDI system under strain")
    if found.one_way:
        say("That is the way there alone: what comes in on JACK bears the frame at which it was sent on.")
    else:
        say("Half of that is the way there, as far as one can tell: both ways go through the same driver.")
    if offset == 0:
        say("Too little for an offset.")
        return
    say("What makes the sound may take longer; then add that. In the preset:")
    say(f"\n[latency]\n{json.dumps(output, ensure_ascii=False)} = {offset}")
