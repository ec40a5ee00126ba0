"""Commands whose output goes where the names' letters cannot: none dies of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.midi.socket_backend import SocketBackend
from antiphon.processes.runtime import spawn_thread

from .stage import ANTIPHON

NAMES = ("Caf\u00e9", "Cle\u0301", "\u30d4\u30a2\u30ce")
ENCODINGS = {
    "ascii": ["Caf?:keys", "Cle?:keys", "???:keys"],
    "cp1252": ["Caf\u00e9:keys", "Cle?:keys", "???:keys"],
    "utf-8": [f"{name}:keys" for name in NAMES],
}


@pytest.fixture(autouse=True)
def keyboards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Ports of other programs, with such names."""
    monkeypatch.setenv("ANTIPHON_SOCKET_PORTS", str(tmp_path / "ports"))
    monkeypatch.setenv("ANTIPHON_MIDI_BACKEND", "socket")
    backends = [SocketBackend(name, spawn_thread) for name in NAMES]
    for backend in backends:
        backend.open_output("keys", virtual=True)
    yield
    for backend in backends:
        backend.close()


def run(encoding: str, *arguments: object) -> tuple[int, str]:
    """How a command ends whose output goes into a file of that encoding, and what is in it."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [ANTIPHON, *map(str, arguments)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_ports_prints_what_the_encoding_lacks_as_question_marks(encoding: str) -> None:
    code, told = run(encoding, "ports")
    assert code == 0, told
    assert [name for name in ENCODINGS[encoding] if f"input   {name}" not in told] == []


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_no_command_dies_of_an_encoding(encoding: str, tmp_path: Path) -> None:
    preset = tmp_path / "nuit.toml"
    preset.write_text(
        'description = "\u2669 \u30d4\u30a2\u30ce"\ninputs = ["Cl\u00e9"]\n[[voice]]\nname = "\u30d4"\n',
        encoding="utf-8",
    )
    code, told = run(encoding, "doctor")
    assert "keyboard: " in told
    assert "Traceback" not in told
    assert code in (0, 1)
    for arguments, expected in (
        (("--help",), 0),
        (("presets", "list"), 0),
        (("models",), 0),
        (("presets", "check", preset), 1),
        (("jam", preset), 1),
        (("jam", "--in", "\u30d4\u30d4", "--session", tmp_path / encoding), 1),
    ):
        code, told = run(encoding, *arguments)
        assert (code, "Traceback" in told) == (expected, False), told


@pytest.mark.parametrize("typed", ["Cl\u00e9", "Cle?", "cl\u00c9:KEYS", "???", b"Caf\xe9"])
def test_a_port_is_selected_as_it_is_printed_or_typed(typed: str | bytes, tmp_path: Path) -> None:
    port = os.fsdecode(typed)
    session = tmp_path / "session"
    code, told = run("utf-8", "jam", "markov", "--in", port, "--out", "synth", "--session", session, "--seconds", "0.5")
    assert code == 0, told
    assert "listening to " in told
    header = json.loads((session / "journal.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert header["plans"][0]["inputs"] == [port.encode("utf-8", "replace").decode("utf-8")]
