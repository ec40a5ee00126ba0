"""MIDI ports for machines without any MIDI system: TCP on the loopback interface. It reaches no other machine.

A port of our own is a server, which announces itself by a small file in the user's runtime folder; any number of
peers may connect, each with the token from there. What travels then is plain MIDI bytes, one complete message after the
other. Each peer is a keyboard of its own: what it holds comes up when it goes.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from antiphon.errors import AntiphonError
from antiphon.midi.announcements import (
    TOKEN_BYTES,
    Announcement,
    Direction,
    announce,
    announced_in,
    announcements_folder,
    new_token,
)
from antiphon.midi.backend import BackendUnusable, Receive, Spawn, checked
from antiphon.midi.peer_stream import PeerStream
from antiphon.midi.port_names import numbered
from antiphon.music.hands import Hands
from antiphon.output import PortGone

_log = logging.getLogger(__name__)

_HOST: Final = "127.0.0.1"
_PROBE_SECONDS: Final = 0.05
_STOP_SECONDS: Final = 0.25
_CHUNK_BYTES: Final = 1 << 16
_JOIN_SECONDS: Final = 2.0
"""How long a port of another may take to answer."""
_MOST_WAITING: Final = 16
"""Peers that have not said the token yet; the eldest makes room."""


class SocketBackend:
    """The ports of this process, all served by one thread, which starts with the first of them."""

    name = "socket"
    virtual = True
    stamps = False
    tells_connections = False
    carries_daws = False
    may_freeze = False

    def __init__(self, client_name: str, spawn: Spawn) -> None:
        """Find the runtime folder. Raises BackendUnusable if it cannot be written, or others can enter it."""
        self._client_name = client_name
        self._spawn = spawn
        try:
            self._folder = announcements_folder()
        except AntiphonError as error:
            raise BackendUnusable(f"socket: {error}") from None
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
        for file, announcement in announced_in(self._folder):
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
        announcement = Announcement(full_name, direction, server.getsockname()[1], new_token())
        port = SocketPort(full_name, self._running_loop(), receive, announcement)
        port.serve(server)
        port.announced_at = announce(self._folder, announcement)
        self._ports.append(port)
        return port

    def _join(self, name: str, direction: Direction, receive: Receive | None) -> SocketPort:
        announced = self._others(direction).get(name)
        if announced is None:
            raise PortGone(f"socket port '{name}' is not there (any more)")
        try:
            peer = _let_in(announced)
        except OSError as error:
            raise PortGone(f"socket port '{name}' does not answer: {error}") from None
        port = SocketPort(name, self._running_loop(), receive)
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
        self, name: str, loop: _Loop, receive: Receive | None, announcement: Announcement | None = None
    ) -> None:
        """`announcement`: of a port of ours; None for another's."""
        self.name = name
        self.announced_at: Path | None = None
        """The file that tells of a port of ours."""
        self._announcement = announcement
        self._loop = loop
        self._receive = receive
        self._server: socket.socket | None = None
        self._waiting: dict[socket.socket, bytes] = {}
        """Peers that have not said the token yet, and what they have said."""
        self._peers: tuple[socket.socket, ...] = ()  # replaced, never changed: `send` may be walking through it
        self._hands = Hands()
        self._closed = False

    @property
    def tcp_port(self) -> int | None:
        """The TCP port of a port of ours; None for another's."""
        return None if self._announcement is None else self._announcement.tcp_port

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
        if self.announced_at is not None:
            self.announced_at.unlink(missing_ok=True)
        self._loop.do(self._close_sockets)

    def serve(self, server: socket.socket) -> None:
        """Take whoever connects to `server`, and says the token, as a peer."""
        self._server = server
        self._loop.watch(server, self._accept)

    def add_peer(self, peer: socket.socket) -> None:
        """Exchange messages with `peer` until it closes."""
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.setblocking(False)
        stream = PeerStream(str(peer.fileno()))
        self._peers = (*self._peers, peer)
        self._loop.watch(peer, lambda: self._read(peer, stream))

    def _accept(self) -> None:
        assert self._server is not None
        with contextlib.suppress(OSError):  # it has gone again
            peer = self._server.accept()[0]
            peer.setblocking(False)
            self._waiting[peer] = b""
            self._loop.watch(peer, lambda: self._examine(peer))
            if len(self._waiting) > _MOST_WAITING:
                self._turn_away(next(iter(self._waiting)))

    def _examine(self, peer: socket.socket) -> None:
        """Let `peer` in once it has said the token; turn it away if it says anything else."""
        assert self._announcement is not None
        said = self._waiting.get(peer)
        if said is None:  # let in this moment: what it says now is read in a moment
            return
        try:
            data = peer.recv(TOKEN_BYTES - len(said))
        except BlockingIOError:
            return
        except OSError:
            data = b""
        said += data
        if data and len(said) < TOKEN_BYTES:
            self._waiting[peer] = said
        elif secrets.compare_digest(said, self._announcement.said):
            del self._waiting[peer]
            with contextlib.suppress(OSError):  # it has gone: reading will tell
                peer.send(self._announcement.answered)
            self.add_peer(peer)
        else:
            self._turn_away(peer)

    def _turn_away(self, peer: socket.socket) -> None:
        del self._waiting[peer]
        self._loop.forget(peer)

    def _read(self, peer: socket.socket, stream: PeerStream) -> None:
        try:
            data = peer.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        messages = stream.read(data)
        if not data or stream.endless:
            self._peers = tuple(other for other in self._peers if other is not peer)
            self._loop.forget(peer)
            messages = [message for _, message in self._hands.leave(stream.hand)]
        elif self._server is not None:  # another's port has one peer, whose end is told as its own
            messages = [passed for each in messages for passed in self._hands.pass_on(0, each, stream.hand)]
        if self._receive is not None:
            now = time.perf_counter()
            # A chord is read whole before its first note is passed on: whoever plays it waits for this thread.
            for message in messages:
                self._receive(message, now)

    def _close_sockets(self) -> None:
        peers, self._peers = self._peers, ()
        waiting, self._waiting = tuple(self._waiting), {}
        for open_socket in (*peers, *waiting, *([self._server] if self._server else [])):
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
                assert isinstance(key.fileobj, socket.socket)
                if self._watches(key.fileobj):  # not closed by what came before it in this round
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
        if self._watches(watched):
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
        if self._watches(watched):
            self._selector.modify(watched, selectors.EVENT_READ, ready)
        elif watched.fileno() >= 0:  # not closed in the meantime
            self._selector.register(watched, selectors.EVENT_READ, ready)

    def _watches(self, one: socket.socket) -> bool:
        # Of a socket that is closed the selector does not say no: it raises.
        return one.fileno() >= 0 and one in self._selector.get_map()

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


def _let_in(announced: Announcement) -> socket.socket:
    """Connected to the port that is announced. Raises OSError if it is not there, or another is in its place."""
    peer = socket.create_connection((_HOST, announced.tcp_port), timeout=_JOIN_SECONDS)
    try:
        peer.sendall(announced.said)
        answer = b""
        while len(answer) < TOKEN_BYTES and (data := peer.recv(TOKEN_BYTES - len(answer))):
            answer += data
        if not secrets.compare_digest(answer, announced.answered):
            raise ConnectionRefusedError("it is not the port that was announced")
    except OSError:
        peer.close()
        raise
    return peer
