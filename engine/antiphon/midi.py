"""MIDI ports behind one protocol: which system carries them, what their names mean, the way through rtmidi. No timing.

A backend that cannot stamp sends at once; the caller keeps time. The module that stamps is `midi_jack`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Protocol

from antiphon.errors import AntiphonError
from antiphon.messages import is_well_formed
from antiphon.port_names import VIRTUAL_INPUT, VIRTUAL_OUTPUT, auto_inputs, match_port, numbered
from antiphon.quiet import quiet_stderr

__all__ = [
    "KINDS",
    "Backend",
    "BackendReport",
    "BackendUnusable",
    "InputPort",
    "OnLost",
    "OpenOutput",
    "OutputPort",
    "PortGone",
    "Receive",
    "ServerDown",
    "Spawn",
    "auto_backend",
    "auto_inputs",
    "find_backend",
    "match_port",
    "open_backend",
    "survey_backends",
]

Receive = Callable[[bytes, float], None]
"""Called with one complete MIDI message and the `time.perf_counter()` seconds at which it arrived.

It runs in the driver's thread, JACK's real-time thread among them: stamp, enqueue, return.
"""
Spawn = Callable[[Callable[[], None], str], None]
"""Starts a daemon thread that runs the function, under a name. Threads are the runtime's business, not a port's."""
OnLost = Callable[[str], None]
"""Called once, from any thread, with the reason why the MIDI system is gone."""

LONGEST_MESSAGE: Final = 16_379
"""Bytes; what is longer, rtmidi on JACK drops without a word, so every backend refuses it."""

KINDS: Final = ("jack", "rtmidi", "alsa", "coremidi", "winmm", "socket")
"""All backends in the order in which `auto` tries them; `rtmidi` is JACK through rtmidi, without stamps."""

_WANTED: Final = {
    "auto": KINDS,
    "jack": ("jack", "rtmidi"),
    "rtmidi": ("rtmidi", "alsa", "coremidi", "winmm"),
    **{kind: (kind,) for kind in ("alsa", "coremidi", "winmm", "socket")},
}


class PortGone(AntiphonError):
    """The port, its peer or the whole MIDI server is dead: make a new backend, then open the ports again."""


class BackendUnusable(AntiphonError):
    """This machine lacks what the backend stands on; the message says what."""


class ServerDown(BackendUnusable):
    """All is installed, but no server runs; it may later."""


class InputPort(Protocol):
    """A port one listens to, until it is closed."""

    name: str
    """What others see it as, or the name of the port it listens to."""

    @property
    def connected(self) -> bool:
        """False once the port it listens to is known to be gone; a virtual port waits for peers and stays True.

        rtmidi cannot tell: there, look whether `name` is still among the backend's `inputs()`.
        """
        ...

    def close(self) -> None:
        """Stop listening. Safe to call twice, and when the server is dead."""
        ...


class OutputPort(Protocol):
    """A port one sends to, until it is closed."""

    name: str
    """What others see it as, or the name of the port it sends to."""

    def send(self, message: bytes, at_seconds: float | None = None) -> None:
        """Hand over one complete message; never blocks.

        `at_seconds`: when it is due, in `time.perf_counter()` seconds; now, if None. JACK delays what is due by
        exactly one period, so that messages sent up to then keep their distances to the sample; other backends
        send at once. What is sent later never overtakes what was due before it. A port whose attribute `stamps` is true
        keeps a message until its moment, and may be handed it before.

        Raises:
            PortGone: the port, its peer or the server is dead.
            AntiphonError: the message is malformed or too long.
        """
        ...

    def close(self) -> None:
        """Let what was sent leave (for 0.25 s at most; what is due later is dropped), then go. Safe to call twice."""
        ...


OpenOutput = Callable[[str], OutputPort]
"""Opens an output by name; what a plugin registers for its own kind of output."""


class Backend(Protocol):
    """One MIDI system, with this process as one of its clients."""

    name: str
    """One of `KINDS`."""
    virtual: bool
    """Whether ports of our own can be made, for others to connect to."""

    def inputs(self) -> list[str]:
        """Ports of others that one can listen to, hardware first where that is known. Cheap enough to poll.

        No name comes twice: those that look alike are `numbered`, and opened by these names.
        """
        ...

    def outputs(self) -> list[str]:
        """Ports of others that one can send to."""
        ...

    def open_input(self, name: str, receive: Receive, *, virtual: bool = False) -> InputPort:
        """Listen to the port `name`, or, if `virtual`, make a port of our own called `name`.

        Raises:
            AntiphonError: there is no such port, or it cannot be made.
        """
        ...

    def open_output(self, name: str, *, virtual: bool = False) -> OutputPort:
        """Send to the port `name`, or, if `virtual`, make a port of our own called `name`.

        Raises:
            AntiphonError: there is no such port, or it cannot be made.
        """
        ...

    def connections(self) -> list[tuple[str, str]]:
        """Pairs (source, destination) between our ports and others; empty where the system does not say."""
        ...

    def restore(self, connections: Sequence[tuple[str, str]]) -> None:
        """Connect these pairs again, after our ports were opened anew; pairs whose port is missing are skipped."""
        ...

    def close(self) -> None:
        """Close all ports and leave. Safe to call twice, and when the server is dead."""
        ...


def checked(message: bytes) -> bytes:
    """`message`, if it may go out. Raises AntiphonError if it is malformed or longer than `LONGEST_MESSAGE`."""
    if len(message) > LONGEST_MESSAGE:
        raise AntiphonError(
            f"MIDI message of {len(message)} bytes; allowed 1 to {LONGEST_MESSAGE}; send system exclusive data in parts"
        )
    if not is_well_formed(message):
        raise AntiphonError(
            f"malformed MIDI message '{message[:16].hex(' ')}'; a status byte and exactly the data bytes it calls for"
        )
    return message


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
        from antiphon.midi_jack import JackBackend

        return JackBackend(client_name, on_lost)
    if kind == "socket":
        from antiphon.midi_socket import SocketBackend

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


_ALSA_DEVICE: Final = Path("/dev/snd/seq")
_APIS: Final = {
    "rtmidi": ("API_UNIX_JACK", "linux"),
    "alsa": ("API_LINUX_ALSA", "linux"),
    "coremidi": ("API_MACOSX_CORE", "darwin"),
    "winmm": ("API_WINDOWS_MM", "win32"),
}
"""rtmidi's constant for each kind, and the platform it is for."""


