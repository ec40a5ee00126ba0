"""Presets: what a file says, what a mistake in it is answered with, and that the reference names every key."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.duet.plan import (
    ControllerMapping,
    Handover,
    HandoverBy,
    MetronomePlan,
    MorphPlan,
    PartPlan,
    Plan,
    TempoPlan,
    VelocityCurve,
    VoicePlan,
)
from antiphon.duet.routing import output_names
from antiphon.errors import AntiphonError
from antiphon.generator import Constraints, Control, GeneratorInfo
from antiphon.midi.port_names import composed
from antiphon.music.messages import PEDALS
from antiphon.music.midi_file import Score, Track, write_score
from antiphon.music.timing import TimeSignature, next_multiple
from antiphon.notes import Note, Phrase
from antiphon.plugins.host import load_plugins
from antiphon.presets.idle import HANDOVER_KEYS
from antiphon.presets.keys import allowed
from antiphon.presets.library import PresetLibrary
from antiphon.presets.reading import load_preset
from antiphon.presets.schema import (
    TABLES,
    ControllerTable,
    HandoverTable,
    MetronomeTable,
    MorphTable,
    PartTable,
    PresetFile,
    RemoteTable,
    SetlistFile,
    Table,
    TempoControlTable,
    VelocityTable,
    VoiceTable,
)
from antiphon.presets.writer import preset_text

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "presets.md"
SHIPPED = ROOT / "presets" / "antiphon_presets"

MARKOV = GeneratorInfo(
    "markov", "chains", (Control("order", 1, 8, 6, "context"), Control("temperature", 0, 2, 1, "risk"))
)
ECHO = GeneratorInfo("echo", "repeats", (Control("delay", 0, 4, 1, "beats"),), follows="beat")
BLEND = GeneratorInfo("blend", "interpolates", (Control("position", 0, 1, 0.5, "from A to B"),), interpolates=True)
CHOIR = GeneratorInfo("choir", "sings", parts=("soprano", "alto", "bass"))
GENERATORS = {info.name: info for info in (MARKOV, ECHO, BLEND)}
DEFAULTS = {"order": 6.0, "temperature": 1.0}
VOICE = '[[voice]]\ngenerator = "markov"\n'


def load(folder: Path, text: str, name: str = "late.toml") -> Plan:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return load_preset(path, GENERATORS)


def test_the_smallest_preset_is_all_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, VOICE) == Plan(name="late", voices=(VoicePlan(controls=DEFAULTS),))


def test_every_key_reaches_the_plan(tmp_path: Path) -> None:
    (tmp_path / "echo.onnx").touch()
    text = """
    name = "Late night"
    description = "not part of the plan"
    tempo_bpm = 90
    time_signature = "7/8"
    clock_out = true
    seed = 3
    inputs = ["Keystation", "virtual"]
    outputs = ["synth", "IAC"]
    thru = false
    [latency]
    IAC = -5
    [clock_latency]
    Keystation = 2.5
    [tempo_control]
    tap_note = "C7"
    tap_cc = 20
    cc = 21
    low_bpm = 200
    high_bpm = 50
    [metronome]
    on = true
    count_in_bars = 2
    output = "synth"
    channel = 9
    note = "C5"
    accent_note = 84
    velocity = 60
    [[voice]]
    [[voice]]
    generator = "echo"
    model = "echo.onnx"
    mode = "answer"
    launch = "beat"
    touch = "finish_bar"
    answer_bars = 3
    channel = 16
    program = 128
    bank = [87, 2]
    inputs = ["virtual"]
    output = "IAC"
    transpose = -12
    range = ["C3", 72]
    scale = "C pentatonic"
    polyphony = 1
    fallback = "echo"
    velocity = { low = 20, high = 90, gamma = 2 }
    input_channels = [1, 16]
    input_range = ["C4", "C8"]
    [voice.handover]
    by = "trigger"
    trigger_note = "C8"
    trigger_cc = 119
    [voice.controls]
    delay = 2
    [[controller]]
    cc = 74
    voice = 2
    control = "delay"
    low = 3
    [[controller]]
    cc = 1
    control = "order"
    """
    voice = VoicePlan(
        generator="echo",
        model=str(tmp_path / "echo.onnx"),
        follows="beat",
        mode="answer",
        handover=Handover(by="trigger", trigger_note=108, trigger_cc=119),
        answer_bars=3,
        launch="beat",
        touch="finish_bar",
        controls={"delay": 2.0},
        constraints=Constraints(48, 72, frozenset({0, 2, 4, 7, 9}), 1),
        fallback="echo",
        channel=15,
        output="IAC",
        program=127,
        bank=87 * 128 + 2,
        inputs=frozenset({"virtual"}),
        transpose=-12,
        velocity=VelocityCurve(20, 90, 2.0),
        input_channels=frozenset({0, 15}),
        input_low=60,
        input_high=108,
    )
    assert load(tmp_path, text) == Plan(
        name="Late night",
        voices=(VoicePlan(controls=DEFAULTS), voice),
        tempo_bpm=90.0,
        signature=TimeSignature(7, 8),
        clock_out=True,
        seed=3,
        inputs=("Keystation", "virtual"),
        outputs=("synth", "IAC"),
        thru=False,
        controllers=(ControllerMapping(74, 1, "delay", 3.0, 4.0), ControllerMapping(1, 0, "order", 1.0, 8.0)),
        tempo_control=TempoPlan(96, 20, 21, 200.0, 50.0),
        metronome=MetronomePlan(True, 2, "synth", 8, 72, 84, 60),
        latency={"IAC": -5.0},
        clock_latency={"Keystation": 2.5},
    )


def test_no_field_of_the_plan_is_out_of_a_preset_s_reach() -> None:
    """A field added to the plan needs a key; here is how the two are called where they differ."""
    renamed = {"voices": "voice", "signature": "time_signature", "controllers": "controller"}
    assert {renamed.get(field.name, field.name) for field in fields(Plan)} <= set(PresetFile.model_fields)
    # What a generator follows is the generator's own to say.
    renamed = {"follows": "generator", "constraints": "range", "input_low": "input_range", "input_high": "input_range"}
    renamed["heard_scale"] = "scale"
    assert {renamed.get(field.name, field.name) for field in fields(VoicePlan)} <= set(VoiceTable.model_fields)
    assert {field.name for field in fields(Handover)} == set(HandoverTable.model_fields)
    assert {field.name for field in fields(VelocityCurve)} == set(VelocityTable.model_fields)
    assert {field.name for field in fields(MorphPlan)} == set(MorphTable.model_fields)
    assert {field.name for field in fields(TempoPlan)} == set(TempoControlTable.model_fields)
    assert {field.name for field in fields(MetronomePlan)} == set(MetronomeTable.model_fields)


def test_the_scale_may_be_left_to_the_player(tmp_path: Path) -> None:
    (voice,) = load(tmp_path, '[[voice]]\nscale = "auto"\nrange = ["C3", "C5"]').voices
    assert voice.heard_scale
    assert voice.constraints == Constraints(48, 72)
    assert not load(tmp_path, '[[voice]]\nscale = "C major"').voices[0].heard_scale


def test_every_handover_rule_owns_its_keys() -> None:
    assert set(HANDOVER_KEYS) == set(get_args(HandoverBy))
    owned = {name for names in HANDOVER_KEYS.values() for name in names}
    assert owned | {"by"} == set(HandoverTable.model_fields)


def test_a_prompt_is_read_from_beside_the_preset(tmp_path: Path) -> None:
    track = Track("", ((0, b"\x90\x3c\x40"), (480, b"\x80\x3c\x40")))
    write_score(tmp_path / "lick.mid", Score((track,)))
    plan = load(tmp_path, f'prompt = "lick.mid"\n{VOICE}')
    assert plan.prompt is not None
    assert plan.prompt.notes == (Note(0, 60, 480, 64),)


BLENDING = '[[voice]]\ngenerator = "blend"\n'
STEPS = "C3 - E3+G3! . | A3? . . ."
STEPS_NOTES = (Note(0, 48, 240, 84), Note(240, 52, 120, 84), Note(240, 55, 120, 108), Note(480, 57, 120, 56))


def test_a_generator_that_interpolates_plays_from_the_call_to_anything_likely(tmp_path: Path) -> None:
    assert load(tmp_path, f'{BLENDING}mode = "morph"').voices[0].morph == MorphPlan("played", "prior")


def test_in_the_other_modes_it_plays_variations_of_the_call_unless_told_otherwise(tmp_path: Path) -> None:
    assert load(tmp_path, BLENDING).voices[0].morph == MorphPlan("played", "played")
    assert load(tmp_path, f'{BLENDING}morph = {{ b = "prior" }}').voices[0].morph == MorphPlan("played", "prior")


def test_the_ends_of_a_morph_are_whole_bars_of_text_or_of_a_file_beside_the_preset(tmp_path: Path) -> None:
    write_score(tmp_path / "lick.mid", Score((Track("", ((0, b"\x90\x3c\x40"), (2000, b"\x80\x3c\x40"))),)))
    ends = f'[voice.morph]\na = "{STEPS}"\nb = "lick.mid"\ncapture_note = "C8"\ncapture_cc = 20\n'
    plan = load(tmp_path, f'time_signature = "3/4"\n{BLENDING}mode = "morph"\n{ends}')
    lick = Phrase(0, 2880, (Note(0, 60, 2000, 64),))
    assert plan.voices[0].morph == MorphPlan(Phrase(0, 1440, STEPS_NOTES), lick, 108, 20)
    text = preset_text(plan)
    assert "# b: 1 notes, from a MIDI file" in text
    assert 'a = "C3 - E3+G3! . A3? . . . . . . ."' in text


def test_a_voice_whose_generator_does_not_interpolate_has_no_ends(tmp_path: Path) -> None:
    assert load(tmp_path, VOICE).voices[0].morph is None


def test_a_bank_may_be_one_number(tmp_path: Path) -> None:
    (voice,) = load(tmp_path, f"{VOICE}program = 1\nbank = 16383").voices
    assert voice.bank == 16_383
    assert "bank = [127, 127]" in preset_text(Plan(voices=(voice,)))


def test_a_voice_may_listen_to_what_auto_stands_for(tmp_path: Path) -> None:
    voices = load(tmp_path, f'{VOICE}inputs = ["virtual"]\n{VOICE}inputs = ["auto"]').voices
    assert [voice.inputs for voice in voices] == [{"virtual"}, {"auto"}]


def test_a_model_that_is_no_file_is_a_name(tmp_path: Path) -> None:
    assert load(tmp_path, f'{VOICE}model = "small-v2"').voices[0].model == "small-v2"


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufefftempo_bpm = 90\n" + VOICE).tempo_bpm == 90


PITCHES = st.tuples(st.integers(0, 127), st.integers(0, 127)).map(sorted)
HANDOVERS = st.one_of(
    st.builds(Handover, st.just("silence"), st.floats(1, 20), st.floats(0.05, 1), st.floats(1, 30)),
    st.builds(Handover, st.just("pedal"), pedal=st.sampled_from(["sustain", "sostenuto", "soft"])),
    st.builds(Handover, st.just("bars"), bars=st.integers(1, 64)),
    st.builds(
        Handover, st.just("trigger"), trigger_note=st.integers(8, 127), trigger_cc=st.none() | st.integers(8, 119)
    ),
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    signature = TimeSignature(draw(st.integers(1, 32)), draw(st.sampled_from([2, 4, 8, 16])))
    music = Phrase(0, next_multiple(600, signature.bar_ticks), STEPS_NOTES)
    ends = st.sampled_from(["played", "prior", music])
    morphs = st.builds(MorphPlan, ends, ends, st.none() | st.just(3), st.none() | st.just(7))

    def voice(index: int) -> VoicePlan:
        low, high = draw(PITCHES)
        input_low, input_high = draw(PITCHES)
        morph = draw(st.none() | morphs)
        scale = draw(
            st.none() | st.frozensets(st.integers(0, 11), max_size=11).map(lambda classes: classes | {low % 12})
        )
        order = {"order": draw(st.floats(1, 8)), "temperature": draw(st.floats(0, 2))}
        mode = "answer" if morph is None else draw(st.sampled_from(["answer", "morph"]))
        program = draw(st.none() | st.integers(0, 127))
        return VoicePlan(
            generator="markov" if morph is None else "blend",
            mode=mode,
            morph=morph,
            answer_bars=None if mode == "morph" else draw(st.none() | st.integers(1, 64)),
            handover=draw(HANDOVERS),
            launch=draw(st.sampled_from(["now", "beat", "bar"])),
            controls=order if morph is None else {"position": draw(st.floats(0, 1))},
            constraints=Constraints(low, high, None if scale and len(scale) == 12 else scale, draw(st.integers(1, 64))),
            heard_scale=scale is None and draw(st.booleans()),
            channel=4 * index + draw(st.integers(0, 3)),  # Each has a program of its own.
            program=program,
            bank=None if program is None else draw(st.none() | st.integers(0, 16_383)),
            inputs=draw(st.none() | st.frozensets(st.sampled_from(["auto", "virtual"]), min_size=1)),
            velocity=VelocityCurve(draw(st.integers(1, 127)), draw(st.integers(1, 127)), draw(st.floats(0.1, 10))),
            input_channels=draw(st.frozensets(st.integers(0, 15), min_size=1)),
            input_low=input_low,
            input_high=input_high,
        )

    voices = tuple(voice(index) for index in range(draw(st.integers(1, 4))))
    control, value = ("order", draw(st.floats(1, 8))) if voices[0].generator == "markov" else ("position", 0.25)
    # As a preset is read: with whole accented letters.
    written = st.text(st.characters(codec="utf-8"), min_size=1).map(composed)
    names = written.filter(lambda name: not name.startswith("virtual:"))
    meant = st.sampled_from(["auto", "synth", "virtual", "virtual:bass", "virtual:lead 2"])
    outputs = tuple(draw(st.lists(names | meant, min_size=1, unique=True)))
    played = output_names([Plan(outputs=outputs)])
    ports = [name for name in played if name != "synth"]
    sync = draw(st.sampled_from(["internal", "midi", "link"]))
    commands = {3, 7, *PEDALS.values(), *(v.handover.trigger_cc for v in voices)}
    knob = draw(st.sampled_from([number for number in range(120) if number not in commands]))
    used = {knob, *commands}
    used |= {v.handover.trigger_note for v in voices}
    free = st.none() | st.sampled_from([number for number in range(20) if number not in used])
    turned, bpm = draw(free), st.floats(20, 400)
    control_plan = TempoPlan(draw(free), None, turned, *((draw(bpm), draw(bpm)) if turned is not None else ()))
    metronome = MetronomePlan(
        on=draw(st.booleans()),
        count_in_bars=0 if sync == "midi" else draw(st.integers(0, 4)),
        output=draw(st.sampled_from([None, played[-1]])),
        channel=draw(st.integers(0, 15)),
        note=draw(st.integers(0, 127)),
        velocity=draw(st.integers(1, 127)),
    )
    return Plan(
        name=draw(st.text(st.characters(codec="utf-8"), min_size=1)),
        voices=voices,
        tempo_bpm=draw(st.floats(20, 400)),
        signature=signature,
        sync=sync,
        clock_out=draw(st.sampled_from([False, True, tuple(ports[-1:])])) if sync == "internal" and ports else False,
        seed=draw(st.integers(0, 2**63 - 1)),
        outputs=outputs,
        thru=draw(st.booleans()),
        controllers=(ControllerMapping(knob, 0, control, value, 1.0),),
        tempo_control=TempoPlan() if sync == "midi" else control_plan,
        metronome=metronome,
        latency=dict.fromkeys(played[:1], draw(st.floats(-100, 100))),
        clock_latency=draw(st.sampled_from([{}, {"virtual": 1.5}, {"auto": -100.0, "virtual": 0.0}])),
    )


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=50
)
@given(plans())
def test_a_plan_written_as_a_preset_loads_as_the_same_plan(tmp_path: Path, plan: Plan) -> None:
    assert load(tmp_path, preset_text(plan)) == plan


def test_a_written_preset_mentions_its_prompt(tmp_path: Path) -> None:
    write_score(tmp_path / "lick.mid", Score((Track("", ((0, b"\x90\x3c\x40"), (480, b"\x80\x3c\x40"))),)))
    assert "# prompt: 1 notes" in preset_text(load(tmp_path, f'prompt = "lick.mid"\n{VOICE}'))


def test_a_control_may_be_set_by_the_name_of_its_value(tmp_path: Path) -> None:
    infos = {name: registered.info for name, registered in load_plugins().generators.items()}
    path = tmp_path / "late.toml"
    path.write_text('[[voice]]\ngenerator = "notes"\ncontrols = { style = "chorale" }\n')
    assert load_preset(path, infos).voices[0].controls["style"] == "chorale"
    path.write_text('[[voice]]\ngenerator = "notes"\ncontrols = { style = "choral" }\n')
    with pytest.raises(
        AntiphonError, match=r"late.toml:3: .*style is \"choral\"; did you mean 'chorale'\? allowed: \"any\""
    ):
        load_preset(path, infos)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_file_is_sound(tmp_path: Path, path: Path) -> None:
    infos = {name: registered.info for name, registered in load_plugins().generators.items()}
    plans = PresetLibrary([SHIPPED], tmp_path).load_set(str(path), infos)
    assert tomllib.loads(path.read_text("utf-8"))["description"]
    assert all(plan.voices for plan in plans)


def test_the_shipped_presets_do_what_they_are_called_for(tmp_path: Path) -> None:
    infos = {name: registered.info for name, registered in load_plugins().generators.items()}
    answer, trade, continue_ = PresetLibrary([SHIPPED], tmp_path).load_set("evening", infos)
    assert [plan.name for plan in (answer, trade, continue_)] == ["answer", "trade", "continue"]
    (voice,) = answer.voices
    assert (voice.mode, voice.launch, voice.handover.by, voice.answer_bars) == ("answer", "now", "silence", None)
    (voice,) = trade.voices
    assert (voice.mode, voice.handover.by) == ("answer", "turns")
    assert voice.answer_bars == voice.handover.bars
    assert continue_.voices[0].mode == "continue"


def test_the_shipped_presets_of_the_vae_travel_between_what_they_say(tmp_path: Path) -> None:
    infos = {name: registered.info for name, registered in load_plugins().generators.items()}
    library = PresetLibrary([SHIPPED], tmp_path)
    drift, morph, variations = (library.load_set(name, infos)[0] for name in ("drift", "morph", "variations"))
    (voice,) = drift.voices
    assert voice.morph is not None
    assert (voice.mode, voice.controls["ramp_bars"]) == ("morph", 6)
    for end in (voice.morph.a, voice.morph.b):
        assert isinstance(end, Phrase)
        assert end.end_ticks == 2 * 1920
    (voice,) = morph.voices
    assert voice.morph is not None
    assert (voice.mode, voice.morph.a, voice.controls["position"]) == ("morph", "played", 0)
    assert morph.controllers[0] == ControllerMapping(1, 0, "position", 0, 1)
    (voice,) = variations.voices
    assert (voice.mode, voice.morph) == ("answer", MorphPlan("played", "played"))


SECTIONS = {
    PresetFile: "At the top of the file",
    VoiceTable: "`[[voice]]`",
    HandoverTable: "`[voice.handover]`",
    VelocityTable: "`[voice.velocity]`",
    MorphTable: "`[voice.morph]`",
    PartTable: "`[voice.parts.NAME]`",
    ControllerTable: "`[[controller]]`",
    TempoControlTable: "`[tempo_control]`",
    MetronomeTable: "`[metronome]`",
    RemoteTable: "`[remote]`",
    SetlistFile: "A setlist",
}


def reference_row(table: type[Table], key: str) -> str:
    field = table.model_fields[key]
    default = field.default
    if isinstance(default, TimeSignature):
        shown = f"`{default}`"
    else:
        shown = "–" if default in (None, [], {}) or isinstance(default, Table) else f"`{json.dumps(default)}`"
    return f"| `{key}` | {shown} | {allowed(field)} | {field.description} |"


@pytest.mark.parametrize("table", TABLES)
def test_the_reference_has_a_row_for_every_key_and_no_other(table: type[Table]) -> None:
    section = REFERENCE.read_text("utf-8").split(f"\n### {SECTIONS[table]}\n")[1].split("\n### ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert rows == [reference_row(table, key) for key in table.model_fields]


def test_the_reference_s_examples_load_and_its_messages_are_the_real_ones(tmp_path: Path) -> None:
    text = REFERENCE.read_text("utf-8")
    write_score(tmp_path / "blues-lick.mid", Score((Track("", ((0, b"\x90\x3c\x40"), (480, b"\x80\x3c\x40"))),)))
    examples = [block for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if "presets =" not in block]
    assert len(examples) == 3
    for example in examples:
        load(tmp_path, example)
    (messages,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    lines = ['name = "late"', "tempo_bpm = 900", "", "[[voice]]", 'generator = "markof"', "temperature = 1.0", ""]
    with pytest.raises(AntiphonError) as caught:
        load(tmp_path, "\n".join([*lines, "[voice.handover]", "bars = 3"]))
    found = [line.removeprefix(f"{tmp_path}/") for line in str(caught.value).splitlines()]
    assert len(found) == len(messages.splitlines())
    for problem, message in zip(found, messages.splitlines(), strict=True):
        expected = message.replace("late-night", "late").replace(
            'allowed: "markov"', 'allowed: "blend", "echo", "markov"'
        )
        assert problem.startswith(expected.removesuffix("…"))


def test_each_part_has_its_own_channel_sound_and_output_or_the_voice_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(GENERATORS, "choir", CHOIR)
    text = """
    [[voice]]
    generator = "choir"
    channel = 3
    program = 53
    bank = 1
    [voice.parts.soprano]
    channel = 5
    program = 54
    [voice.parts.bass]
    channel = 6
    bank = [1, 2]
    output = "synth"
    """
    plan = load(tmp_path, text)
    assert plan.voices[0].parts == (
        PartPlan("soprano", 4, None, 53, None),
        PartPlan("alto", 2, None, 52, 1),
        PartPlan("bass", 5, "synth", 52, 130),
    )
    assert load(tmp_path, preset_text(plan)) == plan
    assert load(tmp_path, VOICE).voices[0].parts == ()
