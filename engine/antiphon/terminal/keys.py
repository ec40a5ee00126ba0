"""Single keys pressed in the terminal, and when. Where there is no terminal there are none.

They are waited for in a thread: a tap on a key is worth nothing without the moment at which it came.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, NamedTuple, Self

if sys.platform != "win32":
    import termios
    import tty


_HELP = (
    "?        these lines, or no more of them",
    "p        panic: everything falls silent, on every output",
    "t        tap the tempo, on the beat",
    "m        the metronome, on or off",
    "1 to 9   a preset of the setlist, by its number",
    "n        the next preset of the setlist",
    "q        end, and nothing is left sounding; so does Ctrl-C",
)


_ELSEWHERE_SECONDS = 0.2
"""How often it is looked whether the terminal is ours again."""


class Press(NamedTuple):
    """One key, pressed."""

    key: str
    seconds: float
    """When, in seconds of `time.perf_counter`."""


class Keys:
    """Reads keys one by one while it is entered, and leaves the terminal as it found it."""

    def __init__(self, spawn: Callable[[Callable[[], None], str], None]) -> None:
        """`spawn`: runs something in a thread of the name given."""
        self._spawn = spawn
        self._before: Any = None
        self._presses: deque[Press] = deque()
        self._ended_from = self._end = -1

    @property
    def legend(self) -> str:
        """What can be pressed, for a person to read."""
        if self._before is None:
            return "Ctrl-C ends"
        return "keys: ? help, p panic, t tap tempo, m click, 1-9 preset, n next, q quit"

    @property
    def help(self) -> tuple[str, ...]:
        """Each key, and what it does; none where there are none."""
        return () if self._before is None else _HELP

    def __enter__(self) -> Self:
        if sys.platform != "win32" and sys.stdin is not None and sys.stdin.isatty():
            self._before = termios.tcgetattr(sys.stdin)
            self.take()
            self._ended_from, self._end = os.pipe()
            self._spawn(self._read, "keys")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if sys.platform != "win32" and self._before is not None:
            os.close(self._end)  # The thread sees it, and reads no key that is meant for others.
            self.release()
            self._before = None

    def take(self) -> None:
        """Let the terminal give each key as it is pressed: at the start, and whenever it was another's meanwhile."""
        if sys.platform != "win32" and self._before is not None and in_foreground():
            tty.setcbreak(sys.stdin, termios.TCSANOW)  # Whatever waits for a held terminal waits for ever.

    def release(self) -> None:
        """Leave the terminal as it was found."""
        if sys.platform != "win32" and self._before is not None and in_foreground():
            termios.tcsetattr(sys.stdin, termios.TCSANOW, self._before)

    def pressed(self) -> Iterator[Press]:
        """The keys pressed since the last call, in order."""
        while self._presses:
            yield self._presses.popleft()

    def _read(self) -> None:
        terminal = sys.stdin.fileno()
        while True:
            ready, _, _ = select.select([terminal, self._ended_from], [], [])
            if self._ended_from in ready:
                os.close(self._ended_from)
                return
            seconds = time.perf_counter()
            if not in_foreground():
                time.sleep(_ELSEWHERE_SECONDS)  # Keys that are meant for another are none of ours.
                continue
            try:
                keys = os.read(terminal, 64).decode(errors="ignore")
            except OSError:
                return  # The terminal is gone.
            if not keys:
                return
            self._presses.extend(Press(key, seconds) for key in keys)


def in_foreground() -> bool:
    """Whether the terminal's keys are ours; a shell takes them while it has put this command into the background."""
    if sys.platform == "win32":
        return True
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:
        return True  # It is not the terminal that this command was started from.
