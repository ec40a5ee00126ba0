"""The doctor and the list of ports on the machine as it is, with and without a JACK server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from antiphon.music.messages import note_on

COMMANDS = """
import typer
from antiphon.cli import doctor, ports
app = typer.Typer()
doctor.add_commands(app)
ports.add_commands(app)
app()
"""


def run(*arguments: str) -> dict[str, Any]:
    """What the command finds, by subject or backend; in a process of its own, as PortAudio aborts one at its end if
    a JACK server that it has seen is no longer there."""
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, *arguments, "--json"], capture_output=True, text=True, check=False
    )
    assert done.stderr == "", "the libraries' own messages are no business of the user's"
    return {entry.get("subject", entry.get("backend")): entry for entry in json.loads(done.stdout)}


@pytest.mark.jack
@pytest.mark.usefixtures("jack_server", "socket_ports")
@pytest.mark.parametrize("backend", ["jack", "rtmidi"])
def test_the_doctor_measures_round_trips_on_jack(backend: str) -> None:
    pytest.importorskip("jack")
    findings = run("doctor", "--midi", backend)
    assert findings["midi"]["level"] == ("ok" if backend == "jack" else "warn")
    assert findings["loopback"]["level"] in ("ok", "warn"), findings["loopback"]
    assert f"two clients of {backend}: p50 " in findings["loopback"]["text"]


@pytest.mark.usefixtures("no_jack_server", "socket_ports")
def test_the_doctor_measures_round_trips_on_sockets() -> None:
    findings = run("doctor", "--midi", "socket")
    assert findings["midi"]["level"] == "warn"
    assert "two clients of socket: p50 " in findings["loopback"]["text"]
    assert {"python", "packages", "clock", "sleep", "switch interval", "real time", "audio", "onnx"} <= set(findings)


@pytest.mark.jack
@pytest.mark.usefixtures("jack_server", "socket_ports")
def test_a_playing_keyboard_is_what_auto_takes(play: Callable[..., Any]) -> None:
    pytest.importorskip("jack")
    play([(60.0, note_on(0, 60, 1))])
    listed = run("ports")
    assert listed["jack"]["auto"]
    assert listed["jack"]["inputs"] == [{"name": "keyboard:out", "auto": True}]
    assert listed["socket"]["problem"] is None
    assert not listed["socket"]["auto"]
