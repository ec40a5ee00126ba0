"""A switch from preset to preset is a clean cut, and is played again from the record; commands from the keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from stages import Rehearsal
from toys import toy_player

from antiphon.duet.commands import Decision
from antiphon.duet.events import Chosen, Ended, Event, Heard, Selected
from antiphon.duet.offline import Offline
from antiphon.duet.plan import Handover, Plan, RemotePlan, Switch, VoicePlan
from antiphon.duet.routing import output_names
from antiphon.duet.schedule import Send
from antiphon.errors import AntiphonError
from antiphon.generator import GeneratorInfo
from antiphon.music import messages
from antiphon.presets.library import PresetLibrary
from antiphon.presets.reading import load_preset
from antiphon.presets.writer import preset_text
from antiphon.session.journal import Header, JournalWriter, Record, read_session

PEDAL = Handover(by="pedal")
PRESS, LIFT = (messages.control_change(0, messages.SOSTENUTO, value) for value in (127, 0))
ECHO = VoicePlan("echo", fallback="low", handover=PEDAL, answer_bars=2, channel=1, program=4)
LOW = VoicePlan("low", fallback="low", handover=PEDAL, answer_bars=2, channel=1, program=9)
NEW_PROGRAM = messages.program_change(1, 9)


NO_REMOTE = RemotePlan()


def jam_with(switch: Switch | None, *, remote: RemotePlan = NO_REMOTE, tempo_bpm: float = 60.0) -> Rehearsal:
    """Two presets on one channel; the first answers from tick 500 on, for two bars, a note on every beat."""
    first = Plan("first", (ECHO,), outputs=("virtual",), remote=remote)
    second = Plan("second", (LOW,), outputs=("virtual",), remote=remote, switch=switch, tempo_bpm=tempo_bpm)
    jam = Rehearsal(first, second)
    jam.duet.begin()
    jam.tone(0)
    jam.hear(500, PRESS)
    jam.hear(500, LIFT)
    return jam


def program(number: int, channel: int = 0) -> bytes:
    return messages.program_change(channel, number)


def selected(jam: Rehearsal) -> list[tuple[int, int]]:
    return [(record.ticks, record.plan) for record in jam.record_of if isinstance(record, Selected)]


def sounding(sends: list[Send]) -> Iterator[tuple[bytes, set[int]]]:
    """Each message of a voice, and the pitches that sound before it."""
    down: set[int] = set()
    for send in sends:
        if send.source >= 0:
            yield send.message, set(down)
            if messages.is_note_on(send.message):
                down.add(send.message[1])
            elif messages.is_note_off(send.message):
                down.discard(send.message[1])


def replayed(jam: Rehearsal, folder: Path) -> list[Send]:
    """What is played again from the journal."""
    writer = JournalWriter(folder, Header(jam.duet.plans, output_names(jam.duet.plans), {}, "today"))
    writer.write(Record(what) for what in jam.record_of)
    writer.close()
    session = read_session(folder)
    assert session.header.plans == jam.duet.plans
    again = Offline(session.header.plans, lambda role: toy_player(role.generator))
    again.duet.begin()
    again.replay(record.what for record in session.records)
    return again.sends


@pytest.mark.parametrize(
    ("switch", "ticks", "notes"),
    [
        ("now", 1000, [500, 980]),
        ("beat", 1440, [500, 980]),
        ("bar", 1920, [500, 980, 1460]),
        ("answer", 500 + 2 * 1920, [500 + 480 * i for i in range(8)]),
    ],
)
def test_the_old_voice_ends_before_the_new_program_is_sent(
    switch: Switch, ticks: int, notes: list[int], tmp_path: Path
) -> None:
    jam = jam_with(switch)
    jam.hear(1000, program(1))
    jam.advance(9000)
    assert selected(jam) == [(ticks, 1)]
    assert [start for start, _, _ in jam.notes()] == notes
    assert all(end is not None and end <= ticks for _, _, end in jam.notes())
    (before,) = [down for message, down in sounding(jam.sends) if message == NEW_PROGRAM]
    assert before == set()
    assert [send.due_ticks for send in jam.sends if send.message == NEW_PROGRAM] == [ticks]
    assert jam.duet.timeline.bpm == 60.0
    jam.tone(9000)
    jam.hear(9500, PRESS)
    jam.advance(15_000)
    jam.duet.end(15_000)
    assert {pitch for start, pitch, _ in jam.notes() if start > 9000} == {48}, "the new preset answers"
    assert replayed(jam, tmp_path) == jam.sends


def test_a_note_that_would_sound_over_the_line_ends_on_it() -> None:
    first = Plan(voices=(replace(ECHO, generator="overlapping"),), outputs=("virtual",))
    jam = Rehearsal(first, Plan(voices=(LOW,), outputs=("virtual",), switch="bar"))
    jam.tone(0)
    jam.hear(500, PRESS)
    jam.hear(1800, program(1))
    jam.advance(9000)
    assert max(end or 9000 for _, _, end in jam.notes()) == 1920
    assert len(jam.notes()) > 4
    (before,) = [down for message, down in sounding(jam.sends) if message == NEW_PROGRAM]
    assert before == set()


def test_on_the_line_itself_it_switches_at_once_and_nothing_of_the_old_begins_there() -> None:
    line = replace(ECHO, launch="beat")
    jam = Rehearsal(Plan(voices=(line,), outputs=("virtual",)), Plan(voices=(LOW,), outputs=("virtual",), switch="bar"))
    jam.tone(0)
    jam.hear(400, PRESS)
    jam.hear(1000, program(1))
    jam.advance(9000)
    assert [start for start, _, _ in jam.notes()] == [480, 960, 1440], "the beat at 1920 is the new preset's"
    assert selected(jam) == [(1920, 1)]


def test_where_nobody_answers_the_end_of_the_answer_is_now_and_a_line_is_waited_for() -> None:
    for switch, ticks in (("answer", 100), ("bar", 1920)):
        jam = Rehearsal(Plan(voices=(ECHO,)), Plan(voices=(LOW,), switch=switch))  # type: ignore[arg-type]
        jam.hear(100, program(1))
        jam.advance(5000)
        assert selected(jam) == [(ticks, 1)]


def test_a_touch_ends_the_answer_that_was_waited_for_and_the_call_is_the_new_preset_s(tmp_path: Path) -> None:
    jam = jam_with("answer")
    jam.hear(1000, program(1))
    jam.tone(1500, 67)
    assert selected(jam) == [(1500, 1)]
    jam.hear(2000, PRESS)
    jam.advance(9000)
    jam.duet.end(9000)
    assert [pitch for start, pitch, _ in jam.notes() if start >= 1500][:2] == [48, 48]
    (before,) = [down for message, down in sounding(jam.sends) if message == NEW_PROGRAM]
    assert before == set()
    assert replayed(jam, tmp_path) == jam.sends


def test_a_moment_after_the_switch_is_told_by_the_tempo_from_there() -> None:
    jam = jam_with("bar")
    jam.hear(1000, program(1))
    assert jam.duet.ticks_at(1.99) == 1910, "the bar line is at two seconds"
    assert jam.duet.selected == 0
    assert jam.duet.ticks_at(3.0) == 1920 + 480, "a beat a second from there"
    assert selected(jam) == [(1920, 1)]


def test_what_is_chosen_last_is_what_comes() -> None:
    jam = jam_with("bar")
    jam.hear(1000, program(1))
    jam.hear(1100, program(0))  # It takes over at once, and so goes on from here.
    jam.advance(5000)
    assert selected(jam) == [(1100, 0)]
    assert [record.plan for record in jam.record_of if isinstance(record, Chosen)] == [1, 0]


def test_a_session_of_old_plays_again_as_it_was_played(tmp_path: Path) -> None:
    jam = jam_with(None)
    jam.hear(1000, program(1))
    jam.advance(9000)
    jam.duet.end(9000)
    assert [start for start, _, _ in jam.notes()][:3] == [500, 980, 1460], "the old answer ran on"
    assert not [record for record in jam.record_of if isinstance(record, Chosen)]
    assert replayed(jam, tmp_path) == jam.sends
    journal = tmp_path / "journal.jsonl"
    head, *lines = journal.read_text().splitlines()
    of_old = head.replace('"switch":null,', "").replace('"switch":"now",', "")
    assert "switch" not in of_old
    journal.write_text("\n".join([of_old, *lines]) + "\n")
    session = read_session(tmp_path)
    assert [plan.switch for plan in session.header.plans] == [None, None]
    again = Offline(session.header.plans, lambda role: toy_player(role.generator))
    again.duet.begin()
    again.replay(record.what for record in session.records)
    assert again.sends == jam.sends


# ---- commands from the keyboard --------------------------------------------------------------------------------------


REMOTE = RemotePlan(panic_note=21, panic_cc=80, next_note=108, next_cc=81, previous_cc=82)


def kinds(jam: Rehearsal, since: int) -> list[Event]:
    return [what for what in jam.record_of[since:] if isinstance(what, Chosen | Selected | Heard | Ended | Decision)]


def test_panic_by_a_key_or_a_controller_silences_everything_and_is_no_music(tmp_path: Path) -> None:
    for message, up in (
        (messages.note_on(0, 21, 80), messages.note_off(0, 21)),
        (messages.control_change(0, 80, 127), messages.control_change(0, 80, 0)),
    ):
        jam = jam_with("now", remote=REMOTE)
        jam.hear(600, message)
        jam.hear(650, up)
        jam.advance(9000)
        assert [what for what in jam.record_of if isinstance(what, Ended)] == [Ended(600, panic=True)]
        assert not [what for what in jam.record_of if isinstance(what, Heard) and what.message in (message, up)]
        assert [start for start, _, _ in jam.notes()] == [500]
        assert sum(messages.is_controller(send.message, 120) for send in jam.sends) == 16
        assert replayed(jam, tmp_path) == jam.sends


def test_next_and_previous_go_round_and_a_controller_counts_once_as_it_rises() -> None:
    jam = jam_with("now", remote=REMOTE)
    for ticks, message in (
        (600, messages.control_change(0, 81, 70)),
        (610, messages.control_change(0, 81, 127)),
        (620, messages.control_change(0, 81, 0)),
        (700, messages.control_change(0, 81, 127)),
        (800, messages.note_on(0, 108, 80)),
        (810, messages.note_off(0, 108)),
        (900, messages.control_change(0, 82, 127)),
    ):
        jam.hear(ticks, message)
    assert selected(jam) == [(600, 1), (700, 0), (800, 1), (900, 0)]


def test_a_key_that_went_down_as_music_comes_up_as_music_whatever_was_chosen_meanwhile() -> None:
    plain, remote = Plan(voices=(ECHO,)), Plan(voices=(LOW,), remote=REMOTE)
    jam = Rehearsal(plain, remote)
    jam.hear(10, messages.note_on(0, 108, 80))
    jam.hear(20, program(1))
    jam.hear(30, messages.note_off(0, 108))
    assert messages.note_off(0, 108) in [send.message for send in jam.sends]
    jam.hear(40, messages.note_on(0, 108, 80))  # next: back to the plain one
    jam.hear(50, messages.note_off(0, 108))
    assert [s.message for s in jam.sends if s.due_ticks >= 40 and s.source == -1] == []
    assert selected(jam) == [(20, 1), (40, 0)]


def test_next_with_one_preset_alone_and_a_program_beyond_the_last_select_nothing_and_say_so() -> None:
    jam = Rehearsal(Plan(voices=(ECHO,), remote=REMOTE))
    jam.hear(10, messages.control_change(0, 81, 127))
    assert jam.record_of[-1] == Decision("idle", 0, 10, "there is no other preset to choose")
    jam = jam_with("now")
    jam.hear(600, program(5))
    assert jam.record_of[-1] == Decision("idle", 0, 600, "program 6 selects nothing: there are presets 1 to 2")
    assert selected(jam) == []


def test_program_changes_count_on_their_channels_and_ports_and_are_music_elsewhere() -> None:
    remote = RemotePlan(program_channels=frozenset({15}), program_inputs=frozenset({"Pedalboard"}))
    jam = jam_with("now", remote=remote)
    for channel, inputs in ((0, ("Pedalboard",)), (15, ("Keystation",))):
        jam.duet.hear(program(1, channel), 600, inputs)
        assert jam.sends[-1].message == program(1, channel), "it is passed on"
    assert selected(jam) == []
    jam.duet.hear(program(1, 15), 700, ("Pedalboard", "auto"))
    jam.advance(700)
    assert selected(jam) == [(700, 1)]


# ---- in files --------------------------------------------------------------------------------------------------------

INFOS = {"markov": GeneratorInfo("markov", "chains")}
VOICE = '[[voice]]\ngenerator = "markov"\n'
TABLE = '[remote]\npanic_note = "A0"\nnext_cc = 81\nprogram_channels = [16]\nprogram_inputs = ["Pedals"]\n'


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def test_a_preset_says_where_it_takes_over_and_its_text_says_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, "a", f'switch = "bar"\ninputs = ["auto", "Pedals"]\n{TABLE}{VOICE}')
    plan = load_preset(path, INFOS)
    assert plan.switch == "bar"
    assert plan.remote == RemotePlan(
        panic_note=21, next_cc=81, program_channels=frozenset({15}), program_inputs=frozenset({"Pedals"})
    )
    path.write_text(preset_text(plan))
    assert load_preset(path, INFOS) == plan
    assert load_preset(written(tmp_path, "b", VOICE), INFOS).switch == "now"


def test_what_a_setlist_says_holds_for_all_its_presets(tmp_path: Path) -> None:
    written(tmp_path, "a", f'switch = "bar"\ninputs = ["Pedals"]\n{VOICE}')
    written(tmp_path, "b", VOICE)
    path = written(tmp_path, "set", 'presets = ["a", "b"]\n')
    plans = PresetLibrary([], tmp_path).load_set(str(path), INFOS)
    assert [plan.switch for plan in plans] == ["bar", "now"]
    path = written(tmp_path, "set", f'presets = ["a", "b"]\nswitch = "answer"\n{TABLE}')
    plans = PresetLibrary([], tmp_path).load_set(str(path), INFOS)
    assert [plan.switch for plan in plans] == ["answer"] * 2
    assert [plan.remote.next_cc for plan in plans] == [81, 81]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('switch = "soon"\n', "switch is \"soon\"; allowed: 'now' or 'beat' or 'bar' or 'answer'"),
        ("[remote]\nnext_cc = 3\nprevious_cc = 3\n", "remote.previous_cc is 3, which is a command already"),
        ("[remote]\nnext_cc = 1\n", "remote.next_cc is 1, which turns a control in preset 'a'; choose another"),
        ('[remote]\nprogram_inputs = ["Pedal"]\n', 'remote.program_inputs is "Pedal"'),
        ("next_cc = 1\n", "next_cc: unknown key; it belongs in [remote]"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, "a", f'{text}{VOICE}[[controller]]\ncc = 1\ncontrol = "length"\n')
    with pytest.raises(AntiphonError) as caught:
        load_preset(path, INFOS)
    assert told in str(caught.value)


def test_a_setlist_s_command_that_means_something_else_in_a_preset_is_told(tmp_path: Path) -> None:
    written(tmp_path, "a", f'{VOICE}[[controller]]\ncc = 1\ncontrol = "length"\n')
    path = written(tmp_path, "set", 'presets = ["a"]\n[remote]\nnext_cc = 1\n')
    with pytest.raises(AntiphonError, match=r"set.toml:3: remote.next_cc is 1, which turns a control in preset 'a'"):
        PresetLibrary([], tmp_path).load_set(str(path), INFOS)
