"""Presets: what a file says, what a mistake in it is answered with, and that the reference names every key."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.errors import AntiphonError
from antiphon.generator import Constraints, Control, GeneratorInfo
from antiphon.midifile import Score, Track, write_score
from antiphon.notes import Note
from antiphon.plan import ControllerMapping, Handover, HandoverBy, Plan, VelocityCurve, VoicePlan
from antiphon.plugins import load_plugins
from antiphon.preset_library import PresetLibrary
from antiphon.preset_schema import (
    TABLES,
    ControllerTable,
    HandoverTable,
    PresetFile,
    SetlistFile,
    Table,
    VelocityTable,
    VoiceTable,
    allowed,
)
from antiphon.preset_writer import preset_text
from antiphon.presets import HANDOVER_KEYS, load_preset
from antiphon.timing import TimeSignature

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "presets.md"
SHIPPED = ROOT / "presets" / "antiphon_presets"

MARKOV = GeneratorInfo(
    "markov", "chains", (Control("order", 1, 8, 6, "context"), Control("temperature", 0, 2, 1, "risk"))
)
ECHO = GeneratorInfo("echo", "repeats", (Control("delay", 0, 4, 1, "beats"),), follows="beat")
GENERATORS = {info.name: info for info in (MARKOV, ECHO)}
DEFAULTS = {"order": 6.0, "temperature": 1.0}
VOICE = '[[voice]]\ngenerator = "markov"\n'


def load(folder: Path, text: str, name: str = "late.toml") -> Plan:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return load_preset(path, GENERATORS)


def problems(folder: Path, text: str) -> list[str]:
    """What is wrong with `text`, without the folder."""
    with pytest.raises(AntiphonError) as caught:
        load(folder, text)
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


def test_the_smallest_preset_is_all_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, VOICE) == Plan(name="late", voices=(VoicePlan(controls=DEFAULTS),))


def test_every_key_reaches_the_plan(tmp_path: Path) -> None:
    (tmp_path / "echo.onnx").touch()
    text = """
    name = "Late night"
    description = "not part of the plan"
    tempo_bpm = 90
    time_signature = "7/8"
    seed = 3
    inputs = ["Keystation", "virtual"]
    outputs = ["synth", "IAC"]
    thru = false
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
        seed=3,
        inputs=("Keystation", "virtual"),
        outputs=("synth", "IAC"),
        thru=False,
        controllers=(ControllerMapping(74, 1, "delay", 3.0, 4.0), ControllerMapping(1, 0, "order", 1.0, 8.0)),
    )


def test_no_field_of_the_plan_is_out_of_a_preset_s_reach() -> None:
    """A field added to the plan needs a key; here is how the two are called where they differ."""
    renamed = {"voices": "voice", "signature": "time_signature", "controllers": "controller"}
    assert {renamed.get(field.name, field.name) for field in fields(Plan)} <= set(PresetFile.model_fields)
    # What a generator follows is the generator's own to say.
    renamed = {"follows": "generator", "constraints": "range", "input_low": "input_range", "input_high": "input_range"}
    assert {renamed.get(field.name, field.name) for field in fields(VoicePlan)} <= set(VoiceTable.model_fields)
    assert {field.name for field in fields(Handover)} == set(HandoverTable.model_fields)
    assert {field.name for field in fields(VelocityCurve)} == set(VelocityTable.model_fields)


def test_every_handover_rule_owns_its_keys() -> None:
    assert set(HANDOVER_KEYS) == set(get_args(HandoverBy))
    owned = [name for names in HANDOVER_KEYS.values() for name in names]
    assert sorted([*owned, "by"]) == sorted(HandoverTable.model_fields)


def test_a_prompt_is_read_from_beside_the_preset(tmp_path: Path) -> None:
    track = Track("", ((0, b"\x90\x3c\x40"), (480, b"\x80\x3c\x40")))
    write_score(tmp_path / "lick.mid", Score((track,)))
    plan = load(tmp_path, f'prompt = "lick.mid"\n{VOICE}')
    assert plan.prompt is not None
    assert plan.prompt.notes == (Note(0, 60, 480, 64),)


