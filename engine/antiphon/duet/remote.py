"""What the player commands the host with from the keyboard: panic, the next preset, the one before."""

from __future__ import annotations

from typing import Final, Literal

from antiphon.duet.plan import RemotePlan
from antiphon.music import messages

RemoteCommand = Literal["panic", "next", "previous", "nothing"]
"""`nothing`: the message is a command's, as its release, and no music."""

_COMMANDS: Final[tuple[RemoteCommand, ...]] = ("panic", "next", "previous")


class Remote:
    """Recognises the commands. A key that went down as one comes up as one, whatever preset was chosen meanwhile."""

    def __init__(self) -> None:
        self._down: set[tuple[tuple[str, ...], int, int]] = set()
        self._pressed: set[tuple[tuple[str, ...], int, int]] = set()

    def command(self, plan: RemotePlan, message: bytes, inputs: tuple[str, ...]) -> RemoteCommand | None:
        """The command that a message from `inputs` gives; None: it is music. A controller gives it by rising to 64."""
        kind = messages.kind(message)
        if kind not in (messages.NOTE_ON, messages.NOTE_OFF, messages.CONTROL_CHANGE):
            return None
        key = (inputs, messages.channel(message), message[1])
        if kind == messages.CONTROL_CHANGE:
            meant = _meant(plan, "cc", message[1])
            if meant is None:
                return None
            before = key in self._pressed
            (self._pressed.add if message[2] >= 64 else self._pressed.discard)(key)
            return meant if message[2] >= 64 and not before else "nothing"
        if messages.is_note_off(message):
            was_down = key in self._down
            self._down.discard(key)
            return "nothing" if was_down else None
        meant = _meant(plan, "note", message[1])
        if meant is not None:
            self._down.add(key)
        return meant


def selects(plan: RemotePlan, message: bytes, inputs: tuple[str, ...]) -> bool:
    """Whether a message is a program change by which presets are selected, of the channels and ports that count."""
    return (
        messages.kind(message) == messages.PROGRAM_CHANGE
        and messages.channel(message) in plan.program_channels
        and (not inputs or plan.program_inputs is None or not plan.program_inputs.isdisjoint(inputs))
    )


def _meant(plan: RemotePlan, by: Literal["note", "cc"], number: int) -> RemoteCommand | None:
    if by == "note":
        numbers = (plan.panic_note, plan.next_note, plan.previous_note)
    else:
        numbers = (plan.panic_cc, plan.next_cc, plan.previous_cc)
    return _COMMANDS[numbers.index(number)] if number in numbers else None
