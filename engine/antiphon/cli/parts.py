"""`antiphon parts`: a recorded session as one MIDI file for each part, for a DAW."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.terminal import say


def add_commands(app: typer.Typer) -> None:
    """Add `parts`."""
    app.command()(parts)


def parts(
    session: Annotated[Path, typer.Argument(help="Folder of a recorded session.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Where to write; without it, a folder in SESSION."),
    ] = None,
    take: Annotated[
        int | None, typer.Option(metavar="N", help="One run of the DAW's song, in the song's time: tick 0 is bar 1.")
    ] = None,
) -> None:
    """Write a session as one MIDI file for each part: yours, and each voice's.

    With --take, a run of a song that was played to, by itself, to be laid over the song at bar 1.
    """
    from antiphon.errors import AntiphonError
    from antiphon.music.messages import is_note_on
    from antiphon.music.midi_file import write_score
    from antiphon.session.journal import read_session
    from antiphon.session.part_files import described, part_files
    from antiphon.session.takes import takes_of

    recorded = read_session(session)
    files = part_files(recorded, take)
    folder = output or recorded.folder / ("parts" if take is None else f"take-{take}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AntiphonError(f"cannot make {folder}: {error.strerror}; choose another folder with -o") from error
    for name, score in files.items():
        write_score(folder / name, score)
        say(f"{folder / name}: {sum(is_note_on(message) for _, message in score.merged())} notes")
    if take is None and (takes := takes_of(recorded.header, recorded.records)):
        say(f"--take gives one run of the song, in its time: {described(takes)}")
