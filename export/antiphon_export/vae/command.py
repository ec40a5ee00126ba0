"""`antiphon train vae`: the options of a run. It imports PyTorch when run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from antiphon_export.training.options import (
    Batch,
    CoolDown,
    Folders,
    LearningRate,
    Out,
    Seed,
    Steps,
    Threads,
    Transpose,
    ValidateEvery,
    Velocity,
    WeightDecay,
)

if TYPE_CHECKING:
    from antiphon_export.vae.trainer import Progress


def add_command(train: typer.Typer) -> None:
    """Add the command that trains a VAE."""
    train.command("vae")(_train_vae)


def _train_vae(
    folders: Folders,
    out: Out,
    steps: Steps = 7000,
    batch: Batch = 32,
    bars: int = typer.Option(2, "--bars", min=1, max=8, help="Length of a window, in bars of four quarters."),
    latent: int = typer.Option(512, "--latent", min=8, help="Numbers of a code."),
    divergence: float = typer.Option(
        0.25, "--divergence", min=0, help="Weight of what codes tell: more for better samples, less for exact notes."
    ),
    free_nats: float = typer.Option(0.02, "--free-nats", min=0, help="What each number of a code tells for nothing."),
    learning_rate: LearningRate = 0.001,
    weight_decay: WeightDecay = 0.01,
    cool_down: CoolDown = 0.5,
    transpose: Transpose = "-6:5",
    velocity: Velocity = "-40:25",
    seed: Seed = 1,
    threads: Threads = 0,
    validate_every: ValidateEvery = 120,
) -> None:
    """Train a variational autoencoder of piano rolls, which travels from one phrase to another."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    from antiphon_export.midi_folder import Corpus
    from antiphon_export.training.memory import keep_memory
    from antiphon_export.training.run_folder import BEST, RunFolder
    from antiphon_export.training.trainer import use_threads
    from antiphon_export.vae.losses import Weighing
    from antiphon_export.vae.run import RunSettings, train_vae
    from antiphon_export.vae.trainer import Recipe

    keep_memory()
    use_threads(threads)
    settings = RunSettings(
        tuple(Corpus.parse(folder) for folder in folders),
        {"steps": 16 * bars, "latent": latent},
        Recipe(
            steps,
            batch,
            learning_rate,
            weight_decay,
            cool_down=cool_down,
            weighing=Weighing(divergence=divergence, free_nats=free_nats),
            transpose=_span("transpose", transpose),
            velocity=_span("velocity", velocity),
            seed=seed,
        ),
        validate_every,
    )
    console = Console(stderr=True)
    folder = RunFolder(out)
    columns = (
        *Bars.get_default_columns()[:2],
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[told]}"),
    )
    with Bars(*columns, console=console) as shown:
        bar = shown.add_task("training", total=steps, told="")
        valid = ""

        def advance(progress: Progress) -> None:
            nonlocal valid
            if progress.judgement is not None:
                valid = f", validation {progress.judgement.loss:.0f}, F1 {progress.judgement.f1:.3f}"
            shown.update(bar, completed=progress.step, told=f"loss {progress.loss:.0f}{valid}")

        last = train_vae(settings, folder, report=lambda text: shown.console.print(text, markup=False), advance=advance)
    console.print(
        f"{folder.path / BEST}: in the end F1 {last.f1:.3f} of the notes of validation windows come back, "
        f"and a code tells {last.divergence:.0f} nats",
        markup=False,
    )


def _span(name: str, text: str) -> tuple[int, int]:
    from antiphon.errors import AntiphonError

    try:
        low, high = (int(part) for part in text.split(":"))
    except ValueError:
        raise AntiphonError(f"--{name} is {text!r}; give LOW:HIGH, as in --{name} 0:0") from None
    if low > high:
        raise AntiphonError(f"--{name} is {text!r}; LOW must not be above HIGH")
    return low, high
