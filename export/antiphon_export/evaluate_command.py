"""`antiphon evaluate`: the options of an evaluation, and how it is printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from antiphon.errors import AntiphonError
from antiphon_export.training import options

if TYPE_CHECKING:
    from rich.console import Console

    from antiphon.tokens.codec import Tokens


def evaluate(
    context: typer.Context,
    model: Path = typer.Argument(help="A checkpoint (.pt) or a model (.onnx); with --music also a generator's name."),
    folder: Path = typer.Argument(help="Folder of MIDI files, or of chorales as JSON."),
    protocol: str = typer.Option(
        "pieces",
        "--protocol",
        help="study: every window of 257 tokens, as in the published study; pieces: the folder's validation pieces in "
        "windows of 1,025; chorales: whole validation chorales, four tokens a sixteenth.",
    ),
    every: int = typer.Option(1, "--every", min=1, help="Evaluate only each so-many-th window."),
    threads: int = typer.Option(0, "--threads", min=0, help="Of the CPU, for a checkpoint; 0 for all cores."),
    as_json: bool = typer.Option(False, "--json", help="Print it as JSON."),
    align: options.Align = False,
    beats: options.Beats = None,
    pictures: Path | None = typer.Option(
        None, "--pictures", help="Of a VAE: folder to draw windows, ways and samples into, as PNGs."
    ),
    music: bool = typer.Option(False, "--music", help="Report on what it answers to music, beside real music."),
    calls: int = typer.Option(50, "--calls", min=2, help="Of --music: calls from the folder's validation pieces."),
    seeds: int = typer.Option(3, "--seeds", min=1, help="Of --music: answers to each of them."),
    plain_seeds: int = typer.Option(20, "--plain-seeds", min=1, help="Of --music: answers to each plain call."),
    seed: int = typer.Option(1, "--seed", min=0, help="Of --music: the first seed."),
    generator: str | None = typer.Option(
        None, "--generator", help="Of --music: what plays a model, if not its codec's own."
    ),
    controls: list[str] = typer.Option([], "--control", metavar="NAME=VALUE", help="Of --music: value of a control."),
    picture: Path | None = typer.Option(None, "--picture", help="Of --music: PNG to draw calls and answers on."),
    quotes: bool = typer.Option(True, "--quotes/--no-quotes", help="Of --music: search the folder's training pieces."),
) -> None:
    """Print a model's negative log-likelihood on music, in nats per token and per note, each window cold.

    Of a VAE, instead: how many notes of the validation pieces' windows come back, and what its ways and samples are,
    and what a step along each of its directions changes. Of a model of notes: nats per note by attribute, in free time
    and in beats, told as exactly as the codecs performance and grid tell it, so that they compare.

    With --music: four bars of held-out pieces are heard, four are played, and measured beside how the pieces go on,
    how pieces end, and chance; then plain calls, playing along, and whether it quotes.
    """
    from rich.console import Console
    from rich.progress import Progress

    from antiphon_export.evaluate import evaluate as run
    from antiphon_export.notes.scorer import speaks_notes
    from antiphon_export.scoring import load_scorer
    from antiphon_export.vae.halves import is_vae

    if not folder.is_dir():
        raise AntiphonError(f"{str(folder)!r} is not a folder; name one with music in it")
    if music:
        from antiphon_export.report.command import report_on_music
        from antiphon_export.report.findings import Extent

        extent = Extent(calls, seeds, plain_seeds, seed, quotes)
        plugins, who = context.obj, str(model)
        report_on_music(plugins, who, folder, extent, by=generator, controls=controls, as_json=as_json, picture=picture)
        return
    console = Console(stderr=True)

    def skipped(problem: str) -> None:
        console.print(f"skipped {problem}", markup=False)

    if is_vae(model):
        _evaluate_vae(model, folder, every, threads, as_json, pictures, skipped)
        return
    if speaks_notes(model):
        _evaluate_notes(model, folder, every, threads, as_json, beats, console)
        return
    scorer = load_scorer(model, threads)
    windows = _windows(protocol, folder, scorer.codec, skipped, align, beats)
    with Progress(console=console) as progress:
        bar = progress.add_task("evaluating", total=-(-len(windows) // every))
        found = run(
            scorer.score,
            windows,
            scorer.codec,
            every=every,
            advance=lambda done: progress.update(bar, completed=done),
        )
    if as_json:
        about = {"model": str(model), "codec": scorer.codec, "protocol": protocol, "every": every}
        typer.echo(json.dumps({**about, **asdict(found)}, indent=2))
        return
    typer.echo(f"{found.nll_per_token:.4f} nats per token ({scorer.codec} codec), {found.nll_per_note:.4f} per note")
    typer.echo(f"{found.windows:,} of {found.windows_in_all:,} windows, {found.tokens:,} tokens")


def _evaluate_vae(
    model: Path,
    folder: Path,
    every: int,
    threads: int,
    as_json: bool,
    pictures: Path | None,
    report: Callable[[str], None],
) -> None:
    from antiphon.models.card import ROLL_CODEC
    from antiphon_export.training.trainer import use_threads
    from antiphon_export.vae.evaluation import evaluation, validation_rolls
    from antiphon_export.vae.halves import load_halves
    from antiphon_export.vae.pictures import draw_pictures
    from antiphon_export.vae.report import lines

    use_threads(threads)
    halves = load_halves(model)
    rolls, in_all = validation_rolls(folder, halves.steps, every, report)
    found = evaluation(halves, rolls, in_all)
    if pictures is not None:
        draw_pictures(pictures, model.stem, halves, rolls)
    about = {"model": str(model), "codec": ROLL_CODEC, "every": every}
    for line in [json.dumps({**about, **asdict(found)}, indent=2)] if as_json else lines(found):
        typer.echo(line)


def _evaluate_notes(
    model: Path, folder: Path, every: int, threads: int, as_json: bool, beats: Path | None, console: Console
) -> None:
    from rich.progress import Progress

    from antiphon_export.notes.evaluation import evaluate_notes
    from antiphon_export.notes.scorer import note_scorer
    from antiphon_export.training.trainer import use_threads

    use_threads(threads)
    score = note_scorer(model)
    with Progress(console=console) as progress:
        bar = progress.add_task("evaluating")
        found = evaluate_notes(
            score,
            folder,
            beats=beats,
            every=every,
            report=lambda problem: console.print(f"skipped {problem}", markup=False),
            advance=lambda done, of: progress.update(bar, completed=done, total=of),
        )
    about = {"model": str(model), "codec": "notes", "every": every}
    if as_json:
        typer.echo(json.dumps({**about, "by_clock": [one.as_json() for one in found]}, indent=2))
        return
    for line in (line for one in found for line in one.lines()):
        typer.echo(line)


def _windows(
    protocol: str, folder: Path, codec: str, report: Callable[[str], None], align: bool, beats: Path | None
) -> list[Tokens]:
    from antiphon_export.evaluate import chorale_windows, piece_windows, study_windows

    wanted = {"study": ("grid",), "pieces": ("grid", "performance"), "chorales": ("chorales",)}.get(protocol)
    if wanted is None:
        raise AntiphonError(f"--protocol is {protocol!r}; allowed: study, pieces, chorales")
    if codec not in wanted:
        raise AntiphonError(f"protocol {protocol!r} is for the codec {' or '.join(wanted)}; the model speaks {codec!r}")
    if protocol == "study":
        return study_windows(folder)
    return (
        chorale_windows(folder)
        if protocol == "chorales"
        else piece_windows(folder, codec, report, align=align, beats=beats)
    )
