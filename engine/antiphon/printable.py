"""Text for a person: without power over the terminal, and short. It prints nothing.

File names, port names, presets, plugins' errors and what stands in files are written by others. A terminal obeys what
some of their characters say: it would change its title, move its cursor, or hide what stands there.
"""

from __future__ import annotations

from typing import Final

_MOST_CHARACTERS: Final = 2000
"""Of a line."""


def printable(text: str, most: int = _MOST_CHARACTERS) -> str:
    """`text` on one line of at most `most` characters; whatever does not print is escaped."""
    begin = text[: most + 1]
    shown = begin if begin.isprintable() else "".join(map(_escaped, begin))
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def printable_lines(text: str, most: int | None = None) -> str:
    """The same of each line of `text`, of at most `most` lines, if that is given."""
    lines = text.split("\n", -1 if most is None else most)
    return "\n".join([*map(printable, lines[:most]), *(["…"] if most is not None and len(lines) > most else [])])


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
