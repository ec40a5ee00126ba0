"""MIDI ports for machines without any MIDI system: TCP on the loopback interface. It reaches no other machine.

A port of our own is a server, which announces itself by a small file in the user's runtime folder; any number of
peers may connect. What travels is plain MIDI bytes, one complete message after the other.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import socket
import time
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from antiphon.errors import AntiphonError
from antiphon.midi.backend import BackendUnusable, Receive, Spawn, checked
from antiphon.midi.port_names import numbered
from antiphon.output import PortGone

if TYPE_CHECKING:
    from mido.tokenizer import Tokenizer

_log = logging.getLogger(__name__)

_HOST: Final = "127.0.0.1"
_PROBE_SECONDS: Final = 0.05
_STOP_SECONDS: Final = 0.25
_CHUNK_BYTES: Final = 1 << 16

Direction = Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class Announcement:
    """Where a port of some process is to be found."""

    name: str
    """As in `Antiphon:out`."""
    direction: Direction
    """Seen from its owner: others listen to an output."""
    tcp_port: int


def ports_folder() -> Path:
    """The folder of the announcements; the environment's `ANTIPHON_SOCKET_PORTS` replaces the user's own."""
    override = os.environ.get("ANTIPHON_SOCKET_PORTS")
    if override:
        return Path(override)
    from platformdirs import user_runtime_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without a desktop session it takes a folder in /tmp: good enough for us
        return user_runtime_path("antiphon") / "ports"


class SocketBackend:
    """The ports of this process, all served by one thread, which starts with the first of them."""

    name = "socket"
    virtual = True
    stamps = False
    tells_connections = False
    carries_daws = False
    may_freeze = False

    def __init__(self, client_name: str, spawn: Spawn) -> None:
        """Find the runtime folder. Raises BackendUnusable if it cannot be written."""
        self._client_name = client_name
        self._spawn = spawn
        self._folder = ports_folder()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BackendUnusable(
                f"socket: {error}; set ANTIPHON_SOCKET_PORTS to a folder that can be written"
            ) from None
        self._loop: _Loop | None = None
        self._ports: list[SocketPort] = []

    def inputs(self) -> list[str]:
        return list(self._others("output"))

    def outputs(self) -> list[str]:
        return list(self._others("input"))

    def open_input(self, name: str, receive: Receive, *, virtual: bool = False) -> SocketPort:
        return self._serve(name, "input", receive) if virtual else self._join(name, "output", receive)

    def open_output(self, name: str, *, virtual: bool = False) -> SocketPort:
        return self._serve(name, "output", None) if virtual else self._join(name, "input", None)

    def connections(self) -> list[tuple[str, str]]:
        return []

    def restore(self, connections: Sequence[tuple[str, str]]) -> None:
        """Nothing: a peer notices that it lost us, and comes back by itself."""

    def close(self) -> None:
        for port in self._ports:
            port.close()
        self._ports.clear()
        if self._loop is not None:
            self._loop.stop()
            self._loop = None

    def _others(self, direction: Direction) -> dict[str, Announcement]:
        """Living ports of others, by names of which none comes twice."""
        found = self._announced(direction)
        return dict(zip(numbered(each.name for each in found), found, strict=True))

    def _announced(self, direction: Direction) -> list[Announcement]:
        """Living ports of others; announcements of the dead are removed."""
        own = {port.tcp_port for port in self._ports if port.connected}
        others = [found for found in self._all_announced() if found.tcp_port not in own]
        return [found for found in others if found.direction == direction]

    def _all_announced(self) -> list[Announcement]:
        found = []
        for file in sorted(self._folder.glob("*.json")):
            try:
                announcement = Announcement(**json.loads(file.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):  # removed this moment, or not one of ours
                continue
            if _is_listening(announcement.tcp_port):
                found.append(announcement)
            else:
                file.unlink(missing_ok=True)
        return found

    def _serve(self, name: str, direction: Direction, receive: Receive | None) -> SocketPort:
        taken = {found.name for found in self._all_announced()}
        clients = [self._client_name, *(f"{self._client_name}-{number:02}" for number in range(1, 100))]
        full_name = next((f"{client}:{name}" for client in clients if f"{client}:{name}" not in taken), None)
        if full_name is None:
            raise AntiphonError(f"socket port '{self._client_name}:{name}' cannot be made: a hundred are open already")
        server = socket.create_server((_HOST, 0))
        tcp_port = server.getsockname()[1]
        announcement = self._folder / f"{tcp_port}.json"
        port = SocketPort(full_name, tcp_port, announcement, self._running_loop(), receive)
        port.serve(server)
        unfinished = announcement.with_suffix(".new")
        unfinished.write_text(json.dumps(asdict(Announcement(full_name, direction, tcp_port))), encoding="utf-8")
        unfinished.replace(announcement)
        self._ports.append(port)
        return port

    def _join(self, name: str, direction: Direction, receive: Receive | None) -> SocketPort:
        announced = self._others(direction).get(name)
        if announced is None:
            raise PortGone(f"socket port '{name}' is not there (any more)")
        try:
            peer = socket.create_connection((_HOST, announced.tcp_port), timeout=1.0)
        except OSError as error:
            raise PortGone(f"socket port '{name}' does not answer: {error}") from None
        port = SocketPort(name, None, None, self._running_loop(), receive)
        port.add_peer(peer)
        self._ports.append(port)
        return port

    def _running_loop(self) -> _Loop:
        if self._loop is None:
            self._loop = _Loop()
            self._spawn(self._loop.run, "socket ports")
        return self._loop


class SocketPort:
    """A port of either direction, and its peers: many when it is ours, one when it is another's."""

    stamps = False

    def __init__(
        self, name: str, tcp_port: int | None, announcement: Path | None, loop: _Loop, receive: Receive | None
    ) -> None:
        self.name = name
        self.tcp_port = tcp_port
        """The TCP port of a port of ours; None for another's."""
        self._announcement = announcement
        self._loop = loop
        self._receive = receive
        self._server: socket.socket | None = None
        self._peers: tuple[socket.socket, ...] = ()  # replaced, never changed: `send` may be walking through it
        self._closed = False

    @property
    def connected(self) -> bool:
        return not self._closed and (self._server is not None or bool(self._peers))

    def send(self, message: bytes, at_seconds: float | None = None) -> None:
        if not self.connected:
            raise PortGone(f"socket port '{self.name}' is closed")
        data = checked(message)
        for peer in self._peers:
            try:
                whole = peer.send(data) == len(data)
            except BlockingIOError:
                whole = False
            except OSError:  # it has gone; the loop is about to notice
                continue
            if not whole:
                _log.warning("a peer of socket port '%s' does not read; it is dropped", self.name)
                with contextlib.suppress(OSError):
                    peer.shutdown(socket.SHUT_RDWR)  # the loop sees the end, and closes it

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._announcement is not None:
            self._announcement.unlink(missing_ok=True)
        self._loop.do(self._close_sockets)

    def serve(self, server: socket.socket) -> None:
        """Take whoever connects to `server` as a peer."""
        self._server = server
        self._loop.watch(server, self._accept)

    def add_peer(self, peer: socket.socket) -> None:
        """Exchange messages with `peer` until it closes."""
        from mido.tokenizer import Tokenizer

        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.setblocking(False)
        tokenizer = Tokenizer()
        self._peers = (*self._peers, peer)
        self._loop.watch(peer, lambda: self._read(peer, tokenizer))

    def _accept(self) -> None:
        assert self._server is not None
        with contextlib.suppress(OSError):  # it has gone again
            self.add_peer(self._server.accept()[0])

    def _read(self, peer: socket.socket, tokenizer: Tokenizer) -> None:
        try:
            data = peer.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._peers = tuple(other for other in self._peers if other is not peer)
            self._loop.forget(peer)
            return
        if self._receive is not None:
            now = time.perf_counter()
            tokenizer.feed(data)
            # A chord is read whole before its first note is passed on: whoever plays it waits for this thread.
            for message in [bytes(message) for message in tokenizer]:
                self._receive(message, now)

    def _close_sockets(self) -> None:
        peers, self._peers = self._peers, ()
        for open_socket in (*peers, *([self._server] if self._server else [])):
            self._loop.forget(open_socket)


