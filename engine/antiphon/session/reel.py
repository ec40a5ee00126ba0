"""A file that only grows, on a disk that may be full, read-only or gone for a while. It knows nothing of what is in it.

What cannot be written now is kept, up to a limit, and written when that is possible again. Nothing ever rewrites it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_MOST_KEPT_BYTES: Final = 64 << 20
"""Of what waits for the disk: hours of playing."""
_COPIED_BYTES: Final = 1 << 20
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


class Reel:
    """Appends to a file, which it makes with its folder; no fault of the disk is an error."""

    def __init__(self, path: Path, head: bytes, most_kept_bytes: int = _MOST_KEPT_BYTES) -> None:
        """Begin the file anew with `head`."""
        self.path = path
        self.trouble = ""
        """Why what was appended is not in the file; "" if it is."""
        self._head = head
        self._most_kept_bytes = most_kept_bytes
        self._kept = bytearray(head)
        self._file: int | None = None
        self.save()

    def append(self, data: bytes) -> bool:
        """Hand `data` to the operating system, or keep it; False if there is no room to keep it, and it is lost."""
        if self.trouble and len(self._kept) + len(data) > self._most_kept_bytes:
            return False
        self._kept += data
        if not self.trouble:
            self._write()
        return True

    def save(self) -> None:
        """Write what is kept, if that is possible now, and see whether the file is still there; now and then."""
        try:
            if self._file is None:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # What one plays is one's own.
                self._file = os.open(self.path, _FLAGS | os.O_TRUNC, 0o666)
            elif not self._is_there(self._file):
                self._file = self._restored(self._file)
        except OSError as error:
            self.trouble = _why(error)
            return
        self._write()

    def close(self) -> None:
        """Write what is kept, if that is possible, and close the file."""
        self.save()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self) -> None:
        try:
            while self._kept and self._file is not None:
                written = os.write(self._file, self._kept)
                del self._kept[:written]
        except OSError as error:
            self.trouble = _why(error)
        else:
            self.trouble = ""

    def _is_there(self, file: int) -> bool:
        try:
            return os.path.samestat(self.path.stat(), os.fstat(file))
        except FileNotFoundError:
            return False

    def _restored(self, old: int) -> int:
        """The file, made again where it was: as long as it is open, all that was in it can be read."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # What one plays is one's own.
        new = os.open(self.path, _FLAGS, 0o666)
        try:
            if not self._head.startswith(os.read(new, len(self._head))):
                raise FileExistsError(None, "another file is in its place")
            # It is new; or on the same disk, which is back; or was not copied whole the last time.
            os.lseek(old, os.lseek(new, 0, os.SEEK_END), os.SEEK_SET)
            while data := os.read(old, _COPIED_BYTES):
                while data:
                    data = data[os.write(new, data) :]
        except OSError:
            os.close(new)
            raise
        os.close(old)
        return new


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__
