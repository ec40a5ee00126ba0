"""What sends MIDI: the contract of an output port, the host's own or a plugin's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from antiphon.errors import AntiphonError


class PortGone(AntiphonError):
    """The port, its peer or the whole system behind it is dead: it is let go, and opened anew when it is back."""


class OutputPort(Protocol):
    """A port one sends to, until it is closed."""

    name: str
    """What others see it as, or the name of the port it sends to."""
    stamps: bool
    """Whether it keeps a message until its moment itself, exactly; it may then be handed the message before."""

    def send(self, message: bytes, at_seconds: float | None = None) -> None:
        """Hand over one complete message; never blocks.

        `at_seconds`: when it is due, in `time.perf_counter()` seconds; now, if None. JACK delays what is due by
        exactly one period, so that messages sent up to then keep their distances to the sample; who does not stamp
        sends at once. What is sent later never overtakes what was due before it.

        Raises:
            PortGone: the port, its peer or the server is dead.
            AntiphonError: the message is malformed or too long.
        """
        ...

    def close(self) -> None:
        """Let what was sent leave (for 0.25 s at most; what is due later is dropped), then go. Safe to call twice."""
        ...


OpenOutput = Callable[[str], OutputPort]
"""Opens an output by name; what a plugin registers for its own kind of output."""

RegisterOutput = Callable[[str, str, OpenOutput], None]
"""What `register_outputs` is given to call with a name, a summary and what opens it, once per kind of output."""
