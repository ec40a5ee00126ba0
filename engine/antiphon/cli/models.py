"""`antiphon models`: which models there are, what they say of themselves, and one more."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from antiphon.cli.terminal import cell, say, say_json

if TYPE_CHECKING:
    from antiphon.models.card import Card
    from antiphon.models.library import ModelLibrary, ModelListing


def add_commands(app: typer.Typer) -> None:
    """Add `antiphon models`."""
    group = typer.Typer()
    group.callback(invoke_without_command=True)(models)
    group.command("install")(install)
    app.add_typer(group, name="models")


def models(context: typer.Context, as_json: bool = typer.Option(False, "--json", help="Print it as JSON.")) -> None:
    """List the models that a preset can name; yours come before those that generators bring."""
    from antiphon.models.library import user_model_folder

    if context.invoked_subcommand is not None:
        return
    listings = _library().listings()
    if as_json:
        say_json([_as_data(listing) for listing in listings])
        return
    _print(listings)
    say(f"Yours go into {user_model_folder()}; a path to a model works wherever a name does.")


def install(
    file: Path = typer.Argument(..., help="A model file (.onnx), as `antiphon export` writes it."),
    name: str | None = typer.Option(None, "--name", help="What presets will call it; the file's name, unless given."),
    replace: bool = typer.Option(False, "--replace", help="Take the place of one of yours that has this name."),
) -> None:
    """Copy a model among yours, so that presets and commands find it by its name."""
    installed = _library().install(file.expanduser(), name, replace=replace)
    say(f"{installed.path}: {_summary(installed.card, installed.path.stat().st_size)}")
    if installed.shadows is not None:
        say(f"from now on '{installed.name}' is this one, and no longer that of {installed.shadows}")
    say(f'in a preset: model = "{installed.name}"')


def _library() -> ModelLibrary:
    from antiphon.models.library import ModelLibrary
    from antiphon.plugins.host import load_plugins

    generators = load_plugins().generators.values()
    return ModelLibrary([generator.info.models for generator in generators if generator.info.models is not None])


def _print(listings: tuple[ModelListing, ...]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("name")
    table.add_column("origin")
    table.add_column("what it is", overflow="fold")
    table.add_column("file", overflow="fold")
    for listing in listings:
        table.add_row(*map(cell, (listing.name, listing.origin, described(listing), str(listing.path))))
    Console(highlight=False).print(table)


def described(listing: ModelListing) -> str:
    """What a model is, or why it cannot be used."""
    return listing.problem if listing.card is None else _summary(listing.card, listing.path.stat().st_size)


def _summary(card: Card, size: int) -> str:
    nll = _nll(card)
    per_token = "" if nll is None else f", {nll:.3f} nats a token"
    return (
        f"{card.architecture} for the {card.codec} codec, {card.parameters / 1e6:.1f} M parameters{per_token}, "
        f"{card.precision}, {size / 1e6:.1f} MB; learnt from {', '.join(card.corpora) or 'unknown music'}"
    )


def _as_data(listing: ModelListing) -> dict[str, object]:
    data: dict[str, object] = {"name": listing.name, "path": str(listing.path), "origin": listing.origin}
    if listing.card is None:
        return data | {"problem": listing.problem}
    card = dataclasses.asdict(listing.card) | {"path": str(listing.card.path)}
    if "validation_nll" in card:
        card["validation_nll"] = _nll(listing.card)  # JSON has neither NaN nor infinity.
    return data | {"card": card}


def _nll(card: Card) -> float | None:
    """Nats per token, where the model reads tokens and they are known."""
    nll = getattr(card, "validation_nll", math.nan)
    return nll if math.isfinite(nll) else None
