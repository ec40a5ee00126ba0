"""The way to the terminal: what it does not take waits here, and nobody waits for it. It knows not what is shown.

A terminal may be held (Ctrl-S), a pipe full or broken, the standard output closed: that ends the show on the screen,
and nothing else.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable
from typing import Final, TextIO

from antiphon.printable import printable_lines
from antiphon.processes.runtime import Inbox, spawn_thread

_MOST_WAITING: Final = 200
"""So many texts wait for a terminal; for more, the oldest go."""
_LAST_SECONDS: Final = 1.0
"""How long a terminal is given to take the last of it."""
_PATIENCE_SECONDS: Final = 0.02
_END: Final = ""


class Outlet(io.TextIOBase):
    """A text file to write to, in front of one that may take nothing; `flush` hands over what was written."""

    def __init__(self, stream: TextIO | None) -> None:
        """`stream`: what it stands for; None if there is none, and whatever is written is gone."""
        self._stream = stream
        self._unfinished: list[str] = []
        self._waiting: Inbox[str] = Inbox()
        self._idle = True
        spawn_thread(self._deliver, "outlet")

    @property
    def encoding(self) -> str:  # type: ignore[override]  # A class attribute in typeshed.
        """That of the stream."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    @property
    def idle(self) -> bool:
        """Whether everything was taken: who draws what will be out of date in a moment does it only then."""
        return self._idle and self._waiting.empty()

    def isatty(self) -> bool:
        """Whether a person may be looking."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """That of the stream. Raises OSError if it has none."""
        if self._stream is None:
            raise OSError("there is no standard output")
        return self._stream.fileno()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Keep `text` for `flush`."""
        self._unfinished.append(text)
        return len(text)

    def flush(self) -> None:
        """Hand over what was written; returns at once."""
        text, self._unfinished = "".join(self._unfinished), []
        if text == _END:
            return
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.get(0.0)
        self._waiting.put(text)

    def drain(self, seconds: float = _LAST_SECONDS) -> None:
        """Give the terminal so long to take what it was handed."""
        until = time.perf_counter() + seconds
        while not self.idle and time.perf_counter() < until:
            time.sleep(_PATIENCE_SECONDS)

    def close(self) -> None:
        """Hand over the last, and give the terminal a moment to take it."""
        if not self.closed:
            self.flush()
            self.drain()
            self._waiting.put(_END)
        super().close()

    def _deliver(self) -> None:
        write = _writing(self._stream)
        while (text := self._waiting.get(time.perf_counter() + _LAST_SECONDS)) != _END:
            if text is not None and write is not None:
                self._idle = False
                try:
                    write(text)
                except (OSError, ValueError):
                    write = None  # Closed, or nobody is at its other end: nothing more is shown.
                self._idle = True


def tell(text: str) -> None:
    """Print a line at the end of a performance, unless the terminal takes nothing."""
    with Outlet(sys.stdout) as outlet:
        outlet.write(f"{printable_lines(text)}\n")


def _writing(stream: TextIO | None) -> Callable[[str], object] | None:
    """What writes to `stream`, however long that takes, and leaves nothing in its buffers; None if it cannot be."""
    if stream is None:
        return None
    try:
        file = stream.fileno()
    except (OSError, ValueError):
        return stream.write  # It stands for something in this program.
    encoding, errors = stream.encoding, stream.errors or "replace"

    def write(text: str) -> None:
        data = text.replace("\n", os.linesep).encode(encoding, errors)
        while data:
            try:
                data = data[os.write(file, data) :]
            except BlockingIOError:  # Another program that has the terminal open asked for that.
                time.sleep(_PATIENCE_SECONDS)

    return write
