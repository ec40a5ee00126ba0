"""Tests of the house's figures: of this one, and of one with every fault."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("house_figures.py")
FAULTY = {
    "pyproject.toml": """
        [[tool.importlinter.contracts]]
        containers = ["antiphon"]
        layers = ["cellar | attic", "ground"]
    """,
    "engine/antiphon/__init__.py": "",
    "engine/antiphon/ground.py": "from antiphon.attic import roof",
    "engine/antiphon/attic/__init__.py": "",
    "engine/antiphon/attic/roof.py": "from antiphon.attic import beam",
    "engine/antiphon/attic/beam.py": "from antiphon.attic import roof\nclass Beam:\n    wood = 'oak'\n",
    "engine/antiphon/cellar/__init__.py": "",
    "engine/antiphon/cellar/wine.py": "from antiphon import ground",
}


def told(*arguments: Path) -> dict[str, str]:
    """What it prints, by the word before the colon."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


def test_this_house_has_no_circle_and_no_import_upwards() -> None:
    figures = told()
    assert (figures["circles of rooms"], figures["circles of modules"], figures["upward imports"]) == ("0", "0", "0")
    assert int(figures["floors"]) > 5


def test_every_fault_of_another_is_named(tmp_path: Path) -> None:
    for name, text in FAULTY.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert told(tmp_path) == {
        "modules": "4 (attic 2, beside the rooms 1, cellar 1)",
        "floors": "3",
        "circles of rooms": "0",
        "circles of modules": "1; antiphon.attic.beam antiphon.attic.roof",
        "upward imports": "1; antiphon.ground -> antiphon.attic.roof",
        "longest module": "3 lines, attic/beam.py",
        "longest class": "2 lines, Beam in attic/beam.py",
    }
