"""Single keys pressed in the terminal, without waiting for one. Where there is no terminal there are none."""

from __future__ import annotations

import os
import select
import sys
from types import TracebackType
from typing import Any, Self

if sys.platform != "win32":
    import termios
    import tty


class Keys:
    """Reads keys one by one while it is entered, and leaves the terminal as it found it."""

    def __init__(self) -> None:
        self._before: Any = None

    @property
    def legend(self) -> str:
        """What can be pressed, for a person to read."""
        if self._before is None:
            return "Ctrl-C ends"
        return "keys: p panic, 1 to 9 choose a preset of the set, q quit"

    def __enter__(self) -> Self:
        if sys.platform != "win32" and sys.stdin.isatty():
            self._before = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if sys.platform != "win32" and self._before is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)
            self._before = None

    def pressed(self) -> str:
        """The keys pressed since the last call."""
        if self._before is None or not select.select([sys.stdin], [], [], 0)[0]:
            return ""
        return os.read(sys.stdin.fileno(), 64).decode(errors="ignore")
