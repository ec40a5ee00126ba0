"""A reel loses nothing to a disk that is full, in the way or gone, as long as there is room to keep it."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from antiphon.session.reel import Reel

HEAD = b"head\n"


class Disk:
    """Takes so many bytes more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = 1 << 30
        self._write = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, file: int, data: bytes) -> int:
        if self.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(file, data[: self.room])
        self.room -= written
        return written


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_what_is_appended_is_there_at_once(tmp_path: Path) -> None:
    reel = Reel(tmp_path / "new" / "file", HEAD)
    assert reel.path.read_bytes() == HEAD
    assert reel.append(b"one\n")
    assert reel.path.read_bytes() == b"head\none\n"
    assert reel.trouble == ""
    reel.close()


def test_a_disk_that_fills_up_in_the_middle_of_a_line_goes_on_there(tmp_path: Path, disk: Disk) -> None:
    reel = Reel(tmp_path / "file", HEAD)
    disk.room = 2
    assert reel.append(b"one\n")
    assert reel.trouble == "No space left on device"
    assert reel.path.read_bytes() == b"head\non"
    assert reel.append(b"two\n")
    reel.save()
    assert reel.trouble
    disk.room = 100
    reel.save()
    assert reel.trouble == ""
    assert reel.path.read_bytes() == b"head\none\ntwo\n"
    reel.close()


def test_what_there_is_no_room_to_keep_is_lost_whole(tmp_path: Path, disk: Disk) -> None:
    reel = Reel(tmp_path / "file", HEAD, most_kept_bytes=9)
    disk.room = 0
    assert reel.append(b"first\n")
    assert not reel.append(b"second\n")
    assert reel.append(b"3\n")
    disk.room = 100
    reel.close()
    assert reel.path.read_bytes() == b"head\nfirst\n3\n"


def test_a_folder_that_vanishes_is_made_again_with_all_that_was_in_the_file(tmp_path: Path) -> None:
    reel = Reel(tmp_path / "folder" / "file", HEAD)
    reel.append(b"one\n")
    shutil.rmtree(tmp_path / "folder")
    reel.append(b"two\n")
    reel.save()
    assert reel.path.read_bytes() == b"head\none\ntwo\n"
    reel.append(b"three\n")
    reel.close()
    assert reel.path.read_bytes() == b"head\none\ntwo\nthree\n"


def test_a_folder_that_cannot_be_made_again_is_trouble_until_it_can_be(tmp_path: Path) -> None:
    reel = Reel(tmp_path / "folder" / "file", HEAD)
    shutil.rmtree(tmp_path / "folder")
    (tmp_path / "folder").write_text("in the way")
    reel.save()
    assert reel.trouble
    reel.append(b"one\n")
    (tmp_path / "folder").unlink()
    reel.save()
    assert reel.trouble == ""
    assert reel.path.read_bytes() == b"head\none\n"
    reel.close()


def test_a_file_of_somebody_else_in_its_place_is_left_alone(tmp_path: Path) -> None:
    reel = Reel(tmp_path / "file", HEAD)
    reel.path.unlink()
    reel.path.write_text("another's\n")
    reel.save()
    assert reel.trouble == "another file is in its place"
    assert reel.path.read_text() == "another's\n"
    reel.path.unlink()
    reel.close()
    assert reel.path.read_bytes() == HEAD


def test_an_older_file_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("older than this\n")
    Reel(tmp_path / "file", HEAD).close()
    assert (tmp_path / "file").read_bytes() == HEAD
