"""`antiphon train notes`: the options of a run of a model that takes a note a step. It imports PyTorch when run."""

from __future__ import annotations

from typing import Any

import typer

from antiphon.errors import AntiphonError
from antiphon_export.training import options


def add_command(train: typer.Typer) -> None:
    """Add the command."""
    train.command("notes")(_train_notes)


def _train_notes(
    folders: options.Folders,
    out: options.Out,
    beats: options.Beats = None,
    steps: options.Steps = 100_000,
    batch: options.Batch = 16,
    length: int = typer.Option(256, "--length", min=16, help="Notes in a window."),
    window: int = typer.Option(256, "--window", min=16, help="Notes that a note sees; what the cache must keep."),
    width: int = typer.Option(320, "--width", min=32, help="Width of the stream; a multiple of 4 times the heads."),
    layers: int = typer.Option(6, "--layers", min=1, help="Blocks."),
    heads: int = typer.Option(5, "--heads", min=1, help="Attention heads."),
    feed_forward: int = typer.Option(640, "--feed-forward", min=16, help="Width inside the feed-forward."),
    head_width: int = typer.Option(256, "--head-width", min=16, help="Width of each head that speaks."),
    learning_rate: options.LearningRate = 0.003,
    muon_rate: options.MuonRate = 0.008,
    weight_decay: options.WeightDecay = 0.01,
    warm_up: int = typer.Option(100, "--warm-up", min=0, help="Steps in which the rates rise."),
    cool_down: int = typer.Option(
        0,
        "--cool-down",
        min=0,
        help="Steps in which the rates fall to 0, for a file to ship: with --from RUN/last.pt and another --out, a "
        "branch of a run that goes on. 0: the rates stand.",
    ),
    transpose: options.Transpose = "-6:5",
    tempo: options.Tempo = "0.8:1.25",
    velocity: options.Velocity = "-12:12",
    start_from: options.StartFrom = "",
    seed: options.Seed = 1,
    precision: options.Precision = "auto",
    threads: options.Threads = 0,
    validate_every: options.ValidateEvery = 300,
) -> None:
    """Train a Transformer that takes a note a step: in free time and in beats, alone or with a player."""
    from antiphon_export.midi_folder import Corpus
    from antiphon_export.notes.objective import NoteRecipe
    from antiphon_export.notes.run import NoteRunSettings, train_notes
    from antiphon_export.training.bar import Bar, ends_kindly
    from antiphon_export.training.computing import chosen_precision, use_threads
    from antiphon_export.training.memory import keep_memory
    from antiphon_export.training.run_folder import BEST, RunFolder
    from antiphon_export.training.start import find_start
    from antiphon_export.training.windows import Augmentation

    if beats is not None and not beats.is_dir():
        raise AntiphonError(f"--beats is {str(beats)!r}, which is not a folder; give one with NAME/beat_midi.txt")
    if width % (4 * heads):
        raise AntiphonError(f"--width is {width} and --heads {heads}; the width must be a multiple of {4 * heads}")
    if cool_down and not start_from:
        raise AntiphonError("--cool-down needs something to cool: give --from RUN/last.pt, and another --out")
    use_threads(threads)
    keep_memory()
    model: dict[str, Any] = {
        "window": window,
        "width": width,
        "layers": layers,
        "heads": heads,
        "feed_forward": feed_forward,
        "head_width": head_width,
    }
    settings = NoteRunSettings(
        corpora=tuple(Corpus.parse(folder) for folder in folders),
        beats=beats,
        model=model,
        recipe=NoteRecipe(
            steps=cool_down or steps,
            batch=batch,
            length=length,
            learning_rate=learning_rate,
            muon_rate=muon_rate,
            weight_decay=weight_decay,
            warm_up_steps=warm_up,
            cool_down_steps=cool_down,
            seed=seed,
            precision=chosen_precision(precision),
            augmentation=Augmentation(
                transpose=options.span("transpose", transpose, int),
                tempo=options.span("tempo", tempo, float),
                velocity=options.span("velocity", velocity, int),
            ),
        ),
        start_from=find_start(start_from) if start_from else None,
        validate_every_seconds=validate_every,
    )
    folder = RunFolder(out)
    with Bar(cool_down or steps) as bar, ends_kindly(bar):
        best = train_notes(settings, folder, report=bar.tell, advance=bar.advance)
    bar.tell(f"{folder.path / BEST}: {best:.4f} nats a note on validation pieces, all collections by their weights")
