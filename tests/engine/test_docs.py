"""The documentation, held to the code: links lead somewhere, commands exist, every module has its paragraph."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import every_module
import pytest
import typer
from typer.main import get_group

from antiphon import cli
from antiphon.plugins.host import load_plugins

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests" / "example_plugin").glob("*.md")])

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def broken_links(page: Path) -> list[str]:
    """Links of `page` to files or headings that do not exist; those to other machines are not looked at."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for link in _LINK.findall(_CODE.sub("", text)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    return broken


def _anchors(page: Path) -> set[str]:
    """Headings as GitHub makes anchors of them."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code_in(text: str) -> Iterator[str]:
    """Every line of a fenced block, and the code within lines, without comment or redirection."""
    blocks = [line.removeprefix("$ ") for block in _FENCE.findall(text) for line in block.splitlines()]
    inline = [code.strip("`") for code in _CODE.findall(_FENCE.sub("", text))]
    for line in blocks + inline:
        yield re.split(r"\s[#>|]", line)[0].strip()


def commands_in(text: str) -> Iterator[str]:
    """Every `antiphon …` of the code, however the command is found."""
    for line in code_in(text):
        words = line.removeprefix(".venv/bin/")
        if words.startswith("antiphon "):
            yield words


def wrong_with(command: str, app: typer.Typer) -> str | None:
    """Why the command line has no such command or option; None if it has."""
    node = get_group(app)
    words = shlex.split(command)[1:]
    while words and not words[0].startswith("-") and hasattr(node, "commands"):
        if words[0] not in node.commands:
            return f"`{command}`: there is no command {words[0]!r}"
        node = node.commands[words.pop(0)]
    options = {"--help", *(name for parameter in node.params for name in (*parameter.opts, *parameter.secondary_opts))}
    for word in words:
        if word.startswith("-") and word.partition("=")[0] not in options:
            return f"`{command}`: there is no option {word!r}"
    return None


def uninstallable(text: str) -> list[str]:
    """What a `pip install` or `pipx install` of `text` names that neither the clone nor the index has.

    The project itself is on no index, so that it is installed from its clone only.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    required = [*project["dependencies"], *(each for extra in extras.values() for each in extra)]
    served = {re.split(r"[\[<>=;]", each)[0] for each in required} | {"tinysoundfont", "pytest"}
    wrong = []
    for command in code_in(text):
        line = re.search(r"\bpipx? install (.*)", command.partition("&&")[0])
        for word in shlex.split(line[1]) if line else ():
            name, _, wanted = word.partition("[")
            unknown = name == "." and not {*filter(None, wanted.rstrip("]").split(","))} <= extras.keys()
            if not word.startswith(("-", "https:")) and (unknown or (name != "." and name not in served)):
                wrong.append(word)
    return wrong


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    """The command line as `antiphon` puts it together."""
    whole = typer.Typer()
    whole.callback()(lambda version=typer.Option(False, "--version"), verbose=typer.Option(False, "--verbose"): None)
    for family in cli._FAMILIES:
        importlib.import_module(f"antiphon.cli.{family}").add_commands(whole)
    load_plugins().add_commands(whole)
    return whole


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken_links(page) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_is_named_exists(page: Path, app: typer.Typer) -> None:
    wrong = [
        problem for command in commands_in(page.read_text(encoding="utf-8")) if (problem := wrong_with(command, app))
    ]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_package_that_is_named_can_be_installed(page: Path) -> None:
    assert uninstallable(page.read_text(encoding="utf-8")) == []


def test_no_message_installs_the_project_from_an_index_that_lacks_it() -> None:
    sources = [file for folder in ("engine", "plugins", "export", "presets") for file in (ROOT / folder).rglob("*.py")]
    named = [file for file in sources if re.search(r"install ['\"]?antiphon\b", file.read_text(encoding="utf-8"))]
    assert named == []


def test_readme_and_demo_say_the_line_that_runs_the_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {"`.venv/bin/antiphon jam`", "`pipx install .`"} <= set(_CODE.findall(readme))
    assert ". .venv/bin/activate" in {line.strip() for line in code_in(readme)}
    printed = subprocess.run(["make", "--dry-run", "demo"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"'{ROOT}/.venv/bin/antiphon' jam" in printed.partition("antiphon demo")[2]


def test_every_module_of_the_engine_is_told_by_its_first_line() -> None:
    page = every_module.PAGE.read_text(encoding="utf-8")
    assert sorted(every_module.listed_rooms(page)) == every_module.rooms()
    assert every_module.with_lists(page) == page, "run `make docs`"


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A word, or two\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md#a-word-or-two) [b](there.md#three) ![c](missing.png) `[d](code.md)` [e](https://example.org/x)"
    )
    assert broken_links(page) == ["there.md#three", "missing.png"]


def test_a_package_that_nobody_serves_is_noticed() -> None:
    text = "```sh\npip install 'antiphon[train]'\npipx install '.[jack,choir]'\n```\n`pip install -e '.[link]' torch`"
    assert uninstallable(text) == ["antiphon[train]", ".[jack,choir]"]


def test_an_unknown_command_or_option_is_noticed(app: typer.Typer) -> None:
    text = "```sh\nantiphon jam --loudly   # no such option\n```\nor `antiphon sing`, or `antiphon presets list`\n"
    assert [wrong_with(command, app) for command in commands_in(text)] == [
        "`antiphon jam --loudly`: there is no option '--loudly'",
        "`antiphon sing`: there is no command 'sing'",
        None,
    ]
