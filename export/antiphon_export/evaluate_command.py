"""`antiphon evaluate`: the options of an evaluation, and how it is printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from antiphon.cli.terminal import say
from antiphon.errors import AntiphonError
from antiphon.plugins.host import load_plugins
from antiphon.printable import printable
from antiphon_export.training import options

if TYPE_CHECKING:
    from rich.console import Console

    from antiphon.tokens.codec import Tokens
    from antiphon_export.judging import Judged, Judgement


def evaluate(
    context: typer.Context,
    model: str = typer.Argument(
        help="A checkpoint (.pt), a model (.onnx), a Markov table (.npz), or a name as in a preset: a model's or a "
        "generator's."
    ),
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
    compare: bool = typer.Option(False, "--compare", help="Beside the model of its codec that comes with Antiphon."),
    compare_with: str | None = typer.Option(
        None, "--compare-with", metavar="MODEL", help="Beside this model, by path or name."
    ),
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

    Of a Markov table, in nats per event and per note: which note moves where, when, and what sounds below it. Of a
    VAE: how many notes of the validation pieces' windows come back, what its ways and samples are, and what a step
    along each of its directions changes. Of a model of notes: nats per note by attribute, in free time and in beats,
    told as exactly as the codecs performance and grid tell it, so that they compare.

    With --music: four bars of held-out pieces are heard, four are played, and measured beside how the pieces go on,
    how pieces end, and chance; then plain calls, playing along, and whether it quotes.
    """
    from rich.console import Console

    from antiphon_export.judging import comparison, find_judged, seen, shipped

    if not folder.is_dir():
        raise AntiphonError(f"{str(folder)!r} is not a folder; name one with music in it")
    if music:
        from antiphon_export.report.command import report_on_music
        from antiphon_export.report.findings import Extent

        extent = Extent(calls, seeds, plain_seeds, seed, quotes)
        plugins, who = context.obj, model
        report_on_music(plugins, who, folder, extent, by=generator, controls=controls, as_json=as_json, picture=picture)
        return
    plugins = context.obj or load_plugins()
    console = Console(stderr=True)
    how = _How(folder, protocol, every, threads, align, beats, pictures, console)
    judged = find_judged(plugins, model)
    found = how.judge(judged)
    data = {"model": str(judged.path), "codec": judged.codec, **found.data}
    lines = [*found.lines, *([judged.told] if judged.told else [])]
    if compare or compare_with is not None:
        other = find_judged(plugins, compare_with) if compare_with is not None else shipped(plugins, judged.codec)
        if other.codec != judged.codec:
            raise AntiphonError(
                f"{str(other.path)!r} speaks the codec {other.codec!r}, {str(judged.path)!r} {judged.codec!r}; "
                "compare models of one codec"
            )
        against = how.judge(other)
        data["compared"] = {"model": str(other.path), **against.data, "seen": seen(other, folder)}
        lines += comparison(found, against, other.path.stem)
        for name, one in ((judged.path.stem, judged), (other.path.stem, other)):
            if corpora := seen(one, folder):
                lines.append(
                    f"mind that {name} has learnt from {', '.join(corpora)}: if these are your pieces, its figure "
                    "flatters it, unless what is kept for validation was kept from it, too"
                )
    for line in [json.dumps(data, indent=2)] if as_json else lines:
        say(line)


@dataclass(frozen=True, slots=True)
class _How:
    """What the command line says of how to judge."""

    folder: Path
    protocol: str
    every: int
    threads: int
    align: bool
    beats: Path | None
    pictures: Path | None
    console: Console

    def judge(self, judged: Judged) -> Judgement:
        """Judge a model of whatever kind."""
        from antiphon.models.card import ROLL_CODEC
        from antiphon.note_steps.codec import NAME
        from antiphon_export.judging import TABLE, judge_table
        from antiphon_export.training.computing import use_threads

        use_threads(self.threads)
        if judged.path.suffix == TABLE:
            return judge_table(judged.path, self.folder, self.every, self._skipped)
        if judged.codec == ROLL_CODEC:
            return self._vae(judged.path)
        return self._notes(judged.path) if judged.codec == NAME else self._tokens(judged.path)

    def _skipped(self, problem: str) -> None:
        self.console.print(printable(f"skipped {problem}"), markup=False)

    def _tokens(self, model: Path) -> Judgement:
        from rich.progress import Progress

        from antiphon_export.evaluate import evaluate as run
        from antiphon_export.judging import Judgement
        from antiphon_export.scoring import load_scorer

        scorer = load_scorer(model, self.threads)
        windows = _windows(self.protocol, self.folder, scorer.codec, self._skipped, self.align, self.beats)
        with Progress(console=self.console) as progress:
            bar = progress.add_task("evaluating", total=-(-len(windows) // self.every))
            found = run(
                scorer.score,
                windows,
                scorer.codec,
                every=self.every,
                advance=lambda done: progress.update(bar, completed=done),
            )
        per_token, per_note = found.nll_per_token, found.nll_per_note
        return Judgement(
            [
                f"{per_token:.4f} nats per token ({scorer.codec} codec), {per_note:.4f} per note",
                f"{found.windows:,} of {found.windows_in_all:,} windows, {found.tokens:,} tokens",
            ],
            {"protocol": self.protocol, "every": self.every, **asdict(found)},
            {"nats per token": per_token, "nats per note": per_note},
        )

    def _vae(self, model: Path) -> Judgement:
        from antiphon_export.judging import Judgement
        from antiphon_export.vae.evaluation import evaluation, validation_rolls
        from antiphon_export.vae.halves import load_halves
        from antiphon_export.vae.pictures import draw_pictures
        from antiphon_export.vae.report import lines

        halves = load_halves(model)
        rolls, in_all = validation_rolls(self.folder, halves.steps, self.every, self._skipped)
        found = evaluation(halves, rolls, in_all)
        if self.pictures is not None:
            draw_pictures(self.pictures, model.stem, halves, rolls)
        return Judgement(lines(found), {"every": self.every, **asdict(found)}, {"F1": found.f1}, better="more")

    def _notes(self, model: Path) -> Judgement:
        from rich.progress import Progress

        from antiphon_export.judging import Judgement
        from antiphon_export.notes.evaluation import evaluate_notes
        from antiphon_export.notes.scorer import note_scorer

        score = note_scorer(model)
        with Progress(console=self.console) as progress:
            bar = progress.add_task("evaluating")
            found = evaluate_notes(
                score,
                self.folder,
                beats=self.beats,
                every=self.every,
                report=self._skipped,
                advance=lambda done, of: progress.update(bar, completed=done, total=of),
            )
        return Judgement(
            [line for evaluation in found for line in evaluation.lines()],
            {"every": self.every, "by_clock": [evaluation.as_json() for evaluation in found]},
            {f"nats per note by the clock {each.clock!r}": each.nats_per_note for each in found},
        )


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
