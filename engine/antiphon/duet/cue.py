"""The signal by which a player gives or takes the turn: a pedal, a key or a controller."""

from __future__ import annotations

from antiphon.duet.plan import Handover
from antiphon.music import messages


class Cue:
    """Recognises the signal of one rule; a rule without a signal (silence, bars, turns) has none."""

    def __init__(self, rule: Handover) -> None:
        self._rule = rule
        self._down: set[tuple[str, int]] = set()
        """The ports and channels on which it is down."""

    def swallows(self, message: bytes) -> bool:
        """Whether the message is the signal, or the end of it, rather than music."""
        rule = self._rule
        if rule.by == "pedal":
            return messages.is_controller(message, messages.PEDALS[rule.pedal])
        if rule.by != "trigger":
            return False
        if rule.trigger_cc is not None and messages.is_controller(message, rule.trigger_cc):
            return True
        is_note = messages.is_note_on(message) or messages.is_note_off(message)
        return is_note and message[1] == rule.trigger_note

    def given(self, message: bytes, port: str = "") -> bool:
        """Whether this message of it presses pedal, key or controller of `port` down, which was not down before."""
        is_note = messages.kind(message) != messages.CONTROL_CHANGE
        pressed = messages.is_note_on(message) if is_note else message[2] >= 64
        place = port, messages.channel(message)
        before = place in self._down
        (self._down.add if pressed else self._down.discard)(place)
        return pressed and not before
