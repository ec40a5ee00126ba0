"""Tells what comes in from what only comes back: our own output, by a DAW's thru. It sends nothing and reads no clock.

A message that comes in is compared with what left a moment before: the same kind, key or controller and value, on any
channel, for some programs change that. To leave out what a player plays would be worse than to hear an echo twice, so
what the two have in common is not enough:

- A way back (from an output and channel to an input) is *proven* when notes came back on it three times in a row with
  the same delay, and *clear* when three notes in a row did not. On a proven one, what comes with that delay is an
  echo; on a clear one, nothing is until it is proven.
- On a way of which nothing is known yet, what a voice played less than 100 ms ago is an echo, and so is a key that the
  player holds on that very keyboard: it cannot be struck. Any other key is heard. If it was an echo, it is passed on,
  comes back again, and by the third time its way is proven.
- The release of a key that is down on that keyboard is never an echo, nor is that of a pedal. So nothing gets stuck.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from antiphon.music import messages

VOICE_SECONDS: Final = 0.1
"""A voice's note that comes back sooner is an echo, unless its way is clear."""
OWN_SECONDS: Final = 0.06
"""A controller of the player's that comes back sooner is an echo, unless its way is clear: nobody is that quick."""
REACH_SECONDS: Final = 0.25
"""Nothing comes back later."""
TOLERANCE_SECONDS: Final = 0.015
"""Delays that differ by less are the same: programs carry MIDI from one buffer of sound to the next."""
PROOF: Final = 3
"""Notes in a row that come back, or do not, until that is believed."""
_EARLY_SECONDS: Final = 0.02
"""A driver's stamp may be that much before its time."""
_MOST_COPIES: Final = 4
"""A message may come back several times, as when two tracks of a DAW pass it on."""
_TEST: Final = 8
"""A key struck again and again, as evenly as no hand does, is a machine's roll, or goes in circles, each time let go
before it comes back. One in so many is left out: that ends a circle, and hardly harms a roll."""
_RARE_TEST: Final = 32
"""The same where nothing came back so far."""
_STEADY_SECONDS: Final = 0.004
_FORGOTTEN_AT_ONCE: Final = 8
"""So that nobody has to wait for it."""

Report = Callable[[str], None]


@dataclass(slots=True)
class _Sent:
    """A message that left."""

    seconds: float
    output: int
    channel: int
    content: bytes
    origin: str | None
    """The input that the player's own message came from; None for a voice's."""
    returned: dict[str, int] = field(default_factory=dict)
    """How often it came back, by the input."""


@dataclass(slots=True)
class _Way:
    """What is known of the way from an output and channel back to an input."""

    delay_seconds: float = 0.0
    steady: int = 0
    """How many notes in a row came back with the same delay."""
    missed: int = 0
    """How many in a row did not come back."""
    proven: bool = False
    clear: bool = False

    def near(self, delay_seconds: float) -> bool:
        return abs(delay_seconds - self.delay_seconds) <= TOLERANCE_SECONDS

    def came_back(self, delay_seconds: float) -> None:
        self.missed = 0
        if self.steady and self.near(delay_seconds):
            self.steady += 1
            self.delay_seconds += (delay_seconds - self.delay_seconds) / 4
        else:
            self.steady, self.delay_seconds = 1, delay_seconds
        if self.steady >= PROOF:
            self.proven, self.clear = True, False

    def did_not_come_back(self) -> None:
        self.steady = 0
        self.missed += 1
        if self.missed >= PROOF:
            # One that used to bring notes back is not trusted at once.
            self.missed, self.clear, self.proven = 0, not self.proven, False


