"""The controls that every voice has: turned by a knob while it plays, and played again from the record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from stages import Rehearsal
from toys import toy_player

from antiphon.duet.offline import Offline
from antiphon.duet.plan import ControllerMapping, Handover, Plan, VoicePlan
from antiphon.duet.routing import output_names
from antiphon.duet.voice_controls import playable, turned
from antiphon.errors import AntiphonError
from antiphon.generator import Constraints, GeneratorInfo
from antiphon.music import messages
from antiphon.presets.reading import load_preset
from antiphon.presets.writer import preset_text
from antiphon.session.header import Header
from antiphon.session.journal import JournalWriter, Record, read_session

PEDAL = Handover(by="pedal")
PRESS, LIFT = (messages.control_change(0, messages.SOSTENUTO, value) for value in (127, 0))
C_MINOR = frozenset({0, 2, 3, 5, 7, 8, 10})


def knob(control: str, low: float = 0.0, high: float = 0.0, values: tuple[float | str, ...] = ()) -> ControllerMapping:
    return ControllerMapping(21, 0, control, low, high, values)


def rehearse(voice: VoicePlan, *knobs: ControllerMapping) -> Rehearsal:
    return Rehearsal(Plan(voices=(voice,), outputs=("virtual",), controllers=knobs))


def turn(jam: Rehearsal, ticks: int, value: int) -> None:
    jam.hear(ticks, messages.control_change(0, 21, value))


def press(jam: Rehearsal, ticks: int) -> None:
    jam.hear(ticks, PRESS)
    jam.hear(ticks, LIFT)


@pytest.mark.parametrize(("value", "length_ticks"), [(0, 960), (64, 1920), (127, 3840)])
def test_a_knob_answers_shorter_or_longer_than_the_call(value: int, length_ticks: int) -> None:
    jam = rehearse(VoicePlan("echo", fallback="low", handover=PEDAL), knob("length", values=(0.5, 1.0, 2.0)))
    turn(jam, 0, value)
    jam.tone(0, length_ticks=1920)
    press(jam, 2000)
    jam.advance(9000)
    assert jam.decisions()[-1] == ("end", 2000 + length_ticks)


def test_a_length_in_bars_is_lengthened_in_whole_beats() -> None:
    voice = VoicePlan("echo", fallback="low", handover=PEDAL, answer_bars=1, launch="bar", length=1.3)
    jam = rehearse(voice)
    jam.tone(0)
    press(jam, 200)
    jam.advance(9000)
    assert jam.decisions()[-1] == ("end", 1920 + 6 * 480)


def test_patience_waits_longer_for_a_rest_and_for_bars() -> None:
    ends = {}
    for value in (0, 127):
        jam = rehearse(VoicePlan("echo", fallback="low"), knob("patience", 1, 2))
        turn(jam, 0, value)
        for ticks in (0, 240, 480):
            jam.tone(ticks)
        jam.advance(9000)
        ends[value] = next(ticks for kind, ticks in jam.decisions() if kind == "handover") - 480
    assert ends[127] == 2 * ends[0]
    jam = rehearse(VoicePlan("echo", fallback="low", handover=Handover(by="bars", bars=1)), knob("patience", 1, 2))
    turn(jam, 0, 127)
    jam.tone(0)
    jam.advance(9000)
    assert jam.decisions()[0] == ("handover", 3840)


def test_range_and_scale_are_those_of_the_next_phrase() -> None:
    jam = rehearse(
        VoicePlan("echo", fallback="low", handover=PEDAL, constraints=Constraints(21, 96)),
        replace(knob("range_low", 0, 127), controller=20),
        replace(knob("range_high", 0, 127), controller=22),
        knob("scale", values=("auto", "C minor")),
    )
    jam.hear(0, messages.control_change(0, 20, 60))
    jam.hear(0, messages.control_change(0, 22, 50))  # Goes no lower than the lowest.
    turn(jam, 0, 127)
    jam.tone(0)
    assert jam.toys[0].requests[-1].constraints == Constraints(60, 60, C_MINOR)
    jam.hear(200, messages.control_change(0, 22, 61))
    jam.hear(200, messages.control_change(0, 20, 61))
    assert jam.toys[0].requests[-1].constraints == Constraints(61, 61, None), "no note of the scale is left there"
    turn(jam, 210, 0)
    assert jam.toys[0].requests[-1].constraints.scale is None
    assert not [m for m in jam.sends if messages.kind(m.message) == messages.CONTROL_CHANGE], "it is not passed on"


def test_a_generator_s_own_control_of_that_name_comes_first() -> None:
    voice = VoicePlan("echo", fallback="low", handover=PEDAL, controls={"length": 3.0})
    jam = rehearse(voice, knob("length", 0, 5))
    turn(jam, 0, 127)
    jam.tone(0, length_ticks=960)
    assert jam.toys[0].requests[-1].controls == {"length": 5.0}
    press(jam, 1000)
    jam.advance(9000)
    assert jam.decisions()[-1] == ("end", 1960)


def test_an_accompaniment_has_them_too() -> None:
    jam = rehearse(VoicePlan("echo", fallback="low", mode="accompany"), knob("range_high", 0, 127))
    jam.tone(0, pitch=60, length_ticks=480)
    turn(jam, 480, 50)
    jam.advance(960)
    assert jam.toys[0].requests[-1].constraints.high_pitch == 50


def test_what_was_turned_is_played_again_from_the_journal(tmp_path: Path) -> None:
    plan = Plan(
        voices=(VoicePlan("echo", fallback="low"),),
        outputs=("virtual",),
        controllers=(knob("length", values=(0.5, 3.0)), knob("scale", values=("auto", "C minor"))),
    )
    jam = Rehearsal(plan)
    turn(jam, 0, 127)
    for ticks in (100, 400, 800):
        jam.tone(ticks)
    jam.advance(9000)
    jam.duet.end(9000)
    writer = JournalWriter(tmp_path, Header((plan,), output_names([plan]), {}, "today"))
    writer.write(Record(what) for what in jam.record_of)
    writer.close()
    session = read_session(tmp_path)
    assert session.header.plans == (plan,)
    again = Offline(session.header.plans, lambda role: toy_player(role.generator))
    again.duet.begin()
    again.replay(record.what for record in session.records)
    assert again.sends == jam.sends
    assert sum(messages.is_note_on(send.message) and send.source == 0 for send in jam.sends) > 3


@pytest.mark.parametrize("value", [0, 40, 90, 127])
def test_the_ends_of_a_range_do_not_cross(value: int) -> None:
    plan = VoicePlan(constraints=Constraints(40, 80))
    low = turned(plan, "range_low", value).constraints
    high = turned(plan, "range_high", value).constraints
    assert low == Constraints(min(value, 80), 80)
    assert high == Constraints(40, max(40, value))


def test_a_scale_without_a_note_in_the_range_is_left_aside() -> None:
    assert playable(Constraints(61, 61, C_MINOR)) == Constraints(61, 61)
    assert playable(Constraints(60, 61, C_MINOR)) == Constraints(60, 61, C_MINOR)


INFOS = {"markov": GeneratorInfo("markov", "chains")}
HEAD = '[[voice]]\ngenerator = "markov"\nlength = 2\n[voice.handover]\npatience = 0.5\n'


def test_a_preset_says_them_and_its_text_says_the_same(tmp_path: Path) -> None:
    text = HEAD + '[[controller]]\ncc = 3\ncontrol = "scale"\nvalues = ["auto", "C minor", "chromatic"]\n'
    text += '[[controller]]\ncc = 4\ncontrol = "range_low"\nlow = 21\nhigh = 60\n'
    text += '[[controller]]\ncc = 5\ncontrol = "length"\nvalues = [0.5, 1, 2]\n'
    path = tmp_path / "mine.toml"
    path.write_text(text)
    plan = load_preset(path, INFOS)
    assert (plan.voices[0].length, plan.voices[0].handover.patience) == (2.0, 0.5)
    assert [m.value_at(127) for m in plan.controllers] == ["chromatic", 60.0, 2.0]
    assert [m.value_at(0) for m in plan.controllers] == ["auto", 21.0, 0.5]
    path.write_text(preset_text(plan))
    assert load_preset(path, INFOS) == plan


@pytest.mark.parametrize(
    ("controller", "told"),
    [
        ('control = "scale"', "values is missing; add values, each a tonic and a scale"),
        ('control = "scale"\nvalues = ["auto", "C minr"]', ' is "C minr"; allowed: a tonic'),
        ('control = "length"\nvalues = [1, 99]', " is 99.0; allowed: a number, 0.125 to 8"),
        ('control = "length"\nvalues = [1]', "values is [1]; allowed: a list of 2 to 128 values"),
        ('control = "length"\nvalues = [1, 2]\nlow = 1', "low has no effect beside values; remove it"),
        ('control = "lenght"', "control is \"lenght\"; did you mean 'length'?"),
        ('control = "range_low"\nhigh = 128', "high is 128.0; allowed: a number, 0 to 127"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, controller: str, told: str) -> None:
    path = tmp_path / "late.toml"
    path.write_text(f"{HEAD}[[controller]]\ncc = 3\n{controller}\n")
    with pytest.raises(AntiphonError) as caught:
        load_preset(path, INFOS)
    assert told in str(caught.value)


def test_a_knob_without_effect_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "late.toml"
    rule = '[[voice]]\ngenerator = "markov"\n[voice.handover]\nby = "turns"\n'
    path.write_text(f'{rule}[[controller]]\ncc = 3\ncontrol = "length"\n[[controller]]\ncc = 4\ncontrol = "patience"\n')
    with pytest.raises(AntiphonError) as caught:
        load_preset(path, INFOS)
    assert "control is 'length', which has no effect while by of that voice is 'turns'" in str(caught.value)
    assert "control is 'patience', which has no effect while by of that voice is 'turns'" in str(caught.value)
