"""`antiphon render`: a MIDI file or a session made audible without an audio device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.terminal import say


def add_commands(app: typer.Typer) -> None:
    """Add `render`."""
    app.command()(render)


def render(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="MIDI file, or folder of a session, to play.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT.wav", help="WAV file to write.")],
    soundfont: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Play with this .sf2 or .sf3 file; without it, the built-in electric piano."),
    ] = None,
    sample_rate: Annotated[int, typer.Option(min=22_050, max=192_000, help="Frames per second.")] = 48_000,
) -> None:
    """Play a MIDI file or a session into a WAV file, faster than real time.

    The electric piano leaves out what General MIDI keeps for drums, channel 10.
    """
    from antiphon.music.messages import DRUM_CHANNEL, channel
    from antiphon.output_files import check_suffix
    from antiphon.session.summary import read_music
    from antiphon.sound.synth import ElectricPiano, Synth
    from antiphon.sound.wav import write_performance

    check_suffix(output, "a WAV file", ".wav", ".wave")
    timed_messages = read_music(source).timed_messages()
    synth: Synth
    if soundfont is None:
        synth = ElectricPiano(sample_rate)
        timed_messages = [timed for timed in timed_messages if channel(timed[1]) != DRUM_CHANNEL]
    else:
        from antiphon.sound.soundfont import SoundFont

        synth = SoundFont(soundfont, sample_rate)
    seconds = write_performance(output, timed_messages, synth)
    say(f"{output}: {seconds:.1f} s")
