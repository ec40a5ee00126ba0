"""Presets and setlists by name: whose comes first, what a miss is answered with, and what a set holds."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from antiphon.errors import AntiphonError
from antiphon.generator import GeneratorInfo
from antiphon.input_files import read_bounded
from antiphon.presets.library import PresetLibrary
from antiphon.presets.reach import user_preset_folder

GENERATORS = {"markov": GeneratorInfo("markov", "chains")}


def write(folder: Path, name: str, *, seed: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text(f'description = "{name} of {folder.name}"\nseed = {seed}\n[[voice]]\n')
    return path


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    for name in ("answer", "trade"):
        write(tmp_path / "brought", name)
    return tmp_path / "brought"


@pytest.fixture
def library(tmp_path: Path, brought: Path) -> PresetLibrary:
    return PresetLibrary([brought, brought], tmp_path / "mine")


def test_names_are_those_of_all_folders(library: PresetLibrary, tmp_path: Path) -> None:
    write(tmp_path / "mine", "late")
    assert library.names() == ("answer", "late", "trade")


def test_a_user_s_preset_shadows_the_one_a_plugin_brought(library: PresetLibrary, tmp_path: Path) -> None:
    assert library.find("answer") == tmp_path / "brought" / "answer.toml"
    mine = write(tmp_path / "mine", "answer", seed=7)
    assert library.find("answer") == mine
    assert [plan.seed for plan in library.load_set("answer", GENERATORS)] == [7]
    assert [(listing.name, listing.origin) for listing in library.listings()] == [
        ("answer", "yours"),
        ("trade", "brought"),
    ]


def test_a_path_is_taken_as_it_is(library: PresetLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "gig", "answer", seed=9)
    monkeypatch.chdir(tmp_path / "gig")
    assert library.find("./answer.toml") == library.find("answer.toml") == Path("answer.toml")
    assert library.load_set("answer.toml", GENERATORS)[0].seed == 9
    assert library.load_set("answer", GENERATORS)[0].seed == 0


def test_a_missing_file_is_refused(library: PresetLibrary, tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match=r"there is no preset file '.*none\.toml'; `antiphon presets list` names"):
        library.find(str(tmp_path / "none.toml"))


def test_an_unknown_name_is_answered_with_the_nearest(library: PresetLibrary) -> None:
    with pytest.raises(AntiphonError, match=r"^no preset 'Anser'; did you mean 'answer'\? there are: answer, trade$"):
        library.find("Anser")


def test_an_empty_library_says_where_presets_go(tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match=r"^no preset 'answer'; there are: none; put files into .*mine$"):
        PresetLibrary([tmp_path / "none"], tmp_path / "mine").find("answer")


def test_a_name_that_two_plugins_bring_is_ambiguous_until_the_user_has_one(brought: Path, tmp_path: Path) -> None:
    write(tmp_path / "other", "answer")
    library = PresetLibrary([brought, tmp_path / "other"], tmp_path / "mine")
    with pytest.raises(AntiphonError, match=r"'answer' is ambiguous; .*brought/answer\.toml or .*other/answer\.toml$"):
        library.find("answer")
    assert [listing.name for listing in library.listings()] == ["answer", "answer", "trade"]
    mine = write(tmp_path / "mine", "answer")
    assert library.find("answer") == mine


def test_the_user_s_folder_is_the_system_s_own_place_for_it(brought: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert user_preset_folder() == platformdirs.user_config_path("antiphon") / "presets"
    monkeypatch.setattr("antiphon.presets.library.user_preset_folder", lambda: brought)
    assert PresetLibrary([]).names() == ("answer", "trade")


def setlist(folder: Path, presets: list[str]) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "evening.toml"
    path.write_text(f'description = "three"\n\npresets = {presets}\n')
    return path


def test_a_setlist_is_its_presets_in_order(library: PresetLibrary, brought: Path) -> None:
    write(brought / "elsewhere", "blues")
    setlist(brought, ["trade", "./elsewhere/blues.toml", "answer", "trade"])
    assert [plan.name for plan in library.load_set("evening", GENERATORS)] == ["trade", "blues", "answer", "trade"]
    assert [listing.kind for listing in library.listings()] == ["preset", "setlist", "preset"]


def test_each_file_is_read_once(library: PresetLibrary, brought: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setlist(brought, ["trade", "answer", "trade"])
    read: list[str] = []

    def watched(path: Path, most_bytes: int) -> bytes:
        read.append(path.stem)
        return read_bounded(path, most_bytes)

    monkeypatch.setattr("antiphon.presets.document.read_bounded", watched)
    library.load_set("evening", GENERATORS)
    assert read == ["evening", "trade", "answer"]
    read.clear()
    library.load_set("answer", GENERATORS)
    assert read == ["answer"]


def test_a_setlist_s_own_folder_comes_first_unless_a_plugin_brought_it(
    library: PresetLibrary, brought: Path, tmp_path: Path
) -> None:
    write(tmp_path / "mine", "answer", seed=7)
    write(tmp_path / "gig", "answer", seed=9)
    gig = setlist(tmp_path / "gig", ["answer", "trade"])
    setlist(brought, ["answer", "trade"])
    assert [plan.seed for plan in library.load_set(str(gig), GENERATORS)] == [9, 0]
    assert [plan.seed for plan in library.load_set("evening", GENERATORS)] == [7, 0]


def test_a_setlist_tells_all_that_is_wrong_with_it_and_its_presets(library: PresetLibrary, brought: Path) -> None:
    (brought / "bad.toml").write_text("tempo_bpm = 900\n[[voice]]\nchannel = 0\n")
    path = setlist(brought, ["anser", "bad", "bad", "evening"])
    with pytest.raises(AntiphonError) as caught:
        library.load_set("evening", GENERATORS)
    assert str(caught.value).splitlines() == [
        f"{path}:3: presets, entry 1: no preset 'anser'; did you mean 'answer'? there are: answer, bad, evening, trade",
        f'{path}:3: presets, entry 2 is "bad", which cannot be played:',
        f"{brought}/bad.toml:1: tempo_bpm is 900; allowed: a number, 20 to 400",
        f"{brought}/bad.toml:3: voice 1: channel is 0; allowed: a whole number, 1 to 16",
        f'{path}:3: presets, entry 3 is "bad", which cannot be played:',
        f'{path}:3: presets, entry 4 is "evening", which cannot be played:',
        f"{path}: is a setlist; a preset is needed here",
    ]


def test_suggestions_look_at_the_folder_s_own_files(
    library: PresetLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "gig", "blues")
    path = setlist(tmp_path / "gig", ["bluse", "./blus.toml"])
    with pytest.raises(AntiphonError) as caught:
        library.load_set(str(path), GENERATORS)
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{path}:3: presets, entry 1: no preset 'bluse'; did you mean 'blues.toml'? there are: ")
    assert "did you mean 'blues.toml'?" in second
    monkeypatch.chdir(tmp_path / "gig")
    with pytest.raises(AntiphonError, match=r"no preset 'blues'; did you mean 'blues\.toml'\?"):
        library.find("blues")
    with pytest.raises(AntiphonError, match=r"no preset file 'bluse\.toml'; did you mean 'blues\.toml'\?"):
        library.find("bluse.toml")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("presets = []", ":1: presets is []; allowed: a list, 1 to 16 of: text"),
        (f"presets = {['answer'] * 17}", ":1: presets is "),
        ("presets = 'answer'", ':1: presets is "answer"; allowed: a list, 1 to 16 of: text'),
        (
            "presets = ['answer']\nvoice = []",
            ":2: voice: unknown key; it belongs at the top of a preset; allowed in a set",
        ),
    ],
)
def test_a_setlist_s_mistakes_are_told(library: PresetLibrary, brought: Path, line: str, problem: str) -> None:
    path = brought / "evening.toml"
    path.write_text(line)
    with pytest.raises(AntiphonError) as caught:
        library.load_set("evening", GENERATORS)
    (found,) = str(caught.value).splitlines()
    assert found.startswith(f"{path}{problem}")


def test_a_description_is_listed_on_one_line_and_cannot_steer_the_terminal(
    library: PresetLibrary, brought: Path
) -> None:
    (brought / "loud.toml").write_text('description = "one\\ntwo\\u001b[2J"')
    assert library.listings()[1].description == "one\\ntwo\\x1b[2J"


@pytest.mark.parametrize("content", [b"voice = [", b"\xff", b"a = " + b"[" * 5000])
def test_a_broken_file_is_listed_as_unreadable(library: PresetLibrary, brought: Path, content: bytes) -> None:
    (brought / "broken.toml").write_bytes(content)
    listing = library.listings()[1]
    assert (listing.name, listing.kind) == ("broken", "unreadable")
    assert "antiphon presets check" in listing.description
