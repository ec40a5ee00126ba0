"""`antiphon train transformer`, `study-transformer`, `lstm`: the options of a run. They import PyTorch when run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from antiphon.errors import AntiphonError

if TYPE_CHECKING:
    from antiphon_export.training.trainer import Precision, Recipe

_FOLDERS = typer.Argument(
    metavar="FOLDER[=WEIGHT]...",
    help="Folders of MIDI files; a folder with WEIGHT 2 is drawn from twice as often as one with 1, whatever their "
    "sizes. A manifest.csv (columns file, split) tells which files are for validation; without one, 1 work in 16 is.",
)


def add_commands(train: typer.Typer) -> None:
    """Add a command for every architecture."""
    train.command("transformer")(_train_transformer)
    train.command("study-transformer")(_train_study_transformer)
    train.command("lstm")(_train_lstm)


def _train_transformer(
    folders: list[str] = _FOLDERS,
    out: Path = typer.Option(..., "--out", "-o", help="Folder of the run; a run that is already there goes on."),
    codec: str = typer.Option(
        "performance", "--codec", help="performance (free time, velocity), grid (sixteenths) or chorales (to compare)."
    ),
    steps: int = typer.Option(1000, "--steps", min=1, help="Optimizer steps in all."),
    batch: int = typer.Option(12, "--batch", min=1, help="Windows a step."),
    length: int = typer.Option(1024, "--length", min=16, help="Tokens in a window."),
    window: int = typer.Option(512, "--window", min=16, help="Tokens that a token sees; what the cache must keep."),
    width: int = typer.Option(256, "--width", min=32, help="Width of the stream; a multiple of 16 times the heads."),
    layers: int = typer.Option(6, "--layers", min=1, help="Blocks."),
    heads: int = typer.Option(4, "--heads", min=1, help="Attention heads."),
    feed_forward: int = typer.Option(512, "--feed-forward", min=16, help="Width inside the feed-forward."),
    dropout: float = typer.Option(0.0, "--dropout", min=0, max=0.9, help="For small corpora, 0.1 to 0.3."),
    learning_rate: float = typer.Option(0.003, "--learning-rate", help="Of AdamW, at its highest."),
    muon_rate: float = typer.Option(0.008, "--muon-rate", help="Of Muon for the matrices; 0 gives them to AdamW."),
    weight_decay: float = typer.Option(0.01, "--weight-decay", min=0, help="Of both."),
    cool_down: float = typer.Option(0.35, "--cool-down", min=0, max=1, help="Share of the steps in which rates fall."),
    label_smoothing: float = typer.Option(0.0, "--label-smoothing", min=0, max=0.5, help="Spread over all tokens."),
    transpose: str = typer.Option("-6:5", "--transpose", help="Semitones LOW:HIGH by which windows are moved."),
    tempo: str = typer.Option("0.8:1.25", "--tempo", help="Factors LOW:HIGH of speed; performance codec."),
    velocity: str = typer.Option("-12:12", "--velocity", help="Added LOW:HIGH to velocities; performance codec."),
    study: bool = typer.Option(False, "--study", help="Read the files as the published study did (grid codec)."),
    start_from: Path | None = typer.Option(None, "--from", help="Checkpoint whose weights to begin with."),
    seed: int = typer.Option(1, "--seed", min=0, help="Of windows, dropout and first weights."),
    precision: str = typer.Option(
        "auto", "--precision", help="bfloat16, float32, or auto: what this machine is fast at."
    ),
    threads: int = typer.Option(0, "--threads", min=0, help="Of the CPU; 0 for all cores."),
    validate_every: float = typer.Option(180, "--validate-every", min=1, help="Seconds between two validations."),
) -> None:
    """Train a Transformer: rotary positions, SwiGLU, tied embedding; banded, so that it plays without end."""
    model = {
        "window": window,
        "width": width,
        "layers": layers,
        "heads": heads,
        "feed_forward": feed_forward,
        "dropout": dropout,
    }
    _run("transformer", model, dict(locals()))


def _train_study_transformer(
    folders: list[str] = _FOLDERS,
    out: Path = typer.Option(..., "--out", "-o", help="Folder of the run; a run that is already there goes on."),
    steps: int = typer.Option(500, "--steps", min=1, help="Optimizer steps in all."),
    batch: int = typer.Option(32, "--batch", min=1, help="Windows a step."),
    length: int = typer.Option(256, "--length", min=16, help="Tokens in a window."),
    dropout: float = typer.Option(0.5, "--dropout", min=0, max=0.9, help="The study's is 0.5."),
    learning_rate: float = typer.Option(0.001, "--learning-rate", help="Of AdamW, at its highest."),
    muon_rate: float = typer.Option(0.0, "--muon-rate", help="Of Muon for the matrices; 0 gives them to AdamW."),
    weight_decay: float = typer.Option(0.01, "--weight-decay", min=0, help="Of both."),
    cool_down: float = typer.Option(0.35, "--cool-down", min=0, max=1, help="Share of the steps in which rates fall."),
    label_smoothing: float = typer.Option(0.0, "--label-smoothing", min=0, max=0.5, help="Spread over all tokens."),
    transpose: str = typer.Option("-6:5", "--transpose", help="Semitones LOW:HIGH by which windows are moved."),
    study: bool = typer.Option(False, "--study", help="Read the files as the published study did."),
    start_from: Path | None = typer.Option(None, "--from", help="Checkpoint whose weights to begin with."),
    seed: int = typer.Option(1, "--seed", min=0, help="Of windows, dropout and first weights."),
    precision: str = typer.Option(
        "auto", "--precision", help="bfloat16, float32, or auto: what this machine is fast at."
    ),
    threads: int = typer.Option(0, "--threads", min=0, help="Of the CPU; 0 for all cores."),
    validate_every: float = typer.Option(180, "--validate-every", min=1, help="Seconds between two validations."),
) -> None:
    """Train the published study's Transformer (grid codec): relative vectors, attention scores carried on."""
    options = {**locals(), "codec": "grid", "tempo": "1:1", "velocity": "0:0"}
    _run("study-transformer", {"dropout": dropout}, options)


