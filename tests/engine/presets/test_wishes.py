"""Wishes of the command line beside a preset: what they change, and what is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import antiphon_presets
from antiphon.cli import app
from antiphon.cli.files import add_commands
from antiphon.duet.plan import ControllerMapping, Plan
from antiphon.errors import AntiphonError
from antiphon.generator import Constraints
from antiphon.music.messages import is_note_on, note_off, note_on
from antiphon.music.midi_file import Score, Track, read_score, write_score
from antiphon.plugins.host import load_plugins
from antiphon.presets.library import PresetLibrary
from antiphon.presets.wishes import Wishes, setting

INFOS = {name: registered.info for name, registered in load_plugins().generators.items()}
SHIPPED = sorted(path.stem for path in Path(antiphon_presets.__file__).parent.glob("*.toml"))
C_MINOR = frozenset({0, 2, 3, 5, 7, 8, 10})


def plans(preset: str, wishes: Wishes | None = None) -> tuple[Plan, ...]:
    library = PresetLibrary([Path(antiphon_presets.__file__).parent], Path("nowhere"))
    return (wishes or Wishes()).granted(library.load_set(preset, INFOS), INFOS)


def test_nothing_wished_for_changes_nothing() -> None:
    for preset in SHIPPED:
        assert plans(preset) == plans(preset, Wishes(controls=()))


def test_controls_key_and_bars_are_granted_together() -> None:
    wishes = Wishes(
        bars=2,
        key="C minor",
        controls=(setting("temperature=0.4"), setting(" range_low = C3"), setting("length=2"), setting("patience=0.5")),
    )
    (plan,) = plans("answer", wishes)
    (voice,) = plan.voices
    assert voice.controls["temperature"] == 0.4
    assert voice.constraints == Constraints(48, 96, C_MINOR, 12)
    assert (voice.answer_bars, voice.length, voice.handover.patience) == (2, 2.0, 0.5)


def test_a_key_of_one_s_own_takes_the_place_of_the_one_that_is_heard_and_the_other_way_round() -> None:
    (fixed,) = plans("grid", Wishes(key="C minor"))
    assert (fixed.voices[0].heard_scale, fixed.voices[0].constraints.scale) == (False, C_MINOR)
    (heard,) = plans("answer", Wishes(key="auto"))
    assert (heard.voices[0].heard_scale, heard.voices[0].constraints.scale) == (True, None)


def test_of_turns_both_are_so_long() -> None:
    (plan,) = plans("trade", Wishes(bars=2))
    assert (plan.voices[0].answer_bars, plan.voices[0].handover.bars) == (2, 2)


def test_a_setlist_grants_a_wish_to_every_voice_that_it_can_have_an_effect_on() -> None:
    answer, trade, goes_on = plans("evening", Wishes(bars=2, controls=[("temperature", 0.4), ("trust", 0.1)]))
    assert [plan.voices[0].controls["temperature"] for plan in (answer, trade, goes_on)] == [0.4] * 3
    assert "trust" not in answer.voices[0].controls
    assert goes_on.voices[0].controls["trust"] == 0.1
    assert [plan.voices[0].answer_bars for plan in (answer, trade, goes_on)] == [2, 2, None]


def test_another_generator_keeps_the_controls_and_knobs_that_it_has_too() -> None:
    (plan,) = plans("answer", Wishes(generator="markov"))
    (voice,) = plan.voices
    assert (voice.generator, voice.model, voice.follows) == ("markov", None, "free")
    assert voice.controls == {"order": 8.0, "trust": 0.7, "temperature": 0.9, "density": 0.5}
    assert [mapping.control for mapping in plan.controllers] == ["temperature", "density"]
    (plan,) = plans("answer", Wishes(generator="grid-transformer"))
    assert plan.voices[0].follows == "beat"


def test_a_knob_goes_through_all_of_a_control_whose_bounds_are_others_and_one_without_a_control_is_gone() -> None:
    (plan,) = plans("variations", Wishes(generator="markov"))
    assert plan.controllers == (ControllerMapping(11, 0, "density", 0, 1),)
    assert plan.voices[0].morph is None
    (plan,) = plans("answer", Wishes(generator="vae"))
    assert plan.voices[0].morph is not None
    assert plan.voices[0].morph.b == "played"


def test_a_model_is_a_file_by_its_path_or_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.onnx").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    (plan,) = plans("answer", Wishes(model="mine.onnx"))
    assert plan.voices[0].model == str(tmp_path / "mine.onnx")
    assert plan.voices[0].generator == "notes"
    assert plans("answer", Wishes(model="jazz"))[0].voices[0].model == "jazz"


@pytest.mark.parametrize(
    ("preset", "wishes", "told"),
    [
        ("answer", Wishes(key="C minr"), "--key is 'C minr'; did you mean 'C minor'? allowed: a tonic and a scale"),
        ("answer", Wishes(key="H"), "--key is 'H'; allowed: a tonic"),
        ("answer", Wishes(controls=[("scale", 3.0)]), "--set scale is '3'; allowed: a tonic"),
        ("answer", Wishes(controls=[("temperature", 9.0)]), "--set temperature is 9; allowed: a number, 0 to 2"),
        ("answer", Wishes(controls=[("temperature", "hot")]), "--set temperature is 'hot'; allowed: a number, 0 to 2"),
        ("answer", Wishes(controls=[("range_low", "H4")]), "is 'H4'; allowed: a note name, such as C3, or a number"),
        ("answer", Wishes(controls=[("temprature", 1.0)]), "no such control; did you mean 'temperature'? it has: dens"),
        ("trade", Wishes(controls=[("length", 2.0)]), "--set length has no effect while by is 'turns'"),
        ("continue", Wishes(controls=[("length", 2.0)]), "--set length has no effect while mode is 'continue'"),
        ("answer", Wishes(generator="marko"), "--generator is 'marko'; did you mean 'markov'? allowed: dice, grid-n"),
        ("drift", Wishes(generator="markov"), "--generator markov does not interpolate, as preset 'drift' needs"),
        ("accompany", Wishes(generator="vae"), "--generator vae plays loops, and cannot accompany"),
        ("answer", Wishes(model="./no.onnx"), "--model is './no.onnx': there is no such file"),
        ("continue", Wishes(bars=2), "--bars has no effect: the mode is continue"),
    ],
)
def test_what_cannot_be_granted_is_refused_in_words(preset: str, wishes: Wishes, told: str) -> None:
    with pytest.raises(AntiphonError) as caught:
        plans(preset, wishes)
    assert told in str(caught.value)


def test_a_key_with_no_note_in_the_range_is_refused() -> None:
    with pytest.raises(AntiphonError, match=r"'C pentatonic' leaves nothing to play: no note of it .* range F4 to F4"):
        plans("answer", Wishes(controls=[("range_high", "F4"), ("range_low", "F4"), ("scale", "C pentatonic")]))


@pytest.mark.parametrize("text", ["temperature", "=3", "temperature="])
def test_a_setting_needs_name_and_value(text: str) -> None:
    with pytest.raises(AntiphonError, match="allowed: NAME=VALUE, such as"):
        setting(text)


def test_continue_takes_the_same_words(tmp_path: Path) -> None:
    tune = [
        m
        for i, pitch in enumerate((60, 62, 63, 65, 67, 68, 70, 72))
        for m in ((240 * i, note_on(0, pitch, 80)), (240 * i + 200, note_off(0, pitch)))
    ]
    write_score(tmp_path / "in.mid", Score((Track("", tuple(tune)),)))
    if not app.registered_commands:
        add_commands(app)
    words = ["--set", "temperature=0.4", "--set", "range_low=C4", "--key", "C minor", "--generator", "markov"]
    out = tmp_path / "out.mid"
    line = ["continue", str(tmp_path / "in.mid"), "-o", str(out), *words, "--bars", "8"]
    result = CliRunner().invoke(app, line)
    assert result.exit_code == 0, result.output
    added = [message[1] for _, message in read_score(out).tracks[-1].messages if is_note_on(message)]
    assert added
    assert {pitch % 12 for pitch in added} <= C_MINOR
    assert min(added) >= 60


def test_every_shipped_preset_maps_density_for_every_voice_that_has_it() -> None:
    with_density = {name for name, info in INFOS.items() if any(control.name == "density" for control in info.controls)}
    assert INFOS.keys() - with_density == {"dice", "rules", "progression"}, "one note, or one chord, where it must be"
    for preset in SHIPPED:
        for plan in plans(preset):
            mapped = {mapping.voice for mapping in plan.controllers if mapping.control == "density"}
            dense = {index for index, voice in enumerate(plan.voices) if voice.generator in with_density}
            assert mapped == dense, plan.name
