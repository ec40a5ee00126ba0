"""The performer and the schedule on one time line. It is told the time, and acts only through its `DuetStage`.

Every step happens at a tick, in one order, whatever the machine's speed: what is due by then comes first (the
performer's decisions before the schedule's messages), then the event itself. So a recording of the events is enough
to play the same again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, assert_never

from antiphon.duet.casting import PlayerTable
from antiphon.duet.commands import Command, Continuation, Decision, Extend, Failed, Lost, Play, Prime, Ready, Silence
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
from antiphon.duet.ledger import Ledger, panic_messages
from antiphon.duet.metronome import Metronome
from antiphon.duet.performer import Performer
from antiphon.duet.plan import PartPlan, Plan, grid_ticks
from antiphon.duet.remote import Remote, selects
from antiphon.duet.routing import counts_in, metronome_output_names, output_names, output_offsets
from antiphon.duet.schedule import METRONOME, PLAYER, Lead, OutputPart, Schedule, Send
from antiphon.music import messages
from antiphon.music.timing import TempoChange, Timeline, next_multiple, seconds_to_ticks
from antiphon.notes import TICKS_PER_BEAT, Note

SPARE_SECONDS = 0.002
"""Where messages leave early: how long before that they are handed on. A port that stamps gets them in time then."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A plan that has been chosen and does not play yet."""

    plan: int
    ticks: int | None
    """Where it takes over; None: when the answer is over."""


class DuetStage(Protocol):
    """Where a duet is performed: on a stage with ports, or offline."""

    def send(self, send: Send) -> None:
        """Send a message now."""
        ...

    def ask(self, slot: int, command: Prime | Extend) -> None:
        """Pass a command on to a player; its reply comes back through `Duet.receive`."""
        ...

    def record(self, event: Event) -> None:
        """Keep what happened."""
        ...


