"""`antiphon bench music`: a generator beside real music, and whether it quotes."""

from __future__ import annotations

from pathlib import Path

import typer

from antiphon.errors import AntiphonError


def music(
    context: typer.Context,
    generator: str = typer.Argument(help="Name of a generator, as in a preset."),
    folders: list[str] = typer.Argument(
        None,
        metavar="FOLDER...",
        help="Folders it was trained on: validation pieces are continued, the others searched.",
    ),
    model: str | None = typer.Option(None, "--model", help="Model or table, as in a preset."),
    controls: list[str] = typer.Option([], "--control", metavar="NAME=VALUE", help="Value of a control."),
    calls: int = typer.Option(40, "--calls", min=1, help="Calls taken from each folder."),
    picture: Path | None = typer.Option(None, "--picture", help="PNG to draw: answers to calls of eight kinds."),
    quotes: bool = typer.Option(True, "--quotes/--no-quotes", help="Search the training pieces for what was played."),
) -> None:
    """Compare what a generator plays with real music: density, lengths, leaps, loudness; and whether it quotes."""
    from antiphon.codec import rows_of
    from antiphon.notes import Phrase
    from antiphon_export.bench.calls import draw_answers
    from antiphon_export.bench.music import FEATURES, Musician, compare
    from antiphon_export.bench.quoting import RUNS, find_quotes, moves
    from antiphon_export.midi_folder import Corpus

    registered = context.obj.generator(generator)
    musician = Musician(registered.info, registered.make, model, dict(map(_control, controls)))
    if picture is not None:
        draw_answers(musician, picture, seeds=(1, 2))
        typer.echo(f"{picture}: calls in blue, answers in orange")
    corpora = [Corpus.parse(folder) for folder in folders or []]
    if not corpora:
        return
    table, excerpts, answers = compare(musician, corpora, calls, lambda text: typer.echo(text, err=True))
    typer.echo(f"| | | {' | '.join(name for name, _ in FEATURES)} |")
    typer.echo("|---" * (2 + len(FEATURES)) + "|")
    for name, rows in table.items():
        for who, row in zip(("real", generator), rows, strict=True):
            cells = [f"{value:.{digits}f}" for value, (_, digits) in zip(row, FEATURES, strict=True)]
            typer.echo(f"| {name if who == 'real' else ''} | {who} | {' | '.join(cells)} |")
    if not quotes:
        return
    typer.echo("searching the training pieces", err=True)
    training = [moves(part) for corpus in corpora for piece in musician.read(corpus, "train") for part in piece.parts]
    unasked = [musician.answer(Phrase(0, 1920), 16, seed) for seed in range(20)]
    found = find_quotes(
        {
            "real held-out music": [moves(rows_of(excerpt.continuation.notes)) for excerpt in excerpts],
            "answers to it": [moves(rows_of(answer.notes)) for answer in answers],
            "from nothing": [moves(rows_of(phrase.notes)) for phrase in unasked],
        },
        training,
    )
    typer.echo(f"\n| runs of n events that occur in a training piece | {' | '.join(map(str, RUNS))} | longest |")
    typer.echo("|---" * (2 + len(RUNS)) + "|")
    for name, quoting in found.items():
        typer.echo(f"| {name} | {' | '.join(f'{share:.2%}' for share in quoting.shares)} | {quoting.longest} |")


def _control(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise AntiphonError(f"--control is {text!r}; give NAME=VALUE, as in temperature=0.9") from None
