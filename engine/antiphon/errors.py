"""The one exception a person is meant to read: it says what is wrong, what is allowed and what to do."""

from __future__ import annotations

import shlex
import sys


class AntiphonError(Exception):
    """Something the user can mend. The command line prints it without a traceback and exits with 1."""


def pip_line(*words: str) -> str:
    """The line that installs packages for the very Python that runs this, wherever a shell finds another `pip`."""
    return shlex.join([sys.executable or "python3", "-m", "pip", "install", *words])
