"""Plugins come through entry points; one that fails is reported by name, and the others work."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from antiphon import hookimpl
from antiphon.cli.plugins import add_commands
from antiphon.errors import AntiphonError
from antiphon.generator import Control, GeneratorInfo, RegisterGenerator
from antiphon.plugins.host import Plugins, check_info, hook_arguments, load_plugins
from antiphon.presets.reading import load_preset
from antiphon.testing import RecordingOutput

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "plugin-authors.md"

GOOD = """
from antiphon import GeneratorInfo, hookimpl

@hookimpl
def register_generators(register):
    register(GeneratorInfo("{name}", "One note."), lambda casting: None)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a distribution of one module, found under the entry point group `antiphon-test`."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(name: str, source: str) -> None:
        module = f"plugin_{name}_{tmp_path.name}".replace("-", "_")
        (tmp_path / f"{module}.py").write_text(source)
        folder = tmp_path / f"{name}-1.2.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        (folder / "entry_points.txt").write_text(f"[antiphon-test]\n{name}-entry = {module}\n")

    return install


def load() -> Plugins:
    return load_plugins("antiphon-test")


def reasons(plugins: Plugins) -> dict[str, str]:
    return {failure.name: failure.reason for failure in plugins.failures}


def info(name: str = "lead", *controls: Control) -> GeneratorInfo:
    return GeneratorInfo(name, "Leads.", controls)


def plugin(**hooks: Callable[..., None]) -> SimpleNamespace:
    """A plugin object with these hook implementations."""
    return SimpleNamespace(**{name: hookimpl(function) for name, function in hooks.items()})


def bring(*infos: GeneratorInfo) -> SimpleNamespace:
    """A plugin that brings generators declared so."""

    def register_generators(register: RegisterGenerator) -> None:
        for each in infos:
            register(each, print)  # type: ignore[arg-type] # never made

    return plugin(register_generators=register_generators)


# ---- through entry points --------------------------------------------------------------------------------------


def test_a_generator_is_found_through_its_entry_point_and_says_where_it_came_from(install: Callable[..., None]) -> None:
    install("brass", GOOD.format(name="horn"))
    plugins = load()
    assert plugins.generator("horn").info.summary == "One note."
    assert plugins.generator("horn").origin == "brass 1.2"
    assert plugins.failures == ()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('no reed')", "import: RuntimeError: no reed"),
        ("import a_module_that_nobody_has", "import: ModuleNotFoundError: No module named 'a_module_that_nobody_has'"),
        ("raise SyntaxError('invalid syntax\\nsecond line')", "import: SyntaxError: invalid syntax"),
        ("import sys; sys.exit(3)", "import: SystemExit: 3"),
        ("raise AssertionError", "import: AssertionError"),
        (
            GOOD.format(name="horn").replace("register_generators", "register_generator"),
            "ValueError: there is no hook 'register_generator'; did you mean 'register_generators'?",
        ),
        (
            GOOD.format(name="horn").replace("(register)", "(registrar)"),
            "PluginValidationError: Plugin 'woodwind-entry' for hook 'register_generators'",
        ),
        (
            GOOD.format(name="horn").replace("@hookimpl", ""),
            "ValueError: it implements no hook; is @antiphon.hookimpl missing?",
        ),
        (
            GOOD.format(name="horn") + "    raise KeyError('reed')",
            "register_generators: KeyError: 'reed'",
        ),
        (
            GOOD.format(name="Horn!"),
            "register_generators: ValueError: generator 'Horn!': a name is of lower-case letters, digits and hyphens, "
            "e.g. 'canon-2'",
        ),
    ],
)
def test_a_plugin_that_fails_is_reported_by_name_and_the_others_work(
    install: Callable[..., None], source: str, reason: str
) -> None:
    install("woodwind", source)
    install("brass", GOOD.format(name="trombone"))
    plugins = load()
    assert list(plugins.generators) == ["trombone"]
    (failure,) = plugins.failures
    assert (failure.name, failure.distribution) == ("woodwind-entry", "woodwind 1.2")
    assert failure.reason == reason
    assert failure.traceback.startswith("Traceback")


