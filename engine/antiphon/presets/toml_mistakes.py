"""Where a file stops being TOML, in words: the key that a parser stumbled in, and the line that began it."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from antiphon.presets.lines import KeyPath, dotted

_TOKEN: Final = re.compile(
    r'''(?P<newline>\n)
      | [ \t\r]+ | \#[^\n]*
      | (?P<text>"""(?:\\.|[^\\])*?"{3,5} | \'\'\'.*?\'{3,5} | """.* | \'\'\'.* | "(?:\\.|[^"\\\n])*"? | '[^'\n]*'?)
      | (?P<opening>[\[{])
      | (?P<closing>[\]}])
      | (?P<equals>=)
      | (?P<dot>\.)
      | ,
      | (?P<bare>[^\s\[\]{},=.\#"']+)''',
    re.VERBOSE | re.DOTALL,
)
"""Any text comes apart into these: a string without an end reaches to that of its line, or of the file."""


@dataclass(frozen=True, slots=True)
class _Statement:
    """A key with its value, or the heading of a table, as far as it goes."""

    start: int
    """Offset in the text."""
    line: int
    path: KeyPath
    """Empty where no key is written."""
    heading: bool
    """Whether it is the heading of a table, in which what follows is."""


def describe_mistake(text: str, error: ValueError | RecursionError) -> tuple[int | None, str]:
    """The line that began what `tomllib` did not read of `text`, and what is wrong with it, its key first."""
    text = text.replace("\r\n", "\n")
    statements = list(_statements(text))
    if isinstance(error, RecursionError):
        wrong = _first_unread(text, statements)
        return _told(wrong, "is not valid TOML: lists or tables are nested too deeply")
    # tomllib tells the place in its message only.
    match = re.search(r"\(at (?:line (\d+), column (\d+)|end of document)\)$", str(error))
    if match is None:
        wrong = _first_unread(text, statements)
        return _told(wrong, f"is not valid TOML: {str(error).partition(';')[0]}")
    what = re.sub(r"\('.*'\)|\('.*',\)", lambda name: dotted(ast.literal_eval(name[0])), str(error)[: match.start()])
    what = what.strip()
    if match[1] is None:
        offset, line, place = len(text), text.count("\n", 0, len(text.rstrip())) + 1, ", found at the end"
    else:
        line = int(match[1])
        offset = sum(map(len, text.splitlines(keepends=True)[: line - 1])) + int(match[2]) - 1
        place = f", column {match[2]}"
    wrong = next((statement for statement in reversed(statements) if statement.start <= offset), None)
    if wrong is None:
        return line, f"is not valid TOML: {what}{place}"
    if match[1] is not None and line != wrong.line:
        place = f", found on line {line}{place}"
    if re.match("Cannot|Duplicate", what):
        place += _first_given(wrong, statements)
    return _told(wrong, f"is not valid TOML: {what}{place}")


def _told(wrong: _Statement | None, problem: str) -> tuple[int | None, str]:
    if wrong is None:
        return None, problem
    return wrong.line, f"{dotted(wrong.path)} {problem}" if wrong.path else problem


def _first_given(wrong: _Statement, statements: Sequence[_Statement]) -> str:
    before = [statement for statement in statements if statement.start < wrong.start and statement.path]
    same = [statement for statement in before if statement.path == wrong.path]
    around = [s for s in before if not s.heading and wrong.path[: len(s.path)] == s.path]
    return f"; it is given on line {(same or around)[0].line} already" if same or around else ""


def _first_unread(text: str, statements: Sequence[_Statement]) -> _Statement | None:
    """The first statement that `tomllib` cannot read, where it does not say which."""
    ends = [after.start for _, after in pairwise(statements)] + [len(text)]
    for statement, end in zip(statements, ends, strict=True):
        try:
            tomllib.loads(text[:end])
        except (ValueError, RecursionError):
            return statement
    return None


def _statements(text: str) -> Iterator[_Statement]:
    """All statements of `text`, the last of which may reach from what is not closed to the end."""
    lengths: dict[KeyPath, int] = {}
    table: KeyPath = ()
    tokens: list[re.Match[str]] = []
    depth = 0
    for match in _TOKEN.finditer(text + "\n"):
        if match.lastgroup is None:
            continue
        heading = bool(tokens) and tokens[0].lastgroup == "opening"
        if match.lastgroup == "newline" and (depth == 0 or heading):
            if tokens:
                statement, table = _read(tokens, text, table, lengths)
                yield statement
            tokens, depth = [], 0
        elif match.lastgroup != "newline":
            tokens.append(match)
            depth = max(0, depth + {"opening": 1, "closing": -1}.get(match.lastgroup, 0))
    if tokens:
        yield _read(tokens, text, table, lengths)[0]


def _read(
    tokens: Sequence[re.Match[str]], text: str, table: KeyPath, lengths: dict[KeyPath, int]
) -> tuple[_Statement, KeyPath]:
    """What the tokens state, and the table that the next ones are in. `lengths`: of the arrays of tables so far."""
    start = tokens[0].start()
    heading = tokens[0].lastgroup == "opening"
    names: list[str] = []
    joined = True
    for token in tokens:
        if joined and token.lastgroup in ("text", "bare"):
            names.append(_name(token))
            joined = False
        elif token.lastgroup in ("opening", "dot"):
            joined = True
        else:
            break
    path: KeyPath = () if heading else table
    for index, name in enumerate(names):
        path = (*path, name)
        repeated = heading and index + 1 == len(names) and text.startswith("[[", start)
        if repeated:
            lengths[path] = lengths.get(path, 0) + 1
        if heading and path in lengths:
            path = (*path, lengths[path] - 1)
    if not names:
        path = ()
    return _Statement(start, text.count("\n", 0, start) + 1, path, heading), path if heading else table


def _name(token: re.Match[str]) -> str:
    if token.lastgroup == "bare":
        return token[0]
    try:
        return str(tomllib.loads(f"key = {token[0]}")["key"])
    except ValueError:
        return token[0].strip("\"'")
