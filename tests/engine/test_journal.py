"""A session on disk: every line comes back, and a crash costs the last one at most."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from antiphon import messages
from antiphon.commands import Decision, Failed
from antiphon.duet import (
    CountInBegan,
    Ended,
    Heard,
    Located,
    MetronomeSwitched,
    PlayerAnswered,
    PlayerFailed,
    PlayerLost,
    PlayerReady,
    Restarted,
    Selected,
    Skipped,
    TempoChanged,
    TransportStarted,
    TransportStopped,
)
from antiphon.errors import AntiphonError
from antiphon.generator import Constraints
from antiphon.journal import JOURNAL_NAME, Header, JournalWriter, Record, Session, read_session
from antiphon.notes import Note, Phrase
from antiphon.plan import ControllerMapping, Handover, Plan, VelocityCurve, VoicePlan
from antiphon.schedule import PLAYER, Send
from antiphon.timing import TimeSignature

HEADER = Header(
    (
        Plan(
            "late-night",
            (
                VoicePlan(
                    "markov",
                    handover=Handover(by="trigger", trigger_note=21),
                    controls={"order": 3.0},
                    constraints=Constraints(40, 80, frozenset({0, 4, 7}), 4),
                    velocity=VelocityCurve(10, 90, 0.5),
                    input_channels=frozenset({2}),
                ),
            ),
            99.5,
            TimeSignature(7, 8),
            controllers=(ControllerMapping(1, 0, "order", 1.0, 8.0),),
            prompt=Phrase.of([Note(0, 60, 480, 80)]),
        ),
        Plan(),
    ),
    ("virtual", "synth"),
    {"antiphon": "0.1.0"},
    "2026-03-01T20:15:00+01:00",
)
EVERY = (
    Record(PlayerReady(0, 3)),
    Record(Heard(10, b"\xf0\x7e\xf7")),
    Record(Heard(12, messages.note_on(0, 60, 80))),
    Record(PlayerAnswered(13, 0, "fallback", 7, 2)),
    Record(PlayerFailed(14, Failed(1, "main", 8, -1, 'ValueError: "no" ears — ¿qué?'))),
    Record(PlayerLost(15, 3, "killed\nby hand")),
    Record(Selected(16, 1)),
    Record(Restarted(17, 1)),
    Record(Decision("handover", 0, 18, "by silence")),
    Record(Send(1, messages.note_on(0, 60, 80), 19, PLAYER), 0.000123),
    Record(Send(0, messages.note_off(0, 60), 20, 0)),
    Record(TempoChanged(20, 119.99371)),
    Record(TempoChanged(20, 131.5, 120.0)),
    Record(MetronomeSwitched(20, True)),
    Record(CountInBegan(20)),
    Record(TransportStopped(20)),
    Record(Skipped(20, 1920)),
    Record(Located(1920, 7680.4)),
    Record(TransportStarted(1920)),
    Record(Ended(21)),
    Record(Ended(22, panic=True)),
)


def write(folder: Path, *records: Record) -> Path:
    writer = JournalWriter(folder, HEADER)
    writer.write(records)
    writer.close()
    return folder / JOURNAL_NAME


def test_everything_written_comes_back(tmp_path: Path) -> None:
    file = write(tmp_path / "sessions" / "one", *EVERY)
    session = Session(tmp_path / "sessions" / "one", HEADER, EVERY)
    assert read_session(tmp_path / "sessions" / "one") == session
    assert read_session(file) == session


def test_every_call_leaves_the_file_complete(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, HEADER)
    assert read_session(tmp_path).records == ()
    for count, record in enumerate(EVERY, start=1):
        writer.write([record])
        assert read_session(tmp_path).records == EVERY[:count]
    writer.close()


def test_lateness_is_kept_to_the_microsecond(tmp_path: Path) -> None:
    send = Send(0, messages.note_on(0, 60, 80), 19, PLAYER)
    write(tmp_path, Record(send, 0.00012345678))
    assert read_session(tmp_path).records == (Record(send, 0.000123),)


def test_other_tools_can_read_it(tmp_path: Path) -> None:
    lines = [json.loads(line) for line in write(tmp_path, *EVERY).read_text().splitlines()]
    assert lines[0]["antiphon_journal"] == 1
    assert lines[0]["plans"][0]["name"] == "late-night"
    assert lines[3] == {"is": "Heard", "ticks": 12, "message": "903c50"}


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_last_line_cut_off_by_a_crash_is_left_out(tmp_path: Path, cut: int) -> None:
    file = write(tmp_path, *EVERY[:-1], Record(Heard(100_000, messages.note_on(0, 60, 80))))
    text = file.read_text()
    last = len(text.splitlines()[-1])
    file.write_text(text[: -min(cut + 1, last)])
    assert read_session(tmp_path).records == EVERY[:-1]


@pytest.mark.parametrize(
    "line", ['{"is":"Heard","ti', '{"is":"Nothing"}', "[]", '{"is":"Heard","ticks":1,"message":"zz"}', '{"is":"Ended"}']
)
def test_a_damaged_line_in_the_middle_is_an_error_with_its_number(tmp_path: Path, line: str) -> None:
    file = write(tmp_path, *EVERY[:3])
    lines = file.read_text().splitlines()
    lines[2] = line
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(AntiphonError, match=r"journal\.jsonl:3: not a line of a journal: "):
        read_session(tmp_path)


def test_a_session_of_a_later_format_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path)
    file.write_text(file.read_text().replace('"antiphon_journal":1', '"antiphon_journal":2'))
    with pytest.raises(AntiphonError, match="has format 2; this version of Antiphon reads 1"):
        read_session(tmp_path)


@pytest.mark.parametrize("text", ["", "hello\n", "[1]\n", '{"name": "something else"}\n', "3\n"])
def test_a_file_that_is_no_journal_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / JOURNAL_NAME).write_text(text)
    with pytest.raises(AntiphonError, match="is not the journal of a session; give the folder that `jam` named"):
        read_session(tmp_path)


def test_a_header_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    (tmp_path / JOURNAL_NAME).write_text('{"antiphon_journal": 1, "plans": 3}\n')
    with pytest.raises(AntiphonError, match="is not the journal of a session"):
        read_session(tmp_path)


def test_a_folder_without_a_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match=r"holds no session: journal\.jsonl cannot be read"):
        read_session(tmp_path)
    (tmp_path / JOURNAL_NAME).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AntiphonError, match="holds no session"):
        read_session(tmp_path)


def test_a_folder_that_cannot_be_made_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(AntiphonError, match=r"cannot record into .*file.*; choose another --session"):
        JournalWriter(tmp_path / "file", HEADER)