def test_a_model_that_is_no_file_is_a_name(tmp_path: Path) -> None:
    assert load(tmp_path, f'{VOICE}model = "small-v2"').voices[0].model == "small-v2"


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufefftempo_bpm = 90\n" + VOICE).tempo_bpm == 90


HEAD = f"{VOICE}"
MISTAKES = [
    ("tempo_bpm = 900\n" + HEAD, "late.toml:1: tempo_bpm is 900; allowed: a number, 20 to 400"),
    ("tempo_bpm = nan\n" + HEAD, "late.toml:1: tempo_bpm is NaN; allowed: a number, 20 to 400"),
    ('tempo_bpm = "90"\n' + HEAD, 'late.toml:1: tempo_bpm is "90"; allowed: a number, 20 to 400'),
    ("tempo_bpm = true\n" + HEAD, "late.toml:1: tempo_bpm is true; allowed: a number, 20 to 400"),
    ("seed = 1.0\n" + HEAD, "late.toml:1: seed is 1.0; allowed: a whole number, 0 to 9223372036854775807"),
    ("seed = 1979-05-27\n" + HEAD, "late.toml:1: seed is 1979-05-27; allowed: a whole number, 0 to"),
    ("thru = 1\n" + HEAD, "late.toml:1: thru is 1; allowed: true or false"),
    ('name = ""\n' + HEAD, 'late.toml:1: name is ""; allowed: text'),
    ('time_signature = "4/5"\n' + HEAD, 'late.toml:1: time_signature is "4/5"; allowed: 1 to 32 beats over 2, 4, 8 or 16'),
    ("inputs = []\n" + HEAD, "late.toml:1: inputs is []; allowed: a list of names, 1 or more, each once"),
    ('outputs = ["a",\n3]\n' + HEAD, "late.toml:2: outputs[1] is 3; allowed: a list of names, 1 or more, each once"),
    ('outputs = ["a", "a"]\n' + HEAD, 'late.toml:1: outputs is ["a", "a"]; allowed: a list of names, 1 or more, each once'),
    ("tempo = 90\n" + HEAD, "late.toml:1: tempo: unknown key; did you mean 'tempo_bpm'? allowed at the top of a preset: name"),
    ("xyzzy = 90\n" + HEAD, "late.toml:1: xyzzy: unknown key; allowed at the top of a preset: name, description"),
    ('"a.b" = 90\n' + HEAD, 'late.toml:1: "a.b": unknown key; allowed at the top'),
    (HEAD + "seed = 3", "late.toml:3: voice[0].seed: unknown key; it belongs at the top of a preset; allowed in [[voice]]"),
    (HEAD + "temperature = 1", "late.toml:3: voice[0].temperature: unknown key; it belongs in [voice.controls]; allowed in"),
    (HEAD + "temprature = 1", "late.toml:3: voice[0].temprature: unknown key; did you mean 'temperature' in [voice.controls]?"),
    (HEAD + "chanel = 1", "late.toml:3: voice[0].chanel: unknown key; did you mean 'channel'? allowed in [[voice]]: generator"),
    (HEAD + "[voice.handover]\nmin = 1", "late.toml:4: voice[0].handover.min: unknown key;"),
    ("", "late.toml:1: voice: this preset has no voices; allowed: one to four [[voice]] tables"),
    (VOICE * 5, "late.toml:9: voice[4]: this preset has 5 voices; allowed: one to four [[voice]] tables"),
    ("[voice]\n", "late.toml:1: voice is {}; allowed: one to four tables, each headed [[voice]]"),
    ("voice = [{},\n3]", "late.toml:2: voice[1] is 3; allowed: one to four tables, each headed [[voice]]"),
    ("\n[[voice]]\ngenerator = 'markof'", "late.toml:3: voice[0].generator is \"markof\"; did you mean 'markov'? allowed: \"echo\", \"markov\""),
    (HEAD + "fallback = 'lstm'", 'late.toml:3: voice[0].fallback is "lstm"; allowed: "echo", "markov"'),
    (HEAD + "mode = 'anser'", "late.toml:3: voice[0].mode is \"anser\"; did you mean 'answer'? allowed: 'answer' or 'continue'"),
    (HEAD + "channel = 0", "late.toml:3: voice[0].channel is 0; allowed: a whole number, 1 to 16"),
    (HEAD + "input_channels = [17]", "late.toml:3: voice[0].input_channels[0] is 17; allowed: a list, 1 or more of: a whole number, 1 to 16"),
    (HEAD + "range = ['H4', 'C8']", "late.toml:3: voice[0].range[0] is \"H4\"; did you mean 'B4'? allowed: two notes"),
    (HEAD + "range = ['C8', 'C4']", 'late.toml:3: voice[0].range is ["C8", "C4"]; allowed: two notes, the lower first'),
    (HEAD + "range = ['C4']", 'late.toml:3: voice[0].range is ["C4"]; allowed: two notes'),
    (HEAD + "scale = 'C dorain'", "late.toml:3: voice[0].scale is \"C dorain\"; did you mean 'C dorian'? allowed: a tonic and a scale"),
    (HEAD + "scale = ['C']\nrange = ['D4', 'E4']", "late.toml:3: voice[0].scale leaves nothing to play: no note of it lies in the range D4 to E4"),
    (HEAD + "velocity = { gamma = 0 }", "late.toml:3: voice[0].velocity.gamma is 0; allowed: a number, 0.1 to 10"),
    (HEAD + "output = 'synht'", 'late.toml:3: voice[0].output is "synht"; did you mean \'synth\'? allowed: "synth", "virtual"'),
    (HEAD + "model = 'no/such.onnx'", 'late.toml:3: voice[0].model is "no/such.onnx"; there is no such file:'),
    (HEAD + "mode = 'continue'\nanswer_bars = 2", "late.toml:4: voice[0].answer_bars has no effect while mode is 'continue'; remove it"),
    (HEAD + "controls = { order = 9 }", "late.toml:3: voice[0].controls.order is 9.0; allowed: a number, 1 to 8"),
    (HEAD + "controls = { order = 'x' }", 'late.toml:3: voice[0].controls.order is "x"; allowed: a number'),
    (HEAD + "controls.ordr = 9", "late.toml:3: voice[0].controls.ordr: generator 'markov' has no such control; did you mean 'order'? allowed: \"order\""),
    (HEAD + "controls = 3", "late.toml:3: voice[0].controls is 3; allowed: a table"),
    (HEAD + "[voice.handover]\nbars = 2", "late.toml:4: voice[0].handover.bars has no effect while by is 'silence'; remove it, or set by = \"bars\""),
    (HEAD + "[voice.handover]\nby = 'trigger'", "late.toml:4: voice[0].handover.by is 'trigger', but nothing triggers; add trigger_note or"),
    (HEAD + "[voice.handover]\nmin_seconds = 2", "late.toml:4: voice[0].handover.min_seconds is 2.0; allowed: max_seconds (1.5) or less"),
    (HEAD + "[[controller]]\ncontrol = 'order'", "late.toml:3: controller[0].cc is missing; add cc to this [[controller]]"),
    (HEAD + "[[controller]]\ncc = 1", "late.toml:3: controller[0].control is missing; add control to this [[controller]]"),
    (HEAD + "[[controller]]\ncc = 120\ncontrol = 'order'", "late.toml:4: controller[0].cc is 120; allowed: a whole number, 0 to 119"),
    (HEAD + "[[controller]]\ncc = 1\ncontrol = 'ordr'", "late.toml:5: controller[0].control is \"ordr\"; did you mean 'order'? allowed: \"order\", "),
    (HEAD + "[[controller]]\ncc = 1\ncontrol = 'order'\nlow = 0", "late.toml:6: controller[0].low is 0.0; allowed: a number, 1 to 8"),
    (HEAD + "[[controller]]\ncc = 1\ncontrol = 'order'\nvoice = 2", "late.toml:6: controller[0].voice is 2; allowed: a whole number, 1 to 1, as there"),
    ("prompt = 'no.mid'\n" + HEAD, "late.toml:1: prompt is \"no.mid\": cannot read "),
    ("preset = ['a']\n" + HEAD, "late.toml:1: preset: unknown key; did you mean 'presets' in a setlist? allowed at"),
    ("x = 1\n\ny = \n", "late.toml:3: is not valid TOML: Invalid value, column 5"),
    ("a = 1\na = 2\n", "late.toml:2: is not valid TOML: Cannot overwrite a value, column 6"),
    ('a = 1\nb = "\n', "late.toml:2: is not valid TOML: Illegal character"),
    ("a = 1\nb = [1,\n\n", "late.toml:2: is not valid TOML: Invalid value at the end"),
    (f"a = {'[' * 5000}", "late.toml: lists or tables are nested too deeply"),
    (f"a = {'9' * 5000}", "late.toml: is not valid TOML: Exceeds the limit"),
    ("presets = ['a']", "late.toml: is a setlist; a preset is needed here"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "problem"), MISTAKES, ids=[problem[:60] for _, problem in MISTAKES])
