"""The folder that the processes of a performance share: what is left there for others, and memory."""

from __future__ import annotations

import mmap
import os
import pickle
import secrets
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar, cast

from antiphon.errors import AntiphonError

Content = TypeVar("Content")

_IN_MEMORY: Final = "/dev/shm"
_ROOM_BYTES: Final = 1 << 18
"""What a performance may need there, with a good margin."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[Content]):
    """Where in the folder something is left: whoever leaves or reads it there knows what it is."""

    name: str


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """What a process is given when it is started: the folder all processes of a performance share, and its place."""

    folder: Path
    place: int
    """Slot of its pulse."""

    @property
    def address(self) -> str:
        """Where the engine listens."""
        return rf"\\.\pipe\{self.folder.name}" if sys.platform == "win32" else str(self.folder / "hub")

    def read(self, entry: Entry[Content]) -> Content:
        """What was left there."""
        return cast(Content, pickle.loads((self.folder / entry.name).read_bytes()))

    def find(self, entry: Entry[Content]) -> Content | None:
        """The same, or None as long as nothing is there."""
        return self.read(entry) if (self.folder / entry.name).exists() else None

    def leave(self, entry: Entry[Content], content: Content) -> None:
        """Leave something for processes that are started later."""
        partial = self.folder / f"{entry.name}.partial"
        partial.write_bytes(pickle.dumps(content))
        partial.replace(self.folder / entry.name)

    def clear(self) -> None:
        """Remove the folder: the performance is over."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def key(self) -> bytes:
        """What keeps other programs off the hub."""
        return (self.folder / "key").read_bytes()


def open_shared_folder() -> SharedFolder:
    """A fresh folder that only this user can read: in memory, where there is no room on the disk.

    Raises:
        AntiphonError: there is no room anywhere.
    """
    for parent in (None, _IN_MEMORY):
        try:
            folder = Path(tempfile.mkdtemp(prefix="antiphon-", dir=parent))
        except OSError:
            continue
        shared = SharedFolder(folder, -1)
        try:
            (folder / "key").write_bytes(bytes(_ROOM_BYTES))
            (folder / "key").write_bytes(secrets.token_bytes(32))
        except OSError:
            shared.clear()
            continue
        return shared
    raise AntiphonError(
        f"there is no room for temporary files; make {_ROOM_BYTES >> 10} kB, or let TMPDIR name another folder"
    )


def shared_memory(path: Path, size: int) -> mmap.mmap:
    """`size` bytes that every process that opens `path` shares; they outlive any of them."""
    with path.open("a+b") as file:
        file.truncate(size)
        if sys.platform not in ("win32", "darwin"):
            os.posix_fallocate(file.fileno(), 0, size)  # A disk that fills up later must not take it away.
        return mmap.mmap(file.fileno(), size)
