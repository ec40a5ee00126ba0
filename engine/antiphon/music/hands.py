"""Whose hands and feet hold what on each output, so that nobody lets go what another holds. It sends nothing.

Several keyboards may play to one channel of a synth, which knows one key of each pitch and one pedal. So a key comes up
with the last hand on it, and a pedal is as deep as the deepest foot. What ends everything on a channel (controllers 120
and 123 to 127), or resets it (121), is about what its own sender holds.
"""

from __future__ import annotations

from antiphon.music import messages
from antiphon.music.messages import Key, depth, held_with, release_of


class Hands:
    """What is held by whom, on any number of outputs."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, Key], dict[str, bytes]] = {}
        """For each key, pedal and wheel that is off its rest: what each port that holds it sent last."""

    def pass_on(self, output: int, message: bytes, port: str, *, alone: bool = True) -> tuple[bytes, ...]:
        """What `output` is to get of `message`, which came from `port`: itself, as a rule.

        `alone`: nobody but the players sounds on its channel there.
        """
        key = held_with(message)
        if key is not None:
            return self._move(output, key, message, port)
        if not messages.ends_all(message) and not messages.is_controller(message, messages.RESET_ALL_CONTROLLERS):
            return (message,)
        keys = messages.ends_all(message)
        channel = messages.channel(message)
        here = [(key, by) for (place, key), by in self._held.items() if (place, key[1]) == (output, channel)]
        own = sorted(key for key, by in here if port in by and (key[0] == messages.NOTE_ON) == keys)
        # Hardly a synth spares what a pedal holds; so a foot counts as well as a hand.
        shared = any(by.keys() - {port} for key, by in here if keys or key[0] != messages.NOTE_ON)
        ended = [passed for key in own for passed in self._move(output, key, release_of(key), port)]
        return tuple(ended) if shared or (keys and not alone) else (message,)

    def leave(self, port: str) -> list[tuple[int, bytes]]:
        """(output, message) that ends what `port`, which is gone, held and nobody else does."""
        held = sorted(place for place, by in self._held.items() if port in by)
        return [(output, message) for output, key in held for message in self._move(output, key, release_of(key), port)]

    def let_go(self, output: int, key: Key) -> None:
        """Whoever holds `key` holds it no more: another has taken it over."""
        self._held.pop((output, key), None)

    def clear(self) -> None:
        """Nobody holds anything."""
        self._held.clear()

    def _move(self, output: int, key: Key, message: bytes, port: str) -> tuple[bytes, ...]:
        place = output, key
        by = self._held.get(place)
        now = depth(message)
        if by is None:
            if now:
                self._held[place] = {port: message}
            return (message,)
        before = by.pop(port, None)
        deepest = max(by.values(), key=depth, default=None)
        if now:
            by[port] = message
        elif not by:
            del self._held[place]
        if deepest is None or now >= depth(deepest) or (now and key[0] == messages.NOTE_ON):
            return (message,)
        return () if before is None or key[0] == messages.NOTE_ON or depth(before) <= depth(deepest) else (deepest,)
