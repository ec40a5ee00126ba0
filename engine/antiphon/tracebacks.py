"""Where a plugin's mistake is seen whole: in the log of the process it happened in, and on request on the terminal.

A player's process writes into its log, `player-2.log` in the session's folder. A command is quiet until `--verbose`.
"""

from __future__ import annotations

import logging
from traceback import extract_tb
from typing import Final

_LOG: Final = logging.getLogger(__name__)


def quiet(wanted: bool = True) -> None:
    """Let this process write no tracebacks, or let it write them again, to standard error."""
    _LOG.disabled = wanted


class Tracebacks:
    """Writes what was raised, each mistake once: a generator that fails at every key press fills no disk."""

    def __init__(self) -> None:
        self._written: set[tuple[type[BaseException], str, int | None]] = set()

    def write(self, what: str, error: BaseException) -> None:
        """Write the traceback of `error`, headed `what`; nothing, if one of its kind came from the same line before."""
        frames = extract_tb(error.__traceback__)
        place = (frames[-1].filename, frames[-1].lineno) if frames else ("", None)
        mistake = (type(error), *place)
        if mistake not in self._written:
            self._written.add(mistake)
            _LOG.error("%s", what, exc_info=error)
