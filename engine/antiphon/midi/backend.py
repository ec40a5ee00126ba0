"""What a MIDI system must do: its ports, its errors, which messages may go out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from antiphon.errors import AntiphonError
from antiphon.music.messages import is_well_formed
from antiphon.output import OutputPort

Receive = Callable[[bytes, float], None]
"""Called with one complete MIDI message and the `time.perf_counter()` seconds at which it arrived.

It runs in the driver's thread, JACK's real-time thread among them: stamp, enqueue, return.
"""
Spawn = Callable[[Callable[[], None], str], None]
"""Starts a daemon thread that runs the function, under a name. Threads are the runtime's business, not a port's."""
OnLost = Callable[[str], None]
"""Called once, from any thread, with the reason why the MIDI system is gone."""
LONGEST_MESSAGE: Final = 16_379
"""Bytes; what is longer, rtmidi on JACK drops without a word, so every backend refuses it."""


class BackendUnusable(AntiphonError):
    """This machine lacks what the backend stands on; the message says what."""


class ServerDown(BackendUnusable):
    """All is installed, but no server runs; it may later."""


class InputPort(Protocol):
    """A port one listens to, until it is closed."""

    name: str
    """What others see it as, or the name of the port it listens to."""

    @property
    def connected(self) -> bool:
        """False once the port it listens to is known to be gone; a virtual port waits for peers and stays True.

        rtmidi cannot tell: there, look whether `name` is still among the backend's `inputs()`.
        """
        ...

    def close(self) -> None:
        """Stop listening. Safe to call twice, and when the server is dead."""
        ...


class Backend(Protocol):
    """One MIDI system, with this process as one of its clients."""

    name: str
    """One of `KINDS`."""
    virtual: bool
    """Whether ports of our own can be made, for others to connect to."""
    stamps: bool
    """Whether a message bears the moment at which it was sent, to the sample, going out and coming in."""
    tells_connections: bool
    """Whether `connections` tells who is plugged into our ports, and so who has just come."""
    carries_daws: bool
    """Whether other programs than Antiphon's own are on it."""
    may_freeze: bool
    """Whether this process stands still for good when the system's server dies."""

    def inputs(self) -> list[str]:
        """Ports of others that one can listen to, hardware first where that is known. Cheap enough to poll.

        No name comes twice: those that look alike are `numbered`, and opened by these names.
        """
        ...

    def outputs(self) -> list[str]:
        """Ports of others that one can send to."""
        ...

    def open_input(self, name: str, receive: Receive, *, virtual: bool = False) -> InputPort:
        """Listen to the port `name`, or, if `virtual`, make a port of our own called `name`.

        Raises:
            AntiphonError: there is no such port, or it cannot be made.
        """
        ...

    def open_output(self, name: str, *, virtual: bool = False) -> OutputPort:
        """Send to the port `name`, or, if `virtual`, make a port of our own called `name`.

        Raises:
            AntiphonError: there is no such port, or it cannot be made.
        """
        ...

    def connections(self) -> list[tuple[str, str]]:
        """Pairs (source, destination) between our ports and others; empty where the system does not say."""
        ...

    def restore(self, connections: Sequence[tuple[str, str]]) -> None:
        """Connect these pairs again, after our ports were opened anew; pairs whose port is missing are skipped."""
        ...

    def close(self) -> None:
        """Close all ports and leave. Safe to call twice, and when the server is dead."""
        ...


def checked(message: bytes) -> bytes:
    """`message`, if it may go out. Raises AntiphonError if it is malformed or longer than `LONGEST_MESSAGE`."""
    if len(message) > LONGEST_MESSAGE:
        raise AntiphonError(
            f"MIDI message of {len(message)} bytes; allowed 1 to {LONGEST_MESSAGE}; send system exclusive data in parts"
        )
    if not is_well_formed(message):
        raise AntiphonError(
            f"malformed MIDI message '{message[:16].hex(' ')}'; a status byte and exactly the data bytes it calls for"
        )
    return message