class RtMidiBackend:
    """JACK, ALSA, CoreMIDI or WinMM through rtmidi.

    When a JACK server dies, rtmidi says nothing and freezes the whole process after some 2,300 further messages;
    so JACK is better reached through `JackBackend`, and a supervisor has to watch whoever uses this one.
    """

    def __init__(self, kind: str, client_name: str) -> None:
        """Become a client. Raises BackendUnusable with the reason."""
        self._rtmidi, self._api = _usable_api(kind)
        self.name = kind
        self.virtual = kind != "winmm"
        self._client_name = client_name
        self._ports: list[_RtMidiPort] = []
        self._sources = self._client(self._rtmidi.MidiIn, f"{client_name} list")
        self._destinations = self._client(self._rtmidi.MidiOut, f"{client_name} list")

    def inputs(self) -> list[str]:
        return numbered(self._sources.get_ports())

    def outputs(self) -> list[str]:
        return numbered(self._destinations.get_ports())

    def open_input(self, name: str, receive: Receive, *, virtual: bool = False) -> InputPort:
        client_name = self._client_name_for(name, "input", virtual)
        midi_in = self._client(self._rtmidi.MidiIn, client_name)
        midi_in.ignore_types(sysex=False, timing=False, active_sense=True)
        midi_in.set_callback(lambda event, _: receive(bytes(event[0]), time.perf_counter()))
        return self._opened(midi_in, client_name, name, self.inputs(), "input", virtual)

    def open_output(self, name: str, *, virtual: bool = False) -> OutputPort:
        client_name = self._client_name_for(name, "output", virtual)
        midi_out = self._client(self._rtmidi.MidiOut, client_name)
        return self._opened(midi_out, client_name, name, self.outputs(), "output", virtual)

    def connections(self) -> list[tuple[str, str]]:
        return []

    def restore(self, connections: Sequence[tuple[str, str]]) -> None:
        """Nothing: rtmidi neither tells connections nor makes them between others' ports."""

    def close(self) -> None:
        for port in self._ports:
            port.close()
        self._ports.clear()
        self._sources.delete()
        self._destinations.delete()

    def _client_name_for(self, name: str, direction: str, virtual: bool) -> str:
        """On JACK every rtmidi port is a client, and needs a name of its own that stays the same at every start."""
        if self.name != "rtmidi":
            return self._client_name
        if virtual and name not in (VIRTUAL_INPUT, VIRTUAL_OUTPUT):
            return f"{self._client_name} {name}"
        # The plain name is kept for the output, which a DAW shows.
        return self._client_name if direction == "output" else f"{self._client_name} {direction}"

    def _client(self, make: Callable[..., Any], name: str) -> Any:
        try:
            with quiet_stderr():
                return make(self._api, name=name)
        except self._rtmidi.SystemError as error:
            if self.name == "rtmidi":
                raise ServerDown("rtmidi: no JACK server is running") from None
            raise BackendUnusable(f"{self.name}: {error}") from None

    def _opened(
        self, device: Any, client_name: str, name: str, available: list[str], direction: str, virtual: bool
    ) -> _RtMidiPort:
        try:
            if virtual:
                # CoreMIDI shows no client names, so that the port has to carry ours.
                shown = f"{client_name} {name}" if self.name == "coremidi" else f"{client_name}:{name}"
                device.open_virtual_port(shown if self.name == "coremidi" else name)
            else:
                shown = name
                device.open_port(available.index(name), f"{direction} {name.partition(':')[0]}")
        except (ValueError, NotImplementedError, self._rtmidi.RtMidiError) as error:
            device.delete()
            if isinstance(error, ValueError):
                raise PortGone(f"MIDI {direction} '{name}' is not there (any more)") from None
            raise AntiphonError(f"MIDI {direction} '{name}' cannot be opened: {error}") from None
        port = _RtMidiPort(shown, device)
        self._ports.append(port)
        return port


