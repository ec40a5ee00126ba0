"""Numbers, choices and texts: declared by a generator, set by presets and commands, turned by controllers."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from antiphon import Casting, ChoiceControl, Control, GeneratorInfo, Note, Phrase, Request, TextControl
from antiphon.cli.plugins import add_commands
from antiphon.controls import AnyControl
from antiphon.duet.plan import ControllerMapping
from antiphon.errors import AntiphonError
from antiphon.generator import RegisterGenerator
from antiphon.hooks import hookimpl
from antiphon.plugins.host import Plugins, check_info
from antiphon.presets.reading import load_preset
from antiphon.presets.writer import preset_text
from antiphon.session.header import Header
from antiphon.session.journal import JournalWriter, read_session
from antiphon.testing import BrokenRule, check_generator, sample_phrases

FEEL = ChoiceControl("feel", ("straight", "swing", "triplets"), "swing", "how beats are divided")
WORDS = TextControl("words", "", "what it is about", longest=40)
INFO = GeneratorInfo("scat", "Sings.", controls=(Control("heat", 0, 2, 1, "hotter"), FEEL, WORDS), latency="instant")
KNOWN = {"scat": INFO, "markov": GeneratorInfo("markov", "Stands in.")}


class Scat:
    """Plays a note of the length of its words, as high as its feel is late in the list."""

    def prime(self, heard: Phrase) -> None:
        pass

    def rewind(self, to_ticks: int) -> None:
        pass

    def extend(self, request: Request) -> Phrase:
        pitch = 60 + FEEL.choices.index(request.controls["feel"])
        note = Note(
            request.start_ticks, pitch, 1 + len(request.controls["words"]), round(60 + request.controls["heat"])
        )
        return Phrase(request.start_ticks, request.end_ticks, (note,))


class Brought:
    @hookimpl
    def register_generators(self, register: RegisterGenerator) -> None:
        register(INFO, lambda casting: Scat())


def preset(folder: Path, text: str) -> Path:
    path = folder / "scat.toml"
    path.write_text(f'[[voice]]\ngenerator = "scat"\n{text}', encoding="utf-8")
    return path


def test_a_preset_sets_choices_and_texts_beside_numbers_and_a_plan_says_so_again(tmp_path: Path) -> None:
    plan = load_preset(preset(tmp_path, 'controls = { heat = 2, feel = "triplets", words = "über = alles" }'), KNOWN)
    assert plan.voices[0].controls == {"heat": 2.0, "feel": "triplets", "words": "über = alles"}
    again = tmp_path / "again.toml"
    again.write_text(preset_text(plan), encoding="utf-8")
    assert load_preset(again, KNOWN) == plan


@pytest.mark.parametrize(
    ("controls", "problem"),
    [
        ('feel = "waltz"', 'controls.feel is "waltz"; allowed: "straight", "swing", "triplets"'),
        ("feel = 1", 'controls.feel is 1; allowed: "straight" or "swing" or "triplets"'),
        ('heat = "1"', 'controls.heat is "1"; allowed: a number, 0 to 2'),
        ("words = 1", "controls.words is 1; allowed: a text of one line, 40 characters at most"),
        ("words = true", "controls.words is true; allowed: a number, or a text in quotes"),
        (f'words = "{"a" * 41}"', "allowed: a text of one line, 40 characters at most"),
        ('words = "a\\nb"', "allowed: a text of one line, 40 characters at most"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(tmp_path: Path, controls: str, problem: str) -> None:
    with pytest.raises(AntiphonError) as caught:
        load_preset(preset(tmp_path, f"controls = {{ {controls} }}"), KNOWN)
    assert problem in str(caught.value)


def test_a_controller_goes_through_the_choices_in_equal_parts(tmp_path: Path) -> None:
    path = preset(tmp_path, '[[controller]]\ncc = 21\ncontrol = "feel"')
    plan = load_preset(path, KNOWN)
    (mapping,) = plan.controllers
    turned = [mapping.value_at(position) for position in range(128)]
    assert [turned.index(choice) for choice in FEEL.choices] == [0, 43, 86]
    assert sorted(turned, key=FEEL.choices.index) == turned
    path.write_text(preset_text(plan), encoding="utf-8")
    assert load_preset(path, KNOWN) == plan


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('control = "words"', 'controller 1: control is "words", a text, which no controller turns; '),
        ('control = "feel"\nlow = 1', "controller 1: low has no effect: control 'feel' goes through"),
    ],
)
def test_what_a_controller_cannot_do_is_refused(tmp_path: Path, table: str, problem: str) -> None:
    with pytest.raises(AntiphonError) as caught:
        load_preset(preset(tmp_path, f"[[controller]]\ncc = 21\n{table}"), KNOWN)
    assert problem in str(caught.value)


def test_a_journal_keeps_them_and_one_from_before_there_were_any_is_read(tmp_path: Path) -> None:
    plan = load_preset(
        preset(tmp_path, 'controls = { feel = "straight" }\n[[controller]]\ncc = 21\ncontrol = "feel"'), KNOWN
    )
    header = Header((plan,), ("synth",), {}, "2026-01-01T00:00:00")
    JournalWriter(tmp_path / "new", header).close()
    assert read_session(tmp_path / "new").header == header
    journal = tmp_path / "new" / "journal.jsonl"
    before = journal.read_text(encoding="utf-8").replace(',"values":["straight","swing","triplets"]', "")
    journal.write_text(before.replace('"feel":"straight",', ""), encoding="utf-8")
    old = read_session(tmp_path / "new").header.plans[0]
    assert old.controllers == (ControllerMapping(21, 0, "feel", 0.0, 0.0),)
    assert old.voices[0].controls == {"heat": 1.0, "words": ""}


def test_a_command_spells_them_and_a_number_stays_a_text_where_one_is_wanted() -> None:
    assert INFO.spelt_controls(["heat=0.5", "feel=swing", "words=12 = twelve"]) == {
        "heat": 0.5,
        "feel": "swing",
        "words": "12 = twelve",
    }
    with pytest.raises(ValueError, match="'heat' sets no control; allowed: NAME=VALUE"):
        INFO.spelt_controls(["heat"])
    with pytest.raises(ValueError, match="heat is 'hot'; allowed: a number, 0 to 2"):
        INFO.resolve_controls(INFO.spelt_controls(["heat=hot"]))
    with pytest.raises(ValueError, match="has no control 'cold'; it has: feel, heat, words"):
        INFO.resolve_controls(INFO.spelt_controls(["cold=1"]))


@pytest.mark.parametrize(
    ("control", "problem"),
    [
        (ChoiceControl("feel", ("swing",), "swing", "…"), r"has the choices \('swing',\); there must be two or more"),
        (ChoiceControl("feel", ("a", "a"), "a", "…"), "each once"),
        (ChoiceControl("feel", ("a", "b\n"), "a", "…"), "has the choice 'b\\\\n'; it must be a text of one line"),
        (ChoiceControl("feel", ("a", "b"), "c", "…"), 'the default of feel is \'c\'; allowed: "a" or "b"'),
        (TextControl("words", "a\nb", "…"), "the default of words is 'a\\\\nb'; allowed: a text of one line"),
        (TextControl("words", "", "…", longest=0), "allows 0 characters"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(control: AnyControl, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check_info(GeneratorInfo("scat", "Sings.", controls=(control,)))


def test_the_kit_tries_every_choice_and_texts_that_something_might_break_at() -> None:
    few = {"melody": sample_phrases()["melody"]}
    assert check_generator(lambda casting: Scat(), INFO, phrases=few, allowance=100).idle_controls == ()

    class Fragile(Scat):
        def extend(self, request: Request) -> Phrase:
            request.controls["words"].encode("latin-1")
            return super().extend(request)

    def make(casting: Casting) -> Fragile:
        return Fragile()

    with pytest.raises(BrokenRule, match="controls work at their extremes: extend raised UnicodeEncodeError"):
        check_generator(make, INFO, phrases=few, allowance=100)


def test_the_command_plugins_lists_what_each_allows() -> None:
    plugins, app = Plugins(), typer.Typer()
    plugins.admit("scat", Brought(), "scat 1.0")
    add_commands(app)
    said = CliRunner().invoke(app, [], obj=plugins).output
    assert "      heat   0 to 2, default 1 " in said
    assert '      feel   "straight" or "swing" or "triplets", default "swing"' in said
    assert 'default ""  ' in said
    assert '"choices": [\n            "straight",' in CliRunner().invoke(app, ["--json"], obj=plugins).output
