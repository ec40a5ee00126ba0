"""`antiphon bench music`: how a generator answers calls of all kinds, and whether it quotes what it learnt from."""

from __future__ import annotations

from pathlib import Path

import typer

from antiphon.cli.terminal import say


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
) -> None:
    """Draw what it plays after calls of eight kinds, and search all it learnt from for what it plays.

    How its answers compare with real music, `antiphon evaluate --music` tells.
    """
    from antiphon.music.note_rows import rows_of
    from antiphon.notes import Phrase
    from antiphon_export.bench.calls import draw_answers
    from antiphon_export.midi_folder import Corpus
    from antiphon_export.report.excerpts import excerpts
    from antiphon_export.report.musician import musician_of
    from antiphon_export.report.quoting import RUNS, find_quotes, moves

    musician = musician_of(context.obj.generator(generator), model, controls)
    if picture is not None:
        draw_answers(musician, picture, seeds=(1, 2))
        say(f"{picture}: calls in blue, answers in orange")
    corpora = [Corpus.parse(folder) for folder in folders or []]
    if not corpora:
        return
    pieces = [list(musician.read(corpus, "valid")) for corpus in corpora]
    found = [excerpt for valid in pieces for excerpt in excerpts(valid, min(calls, len(valid)))]
    say(f"answering {len(found)} calls", err=True)
    player = musician.seated(0)
    answers = [musician.answer(excerpt.call, player=player) for excerpt in found]
    say("searching the training pieces", err=True)
    training = [moves(part) for corpus in corpora for piece in musician.read(corpus, "train") for part in piece.parts]
    unasked = [musician.answer(Phrase(0, 1920), 16, seed) for seed in range(20)]
    quotes = find_quotes(
        {
            "real held-out music": [moves(rows_of(excerpt.continuation.notes)) for excerpt in found],
            "answers to it": [moves(rows_of(answer.notes)) for answer in answers],
            "from nothing": [moves(rows_of(phrase.notes)) for phrase in unasked],
        },
        training,
    )
    say(f"| runs of n events that occur in a training piece | {' | '.join(map(str, RUNS))} | longest |")
    say("|---" * (2 + len(RUNS)) + "|")
    for name, quoting in quotes.items():
        say(f"| {name} | {' | '.join(f'{share:.2%}' for share in quoting.shares)} | {quoting.longest} |")
