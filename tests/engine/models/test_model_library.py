"""Models by name: the user's before those that generators bring, and `antiphon models`."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from model_files import METADATA, write_model
from typer.testing import CliRunner

from antiphon.cli import models as command
from antiphon.generator import Casting, Generator, GeneratorInfo
from antiphon.models import library
from antiphon.models.card import ModelError
from antiphon.models.library import ModelLibrary
from antiphon.plugins import host
from antiphon.plugins.host import Registered


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    folder = tmp_path / "transformer"
    folder.mkdir()
    write_model(folder / "performance.onnx")
    write_model(folder / "grid.onnx")
    return folder


@pytest.fixture
def user_folder(tmp_path: Path) -> Path:
    return tmp_path / "yours"


def test_a_name_is_found_in_the_folder_of_a_generator(brought: Path, user_folder: Path) -> None:
    assert ModelLibrary([brought], user_folder).find("grid") == brought / "grid.onnx"


def test_the_user_s_own_comes_first(brought: Path, user_folder: Path) -> None:
    user_folder.mkdir()
    mine = write_model(user_folder / "grid.onnx")
    assert ModelLibrary([brought], user_folder).find("grid") == mine


def test_a_path_is_taken_as_it_is(brought: Path, user_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(brought)
    library = ModelLibrary([], user_folder)
    assert library.find("grid.onnx") == Path("grid.onnx")
    assert library.find(str(brought / "grid.onnx")) == brought / "grid.onnx"
    with pytest.raises(ModelError, match=r"no model file 'gird\.onnx'"):
        library.find("gird.onnx")


def test_an_unknown_name_names_the_nearest_and_all(brought: Path, user_folder: Path) -> None:
    with pytest.raises(ModelError, match="no model 'gird'; did you mean 'grid'\\? there are: grid, performance"):
        ModelLibrary([brought], user_folder).find("gird")


def test_without_any_model_the_user_is_told_where_to_put_them(user_folder: Path) -> None:
    with pytest.raises(ModelError, match=f"none; put files into {user_folder}"):
        ModelLibrary([], user_folder).find("grid")


def test_a_name_that_two_generators_bring_is_ambiguous(brought: Path, user_folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "lstm"
    other.mkdir()
    write_model(other / "grid.onnx")
    library = ModelLibrary([brought, other, brought], user_folder)
    with pytest.raises(ModelError, match="'grid' is ambiguous"):
        library.find("grid")
    assert [(listing.name, listing.origin) for listing in library.listings()] == [
        ("grid", "transformer"),
        ("grid", "lstm"),
        ("performance", "transformer"),
    ]


def test_a_broken_file_is_listed_with_its_problem(brought: Path, user_folder: Path) -> None:
    (brought / "grid.onnx").write_bytes(b"\xff")
    broken, sound = ModelLibrary([brought], user_folder).listings()
    assert broken.card is None
    assert "truncated" in broken.problem
    assert sound.card is not None
    assert sound.problem == ""


def make(casting: Casting) -> Generator:
    raise NotImplementedError


@pytest.fixture
def app(brought: Path, user_folder: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """The command line, with one generator that brings models, and one that brings none."""
    infos = [GeneratorInfo("neural", "has models", models=brought), GeneratorInfo("plain", "has none")]
    found = SimpleNamespace(generators={info.name: Registered(info, make, "here") for info in infos})
    monkeypatch.setattr(host, "load_plugins", lambda: found)
    monkeypatch.setattr(library, "user_model_folder", lambda: user_folder)
    app = typer.Typer()
    command.add_commands(app)
    return app


def test_the_command_lists_what_models_are_and_where(app: typer.Typer, brought: Path, user_folder: Path) -> None:
    user_folder.mkdir()
    write_model(user_folder / "mine.onnx", METADATA | {"corpora": "[]", "validation_nll": "nan"})
    (brought / "grid.onnx").write_bytes(b"\xff")
    result = CliRunner().invoke(app, ["models"], env={"COLUMNS": "300"})
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["grid", "transformer"],
        ["mine", "yours"],
        ["performance", "transformer"],
    ]
    assert "truncated" in lines[1]
    assert "unknown music" in lines[2]
    assert "1.750 nats a token, int8" in lines[3]
    assert str(brought / "performance.onnx") in lines[3]
    assert str(user_folder) in lines[4]


def test_a_model_of_piano_rolls_is_listed_among_those_of_tokens(app: typer.Typer, brought: Path) -> None:
    rolls = {"codec": "roll", "architecture": "vae", "steps": "32", "latent": "2", "directions": '{"density": [1, 0]}'}
    write_model(brought / "blend.onnx", METADATA | rolls)
    said = CliRunner().invoke(app, ["models"], env={"COLUMNS": "300"}).output.splitlines()
    assert "vae for the roll codec, 4.0 M parameters, int8, 0.0 MB; learnt from chopin, rolls" in said[1]
    card = json.loads(CliRunner().invoke(app, ["models", "--json"]).output)[0]["card"]
    assert card["directions"] == {"density": [1, 0]}
    assert "validation_nll" not in card


def test_the_command_prints_json(app: typer.Typer, brought: Path) -> None:
    write_model(brought / "grid.onnx", METADATA | {"validation_nll": "nan"})
    (brought / "odd.onnx").write_bytes(b"\xff")
    grid, odd, performance = json.loads(CliRunner().invoke(app, ["models", "--json"]).output)
    assert grid["card"]["validation_nll"] is None
    assert "truncated" in odd["problem"]
    assert performance["card"]["corpora"] == ["chopin", "rolls"]
    assert performance["path"] == str(brought / "performance.onnx")


def test_a_broken_file_hides_no_other_model(brought: Path, user_folder: Path) -> None:
    user_folder.mkdir()
    whole = write_model(user_folder / "mine.onnx").read_bytes()
    (user_folder / "cut.onnx").write_bytes(whole[:-3])
    (user_folder / "empty.onnx").touch()
    (user_folder / "long.onnx").write_bytes(whole.replace(b"\x12", b"\xf2"))
    listings = {listing.name: listing for listing in ModelLibrary([brought], user_folder).listings()}
    assert set(listings) == {"cut", "empty", "grid", "long", "mine", "performance"}
    assert {name for name, listing in listings.items() if listing.problem} == {"cut", "empty", "long"}


def test_a_model_that_is_installed_is_found_by_its_name(brought: Path, user_folder: Path, tmp_path: Path) -> None:
    mine = write_model(tmp_path / "mine.onnx")
    library = ModelLibrary([brought], user_folder)
    installed = library.install(mine)
    assert (installed.name, installed.shadows) == ("mine", None)
    assert library.find("mine") == user_folder / "mine.onnx"
    assert (user_folder / "mine.onnx").read_bytes() == mine.read_bytes()
    assert library.install(mine, "grid").shadows == "transformer"
    assert library.find("grid") == user_folder / "grid.onnx"
    assert library.install(user_folder / "mine.onnx").path == user_folder / "mine.onnx", "itself may stay"
    assert sorted(path.name for path in user_folder.iterdir()) == ["grid.onnx", "mine.onnx"]


def test_what_is_installed_already_is_replaced_only_on_request(user_folder: Path, tmp_path: Path) -> None:
    library = ModelLibrary([], user_folder)
    library.install(write_model(tmp_path / "mine.onnx"))
    other = write_model(tmp_path / "other.onnx", {**METADATA, "name": "another"})
    with pytest.raises(ModelError, match=r"mine\.onnx' is there already; give --replace, or another --name"):
        library.install(other, "mine")
    library.install(other, "mine", replace=True)
    (listing,) = library.listings()
    assert listing.card is not None
    assert listing.card.name == "another"


@pytest.mark.parametrize(
    ("file", "name", "problem"),
    [
        ("best.pt", None, r"ends in \.onnx; make a model of a checkpoint with `antiphon export`"),
        ("table.npz", None, r"is no model file; allowed: one that ends in \.onnx$"),
        ("noise.onnx", None, r"noise\.onnx"),
        ("gone.onnx", None, r"gone\.onnx"),
        ("good.onnx", "../up", r"cannot be called '\.\./up'; allowed: a name without /"),
        ("good.onnx", "a.onnx", "cannot be called"),
        ("good.onnx", "", "cannot be called"),
    ],
)
def test_what_cannot_be_installed_is_refused_in_words(
    user_folder: Path, tmp_path: Path, file: str, name: str | None, problem: str
) -> None:
    write_model(tmp_path / "good.onnx")
    for noise in ("best.pt", "table.npz", "noise.onnx"):
        (tmp_path / noise).write_bytes(b"noise")
    with pytest.raises(ModelError, match=problem):
        ModelLibrary([], user_folder).install(tmp_path / file, name)
    assert not user_folder.exists()


def test_the_command_installs_and_says_how_a_preset_names_it(
    user_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "user_model_folder", lambda: user_folder)
    app = typer.Typer()
    app.callback()(lambda: None)
    command.add_commands(app)
    said = CliRunner().invoke(app, ["models", "install", str(write_model(tmp_path / "mine.onnx"))])
    assert said.exit_code == 0, said.output
    assert 'in a preset: model = "mine"' in said.output
    assert "mine" in CliRunner().invoke(app, ["models"]).output
