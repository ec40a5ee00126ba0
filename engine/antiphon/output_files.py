"""Files that a command writes: under a name that says what they are, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from antiphon.errors import AntiphonError


def check_suffix(path: Path, what: str, *suffixes: str) -> None:
    """Raise AntiphonError unless the name ends as that of `what`, such as "a WAV file", may: in one of `suffixes`."""
    if path.suffix.lower() not in suffixes:
        allowed = " or ".join(suffixes)
        raise AntiphonError(
            f"'{path}' is no name for {what}; allowed: one that ends in {allowed}, "
            f"such as '{path.with_suffix(suffixes[0]) if path.name else f'out{suffixes[0]}'}'"
        )


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path`, where it appears whole or not at all. Raises AntiphonError if it cannot be written."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        raise AntiphonError(f"cannot write '{path}': {error.strerror}; choose a folder you may write to") from error
    finally:
        partial.unlink(missing_ok=True)