class _Loop:
    """Waits for all sockets at once. Only its own thread touches the selector; others leave it orders."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._orders: deque[Callable[[], None]] = deque()
        self._waker, self._wakened = socket.socketpair()
        self._waker.setblocking(False)
        self._wakened.setblocking(False)
        self._selector.register(self._wakened, selectors.EVENT_READ, self._obey)
        self._running = True
        self._ended = False

    def run(self) -> None:
        """Serve until stopped."""
        while self._running:
            for key, _ in self._selector.select():
                if key.fileobj in self._selector.get_map():  # not closed by what came before it in this round
                    key.data()
        self._selector.close()
        self._waker.close()
        self._wakened.close()
        self._ended = True

    def watch(self, watched: socket.socket, ready: Callable[[], None]) -> None:
        """Call `ready` whenever `watched` can be read."""
        self.do(lambda: self._register(watched, ready))

    def forget(self, watched: socket.socket) -> None:
        """Close `watched`. Only within the loop's thread."""
        if watched in self._selector.get_map():
            self._selector.unregister(watched)
        watched.close()

    def do(self, order: Callable[[], None]) -> None:
        """Have the loop's thread do this."""
        self._orders.append(order)
        with contextlib.suppress(OSError):  # wakened often enough already, or stopped
            self._waker.send(b"!")

    def stop(self) -> None:
        """End the thread, once it has done what it was told before, and wait for that."""
        self.do(self._end)
        deadline = time.perf_counter() + _STOP_SECONDS
        while not self._ended and time.perf_counter() < deadline:
            time.sleep(0.001)

    def _register(self, watched: socket.socket, ready: Callable[[], None]) -> None:
        if watched.fileno() >= 0:  # not closed in the meantime
            self._selector.register(watched, selectors.EVENT_READ, ready)

    def _end(self) -> None:
        self._running = False

    def _obey(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wakened.recv(_CHUNK_BYTES)
        while self._orders:
            self._orders.popleft()()


def _is_listening(tcp_port: int) -> bool:
    try:
        socket.create_connection((_HOST, tcp_port), timeout=_PROBE_SECONDS).close()
    except ConnectionRefusedError:
        return False
    except OSError:  # too busy to answer, but there
        return True
    return True
