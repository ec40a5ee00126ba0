"""Names and texts of others, on their way to a terminal."""

from __future__ import annotations

import ast
import io
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from antiphon.cli.terminal import Coloured, cell, say, say_json
from antiphon.printable import printable, printable_lines
from antiphon.terminal.screen import Screen

ROOT = Path(__file__).parents[2]
TITLE = "\x1b]0;mine now\x07"
HOSTILE = [TITLE, "\x1b[2J", "\x9b31m", "\x9d0;x\x9c", "a\rb", "a\x08\x08", "\u202egnp.exe", "\ud800", "\x7f"]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_does_not_print_is_escaped(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(text) != text


def test_what_prints_is_left_as_it_is() -> None:
    for text in ("Klavier für Élise · 鋼琴 ♩ = 120", "C:\\Users\\me\\ports", "[bold] 'x'"):
        assert printable(text) == text


@given(st.text(), st.integers(1, 50))
def test_no_text_is_longer_than_it_may_be(text: str, most: int) -> None:
    shown = printable(text, most)
    assert len(shown) <= most
    assert shown.isprintable()


def test_a_text_of_megabytes_is_short() -> None:
    assert len(printable("x" * 20_000_000)) <= 2000
    assert printable_lines("a\nb\nc", 2) == "a\nb\n…"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_command_prints_no_escapes(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    say("name ", Coloured(text, "red"), f" and {text}")
    say_json({"name": text})
    said = capsys.readouterr().out
    assert all(line.isprintable() for line in said.splitlines())


@pytest.mark.parametrize("text", HOSTILE)
def test_the_screen_shows_no_escapes(text: str) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=200, height=50, color_system=None)
    plain = Console(file=io.StringIO(), width=200)
    for each in (console, plain):
        screen = Screen(text, [text], inputs=[text], outputs=[text], console=each)
        with screen:
            screen.setlist([text, "b"], 0, text)
            screen.keys(text, [text])
            screen.report(text * 3)
            screen.say(text)
            screen.state(1, text)
            screen.turned(7, text)
            screen.ports([text], [text])
            screen.refresh(1.0)
            screen.toggle_help()
            screen.refresh(9.0)
    for each in (console, plain):
        assert isinstance(each.file, io.StringIO)
        assert text not in each.file.getvalue()
        assert not any(bad in each.file.getvalue() for bad in ("\x1b]", "\x9b", "\x9d", "\x07", "\u202e"))
    assert printable(text) in plain.file.getvalue()  # type: ignore[attr-defined]


def test_a_table_shows_no_escapes() -> None:
    assert cell(f"[red]{TITLE}").plain == f"[red]{printable(TITLE)}"


def test_warnings_and_tracebacks_go_through_the_same_door() -> None:
    code = (
        "import logging, sys\nfrom antiphon.cli.terminal import print_errors_safely\nprint_errors_safely()\n"
        "title = chr(27) + ']0;x' + chr(7)\nlogging.getLogger('x').warning('port %s', title)\nraise ValueError(title)"
    )
    said = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, check=False).stderr
    assert b"\x1b" not in said
    assert said.count(b"\\x1b]0;x\\x07") == 2
    assert b"Traceback" in said
    assert logging.lastResort is not None


@pytest.mark.parametrize("source", ["file name", "preset", "MIDI track"])
def test_the_command_line_shows_no_escapes(source: str, tmp_path: Path) -> None:
    folder = tmp_path / f"songs{TITLE}"
    folder.mkdir()
    match source:
        case "file name":
            arguments = ["render", str(folder / "missing.mid"), "-o", str(tmp_path / "x.wav")]
        case "preset":
            (folder / "a.toml").write_text('"\\u001b]0;x\\u0007" = 1\n', encoding="utf-8")
            arguments = ["presets", "check", str(folder / "a.toml")]
        case _:
            (folder / "a.mid").write_bytes(b"RIFF    \x1b]0;x")
            arguments = ["continue", str(folder / "a.mid"), "-o", str(tmp_path / "x.mid")]
    line = [sys.executable, "-c", "from antiphon.cli import main; main()", *arguments]
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 1
    assert b"\x1b" not in done.stdout
    assert b"mine now" in done.stdout


def prints_by_itself(source: str) -> list[int]:
    """Lines on which a module prints, past the door."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [call.lineno for call in calls if ast.unparse(call.func) in ("print", "typer.echo", "typer.secho")]


def test_all_commands_print_through_the_door() -> None:
    door = ROOT / "engine" / "antiphon" / "cli" / "terminal.py"
    files = [path for top in ("engine", "plugins", "export") for path in (ROOT / top).rglob("*.py") if path != door]
    past = {str(path): lines for path in files if (lines := prints_by_itself(path.read_text(encoding="utf-8")))}
    assert past == {}
    assert prints_by_itself("def f():\n    typer.echo('x')\n    print('y')") == [2, 3]
