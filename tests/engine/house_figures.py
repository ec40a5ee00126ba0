"""The figures of the engine's house, of this checkout or another: `python tests/engine/house_figures.py [FOLDER]`."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grimp

ROOT: Final = Path(__file__).parents[2]
_PACKAGE: Final = "antiphon"

Imports = Mapping[str, Set[str]]
"""What each module, or each room, imports."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What can be counted of a house."""

    rooms: dict[str, int]
    """How many modules lie in each room; "" is the engine's own folder."""
    floors: int
    """Of what stands on one another: the rooms, and what lies beside them."""
    room_circles: list[set[str]]
    module_circles: list[set[str]]
    upward: list[tuple[str, str]] | None
    """Imports against the order of floors that `pyproject.toml` declares; None: it declares none."""
    longest_module: tuple[int, str]
    longest_class: tuple[int, str]

    def lines(self) -> Iterable[str]:
        """For a person to read."""
        here = {room or "beside the rooms": count for room, count in self.rooms.items()}
        yield f"modules: {sum(here.values())} ({', '.join(f'{room} {here[room]}' for room in sorted(here))})"
        yield f"floors: {self.floors}"
        yield f"circles of rooms: {_listed(self.room_circles)}"
        yield f"circles of modules: {_listed(self.module_circles)}"
        if self.upward is None:
            yield "upward imports: no floors are declared"
        else:
            yield f"upward imports: {len(self.upward)}" + "".join(f"; {a} -> {b}" for a, b in self.upward)
        yield "longest module: {} lines, {}".format(*self.longest_module)
        yield "longest class: {} lines, {}".format(*self.longest_class)


def figures(checkout: Path = ROOT) -> Figures:
    """Those of the engine in `checkout`. Another than this one needs a process of its own, which has none imported."""
    sys.path.insert(0, str(checkout / "engine"))
    graph = grimp.build_graph(_PACKAGE, cache_dir=None)
    folder = checkout / "engine" / _PACKAGE
    rooms_there = {path.parent.name for path in folder.glob("*/__init__.py")}
    # A room's own file only opens it.
    modules = {
        name: graph.find_modules_directly_imported_by(name)
        for name in graph.modules
        if name != _PACKAGE and name.removeprefix(f"{_PACKAGE}.") not in rooms_there
    }
    rooms: dict[str, int] = defaultdict(int)
    between: dict[str, set[str]] = defaultdict(set)
    for name, imported in modules.items():
        parts = name.split(".")
        rooms[parts[1] if len(parts) > 2 else ""] += 1
        between[parts[1]] |= {other.split(".")[1] for other in imported if "." in other} - {parts[1]}
    return Figures(
        dict(rooms),
        _floors(between),
        _circles(between),
        _circles(modules),
        _upward(checkout, modules),
        max((len(path.read_text(encoding="utf-8").splitlines()), _name(path, folder)) for path in folder.rglob("*.py")),
        max(_class_lengths(folder)),
    )


def _circles(imports: Imports) -> list[set[str]]:
    """The sets of those that all import one another, by whatever ways."""
    reached = {name: _reached(imports, name) for name in imports}
    circles = {frozenset(other for other in reached[name] if name in reached.get(other, ())) for name in imports}
    return [set(circle) for circle in sorted(circles, key=sorted) if circle]


def _reached(imports: Imports, start: str) -> set[str]:
    found: set[str] = set()
    new = set(imports.get(start, ()))
    while new:
        found |= new
        new = {name for each in new for name in imports.get(each, ())} - found
    return found


def _floors(imports: Imports) -> int:
    """Longest way down; a circle is one floor."""
    reached = {name: _reached(imports, name) for name in imports}
    heights: dict[str, int] = {}

    def height(name: str) -> int:
        if name not in heights:
            below = {other for other in reached.get(name, ()) if name not in reached.get(other, ())}
            heights[name] = 1 + max(map(height, below), default=0)
        return heights[name]

    return max(map(height, imports))


def _upward(checkout: Path, modules: Imports) -> list[tuple[str, str]] | None:
    contracts = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = next((each["layers"] for each in contracts["contracts"] if each.get("containers") == [_PACKAGE]), None)
    if layers is None:
        return None
    floor = {room.strip(): number for number, layer in enumerate(layers) for room in layer.split("|")}
    return sorted(
        (name, other)
        for name, imported in modules.items()
        for other in imported
        if "." in other and floor[other.split(".")[1]] < floor[name.split(".")[1]]
    )


def _class_lengths(folder: Path) -> Iterable[tuple[int, str]]:
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield (node.end_lineno or node.lineno) - node.lineno + 1, f"{node.name} in {_name(path, folder)}"


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _listed(circles: list[set[str]]) -> str:
    return f"{len(circles)}" + "".join(f"; {' '.join(sorted(circle))}" for circle in circles)


if __name__ == "__main__":
    print("\n".join(figures(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT).lines()))
