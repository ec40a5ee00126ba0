"""Ports by name, a keyboard for each voice, and a DAW whose thru sends everything back."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from antiphon.midi.backend import Backend
from antiphon.midi.backends import find_backend
from antiphon.music.messages import control_change, note_on, program_change

from .stage import Command, decisions, journal, melody, note_ons, sounding, wait_until

PEDAL = [(0.8, control_change(0, 66, 127)), (0.85, control_change(0, 66, 0))]
LOOPED = """
inputs = ["virtual"]
outputs = ["virtual"]
[[voice]]
channel = 2
[voice.handover]
by = "pedal"
"""
NAMED = """
inputs = ["virtual:keys", "virtual:pads"]
outputs = ["virtual:lead", "virtual:bass"]
thru = false
[[voice]]
inputs = ["virtual:keys"]
output = "virtual:lead"
channel = 2
[voice.handover]
by = "pedal"
[[voice]]
inputs = ["virtual:pads"]
output = "virtual:bass"
channel = 3
bank = [1, 2]
program = 34
[voice.handover]
by = "pedal"
"""
BASS = [control_change(2, 0, 1), control_change(2, 32, 2), program_change(2, 33)]


@pytest.fixture(params=["socket", pytest.param("jack", marks=pytest.mark.jack)])
def system(request: pytest.FixtureRequest) -> str:
    """A MIDI system that is there."""
    request.getfixturevalue("jack_server" if request.param == "jack" else "socket_ports")
    return str(request.param)


def spawn(work: Callable[[], None], name: str) -> None:
    Thread(target=work, name=name, daemon=True).start()


@contextmanager
def client(system: str) -> Iterator[Backend]:
    """Somebody else on the MIDI system."""
    backend = find_backend("patchbay", spawn, system)
    try:
        yield backend
    finally:
        backend.close()


@contextmanager
def daw_with_thru(system: str) -> Iterator[None]:
    """Sends whatever leaves Antiphon back into it."""
    with client(system) as backend:
        back = backend.open_output("Antiphon:in")
        backend.open_input("Antiphon:out", lambda message, _: back.send(message))
        yield


def jam_with(preset: str, system: str, start: Callable[..., Command], folder: Path) -> Command:
    file = folder / "routing.toml"
    file.write_text(preset, encoding="utf-8")
    jam = start("jam", file, "--midi", system, "--session", folder / "session")
    jam.wait_for("ready in")
    return jam


def heard_pitches(session: Path) -> list[int]:
    heard = (bytes.fromhex(line["message"]) for line in journal(session) if line["is"] == "Heard")
    return [message[1] for message in heard if message[0] & 0xF0 == 0x90 and message[2]]


def test_a_daw_that_sends_everything_back_is_not_answered_and_nothing_goes_in_circles(
    system: str, start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    session = tmp_path / "session"
    jam = jam_with(LOOPED, system, start, tmp_path)
    listener = listen("Antiphon:out", backend=system)
    calls = [(60, 64, 62, 65), (67, 64, 69, 60, 62), (72, 71, 72)]
    with daw_with_thru(system):
        for number, pitches in enumerate(calls, start=1):
            play([*melody(*pitches), *PEDAL], to="Antiphon:in", backend=system)
            wait_until(lambda: len(decisions(session, "end")) == number, f"the end of answer {number}")  # noqa: B023  # at once
    jam.wait_for("Antiphon:in sends back what Antiphon plays")
    assert jam.stop() == 0, jam.said
    played = [pitch for pitches in calls for pitch in pitches]
    # The first key comes back a few times, until it is proven that it does.
    heard = heard_pitches(session)
    again = len(heard) - len(played)
    assert again <= 6
    assert heard == [60] * again + played, "all that was played, and nothing else"
    assert len(decisions(session, "handover")) == len(calls)
    assert decisions(session, "touch") == []
    passed_on = [heard.message for heard in listener.close()]
    assert note_ons(passed_on, 0) == [note_on(0, pitch, 80) for pitch in heard], "once each"
    assert sounding(passed_on) == set()
    replayed = start("replay", session, "-o", tmp_path / "again.mid")
    assert replayed.wait() == 0, replayed.said
    assert "to the bit" in replayed.said


def test_each_keyboard_has_a_voice_of_its_own_on_a_port_of_its_own(
    system: str, start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    session = tmp_path / "session"
    jam = jam_with(NAMED, system, start, tmp_path)
    lead, bass = (listen(f"Antiphon:{port}", backend=system, name=port) for port in ("lead", "bass"))
    play([*melody(60, 62, 64), *PEDAL], to="Antiphon:keys", backend=system, name="one")
    wait_until(lambda: len(decisions(session, "end")) == 1, "the first answer")
    play([*melody(40, 43, 40), *PEDAL], to="Antiphon:pads", backend=system, name="two")
    wait_until(lambda: len(decisions(session, "end")) == 2, "the second answer")
    assert jam.stop() == 0, jam.said
    assert [decision["voice"] for decision in decisions(session, "handover")] == [0, 1]
    for listener, channel in ((lead, 1), (bass, 2)):
        messages = [heard.message for heard in listener.close()]
        assert note_ons(messages)
        assert note_ons(messages) == note_ons(messages, channel)
        assert sounding(messages) == set()
    replayed = start("replay", session, "-o", tmp_path / "again.mid")
    assert replayed.wait() == 0, replayed.said
    assert "to the bit" in replayed.said


def test_named_ports_come_back_under_their_names_when_the_engine_was_killed(
    system: str, start: Callable[..., Command], tmp_path: Path
) -> None:
    jam = jam_with(NAMED, system, start, tmp_path)
    with client(system) as other:
        there = {"Antiphon:lead", "Antiphon:bass"}, {"Antiphon:keys", "Antiphon:pads"}
        assert (set(other.inputs()) & there[0], set(other.outputs()) & there[1]) == there
        before = jam.processes()["engine"]
        jam.signal(signal.SIGKILL, "engine")
        wait_until(lambda: jam.processes().get("engine") not in (before, None), "another engine")
        wait_until(lambda: there[0] <= set(other.inputs()) and there[1] <= set(other.outputs()), "the same names")
        assert not [name for name in [*other.inputs(), *other.outputs()] if name.startswith("Antiphon-")]
    assert jam.stop() == 0, jam.said


@pytest.mark.jack
@pytest.mark.usefixtures("jack_server")
def test_a_synth_that_is_plugged_in_later_is_told_bank_and_program(
    start: Callable[..., Command], listen, tmp_path: Path
) -> None:
    jam = jam_with(NAMED, "jack", start, tmp_path)
    listener = listen("Antiphon:bass")
    wait_until(lambda: len(listener.heard()) >= len(BASS), "bank and program")
    assert [heard.message for heard in listener.heard()][-3:] == BASS
    assert jam.stop() == 0, jam.said


@pytest.mark.usefixtures("socket_ports")
def test_an_output_that_comes_back_is_told_bank_and_program(
    start: Callable[..., Command], listen, tmp_path: Path
) -> None:
    """A synth with a port of its own is switched off and on again."""
    first = listen(backend="socket", name="synth")
    outputs = NAMED.replace('"virtual:bass"', '"synth:in"')
    jam = jam_with(outputs, "socket", start, tmp_path)
    wait_until(lambda: [heard.message for heard in first.heard()] == BASS, "bank and program")
    first.close()
    jam.wait_for("output gone")
    again = listen(backend="socket", name="synth")
    jam.wait_for("output back")
    wait_until(lambda: [heard.message for heard in again.heard()] == BASS, "bank and program again")
    assert jam.stop() == 0, jam.said
