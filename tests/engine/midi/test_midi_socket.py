"""Loopback ports: names, framing, peers that come, go and stall."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

import pytest

from antiphon.errors import AntiphonError
from antiphon.midi import socket_backend
from antiphon.midi.announcements import Announcement, announce, new_token, read_announcement
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


@pytest.fixture
def deaf(folder: Path) -> Iterator[socket.socket]:
    """The port `deaf:in` of somebody who lets one peer in, and reads nothing of what it sends."""
    folder.mkdir(mode=0o700)
    with socket.create_server(("127.0.0.1", 0)) as server:
        announcement = Announcement("deaf:in", "input", server.getsockname()[1], new_token())
        announce(folder, announcement)
        done = Event()

        def let_in() -> None:
            while not done.is_set():
                with server.accept()[0] as peer:
                    if peer.recv(64):
                        peer.sendall(announcement.answered)
                        done.wait(PATIENCE_SECONDS)

        spawn(let_in, "deaf")
        yield server
        done.set()


def knock(folder: Path, said: bytes | None = None) -> socket.socket:
    """Connected to the only port there is, having said its token, or something else."""
    announcement = read_announcement(next(folder.glob("*.json")))
    assert announcement is not None
    peer = socket.create_connection(("127.0.0.1", announcement.tcp_port), timeout=PATIENCE_SECONDS)
    peer.sendall(announcement.said if said is None else said)
    if said is None:
        assert peer.recv(len(announcement.answered), socket.MSG_WAITALL) == announcement.answered
    return peer


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
    with knock(folder) as peer:
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
    deaf: socket.socket, backend: SocketBackend, caplog: pytest.LogCaptureFixture
) -> None:
    out = backend.open_output("deaf:in")
    long = bytes([0xF0, *bytes(16_000), 0xF7])

    def flood() -> None:
        for _ in range(10_000):
            out.send(long)

    with pytest.raises(PortGone):
        flood()
    assert "does not read" in caplog.text


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
    dead = announce(folder, Announcement("dead:out", "output", free_port, new_token()))
    strange = folder / "2.json"
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


# ---- who may come in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [b"", note_on(0, 60, 1) * 20, b"0" * 32, b"0" * 31])
def test_who_does_not_say_the_token_hears_nothing_and_is_not_heard(
    said: bytes, backend: SocketBackend, other: SocketBackend, folder: Path
) -> None:
    inbox: Inbox = SimpleQueue()
    port = backend.open_input("in", into(inbox), virtual=True)
    stranger = knock(folder, said)
    for number in range(16):
        other.open_output("Antiphon:in").send(note_on(0, number, 1))  # The others are let in meanwhile.
    assert [inbox.get(timeout=PATIENCE_SECONDS) for _ in range(16)] == [note_on(0, n, 1) for n in range(16)]
    port.close()
    assert _hears(stranger) == b""
    assert inbox.empty()


def test_an_output_is_heard_only_by_who_says_the_token(backend: SocketBackend, folder: Path) -> None:
    port = backend.open_output("out", virtual=True)
    stranger = knock(folder, b"f" * 32)
    with knock(folder) as friend:
        port.send(note_on(0, 60, 1))
        assert friend.recv(3, socket.MSG_WAITALL) == note_on(0, 60, 1)
    assert _hears(stranger) == b""


def test_strangers_that_wait_at_the_door_make_room_for_who_belongs_there(
    backend: SocketBackend, other: SocketBackend, folder: Path
) -> None:
    inbox: Inbox = SimpleQueue()
    backend.open_input("in", into(inbox), virtual=True)
    strangers = [knock(folder, b"") for _ in range(40)]
    other.open_output("Antiphon:in").send(note_on(0, 60, 1))
    assert inbox.get(timeout=PATIENCE_SECONDS) == note_on(0, 60, 1)
    assert _hears(strangers[0]) == b""
    for stranger in strangers:
        stranger.close()


def test_a_port_in_the_place_of_a_dead_one_is_not_taken_for_it(backend: SocketBackend, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as impostor:
        announce(folder, Announcement("gone:out", "output", impostor.getsockname()[1], new_token()))

        def answer() -> None:
            for _ in range(2):
                with impostor.accept()[0] as peer:
                    if peer.recv(64):
                        peer.sendall(b"0" * 32)

        spawn(answer, "impostor")
        with pytest.raises(PortGone, match="not the port that was announced"):
            backend.open_input("gone:out", into(SimpleQueue()))


def test_only_their_user_can_read_announcements(backend: SocketBackend, folder: Path) -> None:
    backend.open_output("out", virtual=True)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert next(folder.glob("*.json")).stat().st_mode & 0o777 == 0o600


def test_a_folder_that_others_can_enter_is_refused_with_what_to_do(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    with pytest.raises(BackendUnusable, match=r"others can enter .*chmod 700"):
        SocketBackend("Antiphon", spawn)


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "[" * 4000,
        '{"name": "a:b"}',
        '{"name": "\\u001b]0;x", "direction": "output", "tcp_port": PORT, "token": "TOKEN"}',
        '{"name": "a:b", "direction": "output", "tcp_port": 1e999, "token": "TOKEN"}',
        '{"name": "a:b", "direction": "output", "tcp_port": 99999, "token": "TOKEN"}',
        '{"name": "a:b", "direction": "output", "tcp_port": true, "token": "TOKEN"}',
        '{"name": "a:b", "direction": "output", "tcp_port": PORT, "token": "short"}',
        '{"name": "LONG", "direction": "output", "tcp_port": PORT, "token": "TOKEN"}',
        '{"name": ["a"], "direction": ["output"], "tcp_port": PORT, "token": "TOKEN"}',
    ],
)
def test_what_is_no_announcement_is_passed_over(text: str, backend: SocketBackend, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        told = text.replace("PORT", port).replace("TOKEN", new_token()).replace("LONG", "a" * 3000)
        (folder / "1.json").write_text(told, encoding="utf-8")
        assert backend.inputs() == []


# ---- each peer is a keyboard of its own ------------------------------------------------------------------------------


def test_what_a_peer_holds_comes_up_when_it_goes(backend: SocketBackend, folder: Path) -> None:
    inbox: Inbox = SimpleQueue()
    backend.open_input("in", into(inbox), virtual=True)
    with knock(folder) as one, knock(folder) as two:
        for peer, message in ((one, note_on(0, 60, 1)), (two, note_on(0, 60, 2)), (one, note_on(0, 64, 3))):
            peer.sendall(message)
            assert inbox.get(timeout=PATIENCE_SECONDS) == message
        one.close()
        assert inbox.get(timeout=PATIENCE_SECONDS) == note_off(0, 64)
        two.sendall(note_on(0, 67, 4))
        assert inbox.get(timeout=PATIENCE_SECONDS) == note_on(0, 67, 4)
    assert [inbox.get(timeout=PATIENCE_SECONDS) for _ in range(2)] == [note_off(0, 60), note_off(0, 67)]


def test_a_peer_whose_message_does_not_end_is_dropped(backend: SocketBackend, folder: Path) -> None:
    backend.open_input("in", into(SimpleQueue()), virtual=True)
    peer = knock(folder)
    with suppress(OSError):
        for _ in range(64):
            peer.sendall(b"\xf0" + bytes(1 << 16))
    assert _hears(peer) == b""


def _hears(peer: socket.socket) -> bytes:
    """All that a peer gets until it is turned away, or its port closes."""
    heard = b""
    with peer:
        try:
            while data := peer.recv(1 << 16):
                heard += data
        except ConnectionResetError:
            pass
    return heard


def test_a_socket_that_is_closed_before_its_turn_does_not_end_the_loop() -> None:
    loop = socket_backend._Loop()
    Thread(target=loop.run, daemon=True).start()
    gone, other = socket.socketpair()
    gone.close()
    told: SimpleQueue[bytes] = SimpleQueue()
    loop.watch(gone, lambda: told.put(b"gone"))
    loop.do(lambda: loop.forget(gone))
    here, there = socket.socketpair()
    loop.watch(here, lambda: told.put(here.recv(1)))
    there.send(b"!")
    assert told.get(timeout=PATIENCE_SECONDS) == b"!"
    loop.stop()
    for one in (other, here, there):
        one.close()
