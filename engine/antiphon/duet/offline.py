"""A performance without a stage: the same duet, as fast as the generators compose. It opens no port and no file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import assert_never

from antiphon.duet.casting import PlayerNeeded
from antiphon.duet.commands import Chair, Continuation, Decision, Extend, Prime
from antiphon.duet.duet import Duet
from antiphon.duet.events import (
    Chosen,
    CountInBegan,
    Ended,
    Event,
    Heard,
    Located,
    MetronomeSwitched,
    PlayerAnswered,
    PlayerFailed,
    PlayerLost,
    PlayerReady,
    Restarted,
    Selected,
    Skipped,
    TempoChanged,
    Transport,
    TransportStarted,
    TransportStopped,
)
from antiphon.duet.plan import Plan
from antiphon.duet.player import Player
from antiphon.duet.schedule import Send
from antiphon.music.timing import TempoChange

MakePlayer = Callable[[PlayerNeeded], Player]
"""Makes a player; raises AntiphonError if the generator is unknown or its model does not fit."""

_Cause = Heard | PlayerReady | PlayerLost | PlayerAnswered | PlayerFailed | Chosen | Selected | Ended | Transport
"""Events that a performance does not come to by itself."""


class Offline:
    """The stage of a performance that nobody waits for. What it was sent and told is kept in order."""

    def __init__(self, plans: Sequence[Plan], make_player: MakePlayer) -> None:
        self.record_of: list[Event | Send] = []
        """All events and messages so far, in order."""
        self._plans = plans
        self._make_player = make_player
        self._replaying = False
        self._sent = 0
        self._start()

    @property
    def sends(self) -> list[Send]:
        """The messages sent so far, in order."""
        return [record for record in self.record_of if isinstance(record, Send)]

    # ---- the stage -----------------------------------------------------------------------------------------------

    def send(self, send: Send) -> None:
        """Keep the message."""
        self._sent += 1
        self.record_of.append(send)

    def record(self, event: Event) -> None:
        """Keep the event."""
        self.record_of.append(event)

    def ask(self, slot: int, command: Prime | Extend) -> None:
        """Let the player work after this step."""
        self._asked.setdefault(slot, []).append(command)

    # ---- the performance -----------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Send programs and seat all players."""
        self.duet.begin()
        for slot in range(len(self.duet.player_table.needed)):
            self.duet.player_ready(slot, 0)
        self._settle()

    def advance(self, ticks: int) -> None:
        """Let time pass up to `ticks`."""
        while (due := self.duet.next_ticks()) is not None and due <= ticks:
            self.duet.advance(due)
            self._settle()
        self.duet.advance(ticks)

    def hear(self, message: bytes, ticks: int, inputs: tuple[str, ...] = (), port: str = "") -> None:
        """The player's message at `ticks` from `port`, for which the plans have the names `inputs`, if that matters."""
        self.advance(ticks)
        self.duet.hear(message, ticks, inputs, port)
        self._settle()

    def end(self, ticks: int) -> None:
        """Stop at `ticks`."""
        self.advance(ticks)
        self.duet.end(ticks)

    def replay(self, records: Iterable[Event | Send]) -> None:
        """Play what is recorded again: the same events at the same ticks; the generators compose anew.

        A phrase counts from where the record says that it came, and fails where the record says so.
        """
        self._replaying = True
        sent = sent_ticks = 0
        for record in records:
            match record:
                case Send():
                    sent += 1
                    sent_ticks = max(sent_ticks, self.duet.schedule.release_ticks(record))
                case Restarted():
                    self._catch_up(sent, sent_ticks)  # The engine was dead from here on.
                    self._start(self.duet.timeline.changes, self.duet.stopped)
                    self.duet.restart(record.ticks, record.plan)
                case Decision():
                    pass  # It follows again from what led to it.
                case Selected() if self._plans[record.plan].switch is not None:
                    pass  # So does this, from what was chosen.
                case _:
                    self.advance(record.ticks)
                    self._repeat(record)
                    self._settle()
        self._catch_up(sent, sent_ticks)
        self._replaying = False

    def _repeat(self, event: _Cause) -> None:
        """Let happen again what nothing else leads to."""
        match event:
            case Heard():
                self.duet.hear(event.message, event.ticks, event.inputs, event.port)
            case PlayerReady():
                self.duet.player_ready(event.slot, event.ticks)
            case PlayerLost():
                self._players.pop(event.slot, None)
                self.duet.player_lost(event.slot, event.reason, event.ticks)
            case PlayerAnswered():
                phrase = self._composed.get((event.voice, event.chair))
                if phrase is not None and (phrase.epoch, phrase.index) == (event.epoch, event.index):
                    self.duet.receive(phrase, event.ticks)
            case PlayerFailed():
                self.duet.receive(event.failure, event.ticks)
            case Chosen() | Selected():
                self.duet.select(event.plan, event.ticks)
            case Ended(panic=True):
                self.duet.panic(event.ticks)
            case Ended():
                self.duet.end(event.ticks)
            case (
                TempoChanged()
                | Skipped()
                | Located()
                | TransportStopped()
                | TransportStarted()
                | MetronomeSwitched()
                | CountInBegan()
            ):
                self.duet.change(event)
            case _:
                assert_never(event)

    def _catch_up(self, sent: int, ticks: int) -> None:
        """Send what is on record and has not been sent again, `sent` messages in all, the last one by `ticks`."""
        while self._sent < sent and (due := self.duet.next_ticks()) is not None and due <= ticks:
            self.advance(due)

    def _start(self, changes: Sequence[TempoChange] = (), stopped: bool = False) -> None:
        self._asked: dict[int, list[Prime | Extend]] = {}
        self._players: dict[int, Player] = {}
        # Only the latest phrase of each chair can still be wanted.
        self._composed: dict[tuple[int, Chair], Continuation] = {}
        self.duet = Duet(self._plans, self, changes, stopped=stopped)

    def _settle(self) -> None:
        """Let the players work until none has anything to do."""
        while self._asked:
            slot = min(self._asked)
            commands = self._asked.pop(slot)
            if slot not in self._players:
                self._players[slot] = self._make_player(self.duet.player_table.needed[slot])
            for reply in self._players[slot].perform(commands):
                if not self._replaying:
                    self.duet.receive(reply, self.duet.now_ticks)
                elif isinstance(reply, Continuation):
                    self._composed[reply.voice, reply.chair] = reply
