"""The command's own process: starts the performance, watches over it, has it recorded. It touches no port and no file.

It watches the pulse of every process. One that has stopped is killed and started again: an engine takes over where the
dead one stood and first ends what was left sounding; a player is replaced, and the fallback plays meanwhile. It keeps
nothing of what was played: that is in the journal.
"""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, assert_never

from antiphon.duet.casting import PlayerNeeded, PlayerTable
from antiphon.duet.events import PlayerReady
from antiphon.duet.ledger import Ledger
from antiphon.duet.plan import Plan
from antiphon.duet.routing import output_names
from antiphon.duet.standing import Standing
from antiphon.errors import AntiphonError
from antiphon.generator import SILENT_SECONDS, Device
from antiphon.midi.port_names import CLIENT_NAME
from antiphon.music.timing import Timeline
from antiphon.processes.afterwards import SESSION_FOLDER
from antiphon.processes.engine import CANNOT_OPEN
from antiphon.processes.heartbeat import Heartbeat
from antiphon.processes.patience import Patience
from antiphon.processes.players import CANNOT_START
from antiphon.processes.protocol import (
    ENGINE_SETUP,
    CannotOpen,
    CannotStart,
    ClockStarted,
    ConnectionsChanged,
    Doings,
    EngineSetup,
    EverybodyReady,
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
    SoundOpened,
    Stop,
    SwitchMetronome,
    Tap,
    ToSupervisor,
    players_at,
)
from antiphon.processes.recorder import Closed, Recorder, Told
from antiphon.processes.runtime import Gone, Inbox, Link, Process, join_hub
from antiphon.processes.shared_folder import SharedFolder, open_shared_folder, shared_memory
from antiphon.processes.sound import NO_DEVICE, SOUND_SETUP, SoundSetup
from antiphon.session.header import Header
from antiphon.session.journal import JOURNAL_NAME, Record
from antiphon.session.summary import lead

