"""The `presets` commands, on real plugins and presets."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from antiphon.cli.presets import add_commands
from antiphon.errors import AntiphonError


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of presets, somewhere harmless."""
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.setattr("antiphon.presets.library.user_preset_folder", lambda: folder)
    return folder


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    add_commands(app)
    return CliRunner().invoke(app, ["presets", *arguments], env={"COLUMNS": "200"})


def test_list_names_every_preset_with_its_origin_and_description(mine: Path) -> None:
    (mine / "late.toml").write_text('description = "slow [bold] blues"\n[[voice]]\n')
    (mine / "bad.toml").write_text("=")
    result = run("list")
    assert result.exit_code == 0
    rows = {line.split()[0]: line.strip().split(maxsplit=3)[1:] for line in result.output.splitlines()[1:]}
    assert rows["late"] == ["preset", "yours", "slow [bold] blues"]
    assert rows["bad"][0] == "unreadable"
    assert rows["answer"][:2] == ["preset", "antiphon_presets"]
    assert rows["evening"][0] == "setlist"
    assert {"continue", "trade"} <= rows.keys()
    assert str(mine) in result.output


def test_show_prints_the_path_and_a_preset_that_says_the_same(mine: Path) -> None:
    shown = run("show", "trade")
    assert shown.exit_code == 0
    assert shown.output.startswith("# ")
    assert "trade.toml" in shown.output.splitlines()[0]
    values = tomllib.loads(shown.output)
    assert values["voice"][0]["handover"] == {"by": "turns", "bars": 4}
    assert "top_k" in values["voice"][0]["controls"]  # Defaults are spelt out.
    (mine / "copy.toml").write_text(shown.output)
    again = run("show", "copy").output
    assert again.splitlines()[1:] == shown.output.splitlines()[1:]


def test_show_tells_which_program_change_selects_what(mine: Path) -> None:
    output = run("show", "evening").output
    assert [line for line in output.splitlines() if line.startswith("# program")] == [
        "# program 1: answer",
        "# program 2: trade",
        "# program 3: continue",
    ]


def test_show_of_an_unknown_name_fails_with_the_nearest(mine: Path) -> None:
    result = run("show", "trad")
    assert result.exit_code == 1
    assert isinstance(result.exception, AntiphonError)
    assert "did you mean 'trade'?" in str(result.exception)


def test_check_of_sound_files_succeeds(mine: Path) -> None:
    result = run("check", "answer", "evening")
    assert (result.exit_code, result.output) == (0, "answer: sound\nevening: sound\n")


def test_check_prints_every_problem_of_every_file_and_exits_with_1(mine: Path) -> None:
    first, second = mine / "first.toml", mine / "second.toml"
    first.write_text("tempo_bpm = 900\n[[voice]]\nchanel = 3\n")
    second.write_text("[[voice]]\ncontrols = { temprature = 1 }\n")
    result = run("check", str(first), "answer", str(second), str(mine / "none.toml"))
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert [line.split(": ")[0] for line in lines[:4]] == [f"{first}:1", f"{first}:3", "answer", f"{second}:2"]
    assert "did you mean 'temperature'?" in lines[3]
    assert "none.toml" in lines[4]


@pytest.mark.parametrize(
    ("voice", "problem"),
    [
        (
            'generator = "transformer"\nmodel = "grid-lstm"',
            "speaks the codec 'grid'.*choose the generator 'grid-transformer'",
        ),
        ('generator = "transformer"\nmodel = "gird-lstm"', "no model 'gird-lstm'; did you mean 'grid-lstm'?"),
        ('generator = "vae"\nmode = "morph"\nmodel = "grid-lstm"', "wanted: a model of piano rolls"),
        ('generator = "markov"\nmodel = "./cut.npz"', "cut.npz"),
    ],
)
def test_check_finds_models_that_jam_would_refuse(mine: Path, voice: str, problem: str) -> None:
    (mine / "cut.npz").write_bytes(b"PK")
    file = mine / "late.toml"
    file.write_text(f"[[voice]]\n{voice}\n")
    result = run("check", str(file))
    assert result.exit_code == 1
    line = 2 + voice.count("\n")
    assert re.search(rf"^{re.escape(str(file))}:{line}: voice 1: model is .*{problem}", result.output), result.output


def test_check_names_ports_that_are_not_there_and_the_file_is_sound(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTIPHON_MIDI_BACKEND", "socket")
    monkeypatch.setenv("ANTIPHON_SOCKET_PORTS", str(tmp_path / "ports"))
    file = mine / "late.toml"
    file.write_text('inputs = ["auto", "Launchkey"]\noutputs = ["virtual:bass", "Minilogue", "synth"]\n[[voice]]\n')
    result = run("check", str(file))
    assert result.exit_code == 0
    sound, first, second = result.output.splitlines()
    assert sound == f"{file}: sound"
    assert first.startswith(f"{file}: for now, jam would refuse it: MIDI input 'Launchkey' not found")
    assert "MIDI output 'Minilogue' not found" in second


def test_check_without_a_file_is_a_mistake(mine: Path) -> None:
    assert run("check").exit_code == 2
