"""`antiphon presets`: what there is to play, what a preset says, and whether a file is sound. It starts no music."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from antiphon.preset_library import PresetLibrary
    from antiphon.presets import Generators


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
    from rich.text import Text

    from antiphon.preset_library import user_preset_folder

    library, _ = _library()
    table = Table("name", "kind", "origin", "description", box=None, pad_edge=False, header_style="dim")
    for listing in library.listings():
        # As Text, brackets in a description are no markup.
        cells = (listing.name, listing.kind, listing.origin, listing.description)
        table.add_row(*(Text(cell) for cell in cells))
    Console(highlight=False).print(table)
    typer.echo(f"Yours go into {user_preset_folder()}")


def show_preset(
    preset: str = typer.Argument(..., metavar="NAME", help="A preset or setlist, by name or path."),
) -> None:
    """Print where a preset lies and all that it says, defaults included, as a preset again."""
    from antiphon.preset_writer import preset_text

    library, generators = _library()
    plans = library.load_set(preset, generators)
    typer.echo(f"# {library.find(preset)}")
    for number, plan in enumerate(plans):
        if len(plans) > 1:
            typer.echo(f"\n# program change {number}: {plan.name}")
        typer.echo(preset_text(plan), nl=False)


def check_presets(
    files: list[str] = typer.Argument(..., metavar="FILE...", help="Presets and setlists, by path or name."),
) -> None:
    """Print every mistake in the files, each with its line; exit with 1 if there is any."""
    from antiphon.errors import AntiphonError

    library, generators = _library()
    failed = False
    for file in files:
        try:
            library.load_set(file, generators)
        except AntiphonError as error:
            failed = True
            typer.echo(str(error))
        else:
            typer.echo(f"{file}: sound")
    if failed:
        raise typer.Exit(1)


def _library() -> tuple[PresetLibrary, Generators]:
    from antiphon.plugins import load_plugins
    from antiphon.preset_library import PresetLibrary

    plugins = load_plugins()
    return PresetLibrary(plugins.preset_folders), plugins.infos