def test_a_mistake_is_told_with_its_line_its_value_and_what_is_allowed(tmp_path: Path, text: str, problem: str) -> None:
    found = problems(tmp_path, text)
    assert len(found) == 1, found
    assert found[0].removeprefix(f"{tmp_path}/").startswith(problem)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "\n".join(
        [
            "tempo_bpm = 900",
            "[[voice]]",
            "generator = 'markof'",
            "chanel = 3",
            "[voice.handover]",
            "by = 'trigr'",
            "trigger_note = 'C8'",  # Not to be blamed for what is wrong with `by`.
            "[[voice]]",
            "controls = { order = 9, ordr = 1 }",
            "[[controller]]",
            "cc = 128",
            "control = 'temprature'",
            "voice = 2",
        ]
    )
    found = [re.match(r"late\.toml:(\d+): ([\w.\[\]]+)", problem) for problem in problems(tmp_path, text)]
    assert [match and (int(match[1]), match[2]) for match in found] == [
        (1, "tempo_bpm"),
        (3, "voice[0].generator"),
        (4, "voice[0].chanel"),
        (6, "voice[0].handover.by"),
        (9, "voice[1].controls.order"),
        (9, "voice[1].controls.ordr"),
        (11, "controller[0].cc"),
        (12, "controller[0].control"),
    ]


