"""Tells what comes in from what only comes back: our own output, by a DAW's thru. It sends nothing and reads no clock.

A message that comes in may be one that left a moment before: the same key, or controller, and the same value, on any
channel, for some programs change that. But it may as well be a player in unison with a voice, a second keyboard just
like the first, or a roll. No likeness tells one from the other, and to leave out a key that somebody struck is worse
than to hear an echo. So nothing is left out before it is *proven* that there is a way back:

- *Doubt*: messages that left one after the other came in again one after the other, equally late. Nothing is left out.
- *Questions*: where there is doubt, messages leave that nobody hears and nobody plays (see `questions`). If all of them
  come back, in order and equally late, there is a way from that output to that input, and so late is it.
- From then on, of what left, whatever comes in again is left out, above all what comes that late: once for each way, as
  a program may send twice. So of an echo and a key struck at once, one is left out and one is heard.
- When notes come back no more, three in a row, nothing is left out until there is proof again.

The release of a key that is down on that input is never left out, nor is a pedal's. So nothing gets stuck.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Final

from antiphon.music import messages

REACH_SECONDS: Final = 0.25
"""Nothing comes back later."""
TOLERANCE_SECONDS: Final = 0.015
"""Delays that differ by less are the same: programs carry MIDI from one buffer of sound to the next."""
DOUBT: Final = 2
"""Messages in a row that come in again, equally late, until there is doubt."""
QUESTIONS: Final = 6
"""Messages that must come back for a proof."""
LOST: Final = 3
"""Notes in a row that do not come back, until there is no way any more."""
_EARLY_SECONDS: Final = 0.02
"""A driver's stamp may be that much before its time."""
_PAUSE_SECONDS: Final = 1.0
"""After questions that did not come back: until there may be others."""
_MOST_WAYS: Final = 4
"""A message may come back several times, as when two tracks of a DAW pass it on."""
_LOOKED_AT: Final = 64
"""Of messages that say the same, so many of the latest may have come back."""
_FORGOTTEN_AT_ONCE: Final = 8
"""So that nobody has to wait for it."""

Report = Callable[[str], None]


@dataclass(slots=True)
class _Back:
    """What is known of the ways from an output and channel back to one input."""

    delays: list[float] = field(default_factory=list)
    """Seconds that each proven way takes."""
    lost: int = 0
    """How many notes in a row did not come back."""
    streak: int = 0
    """How many messages in a row came in again with the same delay, without proof."""
    delay_seconds: float = 0.0
    number: int = 0
    """Number of the last of them."""

    def seen(self, number: int, delay_seconds: float) -> int:
        """The message of this number came in again; how many in a row did, with the same delay."""
        if self.streak and number == self.number + 1 and _near(delay_seconds, self.delay_seconds):
            self.streak += 1
            self.delay_seconds += (delay_seconds - self.delay_seconds) / 4
        else:
            self.streak, self.delay_seconds = 1, delay_seconds
        self.number = number
        return self.streak


@dataclass(slots=True)
class _Round:
    """Questions that were asked together, and what came back of them."""

    asked_seconds: float
    answers: dict[tuple[str, int], tuple[int, float]] = field(default_factory=dict)
    """How many came back in order, to each input, and how late the first did; by the input and the way."""

    def answered(self, port: str, way: int, place: int, delay_seconds: float) -> bool:
        """The question at `place` came back to `port`; whether all of them have, on that way."""
        count, first = self.answers.get((port, way), (0, delay_seconds))
        if place == count and _near(delay_seconds, first):
            count += 1
            self.answers[port, way] = count, first
        return count == QUESTIONS and place == QUESTIONS - 1


@dataclass(slots=True)
class _Route:
    """An output and channel, and what comes back of what leaves there."""

    output: int
    channel: int
    backs: dict[str, _Back]
    """By the input."""
    left: int = 0
    """How many messages have left."""
    bend: int = messages.BEND_REST
    """Where the pitch bend is, 0 to 16,383."""
    doubted_seconds: float = -math.inf
    """When there was doubt last."""
    asked: _Round | None = None
    unanswered: int = 0
    """How many rounds of questions did not come back."""


