"""The line of every key: in the documents below, every number is the line it stands on."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.presets.lines import KeyPath, dotted, line_of, locate_keys

CASES = {
    "plain keys": "a = 1\n\n# c = 9\nb = 4 # b = 8\n",
    "quoted and dotted keys": '"a b" = 1\n\'c.d\' = 2\ne.f . "g" = 3\n"\\u0041\\U00000042" = 4\n',
    "lists over several lines": "a = [1,\n  2, [2,\n  3], # ]\n\n  5,\n]\nb = 7\n",
    "inline tables": "a = { b = 1, c = { d = 1 }, e = [1,\n2] }\nf = 3\n",
    "strings that look like TOML": 's = """\n[x]\ny = "9"\\"""\n"""\nt = \'\'\'\n# "\n\'\'\'\'\nu = "# [\\"]"\nv = 9\n',
    "other values": "a = 1979-05-27 07:32:00\nb = 3.5e-3\nc = +inf\nd = 4\ne = true\nf = 07:32:00.5\ng = 7\n",
    "tables": "[a]\nb = 2\n[a.c]\nd = 4\n[ 'e' . f ]\ng = 6\n",
    "arrays of tables": "[[v]]\na = 2\n[v.h]\nb = 4\n[[v]]\na = 6\n[v.h]\nb = 8\n[[v.w]]\nc = 10\n[[v.w]]\nc = 12\n",
    "Windows line ends": "a = 1\r\n[b]\r\nc = [3,\r\n4]\r\n",
}


def numbers(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, int]]:
    if type(value) is int:
        yield path, value
    elif isinstance(value, dict | list):
        for part, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from numbers(inner, (*path, part))


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_every_key_is_found_on_its_line(text: str) -> None:
    lines = locate_keys(text)
    expected = dict(numbers(tomllib.loads(text)))
    assert expected
    assert {path: lines[path] for path in expected} == expected


@given(
    st.lists(
        st.sampled_from(
            ["", "# a = 1", "K = L", "K = [L,\nL]", 'K = { a = L, "#" = [L, { b = L }] }', "K = '''\n\n'''"]
        )
        | st.sampled_from(["[T]", "[[A]]", "[A.T]", "[[A.B]]", 'K = "\\"[#"', "K.a.b = L"])
    )
)
def test_every_key_of_any_layout_is_found_on_its_line(pieces: list[str]) -> None:
    text, arrays = "", set[str]()
    for index, piece in enumerate(pieces):
        if piece.startswith(("[A.", "[[A.")):
            piece = piece if "A" in arrays else ""
        if piece == "[[A]]":
            arrays.add("A")
        # Fresh names, so that no key is defined twice.
        for name in "KT":
            piece = piece.replace(name, f"{name.lower()}{index}")
        for line in piece.split("\n"):
            text += line.replace("L", str(text.count("\n") + 1)) + "\n"
    expected = dict(numbers(tomllib.loads(text)))
    lines = locate_keys(text)
    assert {path: lines[path] for path in expected} == expected


def test_lines_rise_with_the_text() -> None:
    lines = locate_keys(CASES["arrays of tables"])
    places = [lines["v", 0], lines["v", 0, "h"], lines["v", 1], lines["v", 1, "w", 0], lines["v", 1, "w", 1]]
    assert places == [1, 3, 5, 9, 11]
    assert all(earlier < later for earlier, later in pairwise(places))


def test_a_key_that_is_not_written_is_where_its_table_is() -> None:
    lines = locate_keys("a = 1\n[[v]]\nb = 3\n")
    assert line_of(("v", 0, "missing", "deeper"), lines) == 2
    assert line_of(("missing",), lines) == 1


def test_paths_are_written_as_people_write_them() -> None:
    assert dotted(("voice", 0, "controls", "temperature")) == "voice 1: controls.temperature"
    assert dotted(("voice", 1)) == "voice 2"
    assert dotted(("voice", 0, "input_channels", 2)) == "voice 1: input_channels, entry 3"
    assert dotted(("presets", 0)) == "presets, entry 1"
    assert dotted(("a b", "c.d", "")) == '"a b"."c.d".""'
