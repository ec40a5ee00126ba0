"""A performance in front of a person: the supervisor, the screen and the keys of the terminal."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final, Protocol, TextIO, cast

from rich.console import Console

from antiphon.duet.plan import Plan
from antiphon.generator import Device
from antiphon.processes.runtime import spawn_thread
from antiphon.processes.sound import SoundSetup
from antiphon.processes.supervisor import Notice, Supervisor
from antiphon.session.journal import Record
from antiphon.terminal.keys import Keys, Press, in_foreground
from antiphon.terminal.log_tail import LogTail
from antiphon.terminal.outlet import Outlet
from antiphon.terminal.screen import Screen
from antiphon.terminal.show import Show, lane_names

_ENDINGS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals that end a performance in good order; SIGHUP when its terminal is closed."""
_SUSPENSIONS: Final = tuple(getattr(signal, name) for name in ("SIGTSTP", "SIGCONT") if hasattr(signal, name))
"""Signals by which a shell stops a command, and lets it go on."""
_REFRESH_SECONDS: Final = 1 / 15
_TAKEN_SECONDS: Final = 0.2
"""How long the terminal is given to take the last of the screen before the command stops."""


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


def _show(plans: Sequence[Plan], _: LiveOptions, screen: Screen) -> View:
    return Show(plans, screen)


VIEWS: Final[tuple[Callable[[Sequence[Plan], LiveOptions, Screen], View], ...]] = (_show,)
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
    suspending: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        (suspending if number in _SUSPENSIONS else stopping).append(number)

    plan = plans[0]
    outlet = Outlet(sys.stdout)
    console = Console(file=cast(TextIO, outlet))
    screen = Screen(
        plan.name,
        lane_names(plan),
        bpm=plan.tempo_bpm,
        signature=plan.signature,
        console=console,
        may_draw=lambda: outlet.idle,
    )
    views = [make(plans, options, screen) for make in VIEWS]

    def tell_records(records: Sequence[Record]) -> None:
        for view in views:
            view.records(records)

    def tell_notice(notice: Notice) -> None:
        for view in views:
            view.notice(notice)

    handlers = {number: signal.signal(number, note) for number in _ENDINGS + _SUSPENSIONS}
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
            screen.keys(keys.legend, keys.help)
            announced = False
            while not stopping and not over(supervisor):
                supervisor.run_for(_REFRESH_SECONDS)
                screen.refresh(supervisor.clock_seconds)
                show_logs()
                if supervisor.ready and not announced:
                    announced = True
                    screen.report(f"ready in {supervisor.ready_seconds:.2f} s; {keys.legend}")
                    on_ready(supervisor)
                _obey(keys.pressed(), supervisor, screen, stopping)
                if suspending:
                    _change_places(suspending.pop(), screen, keys, outlet)
    finally:
        if supervisor is not None:
            supervisor.stop()
        show_logs()
        outlet.close()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return supervisor


def _change_places(number: int, screen: Screen, keys: Keys, outlet: Outlet) -> None:
    """Ctrl-Z leaves the terminal in order, and stops this process, though not the music; `fg` brings it back."""
    if number == signal.SIGCONT:
        keys.take()
        if in_foreground():
            screen.resume()
        return
    screen.pause()
    outlet.drain(_TAKEN_SECONDS)
    keys.release()
    noting = signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    signal.signal(number, noting)
    # Where nobody could have brought it back, the system has not stopped it.
    keys.take()
    if in_foreground():
        screen.resume()


def _obey(pressed: Iterable[Press], supervisor: Supervisor, screen: Screen, stopping: list[int]) -> None:
    presets = len(supervisor.header.plans)
    for key, seconds in pressed:
        if key == "q":
            stopping.append(0)
        elif key == "?":
            screen.toggle_help()
        elif key == "p":
            supervisor.panic()
        elif key == "t":
            supervisor.tap(seconds)
        elif key == "m":
            supervisor.switch_metronome()
        elif key == "n":
            supervisor.select_next()
        elif key in "123456789" and int(key) <= presets:
            supervisor.select(int(key) - 1)
        elif key in "123456789":
            there = "there is one preset" if presets == 1 else f"there are presets 1 to {presets}"
            screen.report(f"the key {key} selects nothing: {there}")
        elif key.isprintable() and not key.isspace():
            screen.report(f"the key {key} does nothing; ? tells which do")