@dataclass(slots=True)
class _Sent:
    """A message that left."""

    seconds: float
    route: _Route
    number: int
    content: int | bytes
    port: str | None
    """The input that the player's own message came from; None for a voice's."""
    asked: _Round | None = None
    """The questions that it is one of."""
    place: int = 0
    returned: dict[str, int] = field(default_factory=dict)
    """The ways on which it came back to each input, as bits."""


class Echoes:
    """Remembers what left for as long as it may come back."""

    def __init__(self, report: Report = lambda text: None, random: Random | None = None) -> None:
        """`report`: told, in words for a person, once for each input that sends back what it should not."""
        self.doubtful: set[tuple[int, int]] = set()
        """Outputs and channels of which it is to be asked whether there is a way back."""
        self._report = report
        self._random = random or Random()
        self._told: set[str] = set()
        self._left: deque[_Sent] = deque()
        self._by_content: dict[int | bytes, deque[_Sent]] = {}
        self._routes: dict[tuple[int, int], _Route] = {}
        self._down: dict[str, set[int]] = {}
        """Keys and pedals that are down on each input, of those that were heard."""
        self._left_out: set[tuple[str, int]] = set()
        """Keys whose press was an echo."""
        self._sounding: set[tuple[int, int]] = set()
        """Keys that are down on an output, of all that left."""
        self._played_seconds = [-math.inf] * 128
        """When each pitch was last played, by anybody."""
        self._origin: str | None = None

    def sent(self, output: int, message: bytes, seconds: float, *, own: bool) -> None:
        """A message leaves at `seconds`. `own`: it is the player's, who was heard just now."""
        self._forget_until(seconds - 2 * REACH_SECONDS)  # What it may be compared with may be on its way to us.
        self._leave(self._route(output, message), message, seconds, self._origin if own else None)

    def is_echo(self, port: str, message: bytes, seconds: float) -> bool:
        """Whether `message`, which came from the input `port` at `seconds`, only came back. If not, it is heard."""
        self._forget_until(seconds - REACH_SECONDS)
        down = self._down.get(port)
        if down is None:
            down = self._down[port] = set()
        alike = self._by_content.get(_content(message))
        echo = alike is not None and self._came_back(port, message, alike, seconds)
        lane = _lane(message)
        if lane is not None:
            comes_up = not messages.depth(message)
            if lane in down:
                echo = echo and not comes_up
            elif comes_up and (port, lane) in self._left_out:
                self._left_out.discard((port, lane))
                echo = True
            if echo and not comes_up and lane not in down:
                self._left_out.add((port, lane))
            elif not echo:
                (down.discard if comes_up else down.add)(lane)
                if message[0] < messages.POLY_AFTERTOUCH:
                    self._played_seconds[message[1]] = seconds
        if not echo:
            self._origin = port
        return echo

    def questions(self, seconds: float) -> Iterator[tuple[int, bytes]]:
        """What is to leave at `seconds` to find out whether it comes back, each with its output.

        By turns the releases of keys that are not down and that nobody has played for long, and pitch bends by less
        than a cent: of either, a program may pass nothing on. It is asked where nothing waits to be heard: in a flood
        there is time for neither doubt nor questions.
        """
        doubtful, self.doubtful = self.doubtful, set()
        for key in sorted(doubtful):
            route = self._routes.get(key)
            if route is None or seconds - route.doubted_seconds > REACH_SECONDS or self._is_waiting(route, seconds):
                continue
            route.asked = _Round(seconds)
            asked = self._bends(route) if route.unanswered % 2 else self._releases(route)
            for place, message in enumerate(asked):
                if place < QUESTIONS:
                    self._leave(route, message, seconds, None, route.asked, place)
                else:
                    self._leave(route, message, seconds, None)
                yield route.output, message

    def forget(self, port: str | None = None) -> None:
        """The input `port` is gone; or, if None, somebody has plugged things together otherwise.

        A way may be gone by that, too: the first note that does not come back will tell.
        """
        if port is None:
            for route in self._routes.values():
                route.asked, route.unanswered = None, 0
                for back in route.backs.values():
                    back.lost = LOST - 1
            return
        self._down.pop(port, None)
        self._left_out = {(other, lane) for other, lane in self._left_out if other != port}

    # ---- doubt and proof -----------------------------------------------------------------------------------------

    def _came_back(self, port: str, message: bytes, alike: deque[_Sent], seconds: float) -> bool:
        """Whether it is proven that one of `alike` has come back; if not, perhaps one did, and that is noted."""
        best: tuple[float, _Sent, int] | None = None
        perhaps: _Sent | None = None
        for sent in islice(reversed(alike), _LOOKED_AT):
            delay = seconds - sent.seconds
            if delay > REACH_SECONDS:
                break
            if delay < -_EARLY_SECONDS:
                continue
            returned, follows = sent.returned.get(port, 0), False
            back = sent.route.backs.get(port)
            if back is not None:
                for way, usual in enumerate(back.delays):
                    off = abs(delay - usual)
                    if not returned >> way & 1 and (best is None or off <= best[0]):
                        best = off, sent, way
                follows = sent.number == back.number + 1 and _near(delay, back.delay_seconds)
            if perhaps is not None and perhaps.asked is not None:
                continue
            if sent.asked is not None or (not returned and (perhaps is None or follows)):
                perhaps = sent
        if best is not None:
            _, sent, way = best
            sent.returned[port] = sent.returned.get(port, 0) | 1 << way
            back = sent.route.backs[port]
            back.lost = 0
            if _near(seconds - sent.seconds, back.delays[way]):  # Else somebody was busy for a moment.
                back.delays[way] += (seconds - sent.seconds - back.delays[way]) / 8
            return True
        return perhaps is not None and self._perhaps(port, message, perhaps, seconds)

    def _perhaps(self, port: str, message: bytes, sent: _Sent, seconds: float) -> bool:
        """`sent` may have come back: note it, as doubt or as the answer to a question. Whether that is the proof."""
        route, delay = sent.route, seconds - sent.seconds
        channel = messages.channel(message) if message[0] < 0xF0 else 0
        if sent.port == port and route.channel != channel:
            return False  # A keyboard that plays on several channels.
        back = route.backs.get(port)
        if back is None:
            back = route.backs[port] = _Back()
        returned = sent.returned.get(port, 0)
        way = len(back.delays)
        while returned >> way & 1:
            way += 1
        if way >= _MOST_WAYS:
            return False
        sent.returned[port] = returned | 1 << way
        if sent.asked is not None:
            if sent.asked.answered(port, way, sent.place, delay):
                self._prove(port, route, delay)
                return True
        elif back.seen(sent.number, delay) >= DOUBT << min(route.unanswered, 3):
            route.doubted_seconds = seconds
            self.doubtful.add((route.output, route.channel))
        return False

    def _prove(self, port: str, route: _Route, delay_seconds: float) -> None:
        """There is a way. What a program passes on of one channel, it will of others, unless that turns out wrong."""
        route.unanswered = 0
        before = list(route.backs[port].delays)
        for other in self._routes.values():
            if other.output == route.output:
                back = other.backs.setdefault(port, _Back())
                if other is route or back.delays == before or not back.delays:
                    back.delays = [*before, delay_seconds]
                    back.lost = back.streak = 0
        if port not in self._told:
            self._told.add(port)
            self._report(
                f"{port} sends back what Antiphon plays: left out; switch the DAW's thru or monitoring of it off"
            )

    def _is_waiting(self, route: _Route, seconds: float) -> bool:
        """Whether questions were asked so lately that there should be no others yet."""
        rounds = [r.asked for r in self._routes.values() if r.output == route.output and r.asked is not None]
        if any(seconds - asked.asked_seconds <= REACH_SECONDS for asked in rounds):
            return True  # If there is a way, it will soon be known of this channel, too.
        asked = route.asked
        if asked is None:
            return False
        if all(count < QUESTIONS for count, _ in asked.answers.values()):
            if seconds - asked.asked_seconds <= REACH_SECONDS + _PAUSE_SECONDS:
                return True
            route.unanswered += 1
        route.asked = None
        return False

    def _releases(self, route: _Route) -> list[bytes]:
        """Releases of keys that nobody has touched for longest, the outermost first, in no order."""
        taken = {lane & 0x7F for _, lane in self._sounding}
        taken.update(lane & 0x7F for down in self._down.values() for lane in down)
        free = [pitch for pitch in range(128) if pitch not in taken] or list(range(128))
        free.sort(key=lambda pitch: (self._played_seconds[pitch], -abs(pitch - 64)))
        return [
            messages.note_off(route.channel, pitch) for pitch in self._random.sample(free[: 2 * QUESTIONS], QUESTIONS)
        ]

    def _bends(self, route: _Route) -> list[bytes]:
        """Bends next to where it is, in no order, and back to there."""
        by = self._random.sample(range(1, 16), QUESTIONS)
        towards = 1 if route.bend <= messages.BEND_REST else -1
        return [messages.pitch_bend(route.channel, route.bend + towards * step) for step in (*by, 0)]

    # ---- remembering ---------------------------------------------------------------------------------------------

    def _route(self, output: int, message: bytes) -> _Route:
        channel = message[0] & 0x0F if message[0] < 0xF0 else 0
        route = self._routes.get((output, channel))
        if route is None:
            near = (r for r in self._routes.values() if r.output == output)
            backs = {port: back for r in near for port, back in r.backs.items() if back.delays}
            route = _Route(output, channel, {port: _Back(list(back.delays)) for port, back in backs.items()})
            self._routes[output, channel] = route
        return route

    def _leave(
        self,
        route: _Route,
        message: bytes,
        seconds: float,
        port: str | None,
        asked: _Round | None = None,
        place: int = 0,
    ) -> None:
        route.left += 1
        content = _content(message)
        sent = _Sent(seconds, route, route.left, content, port, asked, place)
        self._left.append(sent)
        alike = self._by_content.get(content)
        if alike is None:
            self._by_content[content] = deque((sent,))
        else:
            alike.append(sent)
        status = message[0] & 0xF0
        if status <= messages.NOTE_ON:
            self._played_seconds[message[1]] = seconds
            key = route.output, route.channel << 7 | message[1]
            if status == messages.NOTE_ON and message[2]:
                self._sounding.add(key)
            else:
                self._sounding.discard(key)
        elif status == messages.PITCH_BEND and asked is None:
            route.bend = message[2] << 7 | message[1]

    def _forget_until(self, seconds: float) -> None:
        left = self._left
        for _ in range(_FORGOTTEN_AT_ONCE):
            if not left or left[0].seconds >= seconds:
                return
            sent = left.popleft()
            alike = self._by_content[sent.content]
            alike.popleft()
            if not alike:
                del self._by_content[sent.content]
            if sent.route.backs and sent.asked is None:
                _missed(sent)


