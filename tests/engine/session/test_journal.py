"""A session on disk: every line comes back, and a crash costs the last one at most."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.duet.commands import Decision, Failed
from antiphon.duet.events import (
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
from antiphon.duet.plan import ControllerMapping, Handover, PartPlan, Plan, VelocityCurve, VoicePlan
from antiphon.duet.schedule import PLAYER, Send
from antiphon.errors import AntiphonError
from antiphon.generator import Constraints
from antiphon.music import messages
from antiphon.music.timing import TimeSignature
from antiphon.notes import Note, Phrase
from antiphon.session.header import Header
from antiphon.session.journal import JOURNAL_NAME, JournalWriter, Record, Session, read_session
from antiphon.session.summary import score_of, statistics

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
    Record(PlayerReady(0, 1)),
    Record(Heard(10, b"\xf0\x7e\xf7")),
    Record(Heard(12, messages.note_on(0, 60, 80))),
    Record(Heard(12, messages.note_on(0, 60, 70), ("auto",), "Launchkey mini:out")),
    Record(PlayerAnswered(13, 0, "fallback", 7, 2)),
    Record(PlayerFailed(14, Failed(0, "main", 8, -1, 'ValueError: "no" ears — ¿qué?'))),
    Record(PlayerLost(15, 1, "killed\nby hand")),
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
    Record(Ended(1921)),
    Record(Ended(1922, panic=True)),
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


def test_what_a_folder_in_the_way_keeps_off_the_disk_is_written_once_it_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    writer = JournalWriter(tmp_path / "file", HEADER)
    assert writer.trouble
    writer.write(EVERY)
    (tmp_path / "file").unlink()
    writer.save()
    assert writer.trouble == ""
    assert read_session(tmp_path / "file").records == EVERY
    writer.close()


def with_line(folder: Path, number: int, line: str) -> Path:
    """A journal of `EVERY` in which line `number`, from 1, is another, and which goes on after it."""
    file = write(folder, *EVERY, Record(Ended(2000)))
    lines = file.read_text().splitlines()
    lines[number - 1] = line
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"is":"Heard","ticks":1e400,"message":"903233"}', ""),
        ('{"is":"Heard","ticks":Infinity,"message":"903233"}', ""),
        ('{"is":"Heard","ticks":12.5,"message":"903233"}', "ticks is 12.5"),
        ('{"is":"Heard","ticks":true,"message":"903233"}', "ticks is True"),
        ('{"is":"Heard","ticks":99999999999,"message":"903233"}', "ticks is 99999999999; allowed: 0 to"),
        ('{"is":"Heard","ticks":-1,"message":"903233"}', "ticks is -1; allowed: 0 to"),
        ('{"is":"Heard","ticks":12,"message":""}', "'' is no MIDI message"),
        ('{"is":"Heard","ticks":12,"message":"903c"}', "'903c' is no MIDI message"),
        ('{"is":"Heard","ticks":9,"message":"903c50"}', "it is at tick 9, after tick 10"),
        ('{"is":"Heard","ticks":12,"message":"903c50","inputs":[{}]}', "inputs is ({},)"),
        ('{"is":"PlayerReady","ticks":12,"slot":{}}', "slot is {}"),
        ('{"is":"PlayerReady","ticks":12,"slot":2}', "slot is 2; allowed: 0 to 1"),
        ('{"is":"Selected","ticks":12,"plan":2}', "plan is 2; allowed: 0 to 1"),
        ('{"is":"TempoChanged","ticks":12,"bpm":"x"}', "bpm is 'x'"),
        ('{"is":"TempoChanged","ticks":12,"bpm":0}', "bpm is 0; allowed: 0.1 to 10000"),
        ('{"is":"Skipped","ticks":12,"to_ticks":11}', "it goes back from tick 12 to tick 11"),
        ('{"is":"Located","ticks":12,"song_ticks":-Infinity}', ""),
        ('{"is":"Ended","ticks":12,"panic":-1}', "panic is -1"),
        ('{"is":"Send","output":2,"message":"903c50","due_ticks":12,"source":0}', "output is 2; allowed: 0 to 1"),
        ('{"is":"Send","output":0,"message":"903c50","due_ticks":12,"source":1}', "source is 1; allowed: -2 to 0"),
        ('{"is":"Send","output":0,"message":"903c50","due_ticks":12,"source":0,"late_seconds":"x"}', ""),
        ("[" * 100_000, ""),
    ],
)
def test_a_value_that_cannot_be_is_an_error_with_its_line(tmp_path: Path, line: str, why: str) -> None:
    with_line(tmp_path, 4, line)
    with pytest.raises(AntiphonError, match=r"journal\.jsonl:4: not a line of a journal: ") as error:
        read_session(tmp_path)
    assert why in str(error.value)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ('"tempo_bpm": 99.5', '"tempo_bpm": 0', "tempo_bpm is 0.0"),
        ('"tempo_bpm": 99.5', '"tempo_bpm": NaN', "NaN is no number"),
        ('"beats": 7', '"beats": 0', "beats is 0"),
        ('"unit": 8', '"unit": 7', "signature is 7/7"),
        ('"trigger_note": 21', '"trigger_note": 128', "trigger_note is 128"),
        ('"launch": "now"', '"launch": "soon"', "launch is 'soon'"),
        ('"input_channels": [2]', '"input_channels": [16]', "input_channels is 16"),
    ],
)
def test_a_header_with_a_value_that_cannot_be_is_an_error(tmp_path: Path, before: str, after: str, why: str) -> None:
    file = write(tmp_path, *EVERY)
    head, *lines = file.read_text().splitlines()
    head = json.dumps(json.loads(head))
    assert before in head
    file.write_text("\n".join([head.replace(before, after), *lines]))
    with pytest.raises(AntiphonError, match=r"not the journal of a session") as error:
        read_session(tmp_path)
    assert why in str(error.value.__cause__)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(["903c00", "f8", "main", "end", [], {}]),
)


@given(st.integers(0, len(EVERY) - 1), st.randoms(use_true_random=False), scalars)
def test_a_journal_bent_anywhere_is_refused_by_line_or_can_be_worked_with(
    tmp_path_factory: pytest.TempPathFactory, number: int, random: Random, value: object
) -> None:
    folder = tmp_path_factory.mktemp("bent")
    line = json.loads(write(folder, EVERY[number]).read_text().splitlines()[1])
    line[random.choice(sorted(line))] = value
    with_line(folder, number + 2, json.dumps(line))
    with suppress(AntiphonError):
        session = read_session(folder)
        statistics(session.header, session.records)
        score_of(session.header, session.records)


TRIO = Plan("trio", (VoicePlan("trio", parts=(PartPlan("lead", 1, "synth", 3, 130), PartPlan("bass", 2))),))


def test_parts_are_on_record_and_a_voice_of_one_part_is_written_as_before(tmp_path: Path) -> None:
    head = Header((TRIO,), ("virtual", "synth"), {}, "")
    sends = [Record(Send(0, messages.note_on(1 + part, 60, 80), 10, 0, part)) for part in (0, 1)]
    writer = JournalWriter(tmp_path, head)
    writer.write(sends)
    writer.close()
    first, second = (tmp_path / "journal.jsonl").read_text().splitlines()[1:]
    assert '"part"' not in first
    assert '"part":1' in second
    session = read_session(tmp_path)
    assert (session.header, list(session.records)) == (head, sends)


def test_a_part_that_no_plan_has_is_damage(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Header((TRIO,), ("virtual",), {}, ""))
    writer.write([Record(Send(0, messages.note_on(1, 60, 80), 10, 0, 2)), Record(Ended(20))])
    writer.close()
    with pytest.raises(AntiphonError, match="part is 2; allowed: 0 to 1"):
        read_session(tmp_path)
