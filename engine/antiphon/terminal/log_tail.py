"""What the processes of a performance have written into their logs since the last look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


class LogTail:
    """The logs in a session's folder, which may come into being meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}
        """Bytes read of each log."""

    def lines(self) -> Iterator[str]:
        """The lines that were finished since the last call, each headed by the name of its log."""
        for log in sorted(self._folder.glob("*.log")):
            try:
                with log.open("rb") as file:
                    file.seek(self._read.get(log, 0))
                    *whole, _ = file.read().split(b"\n")
            except OSError:
                continue  # Its folder has vanished.
            self._read[log] = self._read.get(log, 0) + sum(len(line) + 1 for line in whole)
            for line in whole:
                yield f"{log.stem}: {line.decode('utf-8', 'replace').rstrip()}"
