"""MIDI ports behind one protocol: which system carries them, what their names mean, the way through rtmidi. No timing.

A backend that cannot stamp sends at once; the caller keeps time. The module that stamps is `jack_backend`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from antiphon.errors import AntiphonError
from antiphon.midi.backend import Backend, BackendUnusable, OnLost, ServerDown, Spawn
from antiphon.midi.rtmidi_backend import RtMidiBackend

KINDS: Final = ("jack", "rtmidi", "alsa", "coremidi", "winmm", "socket")
"""All backends in the order in which `auto` tries them; `rtmidi` is JACK through rtmidi, without stamps."""

_WANTED: Final = {
    "auto": KINDS,
    "jack": ("jack", "rtmidi"),
    "rtmidi": ("rtmidi", "alsa", "coremidi", "winmm"),
    **{kind: (kind,) for kind in ("alsa", "coremidi", "winmm", "socket")},
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
    jack_is_down = False
    for kind in _WANTED[wanted]:
        if kind == "rtmidi" and jack_is_down:
            continue  # or a server that comes back this very moment would be reached without stamps, and stay so
        try:
            return open_backend(kind, client_name, spawn, on_lost)
        except BackendUnusable as unusable:
            problems.append(str(unusable))
            jack_is_down = jack_is_down or isinstance(unusable, ServerDown)
    usable = [report.kind for report in survey_backends(spawn) if report.problem is None]
    raise AntiphonError(
        f"MIDI backend '{wanted}' is not usable here: {'; '.join(problems)}. Usable: {', '.join(['auto', *usable])}"
    )


def open_backend(kind: str, client_name: str, spawn: Spawn, on_lost: OnLost | None = None) -> Backend:
    """Open exactly this backend, `kind` being one of `KINDS`. Raises BackendUnusable with the reason."""
    if kind == "jack":
        from antiphon.midi.jack_backend import JackBackend

        return JackBackend(client_name, on_lost)
    if kind == "socket":
        from antiphon.midi.socket_backend import SocketBackend

        return SocketBackend(client_name, spawn)
    return RtMidiBackend(kind, client_name)


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
