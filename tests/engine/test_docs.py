"""The documentation, held to the code: links lead somewhere, commands exist, every module has its paragraph."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.main import get_group

from antiphon import cli
from antiphon.plugins import load_plugins

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "engine" / "antiphon"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests" / "example_plugin").glob("*.md")])

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_PARAGRAPH = re.compile(r"^\*\*`([\w/]+\.py)`\*\* (.+)$", re.MULTILINE)


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


def commands_in(text: str) -> Iterator[str]:
    """Every `antiphon …` of a fenced block or of code within a line, without comment or redirection."""
    blocks = [line.removeprefix("$ ") for block in _FENCE.findall(text) for line in block.splitlines()]
    inline = [code.strip("`") for code in _CODE.findall(_FENCE.sub("", text))]
    for line in blocks + inline:
        if line.startswith("antiphon "):
            yield re.split(r"\s[#>|]", line)[0].strip()


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


def test_every_module_of_the_engine_has_its_paragraph_and_no_other() -> None:
    paragraphs = _PARAGRAPH.findall((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    modules = {str(file.relative_to(ENGINE).as_posix()) for file in ENGINE.rglob("*.py")}
    named = [name for name, _ in paragraphs]
    assert sorted(named) == sorted(modules)
    assert [name for name, text in paragraphs if len(text.split()) < 6] == []


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A word, or two\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md#a-word-or-two) [b](there.md#three) ![c](missing.png) `[d](code.md)` [e](https://example.org/x)"
    )
    assert broken_links(page) == ["there.md#three", "missing.png"]


def test_an_unknown_command_or_option_is_noticed(app: typer.Typer) -> None:
    text = "```sh\nantiphon jam --loudly   # no such option\n```\nor `antiphon sing`, or `antiphon presets list`\n"
    assert [wrong_with(command, app) for command in commands_in(text)] == [
        "`antiphon jam --loudly`: there is no option '--loudly'",
        "`antiphon sing`: there is no command 'sing'",
        None,
    ]
