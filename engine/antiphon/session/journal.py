"""A session's record on disk: a line for every event and message, written as it happens, and read back after a crash.

The first line is the header. The lines are JSON, so that other tools can read them; a last line that was cut off by a
crash is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from platformdirs import user_data_path

from antiphon.duet.commands import Failed
from antiphon.duet.events import Event
from antiphon.duet.schedule import Send
from antiphon.errors import AntiphonError
from antiphon.input_files import read_bounded
from antiphon.session.header import Header
from antiphon.session.journal_rules import Rules, parsed
from antiphon.session.reel import Reel

if TYPE_CHECKING:
    from pydantic import TypeAdapter

JOURNAL_NAME: Final = "journal.jsonl"
_MOST_BYTES: Final = 1 << 30
"""Of a journal: days of playing."""
FORMAT: Final = 1
"""Version of the journal's format."""

_KINDS: Final[Mapping[str, type]] = {kind.__name__: kind for kind in get_args(Event | Send)}
"""What a line can be, by the name in it: whatever an `Event` can be, and a message."""


_FIELDS: Final = {kind: tuple(field.name for field in fields(kind)) for kind in (*_KINDS.values(), Failed)}
_LEFT_OUT: Final = frozenset({"inputs", "port", "part"})
"""Fields that a line has only if there is something in them."""


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the journal."""

    what: Event | Send
    late_seconds: float | None = None
    """With a message: how long after its moment it was sent; None offline."""


@dataclass(frozen=True, slots=True)
class Session:
    """A journal, read back."""

    folder: Path
    header: Header
    records: tuple[Record, ...]


class JournalWriter:
    """Appends to a journal; every call leaves the file complete up to there, or what is missing is kept: see `Reel`."""

    def __init__(self, folder: Path, header: Header) -> None:
        """Make `folder` and begin its journal; a folder that cannot be made is tried again by `save`."""
        self.lost = 0
        """How many records there was no room to keep."""
        self._reel = Reel(folder / JOURNAL_NAME, _line({"antiphon_journal": FORMAT, **_header_to_json(header)}))

    @property
    def trouble(self) -> str:
        """Why nothing is recorded at the moment; "" if all is."""
        return self._reel.trouble

    def write(self, records: Sequence[Record]) -> None:
        """Append `records` and hand them to the operating system: a crash of this program loses none of them."""
        if not self._reel.append(b"".join([_line(_to_json(record)) for record in records])):
            self.lost += len(records)

    def save(self) -> None:
        """Write what could not be written before; now and then."""
        self._reel.save()

    def close(self) -> None:
        """Close the file."""
        self._reel.close()


def user_session_folder() -> Path:
    """Where a user's own sessions are recorded, each in a folder; it need not exist."""
    return user_data_path("antiphon") / "sessions"


def holds_music(folder: Path) -> bool:
    """Whether a session in which anything was heard is recorded in `folder`."""
    try:
        return '"is":"Heard"' in (folder / JOURNAL_NAME).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def is_session(path: Path) -> bool:
    """Whether `path` is meant as a session: a folder, or the journal in it; all else is a file of music."""
    return path.is_dir() or path.name == JOURNAL_NAME


def read_session(path: Path) -> Session:
    """Read the session in folder `path` (or its journal file).

    Raises:
        AntiphonError: there is no journal, it is not one, it is of a later format, or a line, which is named, is
            damaged: see `journal_rules`.
    """
    file = path / JOURNAL_NAME if path.is_dir() else path
    try:
        lines = read_bounded(file, _MOST_BYTES).decode().splitlines()
    except (AntiphonError, ValueError) as error:
        raise AntiphonError(f"{path} holds no session: {file.name} cannot be read ({error})") from error
    try:
        head = parsed(lines[0])
        version = head["antiphon_journal"]
    except (ValueError, LookupError, TypeError) as error:
        raise AntiphonError(f"{file} is not the journal of a session; give the folder that `jam` named") from error
    if version != FORMAT:
        raise AntiphonError(f"{file} has format {version}; this version of Antiphon reads {FORMAT}")
    try:
        header = _header_from_json(head)
        rules = Rules(header)
    except ValueError as error:
        why = " ".join(str(error).split())[:200]
        raise AntiphonError(
            f"{file}:1: this is not the journal of a session: its first line is damaged: {why}"
        ) from error
    records = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            record = _from_json(parsed(line))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            if number == len(lines):
                break  # The crash came in the middle of this line.
            raise _damaged(file, number, line) from error
        try:
            rules.check(record.what)
        except ValueError as error:
            raise _damaged(file, number, line, f": {error}") from error
        records.append(record)
    return Session(file.parent, header, tuple(records))


def _damaged(file: Path, number: int, line: str, why: str = "") -> AntiphonError:
    return AntiphonError(f"{file}:{number}: not a line of a journal: {line[:60]!r}{why}")


_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


def _line(values: Mapping[str, Any]) -> bytes:
    return f"{_encode(values)}\n".encode()


def _to_json(record: Record) -> dict[str, Any]:
    what = record.what
    line: dict[str, Any] = {"is": type(what).__name__}
    for name in _FIELDS[type(what)]:
        value = getattr(what, name)
        if isinstance(value, bytes):
            value = value.hex()
        elif name in _LEFT_OUT and not value:
            continue
        elif isinstance(value, Failed):
            value = {name: getattr(value, name) for name in _FIELDS[Failed]}
        line[name] = value
    if record.late_seconds is not None:
        line["late_seconds"] = round(record.late_seconds, 6)
    return line


def _from_json(line: dict[str, Any]) -> Record:
    kind = _KINDS[line.pop("is")]
    late = line.pop("late_seconds", None)
    if not (late is None or isinstance(late, int | float)):
        raise TypeError(f"late_seconds is {late!r}")
    if "message" in line:
        line["message"] = bytes.fromhex(line["message"])
    if "inputs" in line:
        line["inputs"] = tuple(line["inputs"])
    if "failure" in line:
        line["failure"] = Failed(**line["failure"])
    return Record(kind(**line), late)


@cache
def _headers() -> TypeAdapter[Header]:
    from pydantic import TypeAdapter  # Not on the engine's path: only who keeps records pays for it.

    return TypeAdapter(Header)


def _header_to_json(header: Header) -> dict[str, Any]:
    return _headers().dump_python(header, mode="json")  # type: ignore[no-any-return]


def _header_from_json(line: dict[str, Any]) -> Header:
    line.pop("antiphon_journal")
    plans = line.get("plans")
    for plan in plans if isinstance(plans, list) else ():
        if isinstance(plan, dict):
            plan.setdefault("switch", None)  # What was recorded before there was a choice plays again as it was played.
    return _headers().validate_python(line)
