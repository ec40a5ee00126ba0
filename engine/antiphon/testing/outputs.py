"""`check_output`: a kind of output, held to the contract of `OutputPort`. It listens to nothing that is sent."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Final, TypeVar

from antiphon.output import OpenOutput, OutputPort, PortGone
from antiphon.testing.trial import BrokenRule

Result = TypeVar("Result")

_BURST: Final = 1000
_SEND_SECONDS: Final = 0.001
"""Longest that a send may take (p95): the engine waits for it."""
_CLOSE_SECONDS: Final = 0.25
_MESSAGES: Final = (
    bytes((0x90, 60, 64)),
    bytes((0x80, 60, 0)),
    bytes((0xA0, 60, 1)),
    bytes((0xBF, 64, 127)),
    bytes((0xC3, 5)),
    bytes((0xD0, 33)),
    bytes((0xE0, 0, 64)),
    bytes((0xF8,)),
    bytes((0xF0, *range(120), 0xF7)),
)
"""One of each kind: channel messages, the clock, a system exclusive."""


@dataclass(frozen=True, slots=True)
class OutputReport:
    """What was seen of an output that keeps the rules; `print` it."""

    name: str
    """What it is called."""
    stamps: bool
    """Whether it keeps messages until their moment."""
    send_seconds: tuple[float, float, float]
    """Seconds to hand over a message: p50, p95 and the longest of 1,000."""

    def __str__(self) -> str:
        p50, p95, longest = (f"{seconds * 1e3:.3f}" for seconds in self.send_seconds)
        stamps = "stamps" if self.stamps else "sends at once"
        return f"{self.name!r} {stamps}; a message takes {p50} ms (p50), {p95} (p95), {longest} (longest)"


def check_output(open_output: OpenOutput, name: str = "output", *, allowance: float = 10.0) -> OutputReport:
    """Check that what `open_output` opens keeps the contract of an output.

    `allowance`: how much slower than a stage's machine this one may be.

    Raises:
        BrokenRule: naming the first rule that is broken.
    """
    port = _call("it opens", "open_output", lambda: open_output(name))
    for attribute, kind in (("name", str), ("stamps", bool)):
        if not isinstance(getattr(port, attribute, None), kind):
            value = getattr(port, attribute, "missing")
            raise BrokenRule("it opens", f"its attribute {attribute} is {value!r}; it must be a {kind.__name__}")
    for method in ("send", "close"):
        if not callable(getattr(port, method, None)):
            raise BrokenRule("it opens", f"it has no method {method}")
    for message in _MESSAGES:
        for at_seconds in (None, time.perf_counter() + 0.01):
            _call("it takes every message", f"send({message[:3].hex(' ')})", partial(port.send, message, at_seconds))
    seconds = _timed(port)
    if seconds[1] > _SEND_SECONDS * allowance:
        took, allowed = seconds[1] * 1e3, _SEND_SECONDS * allowance * 1e3
        raise BrokenRule("sending does not wait", f"{took:.1f} ms at the 95th percentile; allowed: {allowed:g} ms here")
    begun = time.perf_counter()
    _call("it closes", "close", port.close)
    if (took := time.perf_counter() - begun) > _CLOSE_SECONDS * allowance:
        raise BrokenRule("it closes", f"it took {took:.2f} s; allowed: {_CLOSE_SECONDS * allowance:g} s here")
    _call("it closes", "the second close", port.close)
    _check_gone(port)
    return OutputReport(port.name, port.stamps, seconds)


def _timed(port: OutputPort) -> tuple[float, float, float]:
    seconds = []
    for number in range(_BURST):
        message = bytes((0x80 if number % 2 else 0x90, number // 2 % 128, 64))
        start = time.perf_counter()
        _call("it takes every message", "send", partial(port.send, message))
        seconds.append(time.perf_counter() - start)
    seconds.sort()
    return median(seconds), seconds[math.ceil(0.95 * _BURST) - 1], seconds[-1]


def _check_gone(port: OutputPort) -> None:
    rule = "what is closed says so"
    try:
        port.send(_MESSAGES[0])
    except PortGone:
        return
    except Exception as error:
        raise BrokenRule(rule, f"send raised {type(error).__name__}: {error}; it must be PortGone") from error
    raise BrokenRule(rule, "send after close raised nothing; it must raise PortGone")


def _call(rule: str, what: str, function: Callable[[], Result]) -> Result:
    try:
        return function()
    except Exception as error:  # A plugin may raise anything at all.
        raise BrokenRule(rule, f"{what} raised {type(error).__name__}: {error}") from error
