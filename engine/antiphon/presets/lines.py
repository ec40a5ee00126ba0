"""On which line of a TOML file each key stands. It trusts the text: `tomllib` has already read it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Final

KeyPath = tuple[str | int, ...]
"""Where a value lives: keys and list indices from the top, e.g. `("voice", 0, "channel")`."""

_NUMBERED: Final = ("voice", "controller")
"""Tables that come several times."""
_TOKEN: Final = re.compile(
    r'''(?P<newline>\n)
      | (?P<blank>[ \t\r]+ | \#[^\n]*)
      | (?P<text>"""(?:\\.|[^\\])*?"{3,5} | \'\'\'.*?\'{3,5} | "(?:\\.|[^"\\])*" | '[^']*')
      | (?P<mark>[\[\]{},=.])
      | (?P<bare>[^\s\[\]{},=.\#"']+)''',
    re.VERBOSE | re.DOTALL,
)


def locate_keys(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of every table, key and list element of a valid TOML document."""
    return _Scan(text).lines


def line_of(path: KeyPath, lines: dict[KeyPath, int]) -> int:
    """The line of `path`, or of the closest table around it that is written down; 1 if there is none."""
    return next((lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in lines), 1)


def dotted(path: KeyPath) -> str:
    """A key path as people say it, who count from 1: `voice 1: controls.temperature`, or `outputs, entry 2`."""
    text, joint = "", ""
    for index, part in enumerate(path):
        if isinstance(part, int):
            text += f" {part + 1}" if path[index - 1] in _NUMBERED else f", entry {part + 1}"
            joint = ": "
        else:
            name = part if re.fullmatch(r"[\w-]+", part, re.ASCII) else json.dumps(part, ensure_ascii=False)
            text += joint + name
            joint = "."
    return text


class _Scan:
    """One pass over the tokens, one ahead of the reader."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._tokens = self._tokenise(text)
        self._lengths: dict[KeyPath, int] = {}
        self._advance()
        self._document()

    @staticmethod
    def _tokenise(text: str) -> Iterator[tuple[str, str, int]]:
        line = 1
        for match in _TOKEN.finditer(text):
            if match.lastgroup != "blank":
                yield str(match.lastgroup), match[0], line
            line += match[0].count("\n")

    def _advance(self) -> None:
        self._kind, self._text, self._line = next(self._tokens, ("end", "", 0))

    def _skip_newlines(self) -> None:
        while self._kind == "newline":
            self._advance()

    def _note(self, path: KeyPath, line: int) -> None:
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)

    def _document(self) -> None:
        table: KeyPath = ()
        while True:
            self._skip_newlines()
            if self._kind == "end":
                return
            if self._text == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        line = self._line
        self._advance()
        repeated = self._text == "["
        if repeated:
            self._advance()
        table: KeyPath = ()
        *parents, last = self._key()
        for part in parents:
            table = self._current((*table, part))
        if repeated:
            name = (*table, last)
            self._lengths[name] = self._lengths.get(name, 0) + 1
            self._advance()
        table = self._current((*table, last))
        self._advance()
        self._note(table, line)
        return table

    def _current(self, path: KeyPath) -> KeyPath:
        """Inside an array of tables, its newest element."""
        return (*path, self._lengths[path] - 1) if path in self._lengths else path

    def _pair(self, table: KeyPath) -> None:
        line = self._line
        path = (*table, *self._key())
        self._note(path, line)
        self._advance()
        self._value(path)

    def _key(self) -> list[str]:
        parts = [self._key_part()]
        while self._text == ".":
            self._advance()
            parts.append(self._key_part())
        return parts

    def _key_part(self) -> str:
        part: str = tomllib.loads(f"key = {self._text}")["key"] if self._kind == "text" else self._text
        self._advance()
        return part

    def _value(self, path: KeyPath) -> None:
        if self._text == "[":
            self._list(path)
        elif self._text == "{":
            self._inline_table(path)
        else:
            # A number with a point, or a date with a space, comes in several pieces.
            while self._kind in ("bare", "text") or self._text == ".":
                self._advance()

    def _list(self, path: KeyPath) -> None:
        self._advance()
        index = 0
        while True:
            self._skip_newlines()
            if self._text == "]":
                break
            if self._text == ",":
                self._advance()
                continue
            self._note((*path, index), self._line)
            self._value((*path, index))
            index += 1
        self._advance()

    def _inline_table(self, path: KeyPath) -> None:
        self._advance()
        while self._text != "}":
            if self._text == "," or self._kind == "newline":
                self._advance()
            else:
                self._pair(path)
        self._advance()
