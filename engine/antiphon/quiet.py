"""Silence on stderr while a C library prints what its caller reports anyway. It hides no exception."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send what the whole process writes to file descriptor 2 to nowhere, until the block ends.

    Meant for opening a driver at start-up: whatever another thread prints meanwhile is lost too.
    """
    try:
        kept = os.dup(_STDERR)
    except OSError:  # stderr is closed: it is quiet already
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
