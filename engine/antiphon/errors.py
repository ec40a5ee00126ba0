"""The one exception a person is meant to read: it says what is wrong, what is allowed and what to do."""

from __future__ import annotations

import shlex
import sys


class AntiphonError(Exception):
    """Something the user can mend. The command line prints it without a traceback and exits with 1."""


def how_to_install(*packages: str, options: str = "") -> str:
    """The line that brings what is missing to the very Python that runs this, for the end of a message."""
    words = [sys.executable or "python3", "-m", "pip", "install", *options.split(), *packages]
    return f"install it with: {shlex.join(words)}"
