"""The public doors: what they hand on is there, nothing else is promised, and plugins come in by no other way."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOORS = ("antiphon", "antiphon.tokens", "antiphon.rolls", "antiphon.testing")
STEPS = "antiphon.note_steps"
"""A door beside them, for the built-in model that takes a note a step."""
LAZY = ("antiphon.tokens", "antiphon.rolls", STEPS)
GUIDE = ROOT / "docs" / "plugin-authors.md"
EXAMPLE = ROOT / "tests" / "example_plugin"
PLUGINS = [*(ROOT / "plugins").rglob("*.py"), *EXAMPLE.rglob("*.py")]


def listed(door: str) -> list[str]:
    return list(importlib.import_module(door).__all__)


@pytest.mark.parametrize("door", [*DOORS, STEPS])
def test_what_a_door_lists_is_there_once(door: str) -> None:
    module, names = importlib.import_module(door), listed(door)
    assert all(getattr(module, name, None) is not None for name in names)
    assert len(set(names)) == len(names)
    assert set(names) <= set(dir(module))


@pytest.mark.parametrize("door", [*DOORS, STEPS])
def test_a_door_promises_all_that_it_hands_on(door: str) -> None:
    tree = ast.parse(Path(importlib.import_module(door).__file__ or "").read_text(encoding="utf-8"))
    own = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and (node.module or "") != "__future__")
    handed = {alias.name for node in own if (node.module or "").startswith("antiphon.") for alias in node.names}
    assert handed - {"lazily"} == set(listed(door))


@pytest.mark.parametrize("door", LAZY)
def test_a_lazy_door_loads_nothing_before_it_is_asked(door: str) -> None:
    rooms = "m for m in sys.modules if m.startswith(sys.argv[1] + '.') or m in ('numpy', 'onnxruntime')"
    code = f"import sys, importlib; importlib.import_module(sys.argv[1]); print(*({rooms}))"
    said = subprocess.run([sys.executable, "-c", code, door], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert said.split() == []


def test_what_a_lazy_door_does_not_have_it_has_not() -> None:
    module = importlib.import_module("antiphon.tokens")
    with pytest.raises(AttributeError, match=r"module 'antiphon.tokens' has no attribute 'TOKEN_KNOBS'"):
        module.TOKEN_KNOBS  # noqa: B018 # asking is the test
    assert module.TOKEN_CONTROLS is module.TOKEN_CONTROLS


def other_ways(source: str, doors: tuple[str, ...]) -> list[str]:
    """What of the engine `source` imports by another way than a door, or from a door that does not list it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] == "antiphon"]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "antiphon":
            module = str(node.module)
            names = [alias.name for alias in node.names]
            found += [f"{module}.{name}" for name in names if module not in doors or name not in listed(module)]
    return found


@pytest.mark.parametrize("file", PLUGINS, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_plugin_comes_in_by_the_doors(file: Path) -> None:
    doors = DOORS if EXAMPLE in file.parents else (*DOORS, STEPS)
    assert other_ways(file.read_text(encoding="utf-8"), doors) == []


def test_another_way_in_is_noticed() -> None:
    source = (
        "import antiphon.duet\nfrom antiphon.duet.plan import Plan\nfrom antiphon import Note, Plan\nimport antiphonal"
    )
    assert other_ways(source, DOORS) == ["antiphon.duet", "antiphon.duet.plan.Plan", "antiphon.Plan"]


def blocks(page: str) -> Iterator[str]:
    """The Python of a page."""
    for part in page.split("```python\n")[1:]:
        yield part.partition("```")[0]


def test_the_guide_shows_no_other_way_either() -> None:
    shown = [source for source in blocks(GUIDE.read_text(encoding="utf-8")) if "import" in source]
    assert len(shown) >= 3
    for source in shown:
        assert other_ways(source, DOORS) == []


def test_the_guide_tells_of_every_door() -> None:
    page = GUIDE.read_text(encoding="utf-8")
    for door in DOORS:
        assert f"| `{door}` |" in page
