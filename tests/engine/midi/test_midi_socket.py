"""Loopback ports: names, framing, peers that come, go and stall."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import pytest

from antiphon.errors import AntiphonError
from antiphon.midi.backend import BackendUnusable
from antiphon.midi.socket_backend import SocketBackend
from antiphon.music.messages import note_off, note_on
from antiphon.output import PortGone

Inbox = SimpleQueue[bytes]

PATIENCE_SECONDS = 60.0
"""For what takes a millisecond unless others keep the machine."""


def spawn(work: Callable[[], None], name: str) -> None:
    Thread(target=work, name=name, daemon=True).start()


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "ports"
    monkeypatch.setenv("ANTIPHON_SOCKET_PORTS", str(folder))
    return folder


@pytest.fixture
def backend() -> Iterator[SocketBackend]:
    backend = SocketBackend("Antiphon", spawn)
    yield backend
    backend.close()


@pytest.fixture
def other() -> Iterator[SocketBackend]:
    backend = SocketBackend("other", spawn)
    yield backend
    backend.close()


def into(inbox: Inbox) -> Callable[[bytes, float], None]:
    return lambda message, _: inbox.put(message)


def test_only_ports_of_others_are_listed_each_in_its_direction(backend: SocketBackend, other: SocketBackend) -> None:
    backend.open_output("out", virtual=True)
    backend.open_input("in", into(SimpleQueue()), virtual=True)
    assert (other.inputs(), other.outputs()) == (["Antiphon:out"], ["Antiphon:in"])
    assert (backend.inputs(), backend.outputs()) == ([], [])


def test_of_two_ports_of_one_name_each_is_reached_by_its_number(
    backend: SocketBackend, other: SocketBackend, folder: Path
) -> None:
    inboxes: list[Inbox] = [SimpleQueue(), SimpleQueue()]
    for name, inbox in zip(("a", "b"), inboxes, strict=True):
        backend.open_input(name, into(inbox), virtual=True)
    for file in folder.glob("*.json"):  # As two programs would that did not know of each other.
        file.write_text(file.read_text().replace("Antiphon:b", "Antiphon:a"))
    assert other.outputs() == ["Antiphon:a", "Antiphon:a#2"]
    for number, name in enumerate(other.outputs()):
        other.open_output(name).send(note_on(0, 60, 1 + number))
    assert sorted(inbox.get(timeout=5) for inbox in inboxes) == [note_on(0, 60, 1), note_on(0, 60, 2)]


def test_messages_of_all_kinds_arrive_whole_and_in_order(backend: SocketBackend, other: SocketBackend) -> None:
    inbox: Inbox = SimpleQueue()
    backend.open_input("in", into(inbox), virtual=True)
    out = other.open_output("Antiphon:in")
    longest = bytes([0xF0, *(number % 128 for number in range(16_377)), 0xF7])
    sent = [note_on(0, 60, 1), b"\xf8", longest, b"\xc0\x05", b"\xe0\x00\x40", b"\xf2\x01\x02", note_off(15, 127)]
    for message in sent:
        out.send(message)
    assert [inbox.get(timeout=PATIENCE_SECONDS) for _ in sent] == sent


def test_a_message_split_on_the_way_is_put_together(backend: SocketBackend, folder: Path) -> None:
    inbox: Inbox = SimpleQueue()
    backend.open_input("in", into(inbox), virtual=True)
    announcement = json.loads(next(folder.glob("*.json")).read_text(encoding="utf-8"))
    with socket.create_connection(("127.0.0.1", announcement["tcp_port"])) as peer:
        for byte in note_on(0, 60, 1):
            peer.sendall(bytes([byte]))
        assert inbox.get(timeout=PATIENCE_SECONDS) == note_on(0, 60, 1)


def test_every_peer_of_an_output_hears_it(backend: SocketBackend, other: SocketBackend) -> None:
    first, second, ready = SimpleQueue(), SimpleQueue(), SimpleQueue()
    backend.open_input("ready", into(ready), virtual=True)
    out = backend.open_output("out", virtual=True)
    other.open_input("Antiphon:out", into(first))
    other.open_input("Antiphon:out", into(second))
    # The loop takes connections in their order: once it has served this one, the others are peers.
    other.open_output("Antiphon:ready").send(b"\xfe")
    assert ready.get(timeout=PATIENCE_SECONDS) == b"\xfe"
    out.send(note_on(0, 60, 1))
    assert first.get(timeout=PATIENCE_SECONDS) == second.get(timeout=PATIENCE_SECONDS) == note_on(0, 60, 1)


def test_a_peer_that_does_not_read_is_dropped_and_never_blocks(
    backend: SocketBackend, other: SocketBackend, caplog: pytest.LogCaptureFixture
) -> None:
    deaf = socket.create_server(("127.0.0.1", 0))
    (Path(str(backend._folder)) / "deaf.json").write_text(
        json.dumps({"name": "deaf:in", "direction": "input", "tcp_port": deaf.getsockname()[1]}), encoding="utf-8"
    )
    out = backend.open_output("deaf:in")
    long = bytes([0xF0, *bytes(16_000), 0xF7])

    def flood() -> None:
        for _ in range(10_000):
            out.send(long)

    with pytest.raises(PortGone):
        flood()
    assert "does not read" in caplog.text
    deaf.close()


def test_a_peer_that_has_gone_is_noticed(backend: SocketBackend, other: SocketBackend) -> None:
    out = other.open_output("out", virtual=True)
    source = backend.open_input("other:out", into(SimpleQueue()))
    assert source.connected
    out.close()
    other.close()
    while source.connected:  # ends as soon as the loop has seen it; the test's time limit guards it
        pass
    assert backend.inputs() == []


def test_sending_on_a_closed_port_says_so(backend: SocketBackend) -> None:
    out = backend.open_output("out", virtual=True)
    out.close()
    out.close()
    with pytest.raises(PortGone, match=r"'Antiphon:out' is closed"):
        out.send(note_on(0, 60, 1))


def test_malformed_messages_are_refused(backend: SocketBackend) -> None:
    out = backend.open_output("out", virtual=True)
    with pytest.raises(AntiphonError, match=r"malformed MIDI message '90 3c'"):
        out.send(b"\x90\x3c")


def test_a_second_antiphon_gets_a_name_of_its_own(backend: SocketBackend) -> None:
    assert backend.open_output("out", virtual=True).name == "Antiphon:out"
    second = SocketBackend("Antiphon", spawn)
    assert second.open_output("out", virtual=True).name == "Antiphon-01:out"
    second.close()


def test_announcements_of_the_dead_are_removed_and_strange_files_left_alone(
    backend: SocketBackend, folder: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free_port = server.getsockname()[1]
    dead, strange = folder / "1.json", folder / "2.json"
    dead.write_text(json.dumps({"name": "dead:out", "direction": "output", "tcp_port": free_port}), encoding="utf-8")
    strange.write_text("{", encoding="utf-8")
    assert backend.inputs() == []
    assert not dead.exists()
    assert strange.exists()


def test_closing_removes_the_announcements(backend: SocketBackend, folder: Path) -> None:
    backend.open_output("out", virtual=True)
    assert list(folder.iterdir())
    backend.close()
    backend.close()
    assert not list(folder.iterdir())


def test_a_port_that_does_not_exist_is_refused(backend: SocketBackend) -> None:
    with pytest.raises(PortGone, match="'nobody:out' is not there"):
        backend.open_input("nobody:out", into(SimpleQueue()))


def test_without_a_folder_to_write_to_it_is_unusable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ANTIPHON_SOCKET_PORTS", str(tmp_path / "file" / "ports"))
    with pytest.raises(BackendUnusable, match="ANTIPHON_SOCKET_PORTS"):
        SocketBackend("Antiphon", spawn)
