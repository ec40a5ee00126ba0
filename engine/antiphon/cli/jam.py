"""`antiphon jam`: play with a preset or a setlist until you have had enough."""

from __future__ import annotations

from pathlib import Path

import typer

from antiphon.cli.verbose import Verbose
from antiphon.processes.sound import SoundSetup


def add_commands(app: typer.Typer) -> None:
    """Add `jam`."""
    app.command()(jam)


def jam(
    preset: str = typer.Argument("answer", help="A preset or a setlist: a name, or the path of a .toml file."),
    inputs: list[str] = typer.Option([], "--in", help="Listen to this port (a part of its name will do)."),
    outputs: list[str] = typer.Option([], "--out", help="Play to this port; 'synth' is the built-in sound."),
    backend: str | None = typer.Option(
        None, "--midi", help="MIDI system: auto, jack, rtmidi, alsa, coremidi, winmm, socket, …"
    ),
    audio: str | None = typer.Option(None, "--audio", help="Audio device of the built-in sound."),
    soundfont: Path | None = typer.Option(
        None, "--soundfont", exists=True, dir_okay=False, help="Play with this .sf2 file."
    ),
    sync: str | None = typer.Option(
        None, "--sync", help="Whose tempo and bars: internal, midi to follow a clock, or link for Ableton Link."
    ),
    tempo: float | None = typer.Option(None, "--tempo", min=20, max=400, help="Tempo in quarter notes a minute."),
    click: bool | None = typer.Option(None, "--click/--no-click", help="Let the metronome click; `m` turns it off."),
    count_in: int | None = typer.Option(None, "--count-in", min=0, max=4, help="Bars to count in at the start."),
    generator: str | None = typer.Option(None, "--generator", help="Who plays; see `antiphon plugins`."),
    model: str | None = typer.Option(None, "--model", help="The generator's model, if not its own."),
    bars: int | None = typer.Option(None, "--bars", min=1, max=64, help="Length of an answer, or of turns, in bars."),
    key: str | None = typer.Option(None, "--key", help="Play in this key, such as 'C minor', or 'auto' for yours."),
    control: list[str] = typer.Option(
        [], "--set", "--control", metavar="NAME=VALUE", help="Set a control, such as temperature=0.4 or length=2."
    ),
    seed: int | None = typer.Option(None, "--seed", min=0, help="Seed of all randomness."),
    device: str = typer.Option("auto", "--device", help="What computes the models: auto (the fastest), cpu or cuda."),
    session: Path | None = typer.Option(None, "--session", help="Folder to record into."),
    seconds: float | None = typer.Option(None, "--seconds", min=0, help="Stop after so long."),
    verbose: Verbose = False,
) -> None:
    """Play together: you on a keyboard, Antiphon in between. Everything is recorded."""
    from dataclasses import replace
    from typing import get_args

    from antiphon.cli.setup import check_routes, device_named, load_plans, new_session_folder
    from antiphon.duet.plan import Sync
    from antiphon.duet.routing import counts_in
    from antiphon.errors import AntiphonError
    from antiphon.midi.port_names import composed
    from antiphon.presets.wishes import Wishes, setting
    from antiphon.session.journal import holds_music
    from antiphon.terminal.live import LiveOptions, perform
    from antiphon.terminal.outlet import tell

    plans, origins = load_plans(preset, Wishes(generator, model, bars, key, tuple(map(setting, control))))
    if sync not in (None, *get_args(Sync)):
        raise AntiphonError(f"--sync is '{sync}'; allowed: {', '.join(get_args(Sync))}")
    chosen = {
        "inputs": tuple(map(composed, inputs)),
        "outputs": tuple(map(composed, outputs)),
        "sync": sync,
        "tempo_bpm": tempo,
        "seed": seed,
    }
    for field, value in chosen.items():
        if value not in (None, ()):
            plans = tuple(replace(plan, **{field: value}) for plan in plans)  # type: ignore[arg-type]  # by field
    for field, value in (("on", click), ("count_in_bars", count_in)):
        if value is not None:
            metronomes = (replace(plan.metronome, **{field: value}) for plan in plans)  # type: ignore[arg-type]
            plans = tuple(replace(plan, metronome=m) for plan, m in zip(plans, metronomes, strict=True))
    if count_in and not counts_in(plans[0]):
        raise AntiphonError("--count-in has no effect while a MIDI clock is followed: who sends it counts in")
    if inputs or outputs:
        check_routes(plans)
    folder = session or new_session_folder()
    if holds_music(folder):
        raise AntiphonError(f"{folder} holds a recorded session already; choose another --session")
    options = LiveOptions(folder, backend, SoundSetup(audio, soundfont), origins, device_named(device), verbose)
    performance = perform(plans, options, over=lambda p: seconds is not None and p.clock_seconds >= seconds)
    if performance.recorded:
        tell(f"recorded in {performance.session}")
