"""`antiphon presets`: what there is to play, what a preset says, and whether a file is sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

import typer

from antiphon.cli.terminal import cell, say

if TYPE_CHECKING:
    from antiphon.duet.plan import Plan
    from antiphon.presets.library import PresetLibrary
    from antiphon.presets.reading import Generators


def add_commands(app: typer.Typer) -> None:
    """Add the `presets` group."""
    presets = typer.Typer(no_args_is_help=True, help="List, show and check presets and setlists.")
    presets.command("list")(list_presets)
    presets.command("show")(show_preset)
    presets.command("check")(check_presets)
    app.add_typer(presets, name="presets")


def list_presets() -> None:
    """List all presets and setlists that can be called by name; yours come before those that plugins bring."""
    from rich.console import Console
    from rich.table import Table

    from antiphon.presets.reach import user_preset_folder

    library, _ = _library()
    table = Table("name", "kind", "origin", "description", box=None, pad_edge=False, header_style="dim")
    for listing in library.listings():
        cells = (listing.name, listing.kind, listing.origin, listing.description)
        table.add_row(*map(cell, cells))
    Console(highlight=False).print(table)
    say(f"Yours go into {user_preset_folder()}")


def show_preset(
    preset: str = typer.Argument(..., metavar="NAME", help="A preset or setlist, by name or path."),
) -> None:
    """Print where a preset lies and all that it says, defaults included, as a preset again."""
    from antiphon.presets.writer import preset_text

    library, generators = _library()
    plans = library.load_set(preset, generators)
    say(f"# {library.find(preset)}")
    for number, plan in enumerate(plans, start=1):
        if len(plans) > 1:
            say(f"\n# program {number}: {plan.name}")
        say(preset_text(plan).rstrip())


def check_presets(
    files: list[str] = typer.Argument(..., metavar="FILE...", help="Presets and setlists, by path or name."),
) -> None:
    """Print every mistake in the files, each with its line; exit with 1 if there is any.

    Each generator is tried with its model, which may take a second. A port that is not plugged in is no mistake, but
    is named.
    """
    from antiphon.errors import AntiphonError

    library, generators = _library()
    rehearse = cache(_rehearse)
    failed = False
    for file in files:
        try:
            plans = library.load_set(file, generators, rehearse)
        except AntiphonError as error:
            failed = True
            say(str(error))
        else:
            say(f"{file}: sound")
            for problem in _missing_ports(plans):
                say(f"{file}: for now, jam would refuse it: {problem}")
    if failed:
        raise typer.Exit(1)


def _rehearse(generator: str, model: str | None) -> str | None:
    """Why a performance could not make this generator; None if it can."""
    from antiphon.duet.casting import PlayerNeeded
    from antiphon.errors import AntiphonError
    from antiphon.generator import Casting
    from antiphon.plugins.making import make_player

    try:
        make_player(PlayerNeeded("main", generator, Casting(0, model, "cpu")))
    except AntiphonError as error:
        return str(error)
    return None


def _missing_ports(plans: Sequence[Plan]) -> Iterator[str]:
    """What a performance would say of ports that are named and not there, each once, on a line."""
    from antiphon.duet.routing import input_names, output_names
    from antiphon.errors import AntiphonError
    from antiphon.midi.backends import find_backend
    from antiphon.midi.port_names import match_port, virtual_name
    from antiphon.plugins.host import load_plugins
    from antiphon.processes.runtime import spawn_thread

    others = {"auto", "synth", *load_plugins().outputs}
    wanted = {
        direction: [n for n in names if n not in others and virtual_name(n, direction) is None]
        for direction, names in (
            ("input", dict.fromkeys(name for plan in plans for name in input_names(plan))),
            ("output", output_names(plans)),
        )
    }
    if not any(wanted.values()):
        return
    try:
        backend = find_backend("Antiphon check", spawn_thread)
    except AntiphonError as error:
        yield " ".join(str(error).split())
        return
    try:
        there = {"input": backend.inputs(), "output": backend.outputs()}
    finally:
        backend.close()
    for direction, names in wanted.items():
        for name in names:
            try:
                match_port(name, there[direction], direction)
            except AntiphonError as error:
                yield " ".join(str(error).split())


def _library() -> tuple[PresetLibrary, Generators]:
    from antiphon.plugins.host import load_plugins
    from antiphon.presets.library import PresetLibrary

    plugins = load_plugins()
    return PresetLibrary(plugins.preset_folders), plugins.infos
