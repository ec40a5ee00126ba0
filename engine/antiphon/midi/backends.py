"""MIDI ports behind one protocol: which system carries them, what their names mean, the way through rtmidi. No timing.

A backend that cannot stamp sends at once; the caller keeps time. The module that stamps is `jack_backend`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from antiphon.errors import AntiphonError
from antiphon.midi.backend import Backend, BackendUnusable, OnLost, ServerDown, Spawn
from antiphon.midi.rtmidi_backend import RtMidiBackend


@dataclass(frozen=True, slots=True)
class System:
    """A row of the table of MIDI systems."""

    kind: str
    """Its name, for `--midi` and for `Backend.name`."""
    open: Callable[[str, Spawn, OnLost | None], Backend]
    """Opens it, given the client's name; raises BackendUnusable with the reason."""
    also: str = ""
    """Another name that it answers to, of a family of systems."""
    server: str = ""
    """The server that it stands on, which others of the table may stand on as well."""


def _jack(client_name: str, spawn: Spawn, on_lost: OnLost | None) -> Backend:
    from antiphon.midi.jack_backend import JackBackend

    return JackBackend(client_name, on_lost)


def _rtmidi(kind: str, client_name: str, spawn: Spawn, on_lost: OnLost | None) -> Backend:
    return RtMidiBackend(kind, client_name)


def _socket(client_name: str, spawn: Spawn, on_lost: OnLost | None) -> Backend:
    from antiphon.midi.socket_backend import SocketBackend

    return SocketBackend(client_name, spawn)


SYSTEMS: Final = (
    System("jack", _jack, server="jack"),
    System("rtmidi", partial(_rtmidi, "rtmidi"), also="jack", server="jack"),
    System("alsa", partial(_rtmidi, "alsa"), also="rtmidi"),
    System("coremidi", partial(_rtmidi, "coremidi"), also="rtmidi"),
    System("winmm", partial(_rtmidi, "winmm"), also="rtmidi"),
    System("socket", _socket),
)
"""All MIDI systems in the order in which `auto` tries them; `rtmidi` is JACK through rtmidi, without stamps."""
KINDS: Final = tuple(system.kind for system in SYSTEMS)
_WANTED: Final = {
    "auto": KINDS,
    **{kind: tuple(system.kind for system in SYSTEMS if kind in (system.kind, system.also)) for kind in KINDS},
}


@dataclass(frozen=True, slots=True)
class BackendReport:
    """What one backend has to offer here and now."""

    kind: str
    """One of `KINDS`."""
    problem: str | None
    """Why it cannot be used, and what to do; None if it can."""
    virtual: bool = False
    """Whether it can make virtual ports."""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


def find_backend(client_name: str, spawn: Spawn, wanted: str | None = None, on_lost: OnLost | None = None) -> Backend:
    """The MIDI system to play through, opened; no server is ever started.

    `wanted`: `auto`, `rtmidi` or one of `KINDS`; if None, the environment's `ANTIPHON_MIDI_BACKEND`, else `auto`.

    Raises:
        AntiphonError: `wanted` is unknown or unusable here; the message lists what is usable.
    """
    wanted = wanted or os.environ.get("ANTIPHON_MIDI_BACKEND") or "auto"
    if wanted not in _WANTED:
        raise AntiphonError(f"MIDI backend '{wanted}' is unknown; allowed: {', '.join(_WANTED)}")
    problems = []
    down: set[str] = set()
    for kind in _WANTED[wanted]:
        server = SYSTEMS[KINDS.index(kind)].server
        if server in down:
            continue  # or a server that comes back this very moment would be reached without stamps, and stay so
        try:
            return open_backend(kind, client_name, spawn, on_lost)
        except BackendUnusable as unusable:
            problems.append(str(unusable))
            if isinstance(unusable, ServerDown) and server:
                down.add(server)
    usable = [report.kind for report in survey_backends(spawn) if report.problem is None]
    raise AntiphonError(
        f"MIDI backend '{wanted}' is not usable here: {'; '.join(problems)}. Usable: {', '.join(['auto', *usable])}"
    )


def open_backend(kind: str, client_name: str, spawn: Spawn, on_lost: OnLost | None = None) -> Backend:
    """Open exactly this backend, `kind` being one of `KINDS`. Raises BackendUnusable with the reason."""
    return SYSTEMS[KINDS.index(kind)].open(client_name, spawn, on_lost)


def auto_backend(reports: Sequence[BackendReport]) -> str | None:
    """Which backend `auto` takes, according to a survey."""
    return next((report.kind for report in reports if report.problem is None), None)


def survey_backends(spawn: Spawn) -> list[BackendReport]:
    """Open every backend in turn and tell what it offers, in the order of `KINDS`."""
    reports = []
    for kind in KINDS:
        try:
            backend = open_backend(kind, "Antiphon survey", spawn)
        except BackendUnusable as unusable:
            reports.append(BackendReport(kind, str(unusable)))
            continue
        try:
            inputs, outputs = tuple(backend.inputs()), tuple(backend.outputs())
            reports.append(BackendReport(kind, None, backend.virtual, inputs, outputs))
        finally:
            backend.close()
    return reports
