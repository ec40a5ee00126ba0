"""`antiphon plugin new`: what it writes installs with pip, editable, is found, plays and passes the kit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import antiphon
import antiphon_presets
from antiphon.cli.plugin import add_commands
from antiphon.errors import AntiphonError
from antiphon.plugins.host import Plugins
from antiphon.plugins.template import plugin_files

MUSIC = Path(antiphon.__file__).parent / "terminal" / "phrases" / "call.mid"


def new(*arguments: str) -> str:
    app = typer.Typer()
    add_commands(app)
    app.callback()(lambda: None)
    done = CliRunner().invoke(app, ["plugin", "new", *arguments], obj=Plugins(), catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


class Venv:
    """A fresh virtual environment that sees what this one has installed, and this Antiphon."""

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        scripts = "Scripts" if sys.platform == "win32" else "bin"
        self.python = folder / scripts / "python"
        (site,) = {Path(p) for p in folder.rglob("site-packages") if not p.is_symlink() and "lib64" not in p.parts}
        sources = {str(Path(package.__file__ or "").parents[1]) for package in (antiphon, antiphon_presets)}
        sources |= {str(Path(antiphon.__file__).parents[2] / name) for name in ("plugins", "export")}
        (site / "others.pth").write_text("\n".join([*sorted(sources), sysconfig.get_path("purelib")]), encoding="utf-8")
        self._folder = folder

    def run(self, *arguments: str | Path) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [self.python, *arguments], cwd=self._folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def antiphon(self, *arguments: str | Path) -> str:
        return self.run("-P", "-c", "from antiphon.cli import main; main()", *arguments)


@pytest.mark.timeout(400)
def test_a_new_plugin_installs_editable_is_found_passes_the_kit_and_plays(tmp_path: Path) -> None:
    said = new("night-walk", "--in", str(tmp_path))
    target = tmp_path / "antiphon-night-walk"
    assert f"-m pip install -e {target}" in said
    venv = Venv(tmp_path / "venv")
    venv.run("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-e", target)

    listed = json.loads(venv.antiphon("plugins", "--json", "--strict"))
    (walk,) = [generator for generator in listed["generators"] if generator["name"] == "night-walk"]
    assert walk["origin"] == "antiphon-night-walk 0.1.0"
    assert [control["name"] for control in walk["controls"]] == ["leap", "pace", "accent"]
    assert "night-walk: sound" in venv.antiphon("presets", "check", "night-walk")

    assert "1 passed" in venv.run("-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", target)

    longer = tmp_path / "longer.mid"
    play = ("continue", MUSIC, "-o", longer, "--bars", "2", "--generator", "night-walk")
    assert "16 notes in 2 bars by night-walk" in venv.antiphon(*play)
    assert "24 notes in 2 bars" in venv.antiphon(*play, "--control", "pace=triplets", "--control", "accent=x-")
    player = target / "antiphon_night_walk" / "player.py"
    text = player.read_text(encoding="utf-8")
    player.write_text(text.replace('"eighths", "how', '"quarters", "how'), encoding="utf-8")
    assert "8 notes in 2 bars" in venv.antiphon(*play), "what was changed counts without another install"


@pytest.mark.parametrize("name", ["Canon", "my walk", "../up", "-x", "x_y", ""])
def test_a_name_that_no_generator_can_have_is_refused(name: str) -> None:
    with pytest.raises(AntiphonError, match="allowed: lower-case letters, digits and hyphens"):
        plugin_files(name)


@pytest.mark.parametrize("name", ["808", "3d", "a", "canon-2", "class"])
def test_every_name_that_is_allowed_makes_python_that_can_be_read(name: str) -> None:
    for path, text in plugin_files(name).items():
        assert "$" not in path + text
        if path.endswith(".py"):
            compile(text, path, "exec")


def test_what_is_there_already_is_not_touched(tmp_path: Path) -> None:
    new("walk", "--in", str(tmp_path))
    with pytest.raises(AntiphonError, match="is there already; choose another name"):
        new("walk", "--in", str(tmp_path))
