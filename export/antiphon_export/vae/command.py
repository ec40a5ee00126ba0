"""`antiphon train vae`: the options of a run. It imports PyTorch when run."""

from __future__ import annotations

import typer

from antiphon_export.training import options


def add_command(train: typer.Typer) -> None:
    """Add the command that trains a VAE."""
    train.command("vae")(_train_vae)


def _train_vae(
    folders: options.Folders,
    out: options.Out,
    steps: options.Steps = 7000,
    batch: options.Batch = 32,
    bars: int = typer.Option(2, "--bars", min=1, max=8, help="Length of a window, in bars of four quarters."),
    latent: int = typer.Option(512, "--latent", min=8, help="Numbers of a code."),
    near: int = typer.Option(128, "--near", min=8, help="Width of a sixteenth in the encoder."),
    beat: int = typer.Option(384, "--beat", min=8, help="Width of a beat in the encoder."),
    recurrent: int = typer.Option(128, "--recurrent", min=8, help="Width of each direction of its recurrent layer."),
    summary: int = typer.Option(128, "--summary", min=8, help="What a beat tells the code, and the code a beat."),
    hidden: int = typer.Option(512, "--hidden", min=8, help="Width of a beat in the decoder."),
    divergence: float = typer.Option(
        0.25, "--divergence", min=0, help="Weight of what codes tell: more for better samples, less for exact notes."
    ),
    free_nats: float = typer.Option(0.02, "--free-nats", min=0, help="What each number of a code tells for nothing."),
    learning_rate: options.LearningRate = 0.001,
    weight_decay: options.WeightDecay = 0.01,
    cool_down: options.CoolDown = 0.5,
    transpose: options.Transpose = "-6:5",
    velocity: options.Velocity = "-40:25",
    seed: options.Seed = 1,
    threads: options.Threads = 0,
    validate_every: options.ValidateEvery = 120,
) -> None:
    """Train a variational autoencoder of piano rolls, which travels from one phrase to another."""
    from antiphon_export.midi_folder import Corpus
    from antiphon_export.training.bar import Bar, ends_kindly
    from antiphon_export.training.computing import use_threads
    from antiphon_export.training.memory import keep_memory
    from antiphon_export.training.run_folder import BEST, RunFolder
    from antiphon_export.vae.losses import Weighing
    from antiphon_export.vae.objective import Recipe
    from antiphon_export.vae.run import RunSettings, train_vae

    keep_memory()
    use_threads(threads)
    settings = RunSettings(
        tuple(Corpus.parse(folder) for folder in folders),
        {
            "steps": 16 * bars,
            "latent": latent,
            "near": near,
            "beat": beat,
            "recurrent": recurrent,
            "summary": summary,
            "hidden": hidden,
        },
        Recipe(
            steps,
            batch,
            learning_rate,
            weight_decay,
            cool_down=cool_down,
            weighing=Weighing(divergence=divergence, free_nats=free_nats),
            transpose=options.span("transpose", transpose, int),
            velocity=options.span("velocity", velocity, int),
            seed=seed,
        ),
        validate_every,
    )
    folder = RunFolder(out)
    with Bar(steps) as bar, ends_kindly(bar):
        last = train_vae(settings, folder, report=bar.tell, advance=bar.advance)
    bar.tell(f"{folder.path / BEST}: finished; a code tells {last.divergence:.0f} nats")
