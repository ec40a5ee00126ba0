"""The way through rtmidi: JACK, ALSA, CoreMIDI or WinMM, and the only module that imports it. It stamps nothing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from antiphon.errors import AntiphonError
from antiphon.midi.backend import BackendUnusable, InputPort, Receive, ServerDown, checked
from antiphon.midi.port_names import VIRTUAL_INPUT, VIRTUAL_OUTPUT, numbered
from antiphon.output import OutputPort, PortGone
from antiphon.quiet import quiet_stderr


@dataclass(frozen=True, slots=True)
class _Api:
    """A MIDI system that rtmidi leads to."""

    constant: str
    """What rtmidi calls it."""
    platforms: tuple[str, ...]
    virtual: bool = True
    """Whether it has ports of our own."""
    shows_clients: bool = True
    """Whether others see the client's name before a port's; else the port's has to carry it."""
    on_jack: bool = False
    """Whether it stands on a JACK server. There every port is a client."""
    device: Path | None = None
    """What it goes through; it must be open to this user."""


_APIS: Final = {
    "rtmidi": _Api("API_UNIX_JACK", ("linux", "darwin"), on_jack=True),
    "alsa": _Api("API_LINUX_ALSA", ("linux",), device=Path("/dev/snd/seq")),
    "coremidi": _Api("API_MACOSX_CORE", ("darwin",), shows_clients=False),
    "winmm": _Api("API_WINDOWS_MM", ("win32",), virtual=False),
}
"""By kind."""


class RtMidiBackend:
    """JACK, ALSA, CoreMIDI or WinMM through rtmidi.

    When a JACK server dies, rtmidi says nothing and freezes the whole process after some 2,300 further messages;
    so JACK is better reached through `JackBackend`, and a supervisor has to watch whoever uses this one.
    """

    stamps = False
    tells_connections = False
    carries_daws = True

    def __init__(self, kind: str, client_name: str) -> None:
        """Become a client. Raises BackendUnusable with the reason."""
        self._api = _APIS[kind]
        self._rtmidi, self._api_number = _opened_library(kind, self._api)
        self.name = kind
        self.virtual = self._api.virtual
        self.may_freeze = self._api.on_jack
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
        if not self._api.on_jack:
            return self._client_name
        if virtual and name not in (VIRTUAL_INPUT, VIRTUAL_OUTPUT):
            return f"{self._client_name} {name}"
        # The plain name is kept for the output, which a DAW shows.
        return self._client_name if direction == "output" else f"{self._client_name} {direction}"

    def _client(self, make: Callable[..., Any], name: str) -> Any:
        try:
            with quiet_stderr():
                return make(self._api_number, name=name)
        except self._rtmidi.SystemError as error:
            if self._api.on_jack:
                raise ServerDown("rtmidi: no JACK server is running") from None
            raise BackendUnusable(f"{self.name}: {error}") from None

    def _opened(
        self, device: Any, client_name: str, name: str, available: list[str], direction: str, virtual: bool
    ) -> _RtMidiPort:
        try:
            if virtual:
                shows_clients = self._api.shows_clients
                shown = f"{client_name}:{name}" if shows_clients else f"{client_name} {name}"
                device.open_virtual_port(name if shows_clients else shown)
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

    stamps = False

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


def _opened_library(kind: str, api: _Api) -> tuple[ModuleType, int]:
    """The rtmidi module and its number for `kind`. Raises BackendUnusable with the reason."""
    if sys.platform not in api.platforms:
        raise BackendUnusable(f"{kind}: not for this operating system ({sys.platform})")
    if api.device is not None and not os.access(api.device, os.R_OK | os.W_OK):
        remedy = "join the group `audio`" if api.device.exists() else "load the kernel module: modprobe snd-seq"
        raise BackendUnusable(f"{kind}: {api.device} cannot be opened; {remedy}")
    try:
        import rtmidi
    except ImportError as error:
        raise BackendUnusable(f"{kind}: python-rtmidi cannot be imported: {error}") from None
    number = getattr(rtmidi, api.constant)
    if number not in rtmidi.get_compiled_api():
        raise BackendUnusable(f"{kind}: this build of python-rtmidi lacks it")
    if api.on_jack:
        os.environ["JACK_NO_START_SERVER"] = "1"  # its JACK would otherwise start a server of its own
    return rtmidi, number
