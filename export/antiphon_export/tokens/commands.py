"""`antiphon train transformer`, `study-transformer`, `lstm`: the options of a run. They import PyTorch when run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from antiphon.errors import AntiphonError
from antiphon_export.training import options

if TYPE_CHECKING:
    from antiphon_export.tokens.objective import Recipe


def add_commands(train: typer.Typer) -> None:
    """Add a command for every architecture."""
    train.command("transformer")(_train_transformer)
    train.command("study-transformer")(_train_study_transformer)
    train.command("lstm")(_train_lstm)


def _train_transformer(
    folders: options.Folders,
    out: options.Out,
    codec: str = typer.Option(
        "performance", "--codec", help="performance (free time, velocity), grid (sixteenths) or chorales (to compare)."
    ),
    steps: options.Steps = 1000,
    batch: options.Batch = 12,
    length: options.Length = 1024,
    window: int = typer.Option(512, "--window", min=16, help="Tokens that a token sees; what the cache must keep."),
    width: int = typer.Option(256, "--width", min=32, help="Width of the stream; a multiple of 16 times the heads."),
    layers: int = typer.Option(6, "--layers", min=1, help="Blocks."),
    heads: int = typer.Option(4, "--heads", min=1, help="Attention heads."),
    feed_forward: int = typer.Option(512, "--feed-forward", min=16, help="Width inside the feed-forward."),
    dropout: float = typer.Option(0.0, "--dropout", min=0, max=0.9, help="For small corpora, 0.1 to 0.3."),
    learning_rate: options.LearningRate = 0.003,
    muon_rate: options.MuonRate = 0.008,
    weight_decay: options.WeightDecay = 0.01,
    cool_down: options.CoolDown = 0.35,
    label_smoothing: options.LabelSmoothing = 0.0,
    transpose: options.Transpose = "-6:5",
    tempo: options.Tempo = "0.8:1.25",
    velocity: options.Velocity = "-12:12",
    align: options.Align = False,
    beats: options.Beats = None,
    study: options.Study = False,
    start_from: options.StartFrom = "",
    seed: options.Seed = 1,
    precision: options.Precision = "auto",
    threads: options.Threads = 0,
    validate_every: options.ValidateEvery = 180,
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
    folders: options.Folders,
    out: options.Out,
    steps: options.Steps = 500,
    batch: options.Batch = 32,
    length: options.Length = 256,
    width: int = typer.Option(256, "--width", min=8, help="Width of the stream; a multiple of the heads."),
    layers: int = typer.Option(8, "--layers", min=1, help="Blocks."),
    heads: int = typer.Option(16, "--heads", min=1, help="Attention heads."),
    feed_forward: int = typer.Option(512, "--feed-forward", min=8, help="Width inside the feed-forward."),
    dropout: float = typer.Option(0.5, "--dropout", min=0, max=0.9, help="The study's is 0.5."),
    learning_rate: options.LearningRate = 0.001,
    muon_rate: options.MuonRate = 0.0,
    weight_decay: options.WeightDecay = 0.01,
    cool_down: options.CoolDown = 0.35,
    label_smoothing: options.LabelSmoothing = 0.0,
    transpose: options.Transpose = "-6:5",
    study: bool = typer.Option(False, "--study", help="Read the files as the published study did."),
    start_from: options.StartFrom = "",
    seed: options.Seed = 1,
    precision: options.Precision = "auto",
    threads: options.Threads = 0,
    validate_every: options.ValidateEvery = 180,
) -> None:
    """Train the published study's Transformer (grid codec): relative vectors, attention scores carried on."""
    chosen = {**locals(), "codec": "grid", "tempo": "1:1", "velocity": "0:0", "align": False, "beats": None}
    if width % heads:
        raise AntiphonError(f"--width is {width} and --heads {heads}; the width must be a multiple of the heads")
    sizes = {"width": width, "layers": layers, "heads": heads, "feed_forward": feed_forward}
    _run("study-transformer", {**sizes, "dropout": dropout}, chosen)


