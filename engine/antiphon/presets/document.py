"""A TOML file as read, and all that is wrong with it, in words. What the values mean is no business of its own."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from antiphon.errors import AntiphonError
from antiphon.input_files import read_bounded
from antiphon.music.note_names import UnknownName
from antiphon.presets.keys import allowed, field_at
from antiphon.presets.lines import KeyPath, dotted, line_of, locate_keys
from antiphon.presets.schema import TABLES, Table
from antiphon.presets.toml_mistakes import describe_mistake
from antiphon.printable import printable
from antiphon.spelling import did_you_mean, nearest, suggestion

TableType = TypeVar("TableType", bound=Table)

MOST_BYTES: Final = 1 << 20
"""Of a preset or setlist."""
_LONGEST_VALUE = 60
"""Characters of a wrong value that are shown."""


@dataclass(slots=True)
class Document:
    """One file, and what has been found wrong with it so far."""

    path: Path
    values: dict[str, Any]
    lines: dict[KeyPath, int]
    problems: dict[KeyPath, str] = field(default_factory=dict)
    """What is wrong, by where it is wrong; the first finding counts."""
    below: dict[KeyPath, str] = field(default_factory=dict)
    """Lines that explain a problem, such as those of another file, by the same keys."""

    def refuse(self, key: KeyPath, text: str, *, given: Iterable[KeyPath] = ()) -> None:
        """Note a problem, unless it may only follow from one already noted at or inside `key` or the keys `given`."""
        causes = (key, *given)
        if not any(wrong[: len(cause)] == cause for wrong in self.problems for cause in causes):
            self.problems[key] = f"{dotted(key)}{text}"

    def refuse_value(self, key: KeyPath, value: object, allowed: str, *, given: Iterable[KeyPath] = ()) -> None:
        """Note a wrong value."""
        self.refuse(key, f" is {shown(value)}; allowed: {allowed}", given=given)

    def refuse_name(
        self, key: KeyPath, name: str, known: Iterable[str], *, lacking: str = "", given: Iterable[KeyPath] = ()
    ) -> None:
        """Note a name that is not among `known`, and the nearest that is; `lacking` says who does not know it."""
        names = sorted(known)
        what = lacking or f" is {shown(name)}"
        listed = ", ".join(shown(each) for each in names) or "none"
        self.refuse(key, f"{what}{did_you_mean(name, names)} allowed: {listed}", given=given)

    def report(self) -> list[str]:
        """All problems, `FILE:LINE: KEY …`, in the order of the file."""
        found = [(line_of(key, self.lines), key, text) for key, text in self.problems.items()]
        lines = []
        for line, key, text in sorted(found, key=itemgetter(0)):
            lines += [f"{self.path}:{line}: {printable(text)}", *self.below.get(key, "").splitlines()]
        return lines

    def raise_problems(self) -> None:
        """Raise AntiphonError with the report, one problem a line; return if there are none."""
        if self.problems:
            raise AntiphonError("\n".join(self.report()))


def read_document(path: Path) -> Document:
    """Read a TOML file.

    Raises:
        AntiphonError: no such file, not UTF-8, or not TOML; with the line where there is one.
    """
    try:
        data = read_bounded(path, MOST_BYTES)
    except AntiphonError as error:
        raise AntiphonError(f"{path}: cannot be read: {error}; `antiphon presets list` names presets") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"byte 0x{data[error.start]:02x}"
        raise AntiphonError(f"{path}:{line}: {byte} is not UTF-8 text; save the file as UTF-8") from error
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        begun, problem = describe_mistake(text, error)
        place = path if begun is None else f"{path}:{begun}"
        raise AntiphonError(f"{place}: {printable(problem)}") from error
    return Document(path, values, locate_keys(text))


def validate(document: Document, table: type[TableType], elsewhere: Mapping[str, str]) -> TableType:
    """The document as `table`, its defaults filled in; what is wrong is noted and left at its default.

    `elsewhere` says where further names, such as a generator's controls, would have their place.
    """
    try:
        return table.model_validate(document.values)
    except ValidationError as error:
        found = error.errors(include_url=False)
    usable = deepcopy(document.values)
    for details in found:
        key: KeyPath = details["loc"]
        document.problems.setdefault(key, dotted(key) + _finding(details, table, elsewhere))
        _remove(usable, key)
    return table.model_validate(usable)


def shown(value: object) -> str:
    """A value as the file might write it, shortened."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def nearest_file(path: Path, *suffixes: str) -> str:
    """`; did you mean 'name.mid'?`: of the files in the folder of `path`, the nearest to its name; or a semicolon.

    `suffixes`: what its name may end in; whatever it does, if there are none.
    """
    try:
        names = [file.name for file in path.parent.iterdir() if not suffixes or file.suffix.lower() in suffixes]
    except OSError:
        return f"; there is no folder {path.parent};"
    return did_you_mean(path.name, names)


def _finding(details: ErrorDetails, table: type[Table], elsewhere: Mapping[str, str]) -> str:
    key: KeyPath = details["loc"]
    around, declared = field_at(table, key)
    if details["type"] == "extra_forbidden":
        return _unknown_key(str(key[-1]), around, elsewhere)
    assert declared is not None  # Only what is declared has a type to violate.
    value = details["input"]
    hint = ";"
    error = details.get("ctx", {}).get("error")
    if isinstance(error, UnknownName):
        hint = suggestion(str(error))
    elif details["type"] == "literal_error" and isinstance(value, str):
        hint = did_you_mean(value, re.findall(r"'(\w+)'", allowed(declared)))
    words = "a number, or a text in quotes" if "controls" in key[:-1] else allowed(declared)
    return f" is {shown(value)}{hint} allowed: {words}"


def _unknown_key(name: str, around: type[Table], elsewhere: Mapping[str, str]) -> str:
    here = list(around.model_fields)
    places: dict[str, str] = {}
    for table, place in TABLES.items():
        places = dict.fromkeys(table.model_fields, place) | places
    places = {**elsewhere, **places}
    if name in places:
        hint = f"; it belongs {places[name]};"
    elif (near := nearest(name, here)) or not (near := nearest(name, places)):
        hint = suggestion(near)
    else:
        hint = f"; did you mean '{near}' {places[near]}?"
    return f": unknown key{hint} allowed {TABLES[around]}: {', '.join(here)}"


def _remove(values: dict[str, Any], key: KeyPath) -> None:
    """Take out the smallest keyed value around `key`."""
    while isinstance(key[-1], int):
        key = key[:-1]
    place: Any = values
    for part in key[:-1]:
        try:
            place = place[part]
        except (KeyError, IndexError):
            return  # A problem before this one has taken it out with what is around it.
    place.pop(key[-1], None)
