"""The process that makes the files of a session from its journal, once the music is over. It plays nothing.

A long session takes long to read and to draw: whoever has ended it need not wait for that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from antiphon.errors import AntiphonError
from antiphon.music.midi_file import write_score
from antiphon.processes.shared_folder import Entry, SharedFolder
from antiphon.session.journal import read_session
from antiphon.session.summary import leave_picture, score_of, statistics, write_statistics

SESSION_FOLDER: Final[Entry[Path]] = Entry("session")
"""Where the journal is, and the files are to be."""


def make_files(folder: Path) -> list[str]:
    """Make `session.mid`, `session.json` and `session.png` in `folder` from its journal; what could not be, and why."""
    try:
        session = read_session(folder)
    except AntiphonError as error:
        return [str(error)]
    header, records = session.header, session.records
    making: dict[str, Callable[[], None]] = {
        "session.mid": lambda: write_score(folder / "session.mid", score_of(header, records)),
        "session.json": lambda: write_statistics(folder, statistics(header, records)),
        "session.png": lambda: leave_picture(folder, header, records),
    }
    missing = []
    for name, make in making.items():
        try:
            make()
        except AntiphonError as error:
            missing.append(f"no {folder / name}: {error}")
    return missing


def run_afterwards(shared: SharedFolder) -> None:
    """Make the files; what could not be made goes to the log, and into the exit code. Nobody else clears the folder."""
    try:
        missing = make_files(shared.read(SESSION_FOLDER))
    finally:
        shared.clear()
    if missing:
        sys.exit("\n".join(missing))
