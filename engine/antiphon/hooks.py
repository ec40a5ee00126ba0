"""The four hooks through which everything is plugged in. Hooks only register; live calls go straight to the object."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

from antiphon.generator import RegisterGenerator
from antiphon.output import RegisterOutput

if TYPE_CHECKING:
    import typer

hookspec = pluggy.HookspecMarker("antiphon")
hookimpl = pluggy.HookimplMarker("antiphon")


@hookspec(historic=True)
def register_generators(register: RegisterGenerator) -> None:
    """Call `register(info, make)` once for each generator this plugin brings."""


@hookspec(historic=True)
def register_outputs(register: RegisterOutput) -> None:
    """Call `register(name, summary, open_output)` once for each kind of output this plugin brings."""


@hookspec(historic=True)
def register_presets(register: Callable[[Path], None]) -> None:
    """Call `register(folder)` once for each folder of `.toml` presets and setlists this plugin brings."""


@hookspec(historic=True)
def register_commands(cli: typer.Typer) -> None:
    """Add commands or groups of commands to the `antiphon` command line."""
