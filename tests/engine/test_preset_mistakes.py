"""Mistakes in presets: each is told with its line, its value, what is allowed, and the nearest known name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.errors import AntiphonError
from antiphon.generator import Control, GeneratorInfo
from antiphon.plan import Plan
from antiphon.preset_schema import TABLES, PresetFile, VoiceTable
from antiphon.presets import load_preset

MARKOV = GeneratorInfo(
    "markov", "chains", (Control("order", 1, 8, 6, "context"), Control("temperature", 0, 2, 1, "risk"))
)
BLEND = GeneratorInfo("blend", "interpolates", interpolates=True)
GENERATORS = {"markov": MARKOV, "echo": GeneratorInfo("echo", "repeats")}
VOICE = '[[voice]]\ngenerator = "markov"\n'
MANY = 5_000
"""Digits or brackets that no parser is glad of."""


def load(folder: Path, text: str) -> Plan:
    path = folder / "late.toml"
    path.write_text(text, encoding="utf-8")
    return load_preset(path, GENERATORS)


def problems(folder: Path, text: str) -> list[str]:
    """What is wrong with `text`, without the folder."""
    with pytest.raises(AntiphonError) as caught:
        load(folder, text)
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


AT_THE_TOP = [
    ("tempo_bpm = 900", 1, "tempo_bpm is 900; allowed: a number, 20 to 400"),
    ("tempo_bpm = nan", 1, "tempo_bpm is NaN; allowed: a number, 20 to 400"),
    ('tempo_bpm = "90"', 1, 'tempo_bpm is "90"; allowed: a number, 20 to 400'),
    ("tempo_bpm = true", 1, "tempo_bpm is true; allowed: a number, 20 to 400"),
    ("seed = 1.0", 1, "seed is 1.0; allowed: a whole number, 0 to 9223372036854775807"),
    ("seed = 1979-05-27", 1, "seed is 1979-05-27; allowed: a whole number, 0 to"),
    ("thru = 1", 1, "thru is 1; allowed: true or false"),
    ('name = ""', 1, 'name is ""; allowed: text'),
    ('sync = "daw"', 1, "sync is \"daw\"; allowed: 'internal' or 'midi' or 'link'"),
    ("clock_out = 1", 1, "clock_out is 1; allowed: true, false, or a list of `outputs`"),
    ("clock_out = []", 1, "clock_out is []; allowed: true, false, or a list"),
    ('clock_out = ["synth"]', 1, 'clock_out is "synth"; allowed: "virtual"'),
    ('outputs = ["synth"]\nclock_out = true', 2, "clock_out has no effect: there is no port among outputs"),
    ('sync = "midi"\nclock_out = true', 2, "clock_out has no effect while sync is 'midi'; remove it, or set"),
    ('time_signature = "4/5"', 1, 'time_signature is "4/5"; allowed: 1 to 32 beats over 2, 4, 8 or 16'),
    ("inputs = []", 1, "inputs is []; allowed: a list of names, 1 or more, each once"),
    ('outputs = ["a",\n3]', 2, "outputs[1] is 3; allowed: a list of names, 1 or more, each once"),
    (
        'outputs = ["virtual:a:b"]',
        1,
        "outputs has \"virtual:a:b\": the name of a port of our own is 1 to 32 letters, digits, spaces, '-', '.'",
    ),
    ('inputs = ["virtual:in"]', 1, "inputs has \"virtual:in\": plain 'virtual' is called 'in' already; choose another"),
    ('outputs = ["a", "a"]', 1, 'outputs is ["a", "a"]; allowed: a list of names, 1 or more, each once'),
    ("tempo = 90", 1, "tempo: unknown key; did you mean 'tempo_bpm'? allowed at the top of a preset: name"),
    ("xyzzy = 90", 1, "xyzzy: unknown key; allowed at the top of a preset: name, description"),
    ('"a.b" = 90', 1, '"a.b": unknown key; allowed at the top'),
    ("prompt = 'no.mid'", 1, 'prompt is "no.mid": cannot read '),
    ("preset = ['a']", 1, "preset: unknown key; did you mean 'presets' in a setlist? allowed at"),
    ("tap_note = 60", 1, "tap_note: unknown key; it belongs in [tempo_control]; allowed at the top"),
    ("latency = 5", 1, "latency is 5; allowed: milliseconds, -100 to 100, each under the name of a port"),
    ("[latency]\nsynth = 101", 2, "latency.synth is 101; allowed: milliseconds, -100 to 100, each under the name"),
    (
        "[latency]\nvirtal = 1",
        2,
        'latency.virtal: there is no such port among outputs; did you mean \'virtual\'? allowed: "synth", "virtual"',
    ),
    (
        'inputs = ["Keys"]\n[clock_latency]\nvirtual = 1',
        3,
        'clock_latency.virtual: there is no such port among inputs; allowed: "Keys"',
    ),
    ("[tempo_control]\ntap_nte = 60", 2, "tempo_control.tap_nte: unknown key; did you mean 'tap_note'?"),
    ("[tempo_control]\ncc = 1\nlow_bpm = 10", 3, "tempo_control.low_bpm is 10; allowed: a number, 20 to 400"),
    ("[tempo_control]\nhigh_bpm = 90", 2, "tempo_control.high_bpm has no effect without cc; add cc, or remove it"),
    ("[tempo_control]\ntap_cc = 9\ncc = 9", 3, "tempo_control.cc is 9, which taps the beat already; choose another"),
    (
        "sync = 'midi'\n[tempo_control]\ntap_note = 60",
        3,
        "tempo_control.tap_note has no effect while sync is 'midi'; remove it, or set sync = \"internal\"",
    ),
    (
        "controller = [{ cc = 9, control = 'order' }]\n[tempo_control]\ntap_cc = 9",
        3,
        "tempo_control.tap_cc is 9, which turns a control already; choose another",
    ),
    ("[metronome]\ncount_in_bars = 5", 2, "metronome.count_in_bars is 5; allowed: a whole number, 0 to 4"),
    ("[metronome]\noutput = 'synht'", 2, "metronome.output is \"synht\"; did you mean 'synth'? allowed:"),
    (
        "sync = 'midi'\n[metronome]\ncount_in_bars = 1",
        3,
        "metronome.count_in_bars has no effect while sync is 'midi'; remove it, or set",
    ),
]
"""What is written above the voice, the line of the problem, and how its telling begins."""
IN_A_VOICE = [
    ("seed = 3", 1, "seed: unknown key; it belongs at the top of a preset; allowed in [[voice]]"),
    ("temperature = 1", 1, "temperature: unknown key; it belongs in [voice.controls]; allowed in"),
    ("temprature = 1", 1, "temprature: unknown key; did you mean 'temperature' in [voice.controls]?"),
    ("chanel = 1", 1, "chanel: unknown key; did you mean 'channel'? allowed in [[voice]]: generator"),
    ("[voice.handover]\nmin = 1", 2, "handover.min: unknown key;"),
    ("fallback = 'lstm'", 1, 'fallback is "lstm"; allowed: "echo", "markov"'),
    ("mode = 'anser'", 1, "mode is \"anser\"; did you mean 'answer'? allowed: 'answer' or 'continue'"),
    ("channel = 0", 1, "channel is 0; allowed: a whole number, 1 to 16"),
    ("input_channels = [17]", 1, "input_channels[0] is 17; allowed: a list, 1 or more of: a whole number, 1 to 16"),
    ("range = ['H4', 'C8']", 1, "range[0] is \"H4\"; did you mean 'B4'? allowed: two notes"),
    ("range = ['C8', 'C4']", 1, 'range is ["C8", "C4"]; allowed: two notes, the lower first'),
    ("range = ['C4']", 1, 'range is ["C4"]; allowed: two notes'),
    ("scale = 'C dorain'", 1, "scale is \"C dorain\"; did you mean 'C dorian'? allowed: a tonic and a scale"),
    (
        "scale = ['C']\nrange = ['D4', 'E4']",
        1,
        "scale leaves nothing to play: no note of it lies in the range D4 to E4",
    ),
    ("velocity = { gamma = 0 }", 1, "velocity.gamma is 0; allowed: a number, 0.1 to 10"),
    ("output = 'synht'", 1, 'output is "synht"; did you mean \'synth\'? allowed: "synth", "virtual"'),
    (
        "program = 1\nbank = 16384",
        2,
        "bank is 16384; allowed: [MSB, LSB], each a whole number, 0 to 127, or one, 0 to 16383",
    ),
    ("program = 1\nbank = [1]", 2, "bank is [1]; allowed: [MSB, LSB]"),
    ("program = 1\nbank = [1, 128]", 2, "bank is [1, 128]; allowed: [MSB, LSB]"),
    ("program = 1\nbank = true", 2, "bank is true; allowed: [MSB, LSB]"),
    ("bank = 3", 1, "bank has no effect without a program, for a synth takes the two together; add program"),
    ("inputs = ['keys']", 1, 'inputs is "keys"; allowed: "auto", "virtual"'),
    ("inputs = []", 1, "inputs is []; allowed: a list of names, 1 or more, each once"),
    ("model = 'no/such.onnx'", 1, 'model is "no/such.onnx"; there is no such file:'),
    ("mode = 'continue'\nanswer_bars = 2", 2, "answer_bars has no effect while mode is 'continue'; remove it"),
    ("controls = { order = 9 }", 1, "controls.order is 9.0; allowed: a number, 1 to 8"),
    ("controls = { order = 'x' }", 1, 'controls.order is "x"; allowed: a number'),
    (
        "controls.ordr = 9",
        1,
        "controls.ordr: generator 'markov' has no such control; did you mean 'order'? allowed: \"order\"",
    ),
    ("controls = 3", 1, "controls is 3; allowed: a table"),
    (
        "[voice.handover]\nbars = 2",
        2,
        "handover.bars has no effect while by is 'silence'; remove it, or set by = \"bars\"",
    ),
    ("[voice.handover]\nby = 'trigger'", 2, "handover.by is 'trigger', but nothing triggers; add trigger_note or"),
    ("[voice.handover]\nmin_seconds = 2", 2, "handover.min_seconds is 2.0; allowed: max_seconds (1.5) or less"),
    (
        "mode = 'morph'",
        1,
        "mode is 'morph', but generator 'markov' does not interpolate; those that do: none",
    ),
    ("mode = 'accompany'\ntouch = 'stop'", 2, "touch has no effect while mode is 'accompany'; remove it, or"),
    ("mode = 'accompany'\n[voice.handover]\nby = 'bars'", 3, "handover.by is 'bars', but mode is 'accompany'; "),
    ("mode = 'continue'\n[voice.handover]\nby = 'turns'", 3, "handover.by is 'turns', but mode is 'continue'; "),
    ("mode = 'accompany'\n[voice.handover]\nmin_seconds = 1", 3, "handover.min_seconds has no effect while mode "),
    ("launch = 'bar'\n[voice.handover]\nby = 'turns'", 1, "launch has no effect while by is 'turns'; remove"),
    ("launch = '17_bars'", 1, "launch is \"17_bars\"; allowed: 'now', 'beat', 'half_bar', 'bar', or groups of bars: "),
    ("touch = 'finish'", 1, "touch is \"finish\"; allowed: 'stop', 'finish_beat', 'finish_half_bar',"),
    ("[voice.morph]\na = 'played'", 1, "morph is given, but generator 'markov' does not interpolate"),
    ("[voice.morph]\ncapture_c = 9", 2, "morph.capture_c: unknown key; did you mean 'capture_cc'? allowed in [voice."),
]
"""The same, below `[[voice]]` and `generator`; lines count from there, and keys belong to the voice."""
IN_A_MORPH = [
    ("mode = 'morph'\nanswer_bars = 2", 2, "answer_bars has no effect while mode is 'morph'; remove it, or set"),
    ("mode = 'accompany'", 1, "mode is 'accompany', but generator 'blend' plays loops; allowed: 'answer'"),
    ("[voice.morph]\na = 3", 2, "morph.a is 3; allowed: 'played', 'prior', a MIDI file's path"),
    ("[voice.morph]\na = 'C3 H3'", 2, "morph.a is \"C3 H3\": 'H3' is no note; allowed: 'played', 'prior', a MIDI"),
    ("[voice.morph]\nb = 'no.mid'", 2, 'morph.b is "no.mid": cannot read '),
    ("[voice.morph]\ncapture_note = 'C9'\ncapture_cc = 120", 3, "morph.capture_cc is 120; allowed: a whole number"),
    (
        "[voice.morph]\ncapture_cc = 9\n[voice.handover]\nby = 'trigger'\ntrigger_cc = 9",
        2,
        "morph.capture_cc is 9, which hands over already; choose another",
    ),
]
"""The same, for a generator that interpolates."""
IN_A_CONTROLLER = [
    ("control = 'order'", 0, "cc is missing; add cc to this [[controller]]"),
    ("cc = 1", 0, "control is missing; add control to this [[controller]]"),
    ("cc = 120\ncontrol = 'order'", 1, "cc is 120; allowed: a whole number, 0 to 119"),
    ("cc = 1\ncontrol = 'ordr'", 2, 'control is "ordr"; did you mean \'order\'? allowed: "length", "order", '),
    ("cc = 1\ncontrol = 'order'\nlow = 0", 3, "low is 0.0; allowed: a number, 1 to 8"),
    ("cc = 1\ncontrol = 'order'\nvoice = 2", 3, "voice is 2; allowed: a whole number, 1 to 1, as there"),
]
"""The same, below `[[controller]]`; 0 is the line of the heading."""

IN_THE_WHOLE = [
    ("", ":1: voice: this preset has no voices; allowed: one to four [[voice]] tables"),
    (VOICE * 5, ":9: voice[4]: this preset has 5 voices; allowed: one to four [[voice]] tables"),
    ("[voice]\n", ":1: voice is {}; allowed: one to four tables, each headed [[voice]]"),
    ("voice = [{},\n3]", ":2: voice[1] is 3; allowed: one to four tables, each headed [[voice]]"),
    (
        "\n[[voice]]\ngenerator = 'markof'",
        ':3: voice[0].generator is "markof"; did you mean \'markov\'? allowed: "echo",',
    ),
    ("x = 1\n\ny = \n", ":3: is not valid TOML: Invalid value, column 5"),
    ("a = 1\na = 2\n", ":2: is not valid TOML: Cannot overwrite a value, column 6"),
    ('a = 1\nb = "\n', ":2: is not valid TOML: Illegal character"),
    ("a = 1\nb = [1,\n\n", ":2: is not valid TOML: Invalid value at the end"),
    (f"a = {'[' * MANY}", ": lists or tables are nested too deeply"),
    (f"a = {'9' * MANY}", ": is not valid TOML: Exceeds the limit"),
    ("presets = ['a']", ": is a setlist; a preset is needed here"),
]
"""A whole file, and what follows its name."""


@pytest.mark.parametrize(("text", "line", "problem"), AT_THE_TOP)
def test_a_mistake_at_the_top_is_told(tmp_path: Path, text: str, line: int, problem: str) -> None:
    (found,) = problems(tmp_path, f"{text}\n{VOICE}")
    assert found.startswith(f"late.toml:{line}: {problem}")


@pytest.mark.parametrize(("text", "line", "problem"), IN_A_VOICE)
def test_a_mistake_in_a_voice_is_told(tmp_path: Path, text: str, line: int, problem: str) -> None:
    (found,) = problems(tmp_path, f"{VOICE}{text}")
    assert found.startswith(f"late.toml:{line + 2}: voice[0].{problem}")


@pytest.mark.parametrize(("text", "line", "problem"), IN_A_MORPH)
def test_a_mistake_in_a_morph_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, line: int, problem: str
) -> None:
    monkeypatch.setitem(GENERATORS, "blend", BLEND)
    (found,) = problems(tmp_path, f"[[voice]]\ngenerator = 'blend'\n{text}")
    assert found.startswith(f"late.toml:{line + 2}: voice[0].{problem}")


@pytest.mark.parametrize(("text", "line", "problem"), IN_A_CONTROLLER)
def test_a_mistake_in_a_controller_is_told(tmp_path: Path, text: str, line: int, problem: str) -> None:
    (found,) = problems(tmp_path, f"{VOICE}[[controller]]\n{text}")
    assert found.startswith(f"late.toml:{line + 3}: controller[0].{problem}")


@pytest.mark.parametrize(("text", "problem"), IN_THE_WHOLE, ids=[problem for _, problem in IN_THE_WHOLE])
def test_a_mistake_in_the_whole_is_told(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems(tmp_path, text)
    assert found.startswith(f"late.toml{problem}")


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


@pytest.mark.parametrize(
    ("rule", "tempo", "problem"),
    [
        ("by = 'trigger'\ntrigger_note = 'C8'", "tap_note = 108", "tap_note is C8, which hands over already"),
        ("by = 'trigger'\ntrigger_cc = 9", "cc = 9", "cc is 9, which hands over already"),
        ("by = 'pedal'", "tap_cc = 66", "tap_cc is 66, which hands over already"),
    ],
)
def test_what_hands_over_cannot_move_the_tempo(tmp_path: Path, rule: str, tempo: str, problem: str) -> None:
    text = f"[tempo_control]\n{tempo}\n{VOICE}[voice.handover]\n{rule}\n"
    assert problems(tmp_path, text) == [f"late.toml:2: tempo_control.{problem}; choose another"]


def test_a_long_value_is_shown_in_part(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f"thru = '{'x' * 500}'\n{VOICE}")
    assert len(problem) < 200


def test_what_does_not_print_is_escaped(tmp_path: Path) -> None:
    found = problems(tmp_path, f'"\\u009bx\\u2028" = 1\n{VOICE}mode = "\\u001b[2J\\u0085"')
    assert found[0].startswith('late.toml:1: "\\x9bx\\u2028": unknown key')
    assert found[1].startswith('late.toml:4: voice[0].mode is "\\u001b[2J\\x85"; allowed')


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
        told = [f"{tmp_path}/late.toml:0: {voice}" for voice in load(tmp_path, text).voices]
    except AntiphonError as error:
        told = str(error).splitlines()
    assert told
    assert all(re.match(r"late\.toml(:\d+)?: .", line.removeprefix(f"{tmp_path}/")) for line in told)


def inline(value: Any) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)} = {inline(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, float):
        return str(value)
    return json.dumps(value).replace("\x7f", "\\u007f")