class _RtMidiPort:
    """An rtmidi port of either direction."""

    def __init__(self, name: str, device: Any) -> None:
        self.name = name
        self._device = device

    @property
    def connected(self) -> bool:
        return not self._device.is_deleted

    def send(self, message: bytes, at_seconds: float | None = None) -> None:
        if self._device.is_deleted:
            raise PortGone(f"MIDI output '{self.name}' is closed")
        self._device.send_message(checked(message))

    def close(self) -> None:
        if not self._device.is_deleted:
            self._device.close_port()
            self._device.delete()


def _usable_api(kind: str) -> tuple[ModuleType, int]:
    """The rtmidi module and its number for `kind`. Raises BackendUnusable with the reason."""
    constant, platform = _APIS[kind]
    if sys.platform != platform and not (kind == "rtmidi" and sys.platform == "darwin"):
        raise BackendUnusable(f"{kind}: not for this operating system ({sys.platform})")
    if kind == "alsa" and not os.access(_ALSA_DEVICE, os.R_OK | os.W_OK):
        remedy = "join the group `audio`" if _ALSA_DEVICE.exists() else "load the kernel module: modprobe snd-seq"
        raise BackendUnusable(f"{kind}: {_ALSA_DEVICE} cannot be opened; {remedy}")
    try:
        import rtmidi
    except ImportError as error:
        raise BackendUnusable(f"{kind}: python-rtmidi cannot be imported: {error}") from None
    api = getattr(rtmidi, constant)
    if api not in rtmidi.get_compiled_api():
        raise BackendUnusable(f"{kind}: this build of python-rtmidi lacks it")
    if kind == "rtmidi":
        os.environ["JACK_NO_START_SERVER"] = "1"  # its JACK would otherwise start a server of its own
    return rtmidi, api