class Echoes:
    """Remembers what left for as long as it may come back."""

    def __init__(self, report: Report = lambda text: None) -> None:
        """`report`: told, in words for a person, once for each input that sends back what it should not."""
        self._report = report
        self._told: set[str] = set()
        self._left: deque[_Sent] = deque()
        self._by_content: dict[bytes, deque[_Sent]] = {}
        self._ways: dict[tuple[str, int, int], _Way] = {}
        self._down: dict[str, set[bytes]] = {}
        """Keys and pedals that are down on each input, of those that were heard."""
        self._left_out: set[tuple[str, bytes]] = set()
        """Keys whose press was an echo."""
        self._struck: dict[tuple[str, bytes], tuple[float, float, int]] = {}
        """Of keys struck so fast that each may be the last one's echo: when one last was, how soon, and how many."""
        self._origin: str | None = None

    def sent(self, output: int, message: bytes, seconds: float, *, own: bool) -> None:
        """A message leaves at `seconds`. `own`: it is the player's, who was heard just now."""
        self._forget_until(seconds - 2 * REACH_SECONDS)  # What it may be compared with may be on its way to us.
        sent = _Sent(seconds, output, _channel(message), _content(message), self._origin if own else None)
        self._left.append(sent)
        self._by_content.setdefault(sent.content, deque()).append(sent)

    def is_echo(self, port: str, message: bytes, seconds: float) -> bool:
        """Whether `message`, which came from the input `port` at `seconds`, only came back. If not, it is heard."""
        self._forget_until(seconds - REACH_SECONDS)
        down = self._down.setdefault(port, set())
        lane = _lane(message)
        if self._judge(port, message, lane, lane in down, seconds):
            return True
        self._origin = port
        if messages.is_note_off(message) or _lifts_pedal(message):
            down.discard(lane)
        elif messages.is_note_on(message) or _is_pedal(message):
            down.add(lane)
        return False

    def forget(self, port: str | None = None) -> None:
        """The input `port` is gone; or, if None, somebody has plugged things together otherwise."""
        if port is None:
            self._ways.clear()
            return
        self._down.pop(port, None)
        self._left_out = {(other, lane) for other, lane in self._left_out if other != port}

    # ---- judging -------------------------------------------------------------------------------------------------

    def _judge(self, port: str, message: bytes, lane: bytes, is_down: bool, seconds: float) -> bool:
        releases = messages.is_note_off(message)
        if is_down and (releases or _lifts_pedal(message)):
            return False
        sent = self._match(port, _content(message), is_down, seconds)
        if releases:
            if sent is None and (port, lane) not in self._left_out:
                return False
            self._left_out.discard((port, lane))
            echo = True
        elif sent is None:
            return False
        elif messages.is_note_on(message):
            echo = self._judge_onset(port, sent, is_down, seconds - sent.seconds)
            if echo:
                self._left_out.add((port, lane))
            return echo
        else:
            echo = self._judge_other(port, sent, seconds - sent.seconds)
        if echo and sent is not None:
            sent.returned[port] = sent.returned.get(port, 0) + 1
        return echo

    def _judge_onset(self, port: str, sent: _Sent, is_down: bool, delay_seconds: float) -> bool:
        way, own = self._way(port, sent), sent.origin is not None
        soon = delay_seconds <= VOICE_SECONDS
        if way.proven:
            echo = way.near(delay_seconds) or (is_down if own else soon)
            if not echo:
                return False
        elif own and is_down:
            echo = not way.clear
        elif not soon:
            return False
        elif sent.origin == port:
            return self._is_test(port, sent, way, delay_seconds)
        else:
            echo = not own and not way.clear
        if port not in sent.returned:
            way.came_back(delay_seconds)
        sent.returned[port] = sent.returned.get(port, 0) + 1
        if way.proven and port not in self._told:
            self._told.add(port)
            self._report(
                f"{port} sends back what Antiphon plays: left out; switch the DAW's thru or monitoring of it off"
            )
        return echo or way.proven

    def _judge_other(self, port: str, sent: _Sent, delay_seconds: float) -> bool:
        way = self._way(port, sent)
        if way.proven and way.near(delay_seconds):
            return True
        if sent.origin is None:  # A bank or program; nobody else would choose it just now.
            return delay_seconds <= VOICE_SECONDS
        return delay_seconds <= OWN_SECONDS and not way.proven and not self._is_clear(port)

    def _is_clear(self, port: str) -> bool:
        """Controllers prove nothing, for a wheel passes many places twice; the notes of that input must."""
        ways = [way for (other, _, _), way in self._ways.items() if other == port]
        return any(way.clear for way in ways) and not any(way.proven for way in ways)

    def _is_test(self, port: str, sent: _Sent, way: _Way, delay_seconds: float) -> bool:
        """Whether to try what becomes of it without this one."""
        last_seconds, last_delay, count = self._struck.get((port, sent.content), (sent.seconds, delay_seconds, 0))
        steady = abs(delay_seconds - last_delay) < _STEADY_SECONDS and sent.seconds - last_seconds < REACH_SECONDS
        count = count + 1 if steady else 1
        self._struck[port, sent.content] = sent.seconds, delay_seconds, count
        return count % (_RARE_TEST if way.clear else _TEST) == 0

    # ---- remembering ---------------------------------------------------------------------------------------------

    def _way(self, port: str, sent: _Sent) -> _Way:
        return self._ways.setdefault((port, sent.output, sent.channel), _Way())

    def _match(self, port: str, content: bytes, is_down: bool, seconds: float) -> _Sent | None:
        """What left and may be what has come now: what a proven way would bring, else the latest."""
        best: _Sent | None = None
        best_rank = (True, REACH_SECONDS)
        for sent in self._by_content.get(content, ()):
            delay = seconds - sent.seconds
            if not -_EARLY_SECONDS <= delay <= REACH_SECONDS:
                continue
            way = self._way(port, sent)
            near = way.proven and way.near(delay)
            copies = sent.returned.get(port, 0)
            sure = near or (not way.clear and (sent.origin is None or is_down))
            if copies >= (_MOST_COPIES if sure else 1):
                continue
            rank = (not near, abs(delay - way.delay_seconds) if near else delay)
            if rank <= best_rank:
                best, best_rank = sent, rank
        return best

    def _forget_until(self, seconds: float) -> None:
        for _ in range(_FORGOTTEN_AT_ONCE):
            if not self._left or self._left[0].seconds >= seconds:
                return
            sent = self._left.popleft()
            alike = self._by_content[sent.content]
            alike.popleft()
            if not alike:
                del self._by_content[sent.content]
            if sent.content[0] == messages.NOTE_ON:
                for port in self._down:
                    if port not in sent.returned:
                        self._way(port, sent).did_not_come_back()


def _channel(message: bytes) -> int:
    return messages.channel(message) if message[0] < 0xF0 else 0


def _content(message: bytes) -> bytes:
    """What a message says, on whatever channel; a note-off's velocity says nothing."""
    if messages.is_note_off(message):
        return bytes((messages.NOTE_OFF, message[1]))
    return message if message[0] >= 0xF0 else bytes((messages.kind(message),)) + message[1:]


def _lane(message: bytes) -> bytes:
    """The key or controller that it is about, on its channel."""
    if messages.is_note_off(message):
        return messages.note_on(messages.channel(message), message[1], 1)[:2]
    return message[:2]


def _is_pedal(message: bytes) -> bool:
    return messages.kind(message) == messages.CONTROL_CHANGE and message[1] in messages.PEDALS.values()


def _lifts_pedal(message: bytes) -> bool:
    return _is_pedal(message) and message[2] < 64
