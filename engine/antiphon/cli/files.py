"""`antiphon continue` and `antiphon replay`: from file to file, through the performer that plays on stage."""

from __future__ import annotations

from pathlib import Path

import typer

from antiphon.cli.terminal import say
from antiphon.cli.verbose import Verbose
from antiphon.errors import AntiphonError

_MIDI_FILE = ("a MIDI file", ".mid", ".midi")


def add_commands(app: typer.Typer) -> None:
    """Add `continue` and `replay`."""
    app.command("continue")(continue_file)
    app.command()(replay)


def continue_file(
    source: Path = typer.Argument(..., metavar="SOURCE", help="MIDI file, or folder of a session, to go on from."),
    target: Path = typer.Option(..., "-o", "--output", metavar="OUT.mid", help="Where to write both parts."),
    generator: str = typer.Option("markov", "--generator", help="Who goes on; see `antiphon plugins`."),
    model: str | None = typer.Option(None, "--model", help="The generator's model, if not its own."),
    bars: int = typer.Option(8, "--bars", min=1, max=1000, help="How many bars to add."),
    seed: int = typer.Option(0, "--seed", min=0, help="Seed of all randomness."),
    key: str | None = typer.Option(None, "--key", help="Go on in this key, such as 'C minor', or 'auto' for its own."),
    control: list[str] = typer.Option(
        [], "--set", "--control", metavar="NAME=VALUE", help="Set a control, such as temperature=0.4 or range_low=C3."
    ),
    verbose: Verbose = False,
) -> None:
    """Continue a MIDI file or a session: what it holds is heard as though played, and answered from the next bar on."""
    from antiphon.music.midi_file import write_score
    from antiphon.output_files import check_suffix
    from antiphon.presets.wishes import setting
    from antiphon.session.continuation import continue_score
    from antiphon.session.summary import read_music

    check_suffix(target, *_MIDI_FILE)
    result = continue_score(
        read_music(source),
        generator=generator,
        model=model,
        bars=bars,
        seed=seed,
        controls=dict(map(setting, control)),
        key=key,
    )
    write_score(target, result.score)
    say(f"{target}: {result.notes} notes in {bars} bars by {generator}")


def replay(
    session: Path = typer.Argument(..., help="Folder of a recorded session."),
    target: Path = typer.Option(..., "-o", "--output", metavar="OUT.mid", help="Where to write the session's score."),
    model: list[str] = typer.Option(
        [], "--model", metavar="FILE", help="A model file that the session names and may load, though not installed."
    ),
    verbose: Verbose = False,
) -> None:
    """Play a recorded session again, from what was heard and when; exits with 1 if anything comes out different."""
    from antiphon.music.midi_file import write_score
    from antiphon.output_files import check_suffix
    from antiphon.session.continuation import refuse_strange_models, replay_session
    from antiphon.session.journal import read_session

    check_suffix(target, *_MIDI_FILE)
    recorded = read_session(session)
    refuse_strange_models(recorded, model)
    result = replay_session(recorded)
    write_score(target, result.score)
    if result.difference is not None:
        raise AntiphonError(f"{target} differs from what was played: {result.difference}")
    say(f"{target}: the same {result.messages} messages as were played, to the bit")
