"""`antiphon picture`: a MIDI file or a session as a piano roll."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from antiphon.cli.terminal import say


def add_commands(app: typer.Typer) -> None:
    """Add `picture`."""
    app.command()(picture)


def picture(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="MIDI file, or folder of a session, to draw.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT.png", help="Picture to write: .png, .svg or .pdf.")
    ],
) -> None:
    """Draw a MIDI file or a session as a piano roll: a colour for each part, bars, and who began when."""
    from antiphon.music.messages import is_note_on
    from antiphon.music.midi_file import read_score
    from antiphon.output_files import check_suffix
    from antiphon.session.journal import is_session, read_session
    from antiphon.session.pianoroll import PICTURE_SUFFIXES, draw
    from antiphon.session.summary import score_of, title_of

    check_suffix(output, "a picture", *PICTURE_SUFFIXES)
    if is_session(source):
        session = read_session(source)
        score, title = score_of(session.header, session.records), title_of(session.header)
    else:
        score, title = read_score(source), source.name
    draw(output, score, title=title)
    notes = sum(is_note_on(message) for _, message in score.merged())
    say(f"{output}: {notes} note{'' if notes == 1 else 's'}")
