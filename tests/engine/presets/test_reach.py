"""A preset from somebody else opens nothing that did not come with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.errors import AntiphonError
from antiphon.presets.reach import within_reach


def test_files_beside_a_preset_and_below_are_within_its_reach(tmp_path: Path) -> None:
    preset, own = tmp_path / "p.toml", tmp_path / "own"
    for name in ("song.mid", "songs/song.mid", "./a/../song.mid", "not-there.mid"):
        assert within_reach(preset, name, own) == (tmp_path / name).absolute()


@pytest.mark.parametrize("name", ["../song.mid", "/dev/zero", "/etc/passwd", "~/song.mid", "a/../../song.mid"])
def test_other_files_are_refused_with_what_to_do(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "stranger"
    folder.mkdir()
    with pytest.raises(AntiphonError, match=r"not beside this file; allowed: .*; copy it there, or move this file"):
        within_reach(folder / "p.toml", name, tmp_path / "own")


def test_a_link_leads_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "stranger"
    folder.mkdir()
    (tmp_path / "secret.mid").touch()
    (folder / "song.mid").symlink_to(tmp_path / "secret.mid")
    with pytest.raises(AntiphonError, match="not beside this file"):
        within_reach(folder / "p.toml", "song.mid", tmp_path / "own")


def test_a_preset_of_ones_own_names_any_file(tmp_path: Path) -> None:
    own = tmp_path / "own"
    assert within_reach(own / "p.toml", "../song.mid", own) == own / "../song.mid"


@pytest.mark.parametrize("name", ["\0", "a\0b.mid", "~nobody-of-this-name/x.mid"])
def test_what_is_no_path_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match="is no path"):
        within_reach(tmp_path / "p.toml", name, tmp_path)
