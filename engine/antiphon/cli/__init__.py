"""The command line: one module per family of commands, each imported when the line is read, not what it starts."""

from __future__ import annotations

import importlib
import sys

import typer

from antiphon import __version__
from antiphon.cli.terminal import Coloured, print_errors_safely, print_with_replacement, say
from antiphon.cli.verbose import Verbose
from antiphon.errors import AntiphonError
from antiphon.plugins.host import load_plugins
from antiphon.printable import printable_lines
from antiphon.tracebacks import Tracebacks, quiet

app = typer.Typer(
    name="antiphon",
    help="A bandmate on a MIDI keyboard: you play, it answers, in time.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_MOST_ERROR_LINES = 100


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"antiphon {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
    verbose: Verbose = False,
) -> None:
    pass


_FAMILIES = (
    "demo",
    "jam",
    "files",
    "parts",
    "render",
    "picture",
    "ports",
    "doctor",
    "presets",
    "plugins",
    "plugin",
    "models",
)
"""Modules of this package that bring commands, in the order of `antiphon --help`."""


def main() -> None:
    """Run the command line; an `AntiphonError` is printed to stderr and ends it with exit code 1."""
    print_with_replacement()
    print_errors_safely()
    quiet()
    for family in _FAMILIES:
        importlib.import_module(f"antiphon.cli.{family}").add_commands(app)
    plugins = load_plugins()
    plugins.add_commands(app)
    try:
        app(obj=plugins)
    except AntiphonError as error:
        Tracebacks().write("this is where the command ended", error)
        say(Coloured(printable_lines(f"antiphon: {error}", _MOST_ERROR_LINES), "red"), err=True)
        sys.exit(1)
