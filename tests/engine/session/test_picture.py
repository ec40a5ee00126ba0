"""`antiphon picture`, and the names of files that other commands write."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from antiphon.cli import files, picture
from antiphon.duet.events import Ended, Event, Heard
from antiphon.duet.plan import Plan
from antiphon.errors import AntiphonError
from antiphon.music.messages import note_off, note_on
from antiphon.session.header import Header
from antiphon.session.journal import JournalWriter, Record
from antiphon.session.summary import leave_picture
from antiphon.terminal.demo_keyboard import bundled

HEADER = Header((Plan("late"), Plan("later", seed=3)), ("synth",), {}, "2026-03-01T20:15:00+01:00")
PNG = b"\x89PNG"


def record(folder: Path, *events: Event) -> Path:
    journal = JournalWriter(folder, HEADER)
    journal.write(map(Record, events))
    journal.close()
    return folder


def run(*arguments: object) -> Result:
    app = typer.Typer()
    picture.add_commands(app)
    files.add_commands(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_file_and_a_session_are_drawn(tmp_path: Path) -> None:
    folder = record(tmp_path / "session", Heard(0, note_on(0, 69, 90)), Heard(960, note_off(0, 69)))
    for source, told in ((bundled("call"), "52 notes"), (folder, "1 note"), (folder / "journal.jsonl", "1 note")):
        output = tmp_path / "x.png"
        result = run("picture", source, "-o", output)
        assert (result.exit_code, result.output) == (0, f"{output}: {told}\n")
        assert output.read_bytes().startswith(PNG)
        output.unlink()


def test_a_session_leaves_its_picture_unless_nobody_played(tmp_path: Path) -> None:
    leave_picture(tmp_path, HEADER, [Record(Ended(5))])
    assert list(tmp_path.iterdir()) == []
    leave_picture(tmp_path, HEADER, [Record(Heard(0, note_on(0, 69, 90))), Record(Ended(960))])
    assert (tmp_path / "session.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize("source", ["none.mid", "folder"])
def test_what_cannot_be_drawn_is_named(tmp_path: Path, source: str) -> None:
    (tmp_path / "folder").mkdir()
    result = run("picture", tmp_path / source, "-o", tmp_path / "x.png")
    assert isinstance(result.exception, AntiphonError)
    assert source in str(result.exception)
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(
    ("command", "what"),
    [("picture x.mid -o x.wav", "a picture"), ("continue x.mid -o x.png", "a MIDI file"), ("replay x -o x", "a MIDI")],
)
def test_a_name_of_another_kind_is_refused_before_anything_is_read(command: str, what: str) -> None:
    result = run(*command.split())
    assert isinstance(result.exception, AntiphonError)
    assert f"is no name for {what}" in str(result.exception)
