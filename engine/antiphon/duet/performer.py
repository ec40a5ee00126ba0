"""The duet as a pure state machine: time comes in as an argument, and nothing goes out but commands.

`hear` what the musician plays, `advance` when time alone changes something, `receive` what the generators' players
reply; each returns the commands that follow. There is no clock, thread or port in here, so a whole performance runs
under a `ManualClock`, live and offline alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, assert_never

from antiphon.duet.accompanist import Accompanist
from antiphon.duet.bandmate import Bandmate, MakeBandmate
from antiphon.duet.commands import Command, Continuation, Failed, Lost, Ready, Reply
from antiphon.duet.modes import MODES
from antiphon.duet.plan import Mode, Plan
from antiphon.duet.voice import Voice
from antiphon.music import messages
from antiphon.music.ear import Ear
from antiphon.music.timing import Moment

PLAYS: Final[Mapping[Mode, MakeBandmate]] = {
    "answer": Voice,
    "continue": Voice,
    "accompany": Accompanist,
    "morph": Voice,
}
"""What plays in each mode."""


class Performer:
    """All voices of one plan."""

    def __init__(self, plan: Plan, epochs: Iterator[int], ears: Sequence[Ear] = (), now_ticks: int = 0) -> None:
        """Begin at `now_ticks`; the plan's prompt counts as having been played just before.

        `epochs` numbers what was heard, across all performers; `ears`: memories to go on with, voice by voice.
        """
        self.plan = plan
        self.voices: list[Bandmate] = [
            PLAYS[part.mode](index, plan, epochs, ears[index] if index < len(ears) else None)
            for index, part in enumerate(plan.voices)
        ]
        self._all_listen_to_all = all(part.inputs is None for part in plan.voices)
        if plan.prompt is not None:
            prompt = plan.prompt.shifted(now_ticks - plan.prompt.end_ticks)
            for voice in self.voices:
                voice.memory.remember(prompt.notes)

    def swallows(self, message: bytes, inputs: tuple[str, ...] = ()) -> bool:
        """Whether a message is a command to the performer, not music to be passed on; `inputs` as for `hear`."""
        if messages.kind(message) == messages.CONTROL_CHANGE and any(
            mapping.controller == message[1] for mapping in self.plan.controllers
        ):
            return True
        return any(voice.swallows(message) for voice in self._listening_to(inputs))

    def hear(self, message: bytes, now: Moment, inputs: tuple[str, ...] = (), port: str = "") -> list[Command]:
        """Take in a MIDI message of the player at `now`.

        `inputs`: the plan's names for the port it came from; if there are none, every voice listens. `port`: its own.
        """
        said = []
        if messages.kind(message) == messages.CONTROL_CHANGE:
            for mapping in self.plan.controllers:
                if mapping.controller == message[1]:
                    said += self.voices[mapping.voice].turn(mapping.control, mapping.value_at(message[2]), now)
        for voice in self._listening_to(inputs):
            said += voice.hear(message, now, port)
        return said

    def _listening_to(self, inputs: tuple[str, ...]) -> list[Bandmate]:
        """The voices that listen to a port with one of these names."""
        if not inputs or self._all_listen_to_all:
            return self.voices
        return [
            voice
            for voice, part in zip(self.voices, self.plan.voices, strict=True)
            if part.inputs is None or not part.inputs.isdisjoint(inputs)
        ]

    def doings(self, now: Moment) -> tuple[str, ...]:
        """Whose turn it is, and what each voice is doing, in words."""
        pairs = zip(self.voices, self.plan.voices, strict=True)
        takes_turns = [voice for voice, part in pairs if MODES[part.mode].takes_turns]
        player = "" if not takes_turns else "your turn"
        if any(voice.state != "listening" for voice in takes_turns):
            player = "its turn" if len(takes_turns) == 1 else "playing together"
        return (player, *(voice.doing(now) for voice in self.voices))

    def look_ahead(self, ahead_ticks: Sequence[int]) -> None:
        """For each voice, how long before its tick an output may be handed a note."""
        for voice, ticks in zip(self.voices, ahead_ticks, strict=True):
            voice.look_ahead(ticks)

    def hold(self, held: bool) -> None:
        """While `held`, what is played is remembered, and no voice takes a turn."""
        for voice in self.voices:
            voice.held = held

    def next_ticks(self) -> int | None:
        """The next tick at which time alone changes something; None if only an event can."""
        return min((ticks for voice in self.voices if (ticks := voice.next_ticks()) is not None), default=None)

    def advance(self, now: Moment) -> list[Command]:
        """Do what is due at `now`; call it for every `next_ticks` in turn."""
        return [command for voice in self.voices for command in voice.advance(now)]

    def give_up(self, now: Moment) -> list[Command]:
        """Let every voice forget its call and its answer, and take all keys and pedals for released."""
        return [command for voice in self.voices for command in voice.give_up(now)]

    def receive(self, reply: Reply, now: Moment) -> list[Command]:
        """Take in what a player says."""
        voice = self.voices[reply.voice]
        match reply:
            case Continuation():
                return voice.receive(reply, now)
            case Failed():
                return voice.failed(reply, now)
            case Ready():
                return voice.ready(reply.chair, now)
            case Lost():
                return voice.lost(reply.chair, reply.reason, now)
            case _:
                assert_never(reply)
