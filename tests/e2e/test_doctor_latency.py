"""`antiphon doctor --latency` on real ports: through another program, on a server of its own, and with nobody there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Thread

import pytest

from antiphon.midi.socket_backend import SocketBackend

from .conftest import PERIOD_FRAMES, SAMPLE_RATE
from .stage import Command, wait_until


def spawn(work: Callable[[], None], name: str) -> None:
    Thread(target=work, name=name, daemon=True).start()


@pytest.fixture
def thru(socket_ports: object) -> Iterator[list[bytes]]:
    """A program that passes on what it gets, but for every tenth note; it keeps what it got."""
    backend, heard = SocketBackend("thru", spawn), list[bytes]()
    out = backend.open_output("out", virtual=True)

    def pass_on(message: bytes, seconds: float) -> None:
        heard.append(message)
        if len(heard) % 20 != 19:
            out.send(message)

    backend.open_input("in", pass_on, virtual=True)
    yield heard
    backend.close()


@pytest.mark.usefixtures("no_jack_server")
def test_notes_through_another_program_are_timed_and_an_offset_is_proposed(
    start: Callable[..., Command], thru: list[bytes]
) -> None:
    doctor = start("doctor", "--latency", "thru:in", "thru:out", "--midi", "socket")
    assert doctor.wait() == 0, doctor.said
    assert "100 notes out of thru:in and back into thru:out, on socket: p50 " in doctor.said
    assert "10 of them did not come back" in doctor.said
    assert "Half of that is the way there" in doctor.said
    assert "Too little for an offset." in doctor.said or '[latency]\n"thru:in" = -' in doctor.said
    assert len(thru) == 202
    asked = start("doctor", "--latency", "thru:in", "thru:out", "--midi", "socket", "--json")
    assert asked.wait() == 0, asked.said
    told = json.loads(asked.said)
    assert (told["output"], told["input"], told["backend"]) == ("thru:in", "thru:out", "socket")
    assert told["ms"]["p50"] <= told["ms"]["p95"] <= told["ms"]["p99"] <= told["ms"]["max"]
    assert told["offset_ms"] == -round(told["ms"]["p50"] / 2, 1)


@pytest.mark.usefixtures("no_jack_server", "thru")
@pytest.mark.parametrize(
    ("ports", "problem"),
    [
        (["nix", "thru:out"], "MIDI output 'nix' matches no port"),
        (["thru:in", "nix"], "MIDI input 'nix' matches no port"),
        (["thru:in", "silent:out"], "no note came back within 3 s; connect the output to the input"),
    ],
)
def test_what_cannot_be_timed_is_told(start: Callable[..., Command], ports: list[str], problem: str) -> None:
    silent = SocketBackend("silent", spawn)
    silent.open_output("out", virtual=True)
    try:
        doctor = start("doctor", "--latency", *ports, "--midi", "socket")
        assert doctor.wait() == 1
        assert problem in doctor.said
    finally:
        silent.close()


@pytest.mark.jack
@pytest.mark.usefixtures("jack_server", "socket_ports")
def test_on_jack_it_waits_to_be_connected_and_finds_the_period(start: Callable[..., Command]) -> None:
    jack = pytest.importorskip("jack")
    doctor = start("doctor", "--latency", "virtual", "virtual", "--midi", "jack")
    patchbay = jack.Client("patchbay", no_start_server=True)

    def connect() -> bool:
        with suppress(jack.JackError):
            patchbay.connect("Antiphon:out", "Antiphon:in")
            return True
        return False

    try:
        doctor.wait_for("waiting up to 60 s for Antiphon:out to be connected to Antiphon:in")
        wait_until(connect, "the ports are connected")
        assert doctor.wait() == 0, doctor.said
    finally:
        patchbay.close()
    assert "That is the way there alone" in doctor.said
    assert '"virtual" = -' in doctor.said
    # A machine that stalls holds up JACK, so that its frames come later by the clock than they should.
    assert float(doctor.said.rpartition("= -")[2]) >= round(0.9 * 1000 * PERIOD_FRAMES / SAMPLE_RATE, 1)
