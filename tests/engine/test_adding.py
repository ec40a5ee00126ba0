"""The worked examples of docs/adding.md, done for real: put into a copy of the engine, and played there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding.md").read_text(encoding="utf-8")
MOST_FILES = 3

DRONE = """
from antiphon import Casting, GeneratorInfo, Note, Phrase, Request
from antiphon.testing import Stage

class Silent:
    def prime(self, heard): pass
    def rewind(self, to_ticks): pass
    def extend(self, request): return Phrase(request.start_ticks, request.end_ticks)

preset = '[[voice]]\\ngenerator = "silent"\\nmode = "drone"'
stage = Stage(lambda casting: Silent(), GeneratorInfo("silent", "rests"), preset)
stage.play(Phrase.of([Note(480 * i, 67 - 5 * (i > 3), 400, 80) for i in range(8)]))
stage.end()
print([note.pitch for note in stage.notes()], stage.trouble)
"""
MEMORY = """
from antiphon.midi.backends import KINDS, find_backend
backend = find_backend("Antiphon", lambda work, name: None, "memory")
heard = []
backend.open_input("out", lambda message, seconds: heard.append(message), virtual=True)
backend.open_output("out", virtual=True).send(bytes((0x90, 60, 64)))
print(KINDS[-1], backend.name, backend.inputs(), heard)
"""
PROGRAMME = """
import sys
from pathlib import Path
from antiphon.duet.commands import Decision
from antiphon.duet.plan import Plan
from antiphon.session.journal import Record
from antiphon.terminal.live import VIEWS, LiveOptions
from antiphon.terminal.screen import Screen
views = [make([Plan()], LiveOptions(Path(sys.argv[1])), Screen("answer", ["markov"], bpm=120.0)) for make in VIEWS]
for view in views:
    view.records([Record(Decision("handover", 0, 960, "by pedal"))])
print((Path(sys.argv[1]) / "programme.txt").read_text().strip())
"""


def section(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def add(heading: str, repository: Path) -> list[str]:
    """Do in `repository` what the section says; the files that were made."""
    made = []
    for path, text in re.findall(r"```python\n# (\S+)\n(.*?)```", section(heading), re.DOTALL):
        (repository / path).write_text(text, encoding="utf-8")
        made.append(path)
    for path, change in re.findall(r"```diff\n# (\S+)\n(.*?)```", section(heading), re.DOTALL):
        source = (repository / path).read_text(encoding="utf-8")
        for old, new in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)+)", change, re.MULTILINE):
            before, after = (re.sub(r"^[-+]", "", lines, flags=re.MULTILINE).rstrip("\n") for lines in (old, new))
            assert source.count(before) == 1, f"{path} has no such line, or several: {before}"
            source = source.replace(before, after)
        (repository / path).write_text(source, encoding="utf-8")
    return made


@pytest.mark.parametrize(
    ("heading", "program", "said"),
    [
        ("A mode", DRONE, "[31, 31, 31, 31, 26, 26, 26] ()"),
        ("A MIDI system", MEMORY, "memory memory ['out'] [b'\\x90<@']"),
        ("A view", PROGRAMME, "beat 3: by pedal"),
    ],
)
def test_what_the_page_adds_works(heading: str, program: str, said: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "engine", tmp_path / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    assert len(add(heading, tmp_path)) == 1
    path = os.pathsep.join([str(tmp_path / "engine"), *(str(ROOT / name) for name in ("plugins", "presets", "export"))])
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-P", "-c", program, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip().splitlines()[-1:]) == (0, [said]), done.stderr


HEADINGS = ["A generator", "An output", "A model family", "A mode", "A MIDI system", "A view"]


@pytest.mark.parametrize("heading", HEADINGS)
def test_each_is_at_most_three_files_and_a_few_rows_of_tables_that_are_there(heading: str) -> None:
    lines = [line for line in section(heading).splitlines() if line.startswith("| ") and "`" in line]
    rows = [re.match(r"\| row: `(\w+)` in `(\S+)`", line) for line in lines]
    assert 1 <= sum(row is None for row in rows) <= MOST_FILES
    for row in filter(None, rows):
        assert re.search(rf"^{row[1]}\b", (ROOT / row[2]).read_text(encoding="utf-8"), re.MULTILINE), row[0]
    named = re.findall(r"`((?:engine|plugins|export|tests)/[\w/.]+)`", section(heading))
    assert [path for path in named if "NAME" not in path and not (ROOT / path).exists()] == []
