"""`antiphon plugins`: what is installed, and what is left out and why."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import typer

from antiphon.cli.terminal import Coloured, say, say_json
from antiphon.cli.verbose import Verbose

if TYPE_CHECKING:
    from antiphon.controls import AnyControl
    from antiphon.plugins.host import Plugins, Registered


def add_commands(app: typer.Typer) -> None:
    """Add `antiphon plugins`."""
    app.command("plugins")(plugins)


def plugins(
    context: typer.Context,
    as_json: bool = typer.Option(False, "--json", help="Print it as JSON."),
    strict: bool = typer.Option(False, "--strict", help="Exit with 1 if anything is left out."),
    verbose: Verbose = False,
) -> None:
    """List generators, their controls, outputs and presets; and which plugins are left out, and why."""
    found = _found(context)
    if as_json:
        say_json(_as_data(found))
    else:
        _print(found, tracebacks=verbose)
    if strict and found.failures:
        raise typer.Exit(1)


def _found(context: typer.Context) -> Plugins:
    """The plugins that the command line was built with: they know which commands were refused."""
    from antiphon.plugins.host import Plugins, load_plugins

    if isinstance(context.obj, Plugins):
        return context.obj
    found = load_plugins()
    found.add_commands(typer.Typer())
    return found


def _print(found: Plugins, *, tracebacks: bool) -> None:
    say(Coloured("Generators", bold=True))
    for name, registered in sorted(found.generators.items()):
        _print_generator(name, registered)
    say(Coloured("Outputs", bold=True))
    for name, output in sorted(found.outputs.items()):
        say("  ", Coloured(name, "green"), f"  {output.summary} ({output.origin})")
    say(Coloured("Preset folders", bold=True))
    for folder in found.preset_folders:
        say(f"  {folder}")
    if found.failures:
        say(Coloured("Left out", bold=True))
        for failure in found.failures:
            say(Coloured(f"  {failure.name} ({failure.distribution}): {failure.reason}", "red"))
            if tracebacks and failure.traceback:
                say(failure.traceback)
        if not tracebacks:
            say("  antiphon plugins --verbose has the tracebacks")


def _print_generator(name: str, registered: Registered) -> None:
    info = registered.info
    honours = ", ".join(sorted(info.honours)) or "none"
    say("  ", Coloured(name, "green"), f"  {info.summary} ({registered.origin})")
    able = "; interpolates" * info.interpolates + "; fills gaps" * info.fills
    say(f"      latency {info.latency}; follows {info.follows}; honours {honours}{able}")
    if info.parts:
        say(f"      parts {', '.join(info.parts)}")
    width = max((len(control.name) for control in info.controls), default=0)
    ranges = [_range(control) for control in info.controls]
    range_width = max(map(len, ranges), default=0)
    for control, text in zip(info.controls, ranges, strict=True):
        say(f"      {control.name:{width}}  {text:{range_width}}  {control.help}")


def _range(control: AnyControl) -> str:
    default = (
        json.dumps(control.default, ensure_ascii=False) if isinstance(control.default, str) else f"{control.default:g}"
    )
    return f"{control.allowed.removeprefix('a number, ')}, default {default}"


def _as_data(found: Plugins) -> dict[str, object]:
    return {
        "generators": [
            {
                "name": name,
                "summary": registered.info.summary,
                "origin": registered.origin,
                "latency": registered.info.latency,
                "follows": registered.info.follows,
                "honours": sorted(registered.info.honours),
                "interpolates": registered.info.interpolates,
                "fills": registered.info.fills,
                "parts": list(registered.info.parts),
                "controls": [dataclasses.asdict(control) for control in registered.info.controls],
            }
            for name, registered in sorted(found.generators.items())
        ],
        "outputs": [
            {"name": name, "summary": output.summary, "origin": output.origin}
            for name, output in sorted(found.outputs.items())
        ],
        "preset_folders": [str(folder) for folder in found.preset_folders],
        "failures": [
            {field: getattr(failure, field) for field in ("name", "distribution", "reason", "traceback")}
            for failure in found.failures
        ],
    }