def test_ctrl_c_while_a_plugin_is_imported_is_not_swallowed(install: Callable[..., None]) -> None:
    install("slow", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load()


def test_of_two_generators_of_one_name_the_first_stays_and_the_second_is_reported(
    install: Callable[..., None],
) -> None:
    install("alto", GOOD.format(name="sax"))
    install("tenor", GOOD.format(name="sax"))
    plugins = load()
    assert plugins.generator("sax").origin == "alto 1.2"
    assert reasons(plugins) == {
        "tenor-entry": "generator 'sax' of tenor 1.2 is refused: alto 1.2 brought one of that name"
    }


def test_nobody_takes_the_place_of_a_generator_of_the_host_itself(install: Callable[..., None]) -> None:
    install("aaa", GOOD.format(name="markov"))
    install("antiphon", GOOD.format(name="markov"))
    assert load().generator("markov").origin == "antiphon 1.2"


def test_loading_imports_neither_numpy_nor_torch_nor_a_generator() -> None:
    code = (
        "import sys, antiphon.plugins.host as p; p.load_plugins();"
        "print(*(m for m in ('numpy', 'torch', 'typer', 'antiphon_plugins.markov') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the example plugin."""
    folder = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    example = str(ROOT / "tests" / "example_plugin")
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", str(folder), example], check=True)
    return folder


def run(site: Path, *arguments: str) -> str:
    """Run Python where `site` is installed; what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        cwd=ROOT / "tests" / "example_plugin",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def test_the_example_plugin_installed_by_pip_is_found_and_plays(site: Path) -> None:
    code = (
        "from antiphon import *; from antiphon.plugins.host import load_plugins;"
        "canon = load_plugins().generator('canon'); player = canon.make(Casting(seed=0));"
        "player.prime(Phrase.of([Note(0, 60, 480, 80)]));"
        "answer = player.extend(Request(480, 480, canon.info.resolve_controls({})));"
        "print(canon.origin, '|', answer.notes[0].pitch)"
    )
    # With -P the plugin's source, beside which this runs, is not what is imported.
    assert run(site, "-P", "-c", code).strip() == "antiphon-canon 1.0.0 | 67"


def test_the_example_plugin_passes_its_own_tests_where_it_is_installed(site: Path) -> None:
    said = run(site, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert "10 passed" in said


# ---- what a plugin may bring -----------------------------------------------------------------------------------


def test_what_a_hook_registered_before_it_raised_is_dropped_and_its_other_hooks_count(tmp_path: Path) -> None:
    def register_generators(register: RegisterGenerator) -> None:
        register(info("first"), print)  # type: ignore[arg-type] # never made
        raise OSError("disk full")

    plugins = Plugins()
    both = plugin(register_generators=register_generators, register_presets=lambda register: register(tmp_path))
    plugins.admit("half", both, "half 1.0")
    assert dict(plugins.generators) == {}
    assert plugins.preset_folders == (tmp_path,)
    assert reasons(plugins) == {"half": "register_generators: OSError: disk full"}


def test_a_generator_whose_make_cannot_be_called_is_refused() -> None:
    plugins = Plugins()
    plugins.admit("odd", plugin(register_generators=lambda register: register(info(), None)), "odd 1.0")
    assert "make is None; it must be callable" in reasons(plugins)["odd"]


def test_a_plugin_that_comes_late_is_asked_and_the_others_are_not_asked_again() -> None:
    asked = []

    def register_generators(register: RegisterGenerator) -> None:
        asked.append("early")
        register(info("early"), print)  # type: ignore[arg-type] # never made

    plugins = Plugins()
    plugins.admit("early", plugin(register_generators=register_generators), "early 1.0")
    assert list(plugins.generators) == ["early"]
    plugins.admit("late", bring(info("late")), "late 1.0")
    assert list(plugins.generators) == ["early", "late"]
    assert asked == ["early"]


def test_what_is_registered_cannot_be_changed_from_outside() -> None:
    with pytest.raises(TypeError):
        Plugins().generators["mine"] = None  # type: ignore[index] # on purpose


def test_outputs_are_registered_by_name_and_duplicates_refused() -> None:
    def brings(summary: str) -> SimpleNamespace:
        return plugin(register_outputs=lambda register: register("lamp", summary, RecordingOutput))

    plugins = Plugins()
    plugins.admit("one", brings("Blinks."), "one 1.0")
    plugins.admit("two", brings("Glows."), "two 1.0")
    assert plugins.outputs["lamp"].summary == "Blinks."
    assert plugins.outputs["lamp"].open is RecordingOutput
    assert reasons(plugins) == {"two": "output 'lamp' of two 1.0 is refused: one 1.0 brought one of that name"}


@pytest.mark.parametrize("arguments", [("Lamp", "Blinks.", print), ("lamp", "Blinks.", None)])
def test_an_output_that_is_declared_wrongly_is_refused(arguments: tuple[object, ...]) -> None:
    plugins = Plugins()
    plugins.admit("one", plugin(register_outputs=lambda register: register(*arguments)), "one 1.0")
    assert dict(plugins.outputs) == {}
    assert reasons(plugins)["one"].startswith("register_outputs: ValueError: output ")


def test_a_preset_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    plugins = Plugins()
    plugins.admit("one", plugin(register_presets=lambda register: register(tmp_path / "gone")), "one 1.0")
    assert plugins.preset_folders == ()
    assert "does not exist" in reasons(plugins)["one"]


def test_an_unknown_generator_is_an_error_that_names_those_there_are_and_the_nearest() -> None:
    plugins = Plugins()
    plugins.admit("one", bring(info("markov"), info("canon")), "one 1.0")
    with pytest.raises(
        AntiphonError, match=r"no generator 'markof'; there are: canon, markov; did you mean 'markov'\?"
    ):
        plugins.generator("markof")
    with pytest.raises(AntiphonError, match="there are: canon, markov; see `antiphon plugins`"):
        plugins.generator("zzz")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("canon", "register was given str; it must be a GeneratorInfo"),
        (GeneratorInfo("two words", "x"), "generator 'two words': a name is of lower-case letters"),
        (GeneratorInfo("-dash", "x"), "generator '-dash': a name"),
        (GeneratorInfo("a", " "), "generator 'a': summary is ' '; it must be one line"),
        (GeneratorInfo("a", "x\ny"), "it must be one line"),
        (
            GeneratorInfo("a", "x", latency="slow"),  # type: ignore[arg-type] # wrong on purpose
            "latency is 'slow'; allowed: instant, quick, heavy",
        ),
        (
            GeneratorInfo("a", "x", follows="me"),  # type: ignore[arg-type] # wrong on purpose
            "follows is 'me'; allowed: free, beat",
        ),
        (
            GeneratorInfo("a", "x", honours=frozenset({"tempo"})),  # type: ignore[arg-type] # wrong on purpose
            "honours 'tempo'; allowed: range, scale, polyphony",
        ),
        (
            GeneratorInfo("a", "x", interpolates="yes"),  # type: ignore[arg-type] # wrong on purpose
            "interpolates is 'yes'; allowed: True or False",
        ),
        (GeneratorInfo("a", "x", fills=1), "fills is 1; allowed: True or False"),  # type: ignore[arg-type] # the same
        (GeneratorInfo("a", "x", parts=("bass", "Bass")), "part 'Bass': a name is of lower-case letters"),
        (GeneratorInfo("a", "x", parts=("bass", "bass")), "there are two parts 'bass'; names must differ"),
        (
            GeneratorInfo("a", "x", parts=tuple(f"part-{number}" for number in range(17))),
            "allowed: a tuple of up to 16 names",
        ),
        (info("a", Control("x", 0, 1, 0, ""), Control("x", 0, 2, 0, "")), "there are two controls 'x'"),
        (info("a", Control("X", 0, 1, 0, "")), "control 'X' must be of lower-case letters"),
        (info("a", Control("x", 1, 1, 1, "")), "control 'x' ranges from 1 to 1"),
        (info("a", Control("x", 0, float("inf"), 1, "")), "control 'x' ranges from 0 to inf"),
        (info("a", Control("x", 0, 1, 3, "")), "generator 'a': the default of x is 3; allowed: a number, 0 to 1"),
    ],
)
def test_a_wrong_declaration_is_refused_by_what_is_wrong(wrong: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        check_info(wrong)


# ---- commands --------------------------------------------------------------------------------------------------


def command_line() -> typer.Typer:
    cli = typer.Typer()
    cli.callback()(lambda: None)
    add_commands(cli)
    return cli


def says(word: str, name: str) -> Callable[[typer.Typer], None]:
    """A `register_commands` that adds the command `name`, which says `word`."""

    def register_commands(cli: typer.Typer) -> None:
        cli.command(name)(lambda: typer.echo(word))

    return register_commands


def invoke(cli: typer.Typer, *arguments: str, plugins: Plugins | None = None) -> str:
    result = CliRunner().invoke(cli, arguments, obj=plugins)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return f"{result.output}exit {result.exit_code}"


def test_commands_and_groups_of_plugins_join_the_command_line() -> None:
    def register_commands(cli: typer.Typer) -> None:
        says("beep", "beep")(cli)
        group = typer.Typer()
        says("low", "low")(group)
        says("high", "high")(group)
        cli.add_typer(group, name="tones")

    plugins, cli = Plugins(), command_line()
    plugins.admit("bells", plugin(register_commands=register_commands), "bells 1.0")
    plugins.add_commands(cli)
    assert invoke(cli, "beep") == "beep\nexit 0"
    assert invoke(cli, "tones", "high") == "high\nexit 0"


def test_commands_that_raise_clash_or_cannot_be_read_are_left_out_whole() -> None:
    def raises(cli: typer.Typer) -> None:
        says("half", "half")(cli)
        raise RuntimeError("no bell")

    def unreadable(cli: typer.Typer) -> None:
        def strike(how: str) -> None: ...

        strike.__annotations__["how"] = "Nowhere"
        cli.command("strike")(strike)

    plugins, cli = Plugins(), command_line()
    for name, register_commands in {
        "raises": raises,
        "clashes": says("mine", "plugins"),
        "unreadable": unreadable,
        "first": says("first", "ring"),
        "second": says("second", "ring"),
    }.items():
        plugins.admit(name, plugin(register_commands=register_commands), f"{name} 1.0")
    plugins.add_commands(cli)
    found = reasons(plugins)
    assert found["raises"] == "register_commands: RuntimeError: no bell"
    assert found["clashes"] == "command 'plugins' is there already; this plugin's commands are left out"
    assert found["unreadable"] == "register_commands: NameError: name 'Nowhere' is not defined"
    assert found["second"] == "command 'ring' is there already; this plugin's commands are left out"
    assert set(found) == {"raises", "clashes", "unreadable", "second"}
    assert invoke(cli, "ring") == "first\nexit 0"
    assert invoke(cli, "half").endswith("exit 2")


def sample_plugins(tmp_path: Path) -> Plugins:
    plugins = Plugins()
    lead = GeneratorInfo(
        "lead",
        "Leads.",
        (Control("leap", 1, 12, 5, "wider"),),
        "heavy",
        "beat",
        frozenset({"scale", "range"}),
        interpolates=True,
        fills=True,
        parts=("high", "low"),
    )
    plugins.admit("band", bring(lead), "band 2.0")
    plugins.admit("lights", plugin(register_outputs=lambda register: register("lamp", "Blinks.", print)), "lights 1.0")
    plugins.admit("songs", plugin(register_presets=lambda register: register(tmp_path)), "songs 1.0")
    return plugins


def test_the_command_plugins_lists_what_there_is_and_what_is_left_out(tmp_path: Path) -> None:
    cli, plugins = command_line(), sample_plugins(tmp_path)
    said = invoke(cli, "plugins", plugins=plugins)
    assert "lead  Leads. (band 2.0)" in said
    assert "latency heavy; follows beat; honours range, scale; interpolates; fills gaps" in said
    assert "parts high, low" in said
    assert "leap  1 to 12, default 5  wider" in said
    assert "lamp  Blinks. (lights 1.0)" in said
    assert str(tmp_path) in said
    assert "Left out" not in said
    assert invoke(cli, "plugins", "--strict", plugins=plugins).endswith("exit 0")
    plugins.admit("mute", object(), "mute 1.0")
    said = invoke(cli, "plugins", plugins=plugins)
    assert "mute (mute 1.0): ValueError: it implements no hook; is @antiphon.hookimpl missing?" in said
    assert said.endswith("exit 0")
    assert invoke(cli, "plugins", "--strict", plugins=plugins).endswith("exit 1")


def test_the_command_plugins_speaks_json(tmp_path: Path) -> None:
    plugins = sample_plugins(tmp_path)
    plugins.admit("mute", object(), "mute 1.0")
    said = json.loads(invoke(command_line(), "plugins", "--json", plugins=plugins).removesuffix("exit 0"))
    (generator,) = said["generators"]
    assert generator["name"] == "lead"
    assert generator["origin"] == "band 2.0"
    assert (generator["interpolates"], generator["fills"], generator["parts"]) == (True, True, ["high", "low"])
    assert generator["controls"] == [{"name": "leap", "low": 1, "high": 12, "default": 5, "help": "wider"}]
    assert said["outputs"] == [{"name": "lamp", "summary": "Blinks.", "origin": "lights 1.0"}]
    assert said["preset_folders"] == [str(tmp_path)]
    assert said["failures"][0]["name"] == "mute"


def test_the_command_plugins_finds_the_installed_plugins_by_itself() -> None:
    assert "(antiphon " in invoke(command_line(), "plugins")


# ---- the guide -------------------------------------------------------------------------------------------------


def undocumented(guide: str) -> list[str]:
    """Hooks that lack a heading with their exact arguments in `guide`."""
    wanted = [f"{name}({', '.join(arguments)})" for name, arguments in hook_arguments().items()]
    return [heading for heading in wanted if not re.search(rf"^#+ `?{re.escape(heading)}`?$", guide, re.MULTILINE)]


def test_every_hook_has_a_heading_with_its_exact_arguments_in_the_guide() -> None:
    assert len(hook_arguments()) == 4
    assert undocumented(GUIDE.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("hook", ["register_generators", "register_outputs", "register_presets", "register_commands"])
def test_a_heading_that_is_gone_or_has_other_arguments_is_noticed(hook: str) -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    for altered in (guide.replace(f"{hook}(", f"{hook}(extra, "), guide.replace(hook, "gone")):
        assert [heading.partition("(")[0] for heading in undocumented(altered)] == [hook]


def test_who_names_a_generator_is_told_of_the_import_that_failed(install: Callable[..., None], tmp_path: Path) -> None:
    install("lute", "import strings_of_gut")
    install("harp", GOOD.format(name="harp"))
    plugins = load()
    told = (
        "as plugin 'lute-entry' of lute 1.2 is left out (import: ModuleNotFoundError: No module named "
        "'strings_of_gut'; "
        "`antiphon plugins --verbose` has the traceback)"
    )
    for name in ("lute", "lute-entry", "baroque-lute"):
        with pytest.raises(AntiphonError, match=re.escape(f"there is no generator '{name}', {told}")):
            plugins.generator(name)
    preset = tmp_path / "evening.toml"
    preset.write_text('[[voice]]\ngenerator = "lute"\nfallback = "harp"\n', encoding="utf-8")
    with pytest.raises(AntiphonError) as caught:
        load_preset(preset, plugins.infos)
    assert str(caught.value) == f'{preset}:2: voice 1: generator is "lute", {told}; allowed: "harp"'


def test_of_several_that_failed_the_one_of_the_wanted_name_is_blamed(install: Callable[..., None]) -> None:
    install("lute", "import strings_of_gut")
    install("viol", "raise RuntimeError('no bow')")
    with pytest.raises(AntiphonError) as caught:
        load().generator("viol")
    assert "no bow" in str(caught.value)
    assert "gut" not in str(caught.value)


def test_the_command_plugins_shows_tracebacks_when_asked(install: Callable[..., None]) -> None:
    install("lute", "import strings_of_gut")
    plugins, app = load(), typer.Typer()
    add_commands(app)
    assert "Traceback" not in CliRunner().invoke(app, [], obj=plugins).output
    said = CliRunner().invoke(app, ["--verbose"], obj=plugins).output
    assert "Traceback (most recent call last)" in said
    assert "import strings_of_gut" in said