class Duet:
    """A whole performance: plans, voices, notes on their way and notes that sound."""

    def __init__(
        self, plans: Sequence[Plan], stage: DuetStage, changes: Sequence[TempoChange] = (), *, stopped: bool = False
    ) -> None:
        """Outputs are numbered as in `output_names(plans)`.

        `changes`: the tempo map to go on with. `stopped`: whether the transport is stopped.
        """
        outputs = output_names(plans)
        self.plans = tuple(plans)
        self.player_table = PlayerTable(plans)
        self.schedule = Schedule()
        self.timeline = Timeline(plans[0].tempo_bpm, plans[0].signature, changes)
        self.now_ticks = 0
        """The last tick at which something happened."""
        self.selected = 0
        """Number of the plan that plays."""
        self.stopped = stopped
        """Whether a transport that is followed is stopped: the player is heard, and nobody answers."""
        self._outputs = tuple(outputs)
        self._ledger = Ledger(len(outputs))
        self._stage = stage
        self._epochs = itertools.count()
        self._ready: set[int] = set()
        self._waiting: _Waiting | None = None
        self._remote = Remote()
        self._left_over = 0
        """How many sources of the plans before may still have notes on their way, in a session of old."""
        self.performer = Performer(plans[0], self._epochs)
        self.performer.hold(stopped)
        self._parts = self._make_parts(plans[0])
        self._look_ahead()
        self._take_up_metronome(waits=True)

    # ---- time ----------------------------------------------------------------------------------------------------

    def next_ticks(self) -> int | None:
        """The next tick at which something is due."""
        click = self.metronome.next_ticks()
        click = None if click is None else click - self._click_lead_ticks
        times = (self.performer.next_ticks(), click, self.schedule.next_ticks(), self._switch_ticks())
        return min((ticks for ticks in times if ticks is not None), default=None)

    def ticks_at(self, seconds: float) -> int:
        """The tick at `seconds` from the start. A plan that takes over before that, with its own tempo, does so."""
        while self._waiting is not None:
            due = self.next_ticks()
            if due is None or due > self.timeline.ticks_at(seconds):
                break
            self.advance(due)
        return self.timeline.ticks_at(seconds)

    def advance(self, ticks: int) -> None:
        """Do everything that is due by `ticks`, each thing at its own tick."""
        while (due := self.next_ticks()) is not None and due <= ticks:
            self.now_ticks = max(self.now_ticks, due)
            switch = self._switch_ticks()
            if switch is not None and switch <= self.now_ticks:
                self._switch()  # Before anything else of this tick: nothing of the old plan begins there.
                continue
            planned = self.performer.next_ticks()
            if planned is not None and planned <= self.now_ticks:
                self._apply(self.performer.advance(self.timeline.moment_at(self.now_ticks)))
            self.schedule.play(self._click, self.metronome.due(self.now_ticks + self._click_lead_ticks), self.now_ticks)
            self._send_due()
        self.now_ticks = max(self.now_ticks, ticks)

    # ---- events --------------------------------------------------------------------------------------------------

    def hear(self, message: bytes, ticks: int, inputs: tuple[str, ...] = (), port: str = "") -> None:
        """The player's message arrived at `ticks`; it is passed on at once, then thought about.

        `inputs`: the names in the plans that mean the port it came from; if there are none, every voice listens.
        `port`: the name of that port: a key of it is not the same as another port's key of that pitch.
        """
        self.advance(ticks)
        if self._commanded(message, inputs):
            return
        if self._waiting is not None and self._waiting.ticks is None and messages.is_note_on(message):
            self._switch()  # It waited for the end of an answer, and the player has the floor now.
        self._stage.record(Heard(self.now_ticks, message, inputs, port))
        plan = self.performer.plan
        own = self._own if plan.thru and not self.performer.swallows(message, inputs) else ()
        # Whatever plan let a key or pedal down, it comes up where it went down.
        passed = [o for o in range(len(self._outputs)) if o in own or self._ledger.ends(o, message)]
        self._send(self.schedule.thru(message, passed, self.now_ticks, port))
        if self._left_over and messages.is_note_on(message):
            for source in range(self._left_over):
                self.schedule.silence(source, self.now_ticks)
            self._left_over = 0
        self._apply(self.performer.hear(message, self.timeline.moment_at(self.now_ticks), inputs, port))
        self._send_due()

    def _commanded(self, message: bytes, inputs: tuple[str, ...]) -> bool:
        """Do what a message asks the host for; False if it is music."""
        remote, count = self.performer.plan.remote, len(self.plans)
        if count > 1 and selects(remote, message, inputs):
            if message[1] < count:
                self.select(message[1], self.now_ticks)
            else:
                text = f"program {message[1] + 1} selects nothing: there are presets 1 to {count}"
                self._stage.record(Decision("idle", 0, self.now_ticks, text))
            return True
        command = self._remote.command(remote, message, inputs)
        if command == "panic":
            self.panic(self.now_ticks)
        elif command in ("next", "previous"):
            self.select_next(1 if command == "next" else -1, self.now_ticks)
        return command is not None

    def receive(self, reply: Continuation | Failed, ticks: int) -> None:
        """A player replied."""
        self.advance(ticks)
        if isinstance(reply, Failed):
            self._stage.record(PlayerFailed(self.now_ticks, reply))
        else:
            answered = PlayerAnswered(self.now_ticks, reply.voice, reply.chair, reply.epoch, reply.index)
            self._stage.record(answered)
        if reply.voice < len(self.performer.voices):
            self._apply(self.performer.receive(reply, self.timeline.moment_at(self.now_ticks)))
            self._send_due()

    def player_ready(self, slot: int, ticks: int) -> None:
        """A player has taken its seat, knowing nothing."""
        self.advance(ticks)
        self._stage.record(PlayerReady(self.now_ticks, slot))
        self._ready.add(slot)
        for voice, chair in self.player_table.seats(self.selected, slot):
            self._apply(self.performer.receive(Ready(voice, chair), self.timeline.moment_at(self.now_ticks)))
        self._send_due()

    def player_lost(self, slot: int, reason: str, ticks: int) -> None:
        """A player is gone."""
        self.advance(ticks)
        self._stage.record(PlayerLost(self.now_ticks, slot, reason))
        self._ready.discard(slot)
        for voice, chair in self.player_table.seats(self.selected, slot):
            self._apply(self.performer.receive(Lost(voice, chair, reason), self.timeline.moment_at(self.now_ticks)))
        self._send_due()

    def select(self, number: int, ticks: int) -> None:
        """Let another plan play, from where its `switch` says; what was heard is remembered."""
        self.advance(ticks)
        rule = self.plans[number].switch
        if rule is not None:  # Sessions of old have it on record only that it plays.
            self._stage.record(Chosen(self.now_ticks, number))
        if rule in ("beat", "bar"):
            switch = next_multiple(self.now_ticks, grid_ticks(rule, self.timeline.signature))
            for source in range(len(self.performer.voices)):
                self.schedule.silence(source, switch)
            self._waiting = _Waiting(number, switch)
        else:
            self._waiting = _Waiting(number, None if rule == "answer" else self.now_ticks)
        self.advance(self.now_ticks)

    def select_next(self, step: int, ticks: int) -> None:
        """Choose the plan so many places after the one that was chosen last; after the last comes the first."""
        self.advance(ticks)
        if len(self.plans) == 1:
            self._stage.record(Decision("idle", 0, self.now_ticks, "there is no other preset to choose"))
            return
        chosen = self.selected if self._waiting is None else self._waiting.plan
        self.select((chosen + step) % len(self.plans), self.now_ticks)

    def _switch_ticks(self) -> int | None:
        """Where the plan that was chosen takes over; None if none was, or as long as an answer is waited for."""
        if self._waiting is None or self._waiting.ticks is not None:
            return None if self._waiting is None else self._waiting.ticks
        listening = all(voice.state == "listening" for voice in self.performer.voices)
        return self.now_ticks if listening and not self.schedule.has_voices() else None

    def _switch(self) -> None:
        assert self._waiting is not None
        number, self._waiting = self._waiting.plan, None
        if self.plans[number].switch is None:
            self._left_over = max(self._left_over, len(self.performer.voices))
        else:
            self._end_answers()
        self._stage.record(Selected(self.now_ticks, number))
        # A transport that another clock had stopped means nothing to this one.
        self._take_up(number, stopped=self.stopped and self.plans[number].sync == self.performer.plan.sync)

    def _take_up(self, number: int, *, stopped: bool) -> None:
        plan = self.plans[number]
        # The voices let go, for the next plan may not listen to the release of what is held; but nothing is silenced.
        self.performer.give_up(self.timeline.moment_at(self.now_ticks))
        self.selected = number
        self.stopped = stopped and plan.sync != "internal"
        self._call_off_clicks()
        self.timeline.set_tempo(plan.tempo_bpm, self.now_ticks)
        self.timeline.signature = plan.signature
        ears = [voice.memory.ear for voice in self.performer.voices]
        self.performer = Performer(plan, self._epochs, ears, self.now_ticks)
        self.performer.hold(self.stopped)
        self._parts = self._make_parts(plan)
        self._look_ahead()
        self._take_up_metronome()
        self.begin()
        for slot in sorted(self._ready):
            for voice, chair in self.player_table.seats(number, slot):
                self._apply(self.performer.receive(Ready(voice, chair), self.timeline.moment_at(self.now_ticks)))
        self._send_due()

    def begin(self) -> None:
        """Send the banks and programs of the plan's voices."""
        for part, planned in self._sounds():
            for output in part.outputs:
                due = self.schedule.behind(output, self.now_ticks)
                self._send(Send(output, message, due, part.source, part.number) for message in _sound_of(planned))

    def sounds(self, output: int) -> Iterator[bytes]:
        """Banks and programs of the plan's voices, for whoever comes to `output` later. They are on record already."""
        for part, planned in self._sounds():
            if output in part.outputs:
                yield from _sound_of(planned)

    def _sounds(self) -> Iterator[tuple[OutputPart, PartPlan]]:
        """Every part of every voice, with the sound it is to have."""
        for parts, voice in zip(self._parts, self.performer.plan.voices, strict=True):
            yield from zip(parts, voice.all_parts, strict=True)

    def restart(self, ticks: int, plan: int) -> None:
        """Take over, at `ticks`, from an engine that died, whose notes the stage has ended; go on with `plan`."""
        self.now_ticks = ticks
        self.metronome.skip_to(ticks)
        self._stage.record(Restarted(ticks, plan))
        if plan:
            self._take_up(plan, stopped=self.stopped)

    def end(self, ticks: int) -> None:
        """Stop: whatever sounds is ended, on every output, and no answer goes on."""
        self.advance(ticks)
        self._stage.record(Ended(self.now_ticks))
        self._give_up()

    def panic(self, ticks: int) -> None:
        """Stop, and tell every channel of every output to be silent, whatever it may have missed."""
        self.advance(ticks)
        self._stage.record(Ended(self.now_ticks, panic=True))
        self._give_up()
        for output in range(len(self._outputs)):
            self._send(Send(output, message, self.now_ticks, PLAYER) for message in panic_messages())

    # ---- tempo, transport and click ------------------------------------------------------------------------------

    def change(self, event: Transport) -> None:
        """Follow `event`, of a clock or of the player, at its tick, or now if that has passed."""
        self.advance(event.ticks)
        event = replace(event, ticks=self.now_ticks)
        self._stage.record(event)
        match event:
            case TempoChanged():
                self.timeline.set_tempo(event.bpm, event.ticks)
                self._look_ahead()
            case Skipped():
                self._end_answers()
                self._call_off_clicks()
                self.timeline.jump(event.ticks, event.to_ticks)
                self.now_ticks = event.to_ticks
                self.metronome.skip_to(event.to_ticks)
            case MetronomeSwitched():
                self._call_off_clicks()
                self.metronome.switch(event.on, event.ticks)
            case CountInBegan():
                self._call_off_clicks()
                self.metronome.count_in(event.ticks)
            case TransportStopped() | TransportStarted():
                self.stopped = isinstance(event, TransportStopped)
                if self.stopped:
                    self._end_answers()
                self.performer.hold(self.stopped)
                self._call_off_clicks()
                self.metronome.hold(self.stopped, event.ticks)
            case Located():
                pass  # Where a song is moves nobody here: it is for the record, and the screen.
            case _:
                assert_never(event)

    def _end_answers(self) -> None:
        """Let nothing be on its way but what the player does himself."""
        self._apply(self.performer.give_up(self.timeline.moment_at(self.now_ticks)))
        for source in range(max(self._left_over, len(self.performer.voices))):
            self.schedule.silence(source, self.now_ticks)
        self._left_over = 0
        self._send_due()

    # ---- acting --------------------------------------------------------------------------------------------------

    def _make_parts(self, plan: Plan) -> list[list[OutputPart]]:
        """For each voice, how the notes of each of its parts become messages."""
        names = output_names([plan])
        own = self._own = [index for index, name in enumerate(self._outputs) if name in names]
        return [
            [
                OutputPart(
                    index,
                    tuple(i for i in own if planned.output in (None, self._outputs[i])),
                    planned.channel,
                    voice.transpose,
                    voice.velocity,
                    voice.constraints.polyphony,
                    number,
                )
                for number, planned in enumerate(voice.all_parts)
            ]
            for index, voice in enumerate(plan.voices)
        ]

    def _look_ahead(self) -> None:
        """At the present tempo: how long before its tick a message is handed on to each output that gets it early."""
        bpm, offsets = self.timeline.bpm, output_offsets(self.performer.plan, self._outputs)
        spare = math.ceil(SPARE_SECONDS * bpm * TICKS_PER_BEAT / 60)
        leads = {i: Lead(seconds_to_ticks(-offset, bpm), spare) for i, offset in enumerate(offsets) if offset < 0}
        self.schedule.look_ahead(leads)
        heard_on = ([output for part in parts for output in part.outputs] for parts in self._parts)
        self.performer.look_ahead([self.schedule.lead_ticks(outputs) for outputs in heard_on])

    def _take_up_metronome(self, *, waits: bool = False) -> None:
        """The click of the plan. `waits`: for the count-in, if the session has one."""
        plan = self.performer.plan
        waits = waits and counts_in(plan)
        self.metronome = Metronome(plan.metronome, plan.signature, self.now_ticks, waits=waits, held=self.stopped)
        outputs = tuple(self._outputs.index(name) for name in metronome_output_names(plan))
        self._click = OutputPart(METRONOME, outputs, plan.metronome.channel)

    @property
    def _click_lead_ticks(self) -> int:
        """How long before its tick a click must be scheduled, so that no output gets it late."""
        return self.schedule.lead_ticks(self._click.outputs)

    def _call_off_clicks(self) -> None:
        """What was scheduled ahead of its time is clicked anew, or not at all."""
        if self._click_lead_ticks:
            self.schedule.silence(METRONOME, self.now_ticks)

    def _apply(self, said: Iterable[Command]) -> None:
        for command in said:
            match command:
                case Play():
                    parts = self._parts[command.voice]
                    for note in self._before_switch(command.notes):
                        part = parts[note.part if note.part < len(parts) else 0]
                        self.schedule.play(part, (note,), self.now_ticks)
                case Silence():
                    self.schedule.silence(command.voice, command.at_ticks)
                case Decision():
                    self._stage.record(command)
                case Prime() | Extend():
                    self._stage.ask(self.player_table.slot(self.selected, command.voice, command.chair), command)
                case _:
                    assert_never(command)

    def _before_switch(self, notes: tuple[Note, ...]) -> tuple[Note, ...]:
        """Of these notes, what sounds before another plan takes over."""
        if self._waiting is None or self._waiting.ticks is None:
            return notes
        end = self._waiting.ticks
        return tuple(note.clipped(end) for note in notes if note.start_ticks < end)

    def _send_due(self) -> None:
        self._send(self.schedule.due(self.now_ticks))

    def _give_up(self) -> None:
        self._apply(self.performer.give_up(self.timeline.moment_at(self.now_ticks)))
        self.metronome.switch(False, self.now_ticks)
        self._silence()

    def _silence(self) -> None:
        self._send(self.schedule.end(self.now_ticks))
        lifted = list(self._ledger.silencing())
        self._send(Send(output, message, self.now_ticks, PLAYER) for output, message in lifted)

    def _send(self, sends: Iterable[Send]) -> None:
        for send in sends:
            self._ledger.mark(send.output, send.message)
            self._stage.send(send)


def _sound_of(part: PartPlan) -> Iterator[bytes]:
    """What makes a synth play with the part's sound: its bank, in two steps, then its program, which takes both up."""
    if part.program is None:
        return
    if part.bank is not None:
        yield messages.control_change(part.channel, messages.BANK_MSB, part.bank // 128)
        yield messages.control_change(part.channel, messages.BANK_LSB, part.bank % 128)
    yield messages.program_change(part.channel, part.program)
