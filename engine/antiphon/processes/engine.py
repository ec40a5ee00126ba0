"""The engine process: a duet on real ports. It does nothing slow: no model, no file, no sound is made here."""

from __future__ import annotations

import gc
import math
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from antiphon.duet.commands import Continuation, Decision, Extend, Failed, Prime
from antiphon.duet.duet import Duet
from antiphon.duet.events import (
    Ended,
    Event,
    MetronomeSwitched,
    Selected,
    TempoChanged,
)
from antiphon.duet.schedule import Send
from antiphon.errors import AntiphonError
from antiphon.midi.port_events import (
    Connected,
    InputBack,
    InputGone,
    OutputBack,
    OutputGone,
    Plugged,
    PortEvent,
    SystemBack,
    SystemGone,
    Unplugged,
)
from antiphon.midi.port_names import virtual_name
from antiphon.midi.ports import Ports
from antiphon.music.clock import SystemClock
from antiphon.output import OpenOutput
from antiphon.plugins.host import load_plugins
from antiphon.processes.clock_sender import ClockSender
from antiphon.processes.delivery import Delivery
from antiphon.processes.gathering import Gathering
from antiphon.processes.hearing import Hearing
from antiphon.processes.heartbeat import Heartbeat
from antiphon.processes.newcomers import EngineLink, Joined, PlayersJoined, SoundJoined, SupervisorJoined, joined
from antiphon.processes.protocol import (
    ENGINE_SETUP,
    CannotOpen,
    CannotStart,
    ConnectionsChanged,
    Doings,
    EverybodyReady,
    FromPlayers,
    FromSound,
    FromSupervisor,
    Greeting,
    NoSound,
    Panic,
    PortChanged,
    PortsOpened,
    Report,
    Select,
    SelectNext,
    SoundOpened,
    Stop,
    SwitchMetronome,
    Tap,
)
from antiphon.processes.runtime import (
    BEAT_SECONDS,
    Gone,
    Inbox,
    Link,
    request_real_time,
    serve_hub,
    spawn_thread,
)
from antiphon.processes.shared_folder import SharedFolder
from antiphon.session.journal import Record
from antiphon.sync.tempo_sources import TempoSources

CANNOT_OPEN: Final = 3
"""Exit code of an engine that could not open what the plan names."""
_FAREWELL_SECONDS: Final = 0.1
"""Time for the last note-offs to leave the drivers before the ports are closed."""
_DOINGS_SECONDS: Final = 0.1
"""What the voices are doing is told no more often than this."""
_STALL_SECONDS: Final = 0.03
"""Woken so much too late, it was not for anybody's composing: a phrase may be as late, and stands all the same."""
_LAST_WORDS_SECONDS: Final = 20.0
"""In the end: time to tell the supervisor what was played, after a flood of it."""
_GIVE_UP_SECONDS: Final = 5.0
"""How long an engine that cannot open its ports waits for somebody to tell."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A MIDI message from a keyboard."""

    port: str
    message: bytes
    seconds: float
    """Of `time.perf_counter`."""


Incoming = Arrived | Joined | PortEvent | Gone | FromSupervisor | FromPlayers | FromSound
"""All that the loop may find in its inbox."""


