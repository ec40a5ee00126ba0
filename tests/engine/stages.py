"""A stage like the real one: players work in their own time, hang and die, and the engine wakes up late."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from toys import make_toy, toy_info

from antiphon.duet.commands import Chair, Continuation, Decision, Extend, Failed, Prime
from antiphon.duet.duet import Duet
from antiphon.duet.events import Event
from antiphon.duet.ledger import Ledger
from antiphon.duet.offline import MakePlayer, Offline
from antiphon.duet.plan import Plan, VoicePlan, grid_ticks
from antiphon.duet.player import Player
from antiphon.duet.routing import output_names
from antiphon.duet.schedule import Send
from antiphon.music import messages
from antiphon.music.clock import ManualClock
from antiphon.music.timing import next_multiple
from antiphon.session.header import Header
from antiphon.session.journal import Record
from antiphon.session.summary import hanging, timeline_of

DELAYS_SECONDS = (0.0, 0.0, 0.001, 0.005, 0.02, 0.04, 0.2, 0.7)
"""How long a player may take; the longer ones are too long."""
JITTER_SECONDS = (0.0, 0.0, 0.0005, 0.004, 0.03)
"""How late the engine may wake up."""


@dataclass(slots=True)
class _Desk:
    """A player at work, or none."""

    player: Player
    asked: list[Prime | Extend] = field(default_factory=list)
    begins_seconds: float | None = None
    """When it will look at what it was asked."""
    replies: list[tuple[float, Continuation | Failed]] = field(default_factory=list)
    hung: bool = False


class LiveLike:
    """Runs a duet under a `ManualClock` and checks, message by message, what must hold on every stage."""

    def __init__(self, plans: list[Plan], make_player: MakePlayer, random: Random, *, punctual: bool = False) -> None:
        """`punctual`: players may take their time, but have always answered by when it matters."""
        self.plans = plans
        self._punctual = punctual
        self.clock = ManualClock()
        self.record_of: list[Event | Send] = []
        self.ledger = Ledger(len(output_names(plans)))
        self.duet = Duet(plans, self)
        self._make_player = make_player
        self._random = random
        self._desks: dict[int, _Desk] = {}
        self._last_due_ticks = 0
        self._launches: dict[int, int] = {}
        """Where the answers are meant to begin that are waited for."""
        self._silent_from: dict[int, int] = {}
        """From which tick on a voice may begin nothing, until it is handed the floor again."""

    @property
    def sends(self) -> list[Send]:
        return [record for record in self.record_of if isinstance(record, Send)]

    @property
    def now_ticks(self) -> int:
        return self.duet.ticks_at(self.clock.now())

    # ---- the stage -----------------------------------------------------------------------------------------------

    def send(self, send: Send) -> None:
        assert send.due_ticks <= self.duet.timeline.ticks_at(self.clock.now()), f"{send} before its time"
        assert send.due_ticks >= self._last_due_ticks, f"{send} after one that was due later"
        if messages.is_note_on(send.message) and send.source in self._silent_from:
            assert send.due_ticks < self._silent_from[send.source], f"{send} although the player has the floor"
        self._last_due_ticks = send.due_ticks
        self.ledger.mark(send.output, send.message)
        self.record_of.append(send)

    def ask(self, slot: int, command: Prime | Extend) -> None:
        desk = self._desks[slot]  # Nobody may be asked who is not there.
        desk.asked.append(command)
        if desk.begins_seconds is None:
            desk.begins_seconds = self.clock.now() + self._random.choice(DELAYS_SECONDS)

    def record(self, event: Event) -> None:
        if isinstance(event, Decision) and event.kind == "handover":
            self._silent_from.pop(event.voice, None)
            self._launches[event.voice] = event.ticks
        elif isinstance(event, Decision) and event.kind == "answer" and self._plays_along(event.voice):
            self._silent_from.pop(event.voice, None)  # Nobody hands it the floor.
        elif isinstance(event, Decision) and event.kind not in ("fallback", "capture"):
            self._launches.pop(event.voice, None)
        self.record_of.append(event)

    # ---- the performance -----------------------------------------------------------------------------------------

    def begin(self) -> None:
        self.duet.begin()
        for slot in range(len(self.duet.player_table.needed)):
            self.seat(slot)

    def wait(self, seconds: float) -> None:
        """Let time pass, and everything happen that happens of itself."""
        until = self.clock.now() + seconds
        if self._punctual:
            self._wait_punctually(until)
        while (moment := self._next_seconds()) is not None and moment <= until:
            jitter = self._random.choice(JITTER_SECONDS)
            self.clock.advance_to(max(self.clock.now(), min(until, moment + jitter)))
            self._let_players_work()
            if self._random.random() < 0.9:
                self.duet.advance(self.now_ticks)
        self.clock.advance_to(max(until, self.clock.now()))

    def hear(self, message: bytes) -> None:
        stamped_ticks = self.now_ticks
        if self._punctual:
            self._hurry(before_ticks=stamped_ticks)
            # What the message before this one, at the same tick, made them be asked for comes first, too.
            while (due := self.duet.next_ticks()) is not None and due <= stamped_ticks:
                self.duet.advance(due)
                self._hurry(before_ticks=stamped_ticks)
        else:
            self.clock.advance(self._random.choice(JITTER_SECONDS))
        touched = [
            (index, voice.plan)
            for index, voice in enumerate(self.duet.performer.voices)
            if messages.is_note_on(message) and not voice.swallows(message) and _listens(voice.plan, message)
        ]
        signature = self.duet.timeline.signature
        self.duet.hear(message, stamped_ticks)
        if self._punctual and min(self._launches.values(), default=stamped_ticks + 1) <= stamped_ticks:
            self._hurry(before_ticks=stamped_ticks)
        for index, plan in touched:
            if plan.mode == "accompany" or plan.handover.by == "turns":
                continue  # These play on.
            if plan.handover.by == "bars" and self.duet.schedule.lead_ticks(range(len(output_names(self.plans)))):
                continue  # So it does if its bars are not over, but an output has its first note already.
            if plan.touch == "stop":
                assert self.duet.schedule.sounding(index) == 0, f"voice {index} sounds on under the player's hand"
                self._silent_from[index] = 0
            else:
                grid = grid_ticks(plan.touch, signature)
                self._silent_from.setdefault(index, next_multiple(self.duet.now_ticks, grid))

    def _plays_along(self, voice: int) -> bool:
        return self.duet.performer.voices[voice].plan.mode == "accompany"

    def seat(self, slot: int) -> None:
        """A new player takes its seat; if one sat there, it is gone first."""
        self.lose(slot)
        self._desks[slot] = _Desk(self._make_player(self.duet.player_table.needed[slot]))
        self.duet.player_ready(slot, self.now_ticks)

    def lose(self, slot: int) -> None:
        """The player of a seat dies, and whatever it was about to say with it."""
        if slot in self._desks:
            self._desks[slot].hung = True  # Until the duet has been told, it may still be asked.
            self.duet.player_lost(slot, "its process is gone", self.now_ticks)
            del self._desks[slot]

    def hang(self, slot: int) -> None:
        """The player of a seat works no more, and is not noticed."""
        if slot in self._desks:
            self._desks[slot].hung = True

    def restart(self) -> None:
        """The engine dies; another one ends what sounds, and goes on with the players that are there."""
        for output, message in list(self.ledger.silencing()):
            self.ledger.mark(output, message)
        selected, changes = self.duet.selected, self.duet.timeline.changes
        self.duet = Duet(self.plans, self, changes, stopped=self.duet.stopped)
        self._silent_from.clear()
        self.duet.restart(self.now_ticks, selected)
        for slot, desk in sorted(self._desks.items()):
            desk.asked, desk.begins_seconds, desk.replies = [], None, []
            self.duet.player_ready(slot, self.now_ticks)

    def panic(self) -> None:
        self.duet.panic(self.now_ticks)

    def end(self) -> None:
        self.duet.end(self.now_ticks)

    def end_well(self) -> None:
        """End; nothing is down, and what is on record plays the same again, on the same tempo map."""
        self.end()
        assert not list(self.ledger.silencing()), "something is down after the end"
        records = [Record(what) for what in self.record_of]
        assert hanging(records) == 0
        again = Offline(self.plans, self._make_player)
        again.duet.begin()
        again.replay(self.record_of)
        assert again.sends == self.sends
        changes = self.duet.timeline.changes
        assert again.duet.timeline.changes == changes
        header = Header(tuple(self.plans), output_names(self.plans), {}, "")
        assert timeline_of(header, records).changes == changes

    def _wait_punctually(self, until: float) -> None:
        until_ticks = self.duet.timeline.ticks_at(until)
        while True:
            planned = self.duet.next_ticks()
            due = until_ticks + 1 if planned is None else planned
            if self._at_work:
                self._hurry(before_ticks=min(due, until_ticks))  # What they say may be due before that.
            elif due > until_ticks:
                return
            else:
                self.clock.advance_to(max(self.clock.now(), self.duet.timeline.seconds_at(due)))
                self.duet.advance(due)
                if min(self._launches.values(), default=due + 1) <= due:
                    self._hurry(before_ticks=due)

    @property
    def _at_work(self) -> bool:
        return any(desk.begins_seconds is not None or desk.replies for desk in self._desks.values())

    def _hurry(self, before_ticks: int) -> None:
        """Let the players say all that they have to say, at some moment before it matters."""
        while self._at_work:
            now = self.clock.now()
            # In the middle of an answer the next phrase may be due very soon: at once, then.
            answering = any(voice.state == "answering" for voice in self.duet.performer.voices)
            latest_ticks = self.now_ticks if answering else min([before_ticks, *self._launches.values()])
            latest = self.duet.timeline.seconds_at(latest_ticks)
            self.clock.advance_to(now + max(0.0, latest - now) * self._random.random())
            for desk in self._desks.values():
                desk.begins_seconds = None if desk.begins_seconds is None else 0.0
                desk.replies = [(0.0, reply) for _, reply in desk.replies]
            self._let_players_work()

    # ---- the players ---------------------------------------------------------------------------------------------

    def _next_seconds(self) -> float | None:
        due = self.duet.next_ticks()
        moments = [] if due is None else [self.duet.timeline.seconds_at(due)]
        for desk in self._desks.values():
            if not desk.hung:
                moments += [seconds for seconds, _ in desk.replies[:1]]
                moments += [] if desk.begins_seconds is None else [desk.begins_seconds]
        return min(moments, default=None)

    def _let_players_work(self) -> None:
        now = self.clock.now()
        for slot in sorted(self._desks):
            desk = self._desks[slot]
            if desk.hung:
                continue
            if desk.begins_seconds is not None and desk.begins_seconds <= now:
                asked, desk.asked, desk.begins_seconds = desk.asked, [], None
                for reply in desk.player.perform(asked):
                    earliest = max([now, *(seconds for seconds, _ in desk.replies)])
                    desk.replies.append((earliest + self._random.choice(DELAYS_SECONDS), reply))
            while desk.replies and desk.replies[0][0] <= now:
                self.duet.receive(desk.replies.pop(0)[1], self.now_ticks)


def _listens(plan: VoicePlan, message: bytes) -> bool:
    return messages.channel(message) in plan.input_channels and plan.input_low <= message[1] <= plan.input_high


class Rehearsal:
    """Runs a duet tick by tick with toys that answer at once, unless their chair is in `slow`."""

    def __init__(self, *plans: Plan, slow: Iterable[Chair] = (), absent: Iterable[Chair] = ()) -> None:
        self.record_of: list[Event | Send] = []
        self.duet = Duet(plans, self)
        self.slow = set(slow)
        self.toys: dict[int, Any] = {}
        self._asked: dict[int, list[Prime | Extend]] = {}
        self._players: dict[int, Player] = {}
        for slot, role in enumerate(self.duet.player_table.needed):
            if role.chair not in absent:
                self.seat(slot, 0)

    # ---- the stage -----------------------------------------------------------------------------------------------

    def send(self, send: Send) -> None:
        self.record_of.append(send)

    def record(self, event: Event) -> None:
        self.record_of.append(event)

    def ask(self, slot: int, command: Prime | Extend) -> None:
        self._asked.setdefault(slot, []).append(command)

    # ---- what happens --------------------------------------------------------------------------------------------

    def seat(self, slot: int, ticks: int) -> None:
        name = self.duet.player_table.needed[slot].generator
        toy = self.toys[slot] = make_toy(name)
        self._players[slot] = Player(toy_info(name), toy)
        self.duet.player_ready(slot, ticks)
        self._settle()

    def lose(self, slot: int, ticks: int) -> None:
        self.advance(ticks)
        self._asked.pop(slot, None)
        self.duet.player_lost(slot, "its process is gone", ticks)
        self._settle()

    def advance(self, ticks: int) -> None:
        while (due := self.duet.next_ticks()) is not None and due <= ticks:
            self.duet.advance(due)
            self._settle()
        self.duet.advance(ticks)

    def hear(self, ticks: int, message: bytes) -> None:
        self.advance(ticks)
        self.duet.hear(message, ticks)
        self._settle()

    def tone(self, ticks: int, pitch: int = 60, length_ticks: int = 100, channel: int = 0) -> None:
        """A key pressed at `ticks` and released."""
        self.hear(ticks, messages.note_on(channel, pitch, 80))
        self.hear(ticks + length_ticks, messages.note_off(channel, pitch))

    def work(self, slot: int, ticks: int) -> None:
        """A slow player has done what it was asked."""
        self.advance(ticks)
        for reply in self._players[slot].perform(self._asked.pop(slot)):
            self.duet.receive(reply, ticks)
        self._settle()

    def _settle(self) -> None:
        roles = self.duet.player_table.needed
        while quick := [slot for slot in self._asked if roles[slot].chair not in self.slow]:
            for reply in self._players[quick[0]].perform(self._asked.pop(quick[0])):
                self.duet.receive(reply, self.duet.now_ticks)

    # ---- what came of it -----------------------------------------------------------------------------------------

    @property
    def sends(self) -> list[Send]:
        return [record for record in self.record_of if isinstance(record, Send)]

    def decisions(self, *but: str) -> list[tuple[str, int]]:
        """(kind, tick) of every decision that is not of a kind in `but`."""
        return [(r.kind, r.ticks) for r in self.record_of if isinstance(r, Decision) and r.kind not in but]

    def notes(self, source: int = 0) -> list[tuple[int, int, int | None]]:
        """(start, pitch, end) of every note of a source, in the order they began, on the first output it plays to."""
        own = [send for send in self.sends if send.source == source]
        found: list[tuple[int, int, int | None]] = []
        for send in own:
            if send.output != own[0].output:
                continue
            pitch = send.message[1]
            if messages.is_note_on(send.message):
                found.append((send.due_ticks, pitch, None))
            elif messages.is_note_off(send.message):
                index = max(i for i, note in enumerate(found) if note[1] == pitch and note[2] is None)
                found[index] = (found[index][0], pitch, send.due_ticks)
        return found