def _missed(sent: _Sent) -> None:
    """Where it did not come back to an input, it is one more that did not."""
    is_onset = isinstance(sent.content, int) and sent.content >> 14 == messages.NOTE_ON
    for port, back in sent.route.backs.items():
        if port in sent.returned:
            continue
        back.streak = 0
        if is_onset and back.delays:
            back.lost += 1
            if back.lost >= LOST:
                back.delays, back.lost = [], 0


def _near(one_seconds: float, other_seconds: float) -> bool:
    return abs(one_seconds - other_seconds) <= TOLERANCE_SECONDS


def _content(message: bytes) -> int | bytes:
    """What a message says, on whatever channel; a note-off's velocity says nothing. Of equal ones it is equal."""
    status = message[0]
    if status >= 0xF0:
        return message
    kind = status & 0xF0
    if kind == messages.NOTE_OFF or (kind == messages.NOTE_ON and not message[2]):
        return messages.NOTE_OFF << 14 | message[1] << 7
    return kind << 14 | message[1] << 7 | (message[2] if len(message) > 2 else 0)


def _lane(message: bytes) -> int | None:
    """The key or pedal that it is about, on its channel; None if it is about neither."""
    kind = message[0] & 0xF0
    if kind <= messages.NOTE_ON:
        return (message[0] & 0x0F) << 7 | message[1]
    if kind == messages.CONTROL_CHANGE and message[1] in messages.HELD_CONTROLLERS:
        return 1 << 11 | (message[0] & 0x0F) << 7 | message[1]
    return None