class Engine:
    """A stage with ports, players, sound and a recorder, and the loop that runs the duet on it."""

    def __init__(self, shared: SharedFolder) -> None:
        self.inbox: Inbox[Incoming] = Inbox()
        self._shared = shared
        self._setup = shared.read(ENGINE_SETUP)
        self._heartbeat = Heartbeat(shared.folder)
        self._clock = SystemClock(self._setup.origin_seconds)
        self._ports: Ports | None = None
        self._links: dict[str, EngineLink] = {}
        self._slots: dict[str, tuple[int, ...]] = {}
        self._connections = self._setup.connections
        self._switched = self._panicked = False
        self._doings: tuple[str, ...] = ()
        self._told_doings_seconds = 0.0
        self._gathering = Gathering()
        self._running = True
        self._orphaned = False
        self.duet = Duet(self._setup.plans, self, self._setup.changes, stopped=self._setup.standing.stopped)
        self._delivery = Delivery(shared.folder, self.duet, self._clock.origin)
        self._reports = self._delivery.reports
        self._tempo_sources = TempoSources(
            self._setup.plans, self.duet, self._clock.now, self._reports.report, self._meant_by
        )
        self._hearing = Hearing(self.duet, self._tempo_sources, self._delivery, self._meant_by, self._clock.origin)
        self._clock_sender = ClockSender(self._setup, self.duet, self._clock, self._delivery)

    # ---- the stage -----------------------------------------------------------------------------------------------

    def send(self, send: Send) -> None:
        """Bring a message to its output."""
        self._delivery.send(send)

    def ask(self, slot: int, command: Prime | Extend) -> None:
        """Pass a command on to a player's process, as soon as nothing waits to be heard or sent."""
        self._delivery.ask(slot, command)

    def record(self, event: Event) -> None:
        """Keep an event for the recorder."""
        self._reports.record(Record(event))
        self._switched |= isinstance(event, Selected)
        self._panicked |= isinstance(event, Ended) and event.panic

    # ---- the loop ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Open everything, play until told to stop, leave silence behind."""
        signal.signal(signal.SIGTERM, lambda *_: self._hear_supervisor(Stop()))
        # Before any thread starts, and so for all: the loop waits for whichever holds the interpreter.
        request_real_time()
        serve_hub(self._shared, Greeting, lambda *newcomer: self.inbox.put(joined(*newcomer)))
        self._tempo_sources.open()
        self._open_ports()
        if self._setup.takes_over:
            self._restore_connections()
            self._delivery.end_what_was_missed()
            self.duet.restart(self._now_ticks(), self._setup.standing.selected)
            self._delivery.give_sounds()
            self._resume()
        else:
            self.duet.begin()
        self._tempo_sources.begin()
        self._clock_sender.take_up()
        if (chosen := self._setup.standing.chosen) is not None:
            self.duet.select(chosen, self._now_ticks())
        self._tell_ports()
        gc.collect()
        gc.freeze()  # What start-up left behind need not be looked through again in the middle of a bar.
        while self._running:
            self._step()
        self._stop()

    def give_up(self, reason: str) -> None:
        """Tell the supervisor, once it has come, why there will be no performance."""
        self._reports.tell(CannotOpen(reason))
        waited = time.perf_counter() + _GIVE_UP_SECONDS
        while not self._reports.has_supervisor and time.perf_counter() < waited:
            item = self.inbox.get(waited)
            if isinstance(item, Joined):
                self._join(item)
        for link in self._links.values():
            link.close(wait_seconds=1.0)

    def _open_ports(self) -> None:
        inputs = tuple(dict.fromkeys(name for plan in self._setup.plans for name in plan.inputs))
        names = self._delivery.names
        self._ports = self._delivery.ports = Ports(
            inputs,
            names,
            spawn_thread,
            lambda name, message, seconds: self.inbox.put(Arrived(name, message, seconds)),
            self.inbox.put,
            self._setup.backend,
            plugged_in=_plugged_in(names),
            patient=self._setup.takes_over,
        )
        if (backend := self._ports.backend) and not backend.virtual and "virtual" in self._setup.plans[0].outputs:
            self._reports.report(f"nothing goes to 'virtual': {backend.name} has no such ports; see antiphon doctor")

    def _stop(self) -> None:
        self._delivery.arrived_seconds = time.perf_counter()  # Keys that are down are released now.
        self.duet.end(self._now_ticks())
        self._delivery.let_leave(at_once=True)
        self._clock_sender.stop()
        self._tempo_sources.close()
        self._reports.flush()
        time.sleep(_FAREWELL_SECONDS)
        if self._ports is not None:
            self._ports.close()
        for name, link in self._links.items():
            last = _LAST_WORDS_SECONDS if name == "supervisor" else 1.0
            link.close(last, meanwhile=lambda: self._heartbeat.beat(Heartbeat.ENGINE))
        if self._orphaned:
            self._shared.clear()  # Nobody else is left to do it.

    def _step(self) -> None:
        # In a burst nobody asks what is due next: whatever is heard, what was due before it comes first.
        began = time.perf_counter()
        until = max(began, self._next_seconds()) if self.inbox.empty() else began
        item = self.inbox.get(until)
        self._notice_stall(time.perf_counter() - until)
        self._heartbeat.beat(Heartbeat.ENGINE)
        self._delivery.begin_step()
        self._delivery.let_leave()
        self._tempo_sources.look(item.seconds - self._clock.origin if isinstance(item, Arrived) else None)
        self._clock_sender.send_due()
        if item is None:
            self.duet.advance(self._now_ticks())
        else:
            self._take(item)
        self._follow_up()
        now = time.perf_counter()
        if self._gathering.is_due(now, waiting=not self.inbox.empty()):
            self._hearing.ask_for_echoes()
            self._gathering.handed_over(now, self._delivery.hand_over())
            self._tell_doings()
            self._reports.flush()

    def _next_seconds(self) -> float:
        """When something is to be done even if nothing comes."""
        due = self.duet.next_ticks()
        return min(
            time.perf_counter() + BEAT_SECONDS,
            math.inf if due is None else self._delivery.seconds_at(due),
            self._clock.origin + self._tempo_sources.next_seconds(),
            self._delivery.next_seconds(),
            self._clock_sender.next_seconds(),
            self._gathering.next_seconds(),
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
            self._tempo_sources.plan_changed()
            self._clock_sender.take_up()
        if self._panicked:
            self._panicked = False
            self._delivery.let_leave(at_once=True)
            self._delivery.end_what_was_missed()  # Not every synth obeys "all notes off".

    def _take(self, item: Incoming) -> None:
        if isinstance(item, PortEvent):
            self._port_changed(item)
            return
        match item:
            case Arrived(port, message, seconds):
                self._hearing.hear(port, message, seconds)
            case Continuation() | Failed():
                self.duet.receive(item, self._now_ticks())
            case SupervisorJoined() | PlayersJoined() | SoundJoined():
                self._join(item)
            case Gone(name):
                self._part(name)
            case Stop():
                self._running = False
            case Panic():
                self._delivery.arrived_seconds = time.perf_counter()
                self.duet.panic(self._now_ticks())
            case Select(plan):
                self.duet.select(plan, self._now_ticks())
            case SelectNext(by):
                self.duet.select_next(by, self._now_ticks())
            case Tap(seconds):
                self._tempo_sources.tap(seconds - self._clock.origin)
            case SwitchMetronome():
                self.duet.change(MetronomeSwitched(self._now_ticks(), not self.duet.metronome.on))
            case EverybodyReady():
                self._clock_sender.count_in()
            case CannotStart() | Report() | SoundOpened() | NoSound():
                self._reports.tell(item)
            case _:
                assert_never(item)

    def _resume(self) -> None:
        """Go on with the tempo and the click that the engine before had, or was on its way to."""
        ticks, before = self.duet.now_ticks, self._setup.standing
        if before.meant_bpm != self.duet.timeline.bpm:
            self.duet.change(TempoChanged(ticks, before.meant_bpm))
        if before.clicks != self.duet.metronome.on:
            self.duet.change(MetronomeSwitched(ticks, before.clicks))

    # ---- who comes and goes --------------------------------------------------------------------------------------

    def _join(self, newcomer: Joined) -> None:
        match newcomer:
            case SupervisorJoined(connection):
                supervisor = self._links["supervisor"] = Link(connection, self._hear_supervisor, "supervisor")
                self._reports.begin(supervisor)
            case SoundJoined(connection):
                self._delivery.sound = self._links["sound"] = Link(connection, self.inbox.put, "sound")
                self._delivery.give_sounds(self._delivery.names.index("synth"))
            case PlayersJoined(place, slots, connection):
                name = f"player {place}"
                players = self._links[name] = Link(connection, self.inbox.put, name)
                self._slots[name] = slots
                for slot in slots:
                    self._delivery.players[slot] = players
                    self.duet.player_ready(slot, self._now_ticks())
            case _:
                assert_never(newcomer)

    def _hear_supervisor(self, message: FromSupervisor | Gone) -> None:
        """What says that all is over does not wait behind a flood of what is to be heard."""
        if isinstance(message, Stop):
            self._running = False
        self.inbox.put(message)

    def _part(self, name: str) -> None:
        if name == "supervisor":
            self._running, self._orphaned = False, True
        elif name == "sound":
            self._delivery.sound = None
        else:
            self._links.pop(name).close()
            for slot in self._slots.pop(name):
                if self._delivery.players.pop(slot, None) is not None:
                    self.duet.player_lost(slot, "its process is gone", self._now_ticks())

    def _port_changed(self, event: PortEvent) -> None:
        match event:
            case Connected(connections):
                self._connections = connections
                self._delivery.echoes.forget()
                self._reports.tell(ConnectionsChanged(connections))
            case Unplugged(name):
                self._hearing.release(name)
            case Plugged(output, certain):
                self._delivery.end_what_was_missed(output, spare=True)
                if certain:
                    self._delivery.give_sounds(output)
            case InputGone(name):
                self._tell_port(PortChanged("gone", name))
                self._hearing.release(name)
            case InputBack(name):
                self._tell_port(PortChanged("back", name))
            case OutputGone(name):
                self._tell_port(PortChanged("output gone", name))
            case OutputBack(name):
                self._tell_port(PortChanged("output back", name))
                self._delivery.end_what_was_missed(self._delivery.names.index(name))
                self._delivery.give_sounds(self._delivery.names.index(name))
            case SystemGone(reason):
                self._tell_port(PortChanged("system gone", reason))
                self._hearing.release_all()
            case SystemBack(backend):
                self._tell_port(PortChanged("system back", backend))
                self._restore_connections()
                self._delivery.end_what_was_missed()
                self._delivery.give_sounds()
            case _:
                assert_never(event)

    def _tell_port(self, changed: PortChanged) -> None:
        self._reports.tell(changed)
        self._tell_ports()

    def _restore_connections(self) -> None:
        backend = None if self._ports is None else self._ports.backend
        if self._connections and backend is not None:
            backend.restore(self._connections)

    # ---- small change --------------------------------------------------------------------------------------------

    def _tell_doings(self) -> None:
        """Tell what the voices are doing, whenever that is another thing, but not more often than a person can read."""
        now = time.perf_counter()
        if now < self._told_doings_seconds + _DOINGS_SECONDS:
            return
        doings = self.duet.performer.doings(self.duet.timeline.moment(self._clock.now()))
        if doings != self._doings:
            self._doings, self._told_doings_seconds = doings, now
            self._reports.tell(Doings(doings))

    def _tell_ports(self) -> None:
        if self._ports is not None:
            backend = self._ports.backend
            name = backend.name if backend else None
            self._reports.tell(PortsOpened(name, self._ports.input_names, self._delivery.names))

    def _meant_by(self, port: str) -> tuple[str, ...]:
        return () if self._ports is None else self._ports.meant_by(port)

    def _now_ticks(self) -> int:
        return self.duet.ticks_at(self._clock.now())


def _plugged_in(names: Sequence[str]) -> dict[str, OpenOutput]:
    """Kinds of output that plugins bring, if any may be meant: most performances need no plugin in this process."""
    if all(name == "synth" or virtual_name(name, "output") is not None for name in names):
        return {}
    return {name: registered.open for name, registered in load_plugins().outputs.items()}


def run_engine(shared: SharedFolder) -> None:
    """Run an engine; if it cannot open what the plan names, tell the supervisor why, and end."""
    engine = Engine(shared)
    try:
        engine.run()
    except AntiphonError as error:
        engine.give_up(str(error))
        sys.exit(CANNOT_OPEN)
