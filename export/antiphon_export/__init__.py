"""The workbench: corpora, training, export, evaluation and benchmarks. Never part of a live performance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def register_commands(cli: typer.Typer) -> None:
    """`antiphon train` and `antiphon bench`."""
    from antiphon_export.commands import add_commands

    add_commands(cli)
