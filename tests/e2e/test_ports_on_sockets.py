"""Loopback ports between processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import pytest

from antiphon.midi import rtmidi_backend
from antiphon.midi.backends import find_backend
from antiphon.midi.socket_backend import SocketBackend
from antiphon.music.messages import note_on
from antiphon.output import PortGone

from .stage import PATIENCE_SECONDS

BURST = [
    note_on(channel=number // 128 % 16, pitch=number % 128, velocity=number // 2048 + 1) for number in range(10_000)
]

pytestmark = pytest.mark.usefixtures("socket_ports")


def spawn(work: Callable[[], None], name: str) -> None:
    Thread(target=work, name=name, daemon=True).start()


@pytest.fixture
def backend() -> Iterator[SocketBackend]:
    backend = SocketBackend("Antiphon", spawn)
    yield backend
    backend.close()


@pytest.mark.usefixtures("no_jack_server")
def test_a_machine_without_a_midi_system_plays_on_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = replace(rtmidi_backend._APIS["alsa"], device=Path("/dev/no-such-sequencer"))
    monkeypatch.setitem(rtmidi_backend._APIS, "alsa", nowhere)
    monkeypatch.setattr("antiphon.midi.rtmidi_backend.sys.platform", "linux")
    backend = find_backend("Antiphon", spawn)
    assert backend.name == "socket"
    backend.close()


def test_ten_thousand_notes_pass_through_from_process_to_process(
    backend: SocketBackend, listen: Callable[..., Any], play: Callable[..., Any]
) -> None:
    out = backend.open_output("out", virtual=True)
    backend.open_input("in", lambda message, _: out.send(message), virtual=True)
    listener = listen("Antiphon:out", backend="socket")
    play([(0.0, message) for message in BURST], to="Antiphon:in", backend="socket")
    heard = listener.wait_for(len(BURST))[: len(BURST)]  # What the keyboard held when it left is released after them.
    assert [each.message for each in heard] == BURST


def test_a_keyboard_that_is_killed_is_noticed_and_found_again(backend: SocketBackend, play: Callable[..., Any]) -> None:
    inbox: SimpleQueue[bytes] = SimpleQueue()
    keyboard = play([(0.0, note_on(0, 60, 1)), (60.0, note_on(0, 61, 1))], backend="socket", settle_seconds=0.5)
    assert backend.inputs() == ["keyboard:out"]
    port = backend.open_input("keyboard:out", lambda message, _: inbox.put(message))
    assert inbox.get(timeout=PATIENCE_SECONDS) == note_on(0, 60, 1)
    keyboard.close()
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while port.connected and time.perf_counter() < deadline:
        time.sleep(0.005)
    assert not port.connected
    assert backend.inputs() == []
    with pytest.raises(PortGone):
        backend.open_input("keyboard:out", lambda *_: None)
    play([(0.0, note_on(0, 62, 1))], backend="socket", settle_seconds=0.5)
    backend.open_input("keyboard:out", lambda message, _: inbox.put(message))
    assert inbox.get(timeout=PATIENCE_SECONDS) == note_on(0, 62, 1)


def test_a_listener_that_is_killed_does_not_disturb_the_others(
    backend: SocketBackend, listen: Callable[..., Any]
) -> None:
    out = backend.open_output("out", virtual=True)
    first, second = listen("Antiphon:out", backend="socket"), listen("Antiphon:out", backend="socket", name="second")
    out.send(note_on(0, 60, 1))
    assert len(first.wait_for(1)) == len(second.wait_for(1)) == 1
    first.close()
    for pitch in range(61, 70):
        out.send(note_on(0, pitch, 1))
    assert [heard.message[1] for heard in second.wait_for(10)] == list(range(60, 70))
