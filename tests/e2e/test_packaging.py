"""The wheel and the source archive hold all that a performance needs, and an installed Antiphon plays from them."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = [
    "antiphon/terminal/phrases/call.mid",
    "antiphon/terminal/phrases/wheel.mid",
    "antiphon/py.typed",
    "antiphon_plugins/markov/table.npz",
    "antiphon_plugins/transformer/performance.onnx",
    "antiphon_plugins/notes/notes.onnx",
    "antiphon_plugins/lstm/grid-lstm.onnx",
    "antiphon_plugins/vae/vae.onnx",
    "antiphon_presets/answer.toml",
    "antiphon_presets/evening.toml",
    "antiphon_export/commands.py",
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_wheel_holds_tables_presets_and_music(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert [name for name in NEEDED if name not in names] == []
    assert not [name for name in names if name.startswith("tests/")]


def test_the_source_archive_holds_what_builds_and_tests_it(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.split("/", 1)[1] for name in tar.getnames() if "/" in name}
    needed = ["pyproject.toml", "LICENSE", "NOTICE", "README.md", "Makefile", "engine/antiphon/duet/performer.py"]
    assert [name for name in needed if name not in names] == []


def test_an_installed_wheel_continues_a_file_without_torch(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    site = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*command, str(wheel)], check=True)
    program = (
        "import sys; sys.modules['torch'] = None\n"  # An import of torch would raise.
        "import antiphon, antiphon.cli\n"
        f"assert antiphon.__file__.startswith({str(site)!r}), antiphon.__file__\n"
        "antiphon.cli.main()\n"
    )
    call = site / "antiphon" / "terminal" / "phrases" / "call.mid"
    arguments = ["continue", str(call), "-o", str(tmp_path / "out.mid"), "--bars", "2"]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out.mid").stat().st_size > call.stat().st_size
