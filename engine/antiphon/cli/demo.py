"""`antiphon demo`: a keyboard that plays by itself, an answer in real time, and what became of it as files."""

from __future__ import annotations

from pathlib import Path

import typer


def add_commands(app: typer.Typer) -> None:
    """Add `demo`."""
    app.command()(demo)


def demo(
    preset: str = typer.Option("answer", "--preset", help="A preset: a name, or the path of a .toml file."),
    output: Path = typer.Option(Path("duet"), "-o", "--output", help="Folder for what the demo leaves behind."),
    seed: int | None = typer.Option(None, "--seed", min=0, help="Seed of all randomness."),
    soundfont: Path | None = typer.Option(
        None, "--soundfont", exists=True, dir_okay=False, help="Play with this .sf2 file."
    ),
    device: str = typer.Option("auto", "--device", help="What computes the models: auto (the fastest), cpu or cuda."),
) -> None:
    """Hear a duet of about 20 seconds: no keyboard, synth or set-up needed."""
    from dataclasses import replace

    from antiphon.cli.setup import device_named, load_plans
    from antiphon.processes.sound import SoundSetup
    from antiphon.terminal.demo import leave_duet, play_demo
    from antiphon.terminal.outlet import tell

    plans, origins = load_plans(preset)
    if seed is not None:
        plans = tuple(replace(plan, seed=seed) for plan in plans)
    session = play_demo(plans, output, SoundSetup(soundfont=soundfont), origins, device_named(device))
    for line in leave_duet(session, output, soundfont):
        tell(line)
