"""Files that come from anywhere: plain files, and no bigger than they may be. It knows no format."""

from __future__ import annotations

from pathlib import Path

from antiphon.errors import AntiphonError


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """All of a file. Devices and pipes, which may have no end, are none.

    Raises:
        AntiphonError: there is no such file, it cannot be read, it is no plain file, or larger than `most_bytes`; the
            text says why, and leaves the file's name to the caller.
    """
    try:
        if path.exists() and not path.is_file():  # A pipe that nobody writes into would be waited for.
            raise AntiphonError("it is a folder" if path.is_dir() else "it is a device or a pipe")
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except (OSError, ValueError) as error:  # ValueError: a name that no file system can have.
        raise AntiphonError(getattr(error, "strerror", None) or str(error)) from error
    if len(data) > most_bytes:
        size = f"{most_bytes >> 20} MiB" if most_bytes >> 20 else f"{most_bytes >> 10} KiB"
        raise AntiphonError(f"it is larger than {size}")
    return data