def _train_lstm(
    folders: list[str] = _FOLDERS,
    out: Path = typer.Option(..., "--out", "-o", help="Folder of the run; a run that is already there goes on."),
    codec: str = typer.Option("grid", "--codec", help="performance (free time, velocity) or grid (sixteenths)."),
    steps: int = typer.Option(600, "--steps", min=1, help="Optimizer steps in all."),
    batch: int = typer.Option(24, "--batch", min=1, help="Windows a step."),
    length: int = typer.Option(512, "--length", min=16, help="Tokens in a window."),
    dropout: float = typer.Option(0.1, "--dropout", min=0, max=0.9, help="The study's is 0.5."),
    learning_rate: float = typer.Option(0.002, "--learning-rate", help="Of AdamW, at its highest."),
    weight_decay: float = typer.Option(0.01, "--weight-decay", min=0, help="Of AdamW."),
    cool_down: float = typer.Option(0.35, "--cool-down", min=0, max=1, help="Share of the steps in which rates fall."),
    label_smoothing: float = typer.Option(0.0, "--label-smoothing", min=0, max=0.5, help="Spread over all tokens."),
    transpose: str = typer.Option("-6:5", "--transpose", help="Semitones LOW:HIGH by which windows are moved."),
    tempo: str = typer.Option("0.8:1.25", "--tempo", help="Factors LOW:HIGH of speed; performance codec."),
    velocity: str = typer.Option("-12:12", "--velocity", help="Added LOW:HIGH to velocities; performance codec."),
    study: bool = typer.Option(False, "--study", help="Read the files as the published study did (grid codec)."),
    start_from: Path | None = typer.Option(None, "--from", help="Checkpoint whose weights to begin with."),
    seed: int = typer.Option(1, "--seed", min=0, help="Of windows, dropout and first weights."),
    precision: str = typer.Option(
        "auto", "--precision", help="bfloat16, float32, or auto: what this machine is fast at."
    ),
    threads: int = typer.Option(0, "--threads", min=0, help="Of the CPU; 0 for all cores."),
    validate_every: float = typer.Option(180, "--validate-every", min=1, help="Seconds between two validations."),
) -> None:
    """Train the published study's LSTM, for either codec."""
    _run("lstm", {"dropout": dropout}, {**locals(), "muon_rate": 0.0})


def _run(architecture: str, model: dict[str, Any], options: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from antiphon_export.midi_folder import Corpus
    from antiphon_export.training.run import RunSettings, train_model
    from antiphon_export.training.run_folder import BEST, RunFolder
    from antiphon_export.training.trainer import use_threads

    if options["study"] and options["codec"] != "grid":
        raise AntiphonError(f"--study reads scores for the grid codec; --codec is {options['codec']!r}")
    use_threads(options["threads"])
    settings = RunSettings(
        architecture=architecture,
        codec=options["codec"],
        corpora=tuple(Corpus.parse(folder) for folder in options["folders"]),
        model=model,
        recipe=_recipe(options),
        start_from=options["start_from"],
        study=options["study"],
        validate_every_seconds=options["validate_every"],
    )
    console = Console(stderr=True)
    folder = RunFolder(options["out"])
    columns = (
        *Progress.get_default_columns()[:2],
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[nll]}"),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("training", total=options["steps"], nll="")

        def advance(step: int, train_nll: float, valid_nll: float | None) -> None:
            valid = "" if valid_nll is None else f", validation {valid_nll:.3f}"
            progress.update(bar, completed=step, nll=f"NLL {train_nll:.3f}{valid}")

        best = train_model(
            settings, folder, report=lambda text: progress.console.print(text, markup=False), advance=advance
        )
    console.print(f"{folder.path / BEST}: validation NLL {best:.4f} nats per token ({options['codec']})", markup=False)


def _recipe(options: dict[str, Any]) -> Recipe:
    from antiphon_export.training.trainer import Recipe, fast_precision
    from antiphon_export.training.windows import Augmentation

    low, high = _span(options, "transpose")
    soft, loud = _span(options, "velocity")
    return Recipe(
        augmentation=Augmentation((round(low), round(high)), _span(options, "tempo"), (round(soft), round(loud))),
        precision=_precision(options["precision"]) or fast_precision(),
        **{
            name: options[name]
            for name in (
                "steps",
                "batch",
                "length",
                "learning_rate",
                "muon_rate",
                "weight_decay",
                "cool_down",
                "label_smoothing",
                "seed",
            )
        },
    )


def _precision(text: str) -> Precision | None:
    if text == "bfloat16":
        return "bfloat16"
    if text == "float32":
        return "float32"
    if text == "auto":
        return None
    raise AntiphonError(f"--precision is {text!r}; allowed: auto, bfloat16, float32")


def _span(options: dict[str, Any], name: str) -> tuple[float, float]:
    text = options[name]
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        raise AntiphonError(f"--{name} is {text!r}; give LOW:HIGH, as in --{name} 0:0") from None
    if low > high or (name == "tempo" and low <= 0):
        raise AntiphonError(f"--{name} is {text!r}; LOW must not be above HIGH, and a tempo must be above 0")
    return low, high
