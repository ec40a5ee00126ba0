"""Printing where the terminal, or the file in its place, has another encoding than the names."""

from __future__ import annotations

import codecs
import io
import sys

_PLAIN = "antiphon_plain"


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
