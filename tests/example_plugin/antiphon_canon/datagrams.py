"""An output: each message as a UDP datagram to this machine, for lights and pictures. It never knows who listens."""

from __future__ import annotations

import os
import socket

from antiphon import OutputPort, PortGone

PORT = 7770
"""UDP port, unless the environment's `ANTIPHON_DATAGRAMS` names another."""


class Datagrams:
    """Hands each message to the network at once, and waits for nothing."""

    stamps = False

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self._address = ("127.0.0.1", port)
        self._socket: socket.socket | None = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, message: bytes, at_seconds: float | None = None) -> None:
        if self._socket is None:
            raise PortGone(f"output {self.name!r} is closed")
        try:
            self._socket.sendto(message, self._address)
        except BlockingIOError:
            pass  # A network that takes no more loses a picture, never a beat.
        except OSError as error:
            raise PortGone(f"output {self.name!r}: {error.strerror}") from error

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def open_datagrams(name: str) -> OutputPort:
    """An output of this kind."""
    return Datagrams(name, int(os.environ.get("ANTIPHON_DATAGRAMS", PORT)))
