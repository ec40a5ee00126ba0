"""`antiphon train`: the workbench's commands. Each imports what it needs when it runs."""

from __future__ import annotations

from pathlib import Path

import typer

from antiphon.printable import printable

train = typer.Typer(help="Learn a model from folders of music.", no_args_is_help=True)


def add_commands(cli: typer.Typer) -> None:
    """Add the workbench's groups of commands."""
    from antiphon_export.bench.commands import bench
    from antiphon_export.evaluate_command import evaluate
    from antiphon_export.exporting.command import export
    from antiphon_export.notes.command import add_command as add_notes
    from antiphon_export.tokens.commands import add_commands as add_training
    from antiphon_export.torture.command import torture
    from antiphon_export.vae.command import add_command as add_vae

    add_training(train)
    add_notes(train)
    add_vae(train)
    cli.add_typer(train, name="train")
    cli.command("export")(export)
    cli.command("evaluate")(evaluate)
    cli.add_typer(bench, name="bench")
    cli.command("torture")(torture)


@train.command("markov")
def train_markov(
    folders: list[str] = typer.Argument(
        metavar="FOLDER[=WEIGHT]...",
        help="Folders of MIDI files; a folder with WEIGHT 2 counts twice as much as one with 1, whatever their sizes.",
    ),
    out: Path = typer.Option(..., "--out", "-o", help="Table to write (.npz)."),
    min_pieces: int = typer.Option(
        3, "--min-pieces", min=1, help="Learn only what occurs in this many pieces: the more, the less it can quote."
    ),
) -> None:
    """Learn a table for the Markov generator. Name it as a voice's model in a preset."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    from antiphon.errors import AntiphonError
    from antiphon_export.markov import learn_table
    from antiphon_export.midi_folder import Corpus
    from antiphon_plugins.markov.table import save_table

    corpora = [Corpus.parse(folder) for folder in folders]
    console = Console(stderr=True)
    with Progress(
        *Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn(), console=console
    ) as progress:
        files = progress.add_task("reading", total=sum(len(corpus.files()) for corpus in corpora))
        table = learn_table(
            corpora,
            min_pieces=min_pieces,
            report=lambda problem: progress.console.print(
                printable(f"skipped {problem}"), markup=False, style="yellow"
            ),
            advance=lambda: progress.advance(files),
        )
    try:
        save_table(out, table)
    except OSError as error:
        raise AntiphonError(
            f"{str(out)!r} cannot be written ({error.strerror}); choose another place with --out"
        ) from error
    for corpus in table.origin["corpora"]:
        console.print(f"{corpus['name']}: {corpus['pieces']} pieces, {corpus['events']} events", markup=False)
    console.print(f"{out}: {len(table.line.keys)} contexts, {out.stat().st_size / 1e6:.2f} MB", markup=False)
