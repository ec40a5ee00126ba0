"""Where socket ports are found, and who may come in: announcements that only their user can read. It opens no port.

An announcement holds a token. Whoever connects says it first, and is answered with the other half: so the port knows
that its peer could read the announcement, and the peer that it is the port which was announced.
"""

from __future__ import annotations

import json
import os
import secrets
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from antiphon.errors import AntiphonError

TOKEN_BYTES: Final = 32
"""Letters of either half of a token."""
_MOST_BYTES: Final = 4096
"""Of an announcement."""
_MOST_ANNOUNCEMENTS: Final = 1000
_LONGEST_NAME: Final = 256

Direction = Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class Announcement:
    """Where a port of some process is to be found."""

    name: str
    """As in `Antiphon:out`."""
    direction: Direction
    """Seen from its owner: others listen to an output."""
    tcp_port: int
    """On the loopback interface."""
    token: str
    """Two halves of `TOKEN_BYTES` hexadecimal digits: what a peer says before all else, and what it is answered."""

    @property
    def said(self) -> bytes:
        """The half of the token that a peer says."""
        return self.token[:TOKEN_BYTES].encode()

    @property
    def answered(self) -> bytes:
        """The half that the port answers."""
        return self.token[TOKEN_BYTES:].encode()


def new_token() -> str:
    """A token that nobody can guess."""
    return secrets.token_hex(TOKEN_BYTES)


def announcements_folder() -> Path:
    """The folder of the announcements, made if need be; `ANTIPHON_SOCKET_PORTS` replaces the user's own.

    Raises:
        AntiphonError: it cannot be made, or others than its user can enter it.
    """
    override = os.environ.get("ANTIPHON_SOCKET_PORTS")
    folder = Path(override) if override else _users_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Whoever owns the folders above ours could put another in its place.
        problem = _openness(folder) or ("" if override else _strange_owner(folder.parent, folder.parent.parent))
    except (OSError, ValueError) as error:
        raise AntiphonError(f"{error}; set ANTIPHON_SOCKET_PORTS to a folder that can be written") from None
    if problem:
        raise AntiphonError(problem)
    return folder


def announce(folder: Path, announcement: Announcement) -> Path:
    """Write the announcement, whole or not at all, for nobody but the user to read; returns its file."""
    file = folder / f"{announcement.tcp_port}.json"
    unfinished = file.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(asdict(announcement)), encoding="utf-8")
    return unfinished.replace(file)


def announced_in(folder: Path) -> list[tuple[Path, Announcement]]:
    """What is announced in `folder`, and in which file; what is no announcement is passed over."""
    files = sorted(folder.glob("*.json"))[:_MOST_ANNOUNCEMENTS]
    return [(file, found) for file in files if (found := read_announcement(file)) is not None]


def read_announcement(file: Path) -> Announcement | None:
    """The announcement in `file`; None if it has gone, or is none."""
    try:
        if not file.is_file():
            return None
        with file.open("rb") as stream:
            found = json.loads(stream.read(_MOST_BYTES))
        announcement = Announcement(**found)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return announcement if _is_sound(announcement) else None


def _is_sound(found: Announcement) -> bool:
    return (
        isinstance(found.name, str)
        and 0 < len(found.name) <= _LONGEST_NAME
        and found.name.isprintable()
        and found.direction in get_args(Direction)
        and type(found.tcp_port) is int
        and 0 < found.tcp_port < 1 << 16
        and isinstance(found.token, str)
        and len(found.token) == 2 * TOKEN_BYTES
        and found.token.isascii()
        and found.token.isalnum()
    )


def _users_folder() -> Path:
    from platformdirs import user_runtime_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Without a desktop session it takes a folder in /tmp: good enough for us.
        return user_runtime_path("antiphon") / "ports"


def _openness(folder: Path) -> str:
    """Why `folder` is not its user's alone; empty if it is. Windows keeps a user's folders by other means."""
    if not hasattr(os, "getuid"):
        return ""
    if folder.stat().st_mode & 0o077:
        return f"others can enter '{folder}'; type `chmod 700 '{folder}'`, or set ANTIPHON_SOCKET_PORTS to another"
    return _strange_owner(folder)


def _strange_owner(*folders: Path) -> str:
    if not hasattr(os, "getuid"):
        return ""
    strange = next((folder for folder in folders if folder.stat().st_uid != os.getuid()), None)
    return "" if strange is None else f"'{strange}' is another user's; set ANTIPHON_SOCKET_PORTS to a folder of yours"
