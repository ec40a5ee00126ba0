"""The lists of modules in docs/architecture.md, made from the modules' first lines: `make docs`."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ENGINE: Final = ROOT / "engine" / "antiphon"
PAGE: Final = ROOT / "docs" / "architecture.md"

_LIST: Final = re.compile(r"(<!-- modules of (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rooms() -> list[str]:
    """The folders of the engine that hold modules, as in `duet/`; `./` is the engine's own."""
    return ["./", *(f"{found.parent.name}/" for found in sorted(ENGINE.glob("*/__init__.py")))]


def with_lists(page: str) -> str:
    """`page` with the lists between its markers made anew."""
    return _LIST.sub(lambda match: f"{match[1]}{_modules_of(match[2])}{match[3]}", page)


def listed_rooms(page: str) -> list[str]:
    """The rooms that `page` has a list of."""
    return [match[2] for match in _LIST.finditer(page)]


def _modules_of(room: str) -> str:
    files = sorted(file for file in (ENGINE / room).glob("*.py") if room == "./" or file.name != "__init__.py")
    return "".join(f"- `{file.relative_to(ENGINE).as_posix()}`: {_first_line(file)}\n" for file in files)


def _first_line(file: Path) -> str:
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.partition("\n\n")[0].replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(with_lists(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
