"""A performance in front of a person: the supervisor, the screen and the keys of the terminal. It makes no music."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final, Protocol

from antiphon.duet.commands import Decision
from antiphon.duet.events import CountInBegan, Heard, MetronomeSwitched, Selected, Skipped, TempoChanged
from antiphon.duet.plan import Plan
from antiphon.duet.schedule import Send
from antiphon.errors import AntiphonError
from antiphon.generator import Device
from antiphon.music import messages
from antiphon.music.timing import Timeline
from antiphon.processes.runtime import spawn_thread
from antiphon.processes.sound import SoundSetup
from antiphon.processes.supervisor import Notice, Supervisor
from antiphon.session.journal import Record
from antiphon.session.summary import leave_picture
from antiphon.terminal.keys import Keys, Press
from antiphon.terminal.log_tail import LogTail
from antiphon.terminal.screen import Screen

_ENDINGS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals that end a performance in good order; SIGHUP when its terminal is closed."""
_REFRESH_SECONDS: Final = 1 / 15
_STATES: Final = {"handover": "waiting", "answer": "answering", "fallback": "fallback", "breath": "a breath?"}
"""Decisions after which a voice no longer listens, and what it does then."""
_TOLD: Final = {"fallback", "silent", "late", "capture"}
"""Decisions that a person should see in words."""


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """What the command line says beside the preset."""

    session: Path
    backend: str | None = None
    sound: SoundSetup = SoundSetup()
    origins: dict[str, str] = field(default_factory=dict)
    device: Device = "auto"
    verbose: bool = False
    """Whether what the processes write into their logs is shown, too."""


class View(Protocol):
    """Somebody who watches a performance; it is told, and asks for nothing."""

    def records(self, records: Sequence[Record]) -> None:
        """What has happened since the last time, in order."""
        ...

    def notice(self, notice: Notice) -> None:
        """Something about ports, sound or processes."""
        ...


class _Show:
    """Turns the performance's records into what is on screen."""

    def __init__(self, plans: Sequence[Plan], options: LiveOptions, screen: Screen) -> None:
        self._plans = plans
        self._screen = screen
        self._timeline = Timeline(plans[0].tempo_bpm, plans[0].signature)
        self._shown_outputs: dict[int, int] = {}
        self._meant_ticks: dict[int, int] = {}
        self._last_text = ""

    def records(self, records: Sequence[Record]) -> None:
        for record in records:
            what = record.what
            if isinstance(what, Heard):
                self._note(0, what.message, what.ticks)
            elif isinstance(what, Send):
                self._sent(what, record.late_seconds)
            elif isinstance(what, Decision):
                self._decided(what)
            elif isinstance(what, Selected):
                plan = self._plans[what.plan]
                self._timeline.set_tempo(plan.tempo_bpm, what.ticks)
                self._screen.select(plan.name, [voice.generator for voice in plan.voices])
                self._screen.tempo(plan.tempo_bpm, self._timeline.seconds_at(what.ticks))
            elif isinstance(what, TempoChanged):
                self._timeline.set_tempo(what.bpm, what.ticks)
                self._screen.tempo(what.bpm, self._timeline.seconds_at(what.ticks), what.towards_bpm)
            elif isinstance(what, MetronomeSwitched):
                self._screen.report(f"metronome {'on' if what.on else 'off'}")
            elif isinstance(what, CountInBegan):
                self._screen.report("counting in from the next bar on")
            elif isinstance(what, Skipped):
                self._timeline.jump(what.ticks, what.to_ticks)
                self._screen.skip_to(what.to_ticks, self._timeline.seconds_at(what.to_ticks))

    def notice(self, notice: Notice) -> None:
        if notice.kind == "ports":
            self._screen.ports(notice.inputs, notice.outputs)
        if notice.text != self._last_text:
            self._screen.report(notice.text)
        self._last_text = notice.text

    def _sent(self, send: Send, late_seconds: float | None) -> None:
        if send.source < 0 or self._shown_outputs.setdefault(send.source, send.output) != send.output:
            return
        self._note(send.source + 1, send.message, send.due_ticks)
        if messages.is_note_on(send.message) and send.source in self._meant_ticks:
            meant = self._timeline.seconds_at(self._meant_ticks.pop(send.source))
            sent = self._timeline.seconds_at(send.due_ticks) + (late_seconds or 0.0)
            self._screen.answered(send.source, 1000 * (sent - meant))

    def _decided(self, decision: Decision) -> None:
        if decision.kind == "handover":
            self._meant_ticks[decision.voice] = decision.ticks
        elif decision.kind not in (*_STATES, "capture"):
            self._meant_ticks.pop(decision.voice, None)
        if decision.kind != "capture":  # All others begin or end something.
            self._screen.state(decision.voice, _STATES.get(decision.kind, "listening"))
        if decision.kind in _TOLD:
            self._screen.report(decision.text)

    def _note(self, part: int, message: bytes, ticks: int) -> None:
        seconds = self._timeline.seconds_at(ticks)
        if messages.is_note_on(message):
            self._screen.note_on(part, message[1], message[2], seconds)
        elif messages.is_note_off(message):
            self._screen.note_off(part, message[1], seconds)


