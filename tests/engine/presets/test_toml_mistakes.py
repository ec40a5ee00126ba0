"""What is no TOML: the key that it is in and the line that began it."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.presets.toml_mistakes import describe_mistake

CASES = {
    'presets = ["a",\n  "b"\n\nname = "x"\n': (1, "presets", "Unclosed array, found on line 4, column 1"),
    's = """abc\n y = 3\n[voice]\n': (1, "s", "Unterminated string, found at the end"),
    "a = 1\n\nt = '''\nb = 2": (3, "t", "Expected \"'''\", found at the end"),
    "[[voice]]\nx = 1\n[[voice]]\nchannel = 0x\n": (4, "voice 2: channel", "Expected newline or end"),
    "[[voice]]\nx = 1\n[voice.controls]\norder = tru\n": (4, "voice 1: controls.order", "Invalid value, column 9"),
    "[[voice]]\nx = 1\nx = 2\n": (3, "voice 1: x", "Cannot overwrite a value, column 6; it is given on line 2 already"),
    "[voice]\na = 1\n[voice]\n": (3, "voice", "Cannot declare voice twice, column 7; it is given on line 1 already"),
    "a = { b = 1 }\n[a.c]\n": (2, "a.c", "Cannot declare a.c twice, column 5; it is given on line 1 already"),
    "[[voice]\nx = 1\n": (1, "voice 1", "Expected ']]' at the end of an array declaration, column 8"),
    "a = 1\r\nb = [\r\n3\r\n4]\r\n": (2, "b", "Unclosed array, found on line 4, column 1"),
    "foo bar = 3\n": (1, "foo", "Expected '=' after a key in a key/value pair, column 5"),
    '# "\n"a b".c = [1 2]\n': (2, '"a b".c', "Unclosed array, column 14"),
}


def describe(text: str) -> tuple[int | None, str]:
    with pytest.raises((ValueError, RecursionError)) as caught:
        tomllib.loads(text)
    return describe_mistake(text, caught.value)


@pytest.mark.parametrize("text", CASES)
def test_the_key_is_named_and_the_line_that_began_it(text: str) -> None:
    line, key, problem = CASES[text]
    found_line, told = describe(text)
    assert found_line == line
    assert told.startswith(f"{key} is not valid TOML: {problem}")


@given(st.lists(st.sampled_from([*list("\n\n[]{}=.,'\"#ab1 "), '"""', "[[v]]\n", "k = ", "\r\n"]), max_size=30))
def test_any_text_that_is_no_toml_is_described(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        tomllib.loads(text)
    except ValueError as error:
        line, told = describe_mistake(text, error)
        assert line is not None
        assert 1 <= line <= text.count("\n") + 1
        assert "is not valid TOML: " in told
