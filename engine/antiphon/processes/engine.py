"""The engine process: a duet on real ports. It does nothing slow: no model, no file, no sound is made here."""

from __future__ import annotations

import gc
import math
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, assert_never

from antiphon.duet.commands import Continuation, Decision, Extend, Failed, Prime
from antiphon.duet.duet import SPARE_SECONDS, Duet
from antiphon.duet.events import (
    CountInBegan,
    Ended,
    Event,
    Located,
    MetronomeSwitched,
    Selected,
    TempoChanged,
)
from antiphon.duet.ledger import Ledger
from antiphon.duet.routing import clock_output_names, counts_in, output_names, output_offsets
from antiphon.duet.schedule import PLAYER, Send
from antiphon.errors import AntiphonError
from antiphon.midi.echo import Echoes
from antiphon.midi.port_names import virtual_name
from antiphon.midi.ports import Ports
from antiphon.music import messages
from antiphon.music.clock import SystemClock
from antiphon.music.timing import next_multiple
from antiphon.output import OpenOutput, PortGone
from antiphon.plugins.host import load_plugins
from antiphon.processes.outgoing import Outgoing, Waiting
from antiphon.processes.protocol import (
    Asked,
    CannotOpen,
    CannotStart,
    ClockStarted,
    ConnectionsChanged,
    Doings,
    EngineSetup,
    EverybodyReady,
    FromPlayers,
    FromSound,
    FromSupervisor,
    Greeting,
    NoSound,
    Panic,
    PortChanged,
    PortsOpened,
    Records,
    Report,
    Select,
    SelectNext,
    Sounded,
    SoundOpened,
    Stop,
    SwitchMetronome,
    Tap,
    ToPlayers,
    ToSound,
    ToSupervisor,
)
from antiphon.processes.runtime import (
    BEAT_SECONDS,
    Backstage,
    Connection,
    Gone,
    Inbox,
    Link,
    Pulse,
    hurry,
    serve_hub,
    shared_memory,
    spawn_thread,
)
from antiphon.session.journal import Record
from antiphon.sync.clock_sending import ClockOut
from antiphon.sync.midi_clock import PULSE_TICKS
from antiphon.sync.tempo_sources import Leaders

CANNOT_OPEN: Final = 3
"""Exit code of an engine that could not open what the plan names."""
_REAL_TIME: Final = 0xF8
"""Clock, active sensing and the like begin here."""
_FAREWELL_SECONDS: Final = 0.1
"""Time for the last note-offs to leave the drivers before the ports are closed."""
_DOINGS_SECONDS: Final = 0.1
"""What the voices are doing is told no more often than this."""
_STALL_SECONDS: Final = 0.03
"""Woken so much too late, it was not for anybody's composing: a phrase may be as late, and stands all the same."""
_GIVE_UP_SECONDS: Final = 5.0
"""How long an engine that cannot open its ports waits for somebody to tell."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A MIDI message from a keyboard."""

    port: str
    message: bytes
    seconds: float
    """Of `time.perf_counter`."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A process has come."""

    connection: Connection[Any, Any]
    greeting: Greeting


@dataclass(frozen=True, slots=True)
class PortReport:
    """What the watcher of the ports has found: see `antiphon.midi.ports.Report`."""

    what: str
    detail: Any


Incoming = Arrived | Joined | PortReport | Gone | FromSupervisor | FromPlayers | FromSound
"""All that the loop may find in its inbox."""


