"""The option `--verbose`, the same for every command that has it."""

from __future__ import annotations

from typing import Annotated

import typer

from antiphon.tracebacks import quiet


def _show_tracebacks(wanted: bool) -> bool:
    if wanted:
        quiet(False)
    return wanted


Verbose = Annotated[
    bool, typer.Option("--verbose", callback=_show_tracebacks, help="Show the tracebacks of what fails, as plugins do.")
]