def _train_lstm(
    folders: options.Folders,
    out: options.Out,
    codec: str = typer.Option("grid", "--codec", help="performance (free time, velocity) or grid (sixteenths)."),
    steps: options.Steps = 600,
    batch: options.Batch = 24,
    length: options.Length = 512,
    embedding: int = typer.Option(64, "--embedding", min=4, help="Width of a token."),
    hidden: int = typer.Option(512, "--hidden", min=8, help="Width of the state that runs on."),
    layers: int = typer.Option(2, "--layers", min=1, help="Recurrent layers."),
    wide: int = typer.Option(1024, "--wide", min=8, help="Width of the first layer above them."),
    narrow: int = typer.Option(512, "--narrow", min=8, help="Width of the second."),
    dropout: float = typer.Option(0.1, "--dropout", min=0, max=0.9, help="The study's is 0.5."),
    learning_rate: options.LearningRate = 0.002,
    weight_decay: float = typer.Option(0.01, "--weight-decay", min=0, help="Of AdamW."),
    cool_down: options.CoolDown = 0.35,
    label_smoothing: options.LabelSmoothing = 0.0,
    transpose: options.Transpose = "-6:5",
    tempo: options.Tempo = "0.8:1.25",
    velocity: options.Velocity = "-12:12",
    study: options.Study = False,
    start_from: options.StartFrom = "",
    seed: options.Seed = 1,
    precision: options.Precision = "auto",
    threads: options.Threads = 0,
    validate_every: options.ValidateEvery = 180,
) -> None:
    """Train the published study's LSTM, for either codec."""
    chosen = {**locals(), "muon_rate": 0.0, "align": False, "beats": None}
    sizes = {"embedding": embedding, "hidden": hidden, "layers": layers, "wide": wide, "narrow": narrow}
    _run("lstm", {**sizes, "dropout": dropout}, chosen)


def _run(architecture: str, model: dict[str, Any], chosen: dict[str, Any]) -> None:
    from antiphon_export.midi_folder import Corpus
    from antiphon_export.tokens.run import RunSettings, train_model
    from antiphon_export.training.bar import Bar, ends_kindly
    from antiphon_export.training.computing import use_threads
    from antiphon_export.training.memory import keep_memory
    from antiphon_export.training.run_folder import BEST, RunFolder
    from antiphon_export.training.start import find_start

    if chosen["study"] and chosen["codec"] != "grid":
        raise AntiphonError(f"--study reads scores for the grid codec; --codec is {chosen['codec']!r}")
    use_threads(chosen["threads"])
    keep_memory()
    settings = RunSettings(
        architecture=architecture,
        codec=chosen["codec"],
        corpora=tuple(Corpus.parse(folder) for folder in chosen["folders"]),
        model=model,
        recipe=_recipe(chosen),
        start_from=find_start(chosen["start_from"]) if chosen["start_from"] else None,
        align=chosen["align"],
        beats=chosen["beats"],
        study=chosen["study"],
        validate_every_seconds=chosen["validate_every"],
    )
    folder = RunFolder(chosen["out"])
    with Bar(chosen["steps"]) as bar, ends_kindly(bar):
        best = train_model(settings, folder, report=bar.tell, advance=bar.advance)
    bar.tell(f"{folder.path / BEST}: validation NLL {best:.4f} nats per token ({chosen['codec']})")


def _recipe(chosen: dict[str, Any]) -> Recipe:
    from antiphon_export.tokens.objective import Recipe
    from antiphon_export.training.computing import chosen_precision
    from antiphon_export.training.windows import Augmentation

    tempo = options.span("tempo", chosen["tempo"], float)
    if not tempo[0] > 0:
        raise AntiphonError(f"--tempo is {chosen['tempo']!r}; LOW must be above 0")
    return Recipe(
        augmentation=Augmentation(
            transpose=options.span("transpose", chosen["transpose"], int),
            tempo=tempo,
            velocity=options.span("velocity", chosen["velocity"], int),
        ),
        precision=chosen_precision(chosen["precision"]),
        **{
            name: chosen[name]
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