class Engine:
    """A stage with ports, players, sound and a recorder, and the loop that runs the duet on it."""

    def __init__(self, backstage: Backstage) -> None:
        self.inbox: Inbox[Incoming] = Inbox()
        self._backstage = backstage
        self._setup: EngineSetup = backstage.read("engine")
        self._pulse = Pulse(backstage.folder)
        self._clock = SystemClock(self._setup.origin_seconds)
        self._names = output_names(self._setup.plans)
        size = Ledger.size(len(self._names))
        self._ledger = Ledger(len(self._names), shared_memory(backstage.folder / "ledger", size))
        # What was ever down: who was not there to hear it end, or was not told in time, is told again.
        self._touched = Ledger(len(self._names), shared_memory(backstage.folder / "touched", size))
        self._links: dict[str, Link[Any, Any]] = {}
        self._slots: dict[str, tuple[int, ...]] = {}
        self._players: dict[int, Link[FromPlayers, ToPlayers]] = {}
        self._sound: Link[FromSound, ToSound] | None = None
        self._supervisor: Link[FromSupervisor, ToSupervisor] | None = None
        self._asked: list[tuple[int, Prime | Extend]] = []
        self._records: list[Record] = []
        self._told_records = 0
        self._step_record = 0
        self._offsets = [output_offsets(plan, self._names) for plan in self._setup.plans]
        self._outgoing = Outgoing() if any(map(any, self._offsets)) else None
        self._untold: list[ToSupervisor] = []
        self._held: dict[str, set[messages.Key]] = {}
        self._connections = self._setup.connections
        self._arrived_seconds = 0.0
        self._switched = self._panicked = False
        self._doings: tuple[str, ...] = ()
        self._told_doings_seconds = 0.0
        self._running = True
        self._orphaned = False
        self.duet = Duet(self._setup.plans, self, self._setup.changes, stopped=self._setup.stopped)
        report = self._report
        self._echoes = Echoes(report)
        self._leaders = Leaders(
            self._setup.plans, self.duet, self._clock.now, report, lambda port: self._ports.meant_by(port)
        )
        self._clock_out = ClockOut()
        self._clock_outputs: tuple[int, ...] = ()
        self._awaits_count_in = not self._setup.takes_over and counts_in(self.duet.performer.plan)

    # ---- the stage -----------------------------------------------------------------------------------------------

    def send(self, send: Send) -> None:
        """Send to a port or to the sound process, and note how late that was; or let it wait until its output's moment.

        What the player plays never waits.
        """
        if self._outgoing is not None:
            if send.source != PLAYER:
                self._let_wait(self._outgoing, send)
                return
            if messages.is_note_on(send.message):
                self._hand_over(self._outgoing.make_way(send.output, send.message, time.perf_counter()))
        due = self._arrived_seconds if send.source == PLAYER else self._seconds_at(send.due_ticks)
        # The player's own notes go at once; a port that can stamp gives the others their exact place.
        own = send.source == PLAYER
        sent = self._deliver(send.output, send.message, None if own else due, own=own)
        self._records.append(Record(send, time.perf_counter() - due if sent else None))

    def ask(self, slot: int, command: Prime | Extend) -> None:
        """Pass a command on to a player's process, as soon as nothing waits to be heard or sent."""
        self._asked.append((slot, command))

    def record(self, event: Event) -> None:
        """Keep an event for the recorder."""
        self._records.append(Record(event))
        self._switched |= isinstance(event, Selected)
        self._panicked |= isinstance(event, Ended) and event.panic

    # ---- the loop ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Open everything, play until told to stop, leave silence behind."""
        signal.signal(signal.SIGTERM, lambda *_: self.inbox.put(Stop()))
        hurry()  # Before any thread starts, and so for all: the loop waits for whichever holds the interpreter.
        serve_hub(self._backstage, Greeting, lambda *newcomer: self.inbox.put(Joined(*newcomer)))
        self._leaders.open()
        inputs = tuple(dict.fromkeys(name for plan in self._setup.plans for name in plan.inputs))
        self._ports = Ports(
            inputs,
            self._names,
            spawn_thread,
            lambda name, message, seconds: self.inbox.put(Arrived(name, message, seconds)),
            lambda what, detail: self.inbox.put(PortReport(what, detail)),
            self._setup.backend,
            plugged_in=_plugged_in(self._names),
            patient=self._setup.takes_over,
        )
        if (backend := self._ports.backend) and not backend.virtual and "virtual" in self._setup.plans[0].outputs:
            self._report(f"nothing goes to 'virtual': {backend.name} has no such ports; see antiphon doctor")
        if self._setup.takes_over:
            self._restore_connections()
            self._settle()
            self.duet.restart(self._now_ticks(), self._setup.selected)
            self._send_sounds()
            self._resume()
        else:
            self.duet.begin()
        self._leaders.begin()
        self._take_up_clock()
        self._tell_ports()
        gc.collect()
        gc.freeze()  # What start-up left behind need not be looked through again in the middle of a bar.
        while self._running:
            self._step()
        self._stop()

    def give_up(self, reason: str) -> None:
        """Tell the supervisor, once it has come, why there will be no performance."""
        self._untold.append(CannotOpen(reason))
        waited = time.perf_counter() + _GIVE_UP_SECONDS
        while self._supervisor is None and time.perf_counter() < waited:
            item = self.inbox.get(waited)
            if isinstance(item, Joined):
                self._join(item.connection, item.greeting)
        for link in self._links.values():
            link.close(wait_seconds=1.0)

    def _stop(self) -> None:
        self._arrived_seconds = time.perf_counter()  # Keys that are down are released now.
        self.duet.end(self._now_ticks())
        self._let_leave(at_once=True)
        self._stop_clock()
        self._leaders.close()
        self._flush()
        time.sleep(_FAREWELL_SECONDS)
        self._ports.close()
        for link in self._links.values():
            link.close(wait_seconds=1.0)
        if self._orphaned:
            self._backstage.clear()  # Nobody else is left to do it.

    def _step(self) -> None:
        # In a burst nobody asks what is due next: whatever is heard, what was due before it comes first.
        began = time.perf_counter()
        until = max(began, self._next_seconds()) if self.inbox.empty() else began
        item = self.inbox.get(until)
        self._notice_stall(time.perf_counter() - until)
        self._pulse.beat(Pulse.ENGINE)
        self._step_record = self._told_records + len(self._records)
        self._let_leave()
        self._leaders.look(item.seconds - self._clock.origin if isinstance(item, Arrived) else None)
        if self._clock_outputs:
            self._send_clock()
        if item is None:
            self.duet.advance(self._now_ticks())
        else:
            self._take(item)
        self._follow_up()
        if self.inbox.empty():
            if self._echoes.doubtful:
                self._ask_for_echoes()
            self._pass_on()
            self._tell_doings()
            self._flush()

    def _next_seconds(self) -> float:
        """When something is to be done even if nothing comes."""
        due = self.duet.next_ticks()
        return min(
            time.perf_counter() + BEAT_SECONDS,
            math.inf if due is None else self._seconds_at(due),
            self._clock.origin + self._leaders.next_seconds(),
            self._next_leaving_seconds(),
        )

    def _notice_stall(self, overslept_seconds: float) -> None:
        """Put on record that the machine let nobody run; it comes before whatever was late because of that."""
        if overslept_seconds >= _STALL_SECONDS:
            told = f"the machine stalled for {1000 * overslept_seconds:.0f} ms"
            self.record(Decision("stall", 0, self.duet.timeline.ticks_at(self._clock.now()), told))

    def _follow_up(self) -> None:
        """Do what is left to do after a step in which another plan took over, or everything was silenced."""
        if self._switched:
            self._switched = False
            self._plan_changed()
        if self._panicked:
            self._panicked = False
            self._let_leave(at_once=True)
            self._settle()  # Not every synth obeys "all notes off".

    def _pass_on(self) -> None:
        """Hand the players what they were asked. In one go: each hand-over lets another thread in, for a while."""
        asked: dict[Link[FromPlayers, ToPlayers], list[tuple[int, Prime | Extend]]] = {}
        for slot, command in self._asked:
            if slot in self._players:
                asked.setdefault(self._players[slot], []).append((slot, command))
        self._asked.clear()
        for link, commands in asked.items():
            link.send(Asked(tuple(commands)))

    def _hear(self, port: str, message: bytes, seconds: float) -> None:
        of_clock = self._leaders.follows(message)
        if message[0] >= _REAL_TIME and not of_clock:
            return
        if not messages.is_well_formed(message):
            self._report(f"{port} sent a malformed message, {message.hex(' ')}: left out")
            return
        if of_clock:
            self._leaders.hear_clock(port, message, seconds - self._clock.origin)
            return
        if self._echoes.is_echo(port, message, seconds):
            return
        if (key := messages.held_with(message)) is not None:
            held = self._held.setdefault(port, set())
            (held.add if messages.depth(message) else held.discard)(key)
        self._take_in(port, message, seconds)

    def _ask_for_echoes(self) -> None:
        """Find out whether what leaves comes back, where it seems to. This is no music, and on nobody's record."""
        for output, message in self._echoes.questions(time.perf_counter()):
            self._send_to_port(output, message, None)

    def _take_in(self, port: str, message: bytes, seconds: float) -> None:
        """A message of the player at `seconds`: it is for the tempo, or it is music."""
        since_start = seconds - self._clock.origin
        if self._leaders.takes(message):
            self._leaders.hear(message, since_start)
            return
        self._arrived_seconds = seconds
        self.duet.hear(message, self.duet.ticks_at(since_start), self._ports.meant_by(port), port)

    def _take(self, item: Incoming) -> None:
        match item:
            case Arrived(port, message, seconds):
                self._hear(port, message, seconds)
            case Continuation() | Failed():
                self.duet.receive(item, self._now_ticks())
            case PortReport(what, detail):
                self._port_changed(what, detail)
            case Joined(connection, greeting):
                self._join(connection, greeting)
            case Gone(name):
                self._part(name)
            case Stop():
                self._running = False
            case Panic():
                self._arrived_seconds = time.perf_counter()
                self.duet.panic(self._now_ticks())
            case Select(plan):
                self.duet.select(plan, self._now_ticks())
            case SelectNext(by):
                self.duet.select_next(by, self._now_ticks())
            case Tap(seconds):
                self._leaders.tap(seconds - self._clock.origin)
            case SwitchMetronome():
                self.duet.change(MetronomeSwitched(self._now_ticks(), not self.duet.metronome.on))
            case EverybodyReady():
                self._count_in()
            case CannotStart() | Report() | SoundOpened() | NoSound():
                self._tell(item)
            case _:
                assert_never(item)

    def _resume(self) -> None:
        """Go on with the tempo and the click that the engine before had, or was on its way to."""
        ticks, plan = self.duet.now_ticks, self.duet.performer.plan
        bpm = self._setup.changes[-1].bpm if self._setup.towards_bpm is None else self._setup.towards_bpm
        if bpm != self.duet.timeline.bpm:
            self.duet.change(TempoChanged(ticks, bpm))
        clicks = plan.metronome.on if self._setup.clicks is None else self._setup.clicks
        if clicks != self.duet.metronome.on:
            self.duet.change(MetronomeSwitched(ticks, clicks))

    # ---- the clock that is sent ----------------------------------------------------------------------------------

    def _count_in(self) -> None:
        """Everybody is ready: count in, if the plan says so. The song of a clock that is sent begins after that."""
        awaited, self._awaits_count_in = self._awaits_count_in, False
        begin: int | None = None
        if counts_in(self.duet.performer.plan):
            self.duet.change(CountInBegan(self._now_ticks()))
            begin = self.duet.metronome.music_ticks
        elif awaited:  # Another preset was chosen before everybody was ready.
            begin = next_multiple(self._clock_ticks() + PULSE_TICKS, self.duet.timeline.signature.bar_ticks)
        if begin is not None:
            self._clock_out.begin_song(begin)
            self._tell_song()

    def _plan_changed(self) -> None:
        self._leaders.plan_changed()
        self._take_up_clock()

    def _take_up_clock(self) -> None:
        """Send a clock to the outputs that the plan wants it on; one that they get already goes on."""
        wanted = tuple(self._names.index(name) for name in clock_output_names(self.duet.performer.plan))
        if wanted == self._clock_outputs:
            return
        self._stop_clock()
        self._clock_outputs = wanted
        if wanted:
            signature, started = self.duet.timeline.signature, self._setup.clock_started_ticks
            self._clock_out.start(self._clock_ticks(), signature, started, waits=self._awaits_count_in)
            self._tell_song()

    def _tell_song(self) -> None:
        """Put on record where the song of the clock that is sent begins."""
        started = self._clock_out.started_ticks
        self._tell(ClockStarted(started))
        if started is not None and self._clock_outputs:
            ticks = max(self._now_ticks(), self.duet.now_ticks)
            self.duet.change(Located(ticks, ticks - started))

    @property
    def _clock_ahead_seconds(self) -> float:
        """How long before its moment a pulse is asked for, so that no output gets it late."""
        if self._outgoing is None:
            return 0.0
        offsets = self._offsets[self.duet.selected]
        return SPARE_SECONDS + max((-offsets[output] for output in self._clock_outputs), default=0.0)

    def _clock_ticks(self) -> int:
        return self.duet.timeline.ticks_at(self._clock.now() + self._clock_ahead_seconds)

    def _next_leaving_seconds(self) -> float:
        """When a pulse of our clock is to be sent, or anything leaves that waits."""
        moments = [math.inf if self._outgoing is None else self._outgoing.next_seconds()]
        if (pulse := self._clock_out.next_ticks()) is not None:
            moments.append(self._seconds_at(pulse) - self._clock_ahead_seconds)
        return min(moments)

    def _stop_clock(self) -> None:
        if self._outgoing is not None:
            self._outgoing.drop_clock()
        for message in self._clock_out.stop():
            for output in self._clock_outputs:
                self._send_to_port(output, message, None)

    def _send_clock(self) -> None:
        for ticks, message in self._clock_out.due(self._clock_ticks()):
            for output in self._clock_outputs:
                if self._outgoing is None:
                    self._send_to_port(output, message, self._seconds_at(ticks))
                else:
                    moment = self._seconds_at(ticks) + self._offsets[self.duet.selected][output]
                    self._outgoing.put(output, message, moment, early_seconds=self._early_seconds(output))
        self._let_leave()

    # ---- who comes and goes --------------------------------------------------------------------------------------

    def _join(self, connection: Connection[Any, Any], greeting: Greeting) -> None:
        name = f"player {greeting.place}" if greeting.role == "player" else greeting.role
        link = self._links[name] = Link(connection, self.inbox.put, name)
        match greeting.role:
            case "supervisor":
                self._supervisor = link
                self._flush()
            case "sound":
                self._sound = link
                self._send_sounds(self._names.index("synth"))
            case "player":
                self._slots[name] = greeting.slots
                for slot in greeting.slots:
                    self._players[slot] = link
                    self.duet.player_ready(slot, self._now_ticks())
            case _:
                assert_never(greeting.role)

    def _part(self, name: str) -> None:
        if name == "supervisor":
            self._running, self._orphaned = False, True
        elif name == "sound":
            self._sound = None
        else:
            self._links.pop(name).close()
            for slot in self._slots.pop(name):
                if self._players.pop(slot, None) is not None:
                    self.duet.player_lost(slot, "its process is gone", self._now_ticks())

    def _port_changed(self, what: str, detail: Any) -> None:
        if what == "connections":
            self._connections = detail
            self._echoes.forget()
            self._tell(ConnectionsChanged(detail))
            return
        if what == "unplugged":
            self._release(detail)
        elif what in ("plugged", "maybe plugged"):
            self._settle(detail, spare=True)
            if what == "plugged":
                self._send_sounds(detail)
        else:
            self._tell(PortChanged(what, detail))
            self._tell_ports()
        if what == "gone":
            self._release(detail)
        elif what == "system gone":
            for port in list(self._held):
                self._release(port)
        elif what == "system back":
            self._restore_connections()
            self._settle()
            self._send_sounds()
        elif what == "output back":
            self._settle(self._names.index(detail))
            self._send_sounds(self._names.index(detail))

    def _release(self, port: str) -> None:
        """Whatever was held on a keyboard that is gone is released, as though by its player."""
        for held in sorted(self._held.pop(port, ())):
            self._take_in(port, messages.release_of(held), time.perf_counter())
        self._echoes.forget(port)

    def _settle(self, only: int | None = None, *, spare: bool = False) -> None:
        """End what an output may have missed the end of: a dead engine's last words, or all while it was gone.

        `only`: this output, else all. `spare`: let be what sounds now.
        """
        for output, message in list(self._touched.silencing()):
            if only in (None, output) and not (spare and self._ledger.ends(output, message)):
                self._deliver(output, message, None)

    def _send_sounds(self, only: int | None = None) -> None:
        """Give a synth that was not there when it was told, or has forgotten, the voices' sounds again."""
        for output in range(len(self._names)) if only is None else (only,):
            for message in self.duet.sounds(output):
                self._deliver(output, message, None)

    def _restore_connections(self) -> None:
        backend = self._ports.backend
        if self._connections and backend is not None:
            backend.restore(self._connections)

    # ---- small change --------------------------------------------------------------------------------------------

    def _let_wait(self, outgoing: Outgoing, send: Send) -> None:
        """Let a message leave when its output's offset says so. The records from this step on wait as long.

        Of a step that is on record in part only, should we die, nobody could tell how much was sent.
        """
        moment = self._seconds_at(send.due_ticks) + self._offsets[self.duet.selected][send.output]
        early, number = self._early_seconds(send.output), self._told_records + len(self._records)
        outgoing.put(send.output, send.message, moment, early_seconds=early, record=number, keeps=self._step_record)
        self._records.append(Record(send))
        self._let_leave()

    def _early_seconds(self, output: int) -> float:
        """A port that keeps a message until its moment itself, to the frame, gets it before that."""
        port = self._ports.outputs[output]
        return SPARE_SECONDS if port is not None and port.stamps else 0.0

    def _let_leave(self, *, at_once: bool = False) -> None:
        """Hand over what has waited long enough; `at_once`: what begins nothing, and forget what does."""
        if self._outgoing:
            now = time.perf_counter()
            self._hand_over(self._outgoing.flush(now) if at_once else self._outgoing.due(now))

    def _hand_over(self, leaving: Sequence[Waiting]) -> None:
        for item in leaving:
            if item.record is None:
                self._send_to_port(item.output, item.message, item.moment_seconds)
            elif self._deliver(item.output, item.message, item.moment_seconds):
                number = item.record - self._told_records
                late = max(0.0, time.perf_counter() - item.moment_seconds)
                self._records[number] = replace(self._records[number], late_seconds=late)

    def _deliver(self, output: int, message: bytes, due_seconds: float | None, *, own: bool = False) -> bool:
        """Send, and keep the ledger; False if the output is closed. Whenever we die, what may sound is on record.

        `own`: it is the player's message.
        """
        if messages.is_note_on(message):
            self._ledger.mark(output, message)
        if messages.held_with(message) is not None and messages.depth(message):
            self._touched.mark(output, message)
        if self._names[output] == "synth":
            if self._sound is not None:
                self._sound.send(Sounded(message))
            sent = self._sound is not None
        else:
            leaves_seconds = max(time.perf_counter(), due_seconds or 0.0)
            sent = self._send_to_port(output, message, due_seconds)
            if sent:
                self._echoes.sent(output, message, leaves_seconds, own=own)
        # A synth that is gone sounds nothing; behind a port that is gone, a note may sound until the port is back.
        if not messages.is_note_on(message) and (sent or self._names[output] == "synth"):
            self._ledger.mark(output, message)
        return sent

    def _send_to_port(self, output: int, message: bytes, due_seconds: float | None) -> bool:
        port = self._ports.outputs[output]
        if port is None:
            return False
        try:
            port.send(message, due_seconds)
        except PortGone:
            self._ports.lose_output(output)
            return False
        return True

    def _tell_doings(self) -> None:
        """Tell what the voices are doing, whenever that is another thing, but not more often than a person can read."""
        now = time.perf_counter()
        if now < self._told_doings_seconds + _DOINGS_SECONDS:
            return
        doings = self.duet.performer.doings(self.duet.timeline.moment(self._clock.now()))
        if doings != self._doings:
            self._doings, self._told_doings_seconds = doings, now
            self._tell(Doings(doings))

    def _tell_ports(self) -> None:
        backend = self._ports.backend
        self._tell(PortsOpened(backend.name if backend else None, self._ports.input_names, self._names))

    def _report(self, text: str) -> None:
        self._tell(Report(text))

    def _tell(self, message: ToSupervisor) -> None:
        """Tell the supervisor; until it has come, keep it for then."""
        self._untold.append(message)
        self._flush()

    def _flush(self) -> None:
        if self._supervisor is None:
            return
        kept = None if self._outgoing is None else self._outgoing.first_kept
        count = len(self._records) if kept is None else kept - self._told_records
        if count > 0:
            self._supervisor.send(Records(tuple(self._records[:count])))
            self._records = self._records[count:]
            self._told_records += count
        for message in self._untold:
            self._supervisor.send(message)
        self._untold = []

    def _now_ticks(self) -> int:
        return self.duet.ticks_at(self._clock.now())

    def _seconds_at(self, ticks: int) -> float:
        return self._clock.origin + self.duet.timeline.seconds_at(ticks)


def _plugged_in(names: Sequence[str]) -> dict[str, OpenOutput]:
    """Kinds of output that plugins bring, if any may be meant: most performances need no plugin in this process."""
    if all(name == "synth" or virtual_name(name, "output") is not None for name in names):
        return {}
    return {name: registered.open for name, registered in load_plugins().outputs.items()}


def run_engine(backstage: Backstage) -> None:
    """Run an engine; if it cannot open what the plan names, tell the supervisor why, and end."""
    engine = Engine(backstage)
    try:
        engine.run()
    except AntiphonError as error:
        engine.give_up(str(error))
        sys.exit(CANNOT_OPEN)
