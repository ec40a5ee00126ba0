"""Files from anywhere: devices, pipes, folders, names that are none, and too much of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from antiphon.errors import AntiphonError
from antiphon.input_files import read_bounded


def test_a_file_is_read_up_to_what_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_bounded(tmp_path / "a", 5) == b"12345"
    with pytest.raises(AntiphonError, match="larger than 0 KiB"):
        read_bounded(tmp_path / "a", 4)


def test_what_has_no_end_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe", tmp_path / "zero", Path("/dev/zero")):
        with pytest.raises(AntiphonError, match="a device or a pipe"):
            read_bounded(path, 1 << 20)


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    for path, why in ((tmp_path, "a folder"), (tmp_path / "none", "No such file"), (tmp_path / "a\0b", "null")):
        with pytest.raises(AntiphonError, match=why):
            read_bounded(path, 1)