_START_SECONDS: Final = {"engine": 8.0, "player": 30.0, "sound": 8.0}
"""Time to the first beat, see `Patience`: loading a model takes a while."""
_QUIET_SECONDS: Final = 0.5
"""Whoever has beaten since then is not looked at any closer."""
_SETTLED_SECONDS: Final = 60.0
"""After so long, it is forgotten that a process hung before."""
_MOST_DOUBLINGS: Final = 3
"""Each time that a process in one place hangs it is given twice as long, so often."""
_RESTARTS_IN_A_ROW: Final = 5
"""A process that dies this often, each time within a few seconds of its start, is left alone."""
_STEADY_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.05
"""How often it is looked whether an engine that is to end has ended."""
_STOP_SECONDS: Final = 3.0
"""An engine that is to end is given time as long as it beats at least so often."""
_MOST_STOP_SECONDS: Final = 30.0
_LAST_WORDS_SECONDS: Final = 2.0
"""Longest silence of a recorder that still has something to pass on."""
_SHORT_BYTES: Final = 2_000_000
"""The files of a session whose journal is no longer are made in a moment, and waited for; else the player need not."""
_FILES_SECONDS: Final = {"short": 60.0, "long": 3.0}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the person at the screen should see."""

    kind: str
    """`ports`, `port`, `doings`, `sound`, `no sound`, `report`; what became of a process: `restarted`, `given up`."""
    text: str
    inputs: tuple[str, ...] = ()
    """With `ports`: the inputs that are open now."""
    outputs: tuple[str, ...] = ()
    """With `ports`: the outputs of the performance."""
    doings: tuple[str, ...] = ()
    """With `doings`: what the player and each voice are doing, in words."""


OnRecords = Callable[[Sequence[Record]], None]
OnNotice = Callable[[Notice], None]


class Supervisor:
    """A live performance from its start to its end."""

    def __init__(
        self,
        plans: Sequence[Plan],
        session: Path,
        *,
        backend: str | None = None,
        sound: SoundSetup | None = None,
        origins: Mapping[str, str] | None = None,
        device: Device = "auto",
        on_records: OnRecords = lambda records: None,
        on_notice: OnNotice = lambda notice: None,
    ) -> None:
        """Start all processes.

        `session`: the folder to record into. `backend`: see `find_backend`. `sound`: what the synth plays with.
        `origins`: for the record, the distribution and version each generator comes from, by its name. `device`: what
        should compute the generators' models.

        Raises:
            AntiphonError: the engine does not start.
        """
        self.session = session
        self.header = Header(tuple(plans), output_names(plans), versions(origins or {}), _now())
        self.ready_seconds: float | None = None
        """How long it took until the engine and all players were ready; None before."""
        self._on_records = on_records
        self._on_notice = on_notice
        self._started_seconds = time.perf_counter()
        self._setup = EngineSetup(Standing.first(plans), self._started_seconds, backend)
        plan = plans[0]
        self._timeline = Timeline(plan.tempo_bpm, plan.signature)
        self._seated: set[int] = set()
        """Players that have ever sat down, by slot."""
        self._shared = open_shared_folder()
        self._heartbeat = Heartbeat(self._shared.folder)
        self._inbox: Inbox[Told] = Inbox()
        self._recorder = Recorder(session, self.header, self._inbox.put)
        self._link: Link[ToSupervisor, FromSupervisor] | None = None
        self._failures: dict[int, int] = {}
        self._given_up: set[int] = set()
        self.recorded = False
        """Once it has been stopped: whether there is a record of it."""
        self._error: str | None = None
        self._stopped = False
        self._engine_ready = False
        self._seats = self._seat_players(device)
        shared_memory(self._shared.folder / "ledger", Ledger.size(len(self.header.outputs)))
        self._shared.leave(ENGINE_SETUP, self._setup)
        for place, needed in self._seats.items():
            self._shared.leave(players_at(place), needed)
        self._processes: dict[int, Process] = {}
        self._patience: dict[int, Patience] = {}
        self._hangs: dict[int, int] = {}
        self._start("engine", Heartbeat.ENGINE)
        for place in self._seats:
            self._start("player", place)
        if "synth" in self.header.outputs:
            self._shared.leave(SOUND_SETUP, sound or SoundSetup())
            self._start("sound", Heartbeat.SOUND)
        try:
            self._join()
        except AntiphonError as error:
            self._error = str(error)
            self.stop()
            raise

    # ---- for whoever runs the performance ------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether the engine plays and every player has taken its seat."""
        return self.ready_seconds is not None

    @property
    def clock_seconds(self) -> float:
        """Seconds since the session began."""
        return time.perf_counter() - self._setup.origin_seconds

    @property
    def plan(self) -> Plan:
        """The plan that plays now."""
        return self._setup.standing.plan

    def processes(self) -> dict[str, int]:
        """Process id of every running process: `engine`, `sound`, `player 2`, …"""
        return {
            process.role if process.role != "player" else f"player {process.place}": process.pid
            for process in self._processes.values()
            if process.exit_code() is None
        }

    def run_for(self, seconds: float) -> None:
        """Watch over the performance for so long; returns early when there is something new to show.

        Raises:
            AntiphonError: the engine cannot open its ports, or cannot be kept alive.
        """
        until = time.perf_counter() + seconds
        while (message := self._inbox.get(until)) is not None:
            self._take(message)
            if time.perf_counter() >= until:
                break  # In a flood there is always one more.
        self._watch()
        if self._error is not None:
            raise AntiphonError(self._error)

    def panic(self) -> None:
        """Silence everything, everywhere."""
        self._send(Panic())

    def select(self, number: int) -> None:
        """Let plan `number` play."""
        self._send(Select(number))

    def select_next(self) -> None:
        """Let the next plan play; after the last comes the first."""
        self._send(SelectNext(1))

    def tap(self, seconds: float) -> None:
        """The beat was tapped at `seconds` of `time.perf_counter`."""
        self._send(Tap(seconds))

    def switch_metronome(self) -> None:
        """Turn the click on, or off if it is on."""
        self._send(SwitchMetronome())

    def stop(self) -> None:
        """End the performance: silence, then the processes, then the last of the record. Safe to call twice."""
        if self._stopped:
            return
        self._stopped = True
        self._stop_engine()
        for process in self._processes.values():
            process.stop(_STOP_SECONDS / 3)
        self._part()
        self._recorder.close()
        self._drain(Closed)
        self._make_files()

    def _stop_engine(self) -> None:
        engine = self._end(self._processes[Heartbeat.ENGINE])
        if engine.exit_code() not in (0, CANNOT_OPEN) and self._error is None:
            # It died or hung just now. Another one ends what it left sounding.
            with contextlib.suppress(AntiphonError, OSError):
                self._take_over()
                self._end(self._processes[Heartbeat.ENGINE])

    def _end(self, engine: Process) -> Process:
        """Let the engine end, and tell all that it has to tell."""
        self._send(Stop())
        began = time.perf_counter()
        while engine.exit_code() is None:
            waited = time.perf_counter() - began
            silent = self._heartbeat.silent_seconds(engine.place)
            if (waited if silent is None else silent) > _STOP_SECONDS or waited > _MOST_STOP_SECONDS:
                engine.kill()
            elif (message := self._inbox.get(time.perf_counter() + _LOOK_SECONDS)) is not None:
                self._take(message)
        self._drain(Gone)
        return engine

    def _make_files(self) -> None:
        """Have the session's files made from its journal, by a process that clears up; do not wait for it too long."""
        journal = self.session / JOURNAL_NAME
        try:
            length = "short" if journal.stat().st_size <= _SHORT_BYTES else "long"
            self._shared.leave(SESSION_FOLDER, self.session)
        except OSError as error:
            self._shared.clear()
            self._show("report", f"nothing was recorded: {journal} cannot be read ({error.strerror})")
            return
        self.recorded = True
        place = 1 + max(self._processes)
        making = Process("afterwards", replace(self._shared, place=place), place, self.session / "afterwards.log")
        if not making.ends(_FILES_SECONDS[length]):
            self._show("report", f"session.mid and the other files will be in {self.session} in a while")
        elif making.exit_code():
            self._show("report", f"not every file of the session could be made; see {making.log}")
            self._shared.clear()

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # ---- processes -----------------------------------------------------------------------------------------------

    def _seat_players(self, device: Device) -> dict[int, dict[int, PlayerNeeded]]:
        """A process for each player, and one for all that stand in: by place, the players by slot."""
        seats: dict[int, dict[int, PlayerNeeded]] = {}
        fallbacks: dict[int, PlayerNeeded] = {}
        for slot, needed in enumerate(PlayerTable(self.header.plans).needed):
            needed = replace(needed, casting=replace(needed.casting, device=device))
            if needed.chair == "fallback":
                fallbacks[slot] = needed
            else:
                seats[Heartbeat.FIRST_PLAYER + len(seats)] = {slot: needed}
        seats[Heartbeat.FIRST_PLAYER + len(seats)] = fallbacks
        return seats

    def _start(self, role: str, place: int) -> None:
        self._heartbeat.reset(place)
        shared = SharedFolder(self._shared.folder, place)
        process = Process(role, shared, place, self.session / f"{role}-{place}.log")
        self._processes[place], self._patience[place] = process, Patience(process.pid)

    def _take_over(self) -> None:
        """Start an engine where the dead one stood."""
        self._drain(Gone)
        self._part()
        self._setup = replace(self._setup, takes_over=True, changes=self._timeline.changes)
        self._shared.leave(ENGINE_SETUP, self._setup)
        self._start("engine", Heartbeat.ENGINE)
        self._join()

    def _join(self) -> None:
        connection = join_hub(self._shared, Greeting("supervisor"), give_up=self._engine_ended)
        if connection is None:
            raise AntiphonError(f"the engine does not start; see {self._processes[Heartbeat.ENGINE].log}")
        self._link = Link(connection, self._recorder.put, "engine")

    def _part(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def _engine_ended(self) -> bool:
        engine = self._processes[Heartbeat.ENGINE]
        late = self._blame(Heartbeat.ENGINE) > _START_SECONDS["engine"]
        return late or engine.exit_code() is not None

    def _watch(self) -> None:
        for place, process in list(self._processes.items()):
            why = self._trouble(process)
            if why is not None:
                process.kill()
                self._replace(place, process, why)

    def _trouble(self, process: Process) -> str | None:
        if process.place in self._given_up:
            return None
        code = process.exit_code()
        if code in (NO_DEVICE, CANNOT_START, CANNOT_OPEN):
            self._given_up.add(process.place)  # It has said why; starting it again would end the same way.
            return None
        if code is not None:
            return f"it died (exit code {code})"
        silent = self._heartbeat.silent_seconds(process.place)
        if silent is not None and silent < _QUIET_SECONDS:
            return None
        blamed = self._blame(process.place)
        if silent is None:
            return "it does not start" if blamed > _START_SECONDS[process.role] else None
        allowed = SILENT_SECONDS * 2.0 ** min(self._hangs.get(process.place, 0), _MOST_DOUBLINGS)
        if blamed + _QUIET_SECONDS <= allowed:
            return None
        settled = time.perf_counter() - process.started_seconds > _SETTLED_SECONDS
        self._hangs[process.place] = 1 if settled else self._hangs.get(process.place, 0) + 1
        return f"it hung for {silent:.1f} s"

    def _blame(self, place: int) -> float:
        return self._patience[place].blame(self._heartbeat.last(place))

    def _replace(self, place: int, process: Process, why: str) -> None:
        steady = time.perf_counter() - process.started_seconds > _STEADY_SECONDS
        self._failures[place] = 1 if steady else self._failures.get(place, 0) + 1
        if self._failures[place] >= _RESTARTS_IN_A_ROW:
            self._given_up.add(place)
            self._on_notice(Notice("given up", f"{process.role}: {why}, again and again; see {process.log}"))
            if process.role == "engine":
                self._error = f"the engine cannot be kept alive: {why}; see {process.log}"
            return
        if process.role == "engine":
            # One that dies while it takes over is noticed, counted and replaced like any other.
            with contextlib.suppress(AntiphonError, OSError):
                self._take_over()
        else:
            self._start(process.role, place)
        self._on_notice(Notice("restarted", f"{process.role} restarted: {why}"))

    # ---- what the engine tells -----------------------------------------------------------------------------------

    def _send(self, message: FromSupervisor) -> None:
        if self._link is not None:
            self._link.send(message)

    def _drain(self, last: type[Gone | Closed]) -> None:
        """Take in what was said before the engine ended (`Gone`), or the recorder."""
        if last is Gone and self._link is None:
            return
        while (message := self._inbox.get(time.perf_counter() + _LAST_WORDS_SECONDS)) is not None:
            self._take(message)
            if isinstance(message, last):
                return

    def _take(self, message: Told) -> None:
        match message:
            case Records(records):
                self._keep(records)
            case PortsOpened(backend, inputs, outputs):
                self._engine_ready = True
                self._setup = replace(self._setup, backend=backend or self._setup.backend)
                self._on_notice(Notice("ports", _listening(backend, inputs), inputs, outputs))
                self._check_ready()
            case ConnectionsChanged(connections):
                self._setup = replace(self._setup, connections=connections)
            case ClockStarted(ticks):
                self._setup = replace(self._setup, clock_started_ticks=ticks)
            case CannotOpen(reason):
                self._error = reason
            case CannotStart(reason) if not self.ready:
                logs = [str(p.log) for p in self._processes.values() if p.role == "player" and _has_text(p.log)]
                self._error = "; ".join([reason, *(f"see {log}" for log in logs)])
            case CannotStart(text):
                self._show("cannot start", text)
            case SoundOpened(text):
                self._show("sound", text)
            case NoSound(text):
                self._show("no sound", text)
            case Report(text):
                self._show("report", text)
            case Doings(texts):
                self._on_notice(Notice("doings", "", doings=texts))
            case PortChanged(what, name):
                self._on_notice(Notice("port", f"{name}: {what}"))
            case Gone():
                self._part()  # `_watch` sees to the engine.
            case Closed():
                pass
            case _:
                assert_never(message)

    def _show(self, kind: str, text: str) -> None:
        self._on_notice(Notice(kind, text))
        self._check_ready()

    def _keep(self, records: Sequence[Record]) -> None:
        standing = self._setup.standing
        for record in records:
            standing = standing.after(record.what)
            lead(self._timeline, self.header, record)
            if isinstance(record.what, PlayerReady):
                self._seated.add(record.what.slot)
        self._setup = replace(self._setup, standing=standing)
        self._on_records(records)
        self._recorder.seen(len(records))
        self._check_ready()

    def _check_ready(self) -> None:
        if self.ready_seconds is not None or not self._engine_ready:
            return
        wanted = {slot for place, needed in self._seats.items() if place not in self._given_up for slot in needed}
        if wanted <= self._seated:
            self.ready_seconds = time.perf_counter() - self._started_seconds
            self._send(EverybodyReady())


def _listening(backend: str | None, inputs: Sequence[str]) -> str:
    """What is heard, in words."""
    own = [name for name in inputs if name.startswith(f"{CLIENT_NAME}:")]
    keyboards = [name for name in inputs if name not in own]
    there = " or ".join(own) or "Antiphon's input"
    heard = ", ".join(keyboards) or f"no keyboard yet: plug one in, or connect a program to {there}"
    system = f"MIDI system {backend}" if backend else "no MIDI system at the moment"
    return f"{system}; listening to {heard}"


def _has_text(log: Path) -> bool:
    return log.exists() and log.stat().st_size > 0


def versions(origins: Mapping[str, str]) -> dict[str, str]:
    """Versions of what a performance depends on; `origins`: those of the generators, by name."""
    return {
        "antiphon": importlib.metadata.version("antiphon"),
        "python": platform.python_version(),
        "system": platform.platform(),
        **origins,
    }


def _now() -> str:
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")
