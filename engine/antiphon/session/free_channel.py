"""Which channel of a score is free for one more part, and what makes it so. It plays nothing.

A channel that the score does not use is. If all are used, it is the one where least is to be undone: a pedal that was
left down, a program, a bend, a volume that was faded out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from antiphon.music import messages

_CHANNELS: Final = (*range(1, 9), *range(10, 16), 0)
"""In the order they are tried: not the drums, and the player's own usual one last."""
_BEND_CENTRE: Final = (0, 64)
_RESET_ALL_CONTROLLERS: Final = 121
_BANK: Final = (messages.BANK_MSB, messages.BANK_LSB)
_AT_REST: Final = {7: 100, 8: 64, 10: 64, 11: 127, **dict.fromkeys(range(70, 80), 64)}
"""Where controllers rest that do not rest at 0: volume, balance, pan, expression, sound (General MIDI 2)."""
_NO_STATE: Final = frozenset(range(messages.ALL_SOUND_OFF, 128)) | {6, 38, *range(96, 102)}
"""Controllers that leave nothing behind by themselves: channel modes, and data entry with what it is for."""


def free_channel(score_messages: Iterable[bytes]) -> tuple[int, tuple[bytes, ...]]:
    """The channel, 0 to 15, and what is sent on it before its first note, so that it sounds as though unused.

    `score_messages`: channel messages of all tracks, in order of time.
    """
    used: dict[int, _Channel] = {}
    for message in score_messages:
        if message[0] < 0xF0:
            used.setdefault(messages.channel(message), _Channel()).hear(message)
    free = next((channel for channel in _CHANNELS if channel not in used), None)
    if free is not None:
        return free, ()
    undone = {channel: tuple(used[channel].undo(channel)) for channel in _CHANNELS}
    channel = min(_CHANNELS, key=lambda channel: len(undone[channel]))
    return channel, undone[channel]


class _Channel:
    """What the messages so far have left behind on one channel."""

    def __init__(self) -> None:
        self._program = 0
        self._bend = _BEND_CENTRE
        self._pressure = 0
        self._controllers: dict[int, int] = {}

    def hear(self, message: bytes) -> None:
        kind = messages.kind(message)
        if kind == messages.PROGRAM_CHANGE:
            self._program = message[1]
        elif kind == messages.PITCH_BEND:
            self._bend = (message[1], message[2])
        elif kind == messages.CHANNEL_AFTERTOUCH:
            self._pressure = message[1]
        elif kind == messages.CONTROL_CHANGE and message[1] not in _NO_STATE:
            self._controllers[message[1]] = message[2]
        elif messages.is_controller(message, _RESET_ALL_CONTROLLERS):
            self._bend, self._pressure = _BEND_CENTRE, 0
            for pedal in messages.PEDALS.values():
                self._controllers.pop(pedal, None)

    def undo(self, channel: int) -> Iterable[bytes]:
        bank = any(self._controllers.get(controller, 0) for controller in _BANK)
        for controller, value in sorted(self._controllers.items()):
            if controller in _BANK:
                if bank:
                    yield messages.control_change(channel, controller, 0)
            elif value != (rest := _AT_REST.get(controller, 0)):
                yield messages.control_change(channel, controller, rest)
        if self._program or bank:
            yield messages.program_change(channel, 0)
        if self._bend != _BEND_CENTRE:
            yield bytes((messages.PITCH_BEND | channel, *_BEND_CENTRE))
        if self._pressure:
            yield bytes((messages.CHANNEL_AFTERTOUCH | channel, 0))
