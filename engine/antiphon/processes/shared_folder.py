"""The folder that the processes of a performance share: what is left there for others, and memory."""

from __future__ import annotations

import mmap
import pickle
import secrets
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar, cast

Content = TypeVar("Content")


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
    """A fresh folder that only this user can read."""
    folder = Path(tempfile.mkdtemp(prefix="antiphon-"))
    (folder / "key").write_bytes(secrets.token_bytes(32))
    return SharedFolder(folder, -1)


def shared_memory(path: Path, size: int) -> mmap.mmap:
    """`size` bytes that every process that opens `path` shares; they outlive any of them."""
    with path.open("a+b") as file:
        file.truncate(size)
        return mmap.mmap(file.fileno(), size)
