"""A performance without a stage: the same duet, as fast as the generators compose. It opens no port and no file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from antiphon.duet.casting import PlayerNeeded
from antiphon.duet.commands import Chair, Continuation, Decision, Extend, Prime
from antiphon.duet.duet import Duet
from antiphon.duet.events import (
    Chosen,
    Event,
    Heard,
    PlayerAnswered,
    PlayerFailed,
    PlayerLost,
    PlayerReady,
    Restarted,
    Selected,
    Transport,
)
from antiphon.duet.plan import Plan
from antiphon.duet.player import Player
from antiphon.duet.schedule import Send
from antiphon.music.timing import TempoChange

MakePlayer = Callable[[PlayerNeeded], Player]
"""Makes a player; raises AntiphonError if the generator is unknown or its model does not fit."""


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
            if isinstance(record, Send):
                sent += 1
                sent_ticks = max(sent_ticks, self.duet.schedule.release_ticks(record))
                continue
            if isinstance(record, Restarted):
                self._catch_up(sent, sent_ticks)  # The engine was dead from here on.
                self._start(self.duet.timeline.changes, self.duet.stopped)
                self.duet.restart(record.ticks, record.plan)
                continue
            if isinstance(record, Decision) or (
                isinstance(record, Selected) and self._plans[record.plan].switch is not None
            ):
                continue  # It follows again from what led to it.
            self.advance(record.ticks)
            if isinstance(record, Heard):
                self.duet.hear(record.message, record.ticks, record.inputs, record.port)
            elif isinstance(record, PlayerReady):
                self.duet.player_ready(record.slot, record.ticks)
            elif isinstance(record, PlayerLost):
                self._players.pop(record.slot, None)
                self.duet.player_lost(record.slot, record.reason, record.ticks)
            elif isinstance(record, PlayerAnswered):
                phrase = self._composed.get((record.voice, record.chair))
                if phrase is not None and (phrase.epoch, phrase.index) == (record.epoch, record.index):
                    self.duet.receive(phrase, record.ticks)
            elif isinstance(record, PlayerFailed):
                self.duet.receive(record.failure, record.ticks)
            elif isinstance(record, Chosen | Selected):
                self.duet.select(record.plan, record.ticks)
            elif isinstance(record, Transport):
                self.duet.change(record)
            elif record.panic:
                self.duet.panic(record.ticks)
            else:
                self.duet.end(record.ticks)
            self._settle()
        self._catch_up(sent, sent_ticks)
        self._replaying = False

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