VIEWS: Final[tuple[Callable[[Sequence[Plan], LiveOptions, Screen], View], ...]] = (_Show,)
"""Who watches every performance."""


def perform(
    plans: Sequence[Plan],
    options: LiveOptions,
    *,
    over: Callable[[Supervisor], bool] = lambda supervisor: False,
    on_ready: Callable[[Supervisor], None] = lambda supervisor: None,
) -> Supervisor:
    """Play until `over` says so, the person quits, or a signal ends it; returns the supervisor, stopped.

    The session's folder is left with a picture of it.

    Raises:
        AntiphonError: the performance cannot start, or cannot be kept alive. Even then all is silenced and recorded.
    """
    stopping: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        stopping.append(number)

    plan = plans[0]
    screen = Screen(plan.name, [v.generator for v in plan.voices], bpm=plan.tempo_bpm, signature=plan.signature)
    views = [make(plans, options, screen) for make in VIEWS]

    def tell_records(records: Sequence[Record]) -> None:
        for view in views:
            view.records(records)

    def tell_notice(notice: Notice) -> None:
        for view in views:
            view.notice(notice)

    handlers = {number: signal.signal(number, stop) for number in _ENDINGS}
    supervisor = None
    logs = LogTail(options.session)
    if options.verbose:
        list(logs.lines())  # An earlier performance's, in the same folder, are not this one's.

    def show_logs() -> None:
        for line in logs.lines() if options.verbose else ():
            screen.say(line)

    try:
        supervisor = Supervisor(
            plans,
            options.session,
            backend=options.backend,
            sound=options.sound,
            origins=options.origins,
            device=options.device,
            on_records=tell_records,
            on_notice=tell_notice,
        )
        with screen, Keys(spawn_thread) as keys:
            announced = False
            while not stopping and not over(supervisor):
                supervisor.run_for(_REFRESH_SECONDS)
                screen.refresh(supervisor.clock_seconds)
                show_logs()
                if supervisor.ready and not announced:
                    announced = True
                    screen.report(f"ready in {supervisor.ready_seconds:.2f} s; {keys.legend}")
                    on_ready(supervisor)
                _obey(keys.pressed(), supervisor, stopping)
    finally:
        if supervisor is not None:
            supervisor.stop()
            _leave_picture(supervisor, screen)
        show_logs()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return supervisor


def _leave_picture(supervisor: Supervisor, screen: Screen) -> None:
    try:
        leave_picture(supervisor.session, supervisor.header, supervisor.records)
    except AntiphonError as error:
        screen.report(f"no {supervisor.session / 'session.png'}: {error}")


def _obey(pressed: Iterable[Press], supervisor: Supervisor, stopping: list[int]) -> None:
    for key, seconds in pressed:
        if key == "q":
            stopping.append(0)
        elif key == "p":
            supervisor.panic()
        elif key == "t":
            supervisor.tap(seconds)
        elif key == "m":
            supervisor.switch_metronome()
        elif key in "123456789" and int(key) <= len(supervisor.header.plans):
            supervisor.select(int(key) - 1)