def test_a_long_value_is_shown_in_part(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f"thru = '{'x' * 500}'\n{VOICE}")
    assert len(problem) < 200


def test_a_file_that_is_not_utf_8_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "late.toml"
    path.write_bytes(b'# 1\nname = "caf\xe9"\n')
    with pytest.raises(AntiphonError, match=r"late\.toml:2: byte 0xe9 is not UTF-8 text; save the file as UTF-8$"):
        load_preset(path, GENERATORS)


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(AntiphonError, match="cannot be read: "):
        load_preset(tmp_path / name, GENERATORS)


ANY_VALUE = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-200, 200),
        st.floats(),
        st.text(st.characters(codec="utf-8"), max_size=5),
        st.sampled_from(["markov", "echo", "auto", "C4", "C major", "continue", "trigger", "bars", "order", "4/4"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(sorted({key for table in TABLES for key in table.model_fields})), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.dictionaries(st.sampled_from([*PresetFile.model_fields, "temperature", "x y"]), ANY_VALUE, max_size=6),
    st.lists(st.dictionaries(st.sampled_from([*VoiceTable.model_fields, "order"]), ANY_VALUE, max_size=5), max_size=5),
)
def test_any_file_becomes_a_plan_or_is_refused_line_by_line(
    tmp_path: Path, top: dict[str, Any], voices: list[dict[str, Any]]
) -> None:
    document = {"voice": voices, **top}
    text = "".join(f"{json.dumps(key)} = {inline(value)}\n" for key, value in document.items())
    try:
        plan = load(tmp_path, text)
    except AntiphonError as error:
        assert all(
            line.startswith(str(tmp_path)) and re.match(r".*?late\.toml(:\d+)?: ", line)
            for line in str(error).splitlines()
        )
    else:
        assert 1 <= len(plan.voices) <= 4


def inline(value: Any) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)} = {inline(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, float):
        return str(value)
    return json.dumps(value).replace("\x7f", "\\u007f")


PITCHES = st.tuples(st.integers(0, 127), st.integers(0, 127)).map(sorted)
HANDOVERS = st.one_of(
    st.builds(Handover, st.just("silence"), st.floats(1, 20), st.floats(0.05, 1), st.floats(1, 30)),
    st.builds(Handover, st.just("pedal"), pedal=st.sampled_from(["sustain", "sostenuto", "soft"])),
    st.builds(Handover, st.just("bars"), bars=st.integers(1, 64)),
    st.builds(
        Handover, st.just("trigger"), trigger_note=st.integers(0, 127), trigger_cc=st.none() | st.integers(0, 119)
    ),
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    def voice() -> VoicePlan:
        low, high = draw(PITCHES)
        input_low, input_high = draw(PITCHES)
        scale = draw(
            st.none() | st.frozensets(st.integers(0, 11), max_size=11).map(lambda classes: classes | {low % 12})
        )
        return VoicePlan(
            answer_bars=draw(st.none() | st.integers(1, 64)),
            handover=draw(HANDOVERS),
            launch=draw(st.sampled_from(["now", "beat", "bar"])),
            controls={"order": draw(st.floats(1, 8)), "temperature": draw(st.floats(0, 2))},
            constraints=Constraints(low, high, None if scale and len(scale) == 12 else scale, draw(st.integers(1, 64))),
            channel=draw(st.integers(0, 15)),
            program=draw(st.none() | st.integers(0, 127)),
            velocity=VelocityCurve(draw(st.integers(1, 127)), draw(st.integers(1, 127)), draw(st.floats(0.1, 10))),
            input_channels=draw(st.frozensets(st.integers(0, 15), min_size=1)),
            input_low=input_low,
            input_high=input_high,
        )

    return Plan(
        name=draw(st.text(st.characters(codec="utf-8"), min_size=1)),
        voices=tuple(voice() for _ in range(draw(st.integers(1, 4)))),
        tempo_bpm=draw(st.floats(20, 400)),
        signature=TimeSignature(draw(st.integers(1, 32)), draw(st.sampled_from([2, 4, 8, 16]))),
        seed=draw(st.integers(0, 2**63 - 1)),
        outputs=tuple(draw(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, unique=True))),
        thru=draw(st.booleans()),
        controllers=(ControllerMapping(draw(st.integers(0, 119)), 0, "order", draw(st.floats(1, 8)), 8.0),),
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(plans())
def test_a_plan_written_as_a_preset_loads_as_the_same_plan(tmp_path: Path, plan: Plan) -> None:
    assert load(tmp_path, preset_text(plan)) == plan


def test_a_written_preset_mentions_its_prompt(tmp_path: Path) -> None:
    write_score(tmp_path / "lick.mid", Score((Track("", ((0, b"\x90\x3c\x40"), (480, b"\x80\x3c\x40"))),)))
    assert "# prompt: 1 notes" in preset_text(load(tmp_path, f'prompt = "lick.mid"\n{VOICE}'))


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
    assert (voice.mode, voice.launch, voice.handover.by) == ("answer", "bar", "bars")
    assert voice.answer_bars == voice.handover.bars
    assert continue_.voices[0].mode == "continue"


SECTIONS = {
    PresetFile: "At the top of the file",
    VoiceTable: "`[[voice]]`",
    HandoverTable: "`[voice.handover]`",
    VelocityTable: "`[voice.velocity]`",
    ControllerTable: "`[[controller]]`",
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
    assert len(examples) == 2
    for example in examples:
        load(tmp_path, example)
    (messages,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    lines = ['name = "late"', "tempo_bpm = 900", "", "[[voice]]", 'generator = "markof"', "temperature = 1.0", ""]
    found = problems(tmp_path, "\n".join([*lines, "[voice.handover]", "bars = 3"]))
    assert len(found) == len(messages.splitlines())
    for problem, message in zip(found, messages.splitlines(), strict=True):
        expected = message.replace("late-night", "late").replace('allowed: "markov"', 'allowed: "echo", "markov"')
        assert problem.startswith(expected.removesuffix("…"))
