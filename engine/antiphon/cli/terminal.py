"""The door through which commands print: whatever the text, it is printable, whatever the encoding, it is printed."""

from __future__ import annotations

import codecs
import io
import json
import logging
import sys
import traceback
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

import typer

from antiphon.printable import printable, printable_lines

if TYPE_CHECKING:
    from rich.text import Text

_PLAIN = "antiphon_plain"


@dataclass(frozen=True, slots=True)
class Coloured:
    """A part of a line that stands out, where the terminal has colours."""

    text: str
    colour: str | None = None
    bold: bool = False


def say(*parts: str | Coloured, err: bool = False) -> None:
    """Print a line, or several, for a person: names and texts of others have no power over the terminal."""
    typer.echo("".join(map(_shown, parts)), err=err)


def say_json(value: object) -> None:
    """Print plain values as JSON, for a program; JSON escapes whatever has power over a terminal."""
    typer.echo(json.dumps(value, indent=2))


def cell(text: str) -> Text:
    """A cell of a table: brackets in it are no markup, and nothing in it is a command."""
    from rich.text import Text

    return Text(printable(text))


def _shown(part: str | Coloured) -> str:
    if isinstance(part, str):
        return printable_lines(part)
    return typer.style(printable_lines(part.text), fg=part.colour, bold=part.bold or None)


class _Printable(logging.Formatter):
    """Warnings and tracebacks quote what others wrote."""

    def format(self, record: logging.LogRecord) -> str:
        return printable_lines(super().format(record))


def print_errors_safely() -> None:
    """Let warnings, and tracebacks of what nobody caught, go through the same door."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Printable())

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        say("".join(traceback.format_exception(kind, error, trace)).rstrip(), err=True)

    sys.excepthook = tell


def print_with_replacement() -> None:
    """Let what the encoding of stdout or stderr lacks be printed as `?`, so that no command dies of a name.

    What the environment asks for instead (`PYTHONIOENCODING=cp1252:xmlcharrefreplace`) is done.
    """
    codecs.register(_plain_codec)
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        errors = "replace" if stream.errors in ("strict", "surrogateescape") else stream.errors
        is_plain = codecs.lookup(stream.encoding).name == "ascii"
        stream.reconfigure(encoding=_PLAIN if is_plain else stream.encoding, errors=errors)


def _plain_codec(name: str) -> codecs.CodecInfo | None:
    """ASCII by another name: what is called so, typer takes for a mistake, and writes UTF-8."""
    if name != _PLAIN:
        return None
    ascii_codec = codecs.lookup("ascii")
    return codecs.CodecInfo(
        ascii_codec.encode,
        ascii_codec.decode,
        ascii_codec.streamreader,
        ascii_codec.streamwriter,
        ascii_codec.incrementalencoder,
        ascii_codec.incrementaldecoder,
        name=_PLAIN,
    )
