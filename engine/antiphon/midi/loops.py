"""Loops that drivers make from program to program, for systems without ports of our own. It makes and opens none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_LOOP: Final = re.compile(
    r"\bloop ?(midi|be|back)"  # Windows: drivers, and "Default App Loopback (A)" of Windows MIDI Services
    r"|\biac\b",  # macOS
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r" \d+$")
"""The Windows driver's library ends each name with its place in the list."""


@dataclass(frozen=True, slots=True)
class Route:
    """How to play to another program and back through loops, by the names of their ports."""

    to_daw: str
    """What Antiphon plays to."""
    heard_as: str
    """What the other program listens to."""
    from_daw: str | None
    """What Antiphon listens to; None if there is no loop left for that."""
    sent_to: str | None
    """What the other program sends to."""


def is_loop(name: str) -> bool:
    """Whether a port leads from one program to another, by its name: a driver's for loops, not a keyboard."""
    return _LOOP.search(name) is not None


def find_route(inputs: Sequence[str], outputs: Sequence[str]) -> Route | None:
    """The way there and back through the loops among the ports; None if there is no loop.

    Most loops give out at their one end what came in at the same end; so it takes two of them. Those of Windows MIDI
    Services are pairs: what goes into A comes out of B, and the other way round.
    """
    loops = [name for name in outputs if is_loop(name)]
    for name in loops:
        other = next((b for b in loops if _plain(b) == _plain(name).replace("(A)", "(B)")), None)
        back = next((port for port in inputs if _plain(port) == _plain(name)), None)
        if "(A)" in name and other is not None and back is not None:
            return Route(name, other, back, other)
    for name in loops:
        way_back = [port for port in inputs if is_loop(port) and _plain(port) != _plain(name)]
        back = way_back[0] if way_back else None
        return Route(name, name, back, back)
    return None


def _plain(name: str) -> str:
    return _NUMBER.sub("", name)
