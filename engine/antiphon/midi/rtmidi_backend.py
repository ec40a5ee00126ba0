"""The way through rtmidi: JACK, ALSA, CoreMIDI or WinMM, and the only module that imports it. It stamps nothing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from antiphon.errors import AntiphonError
from antiphon.midi.backend import BackendUnusable, InputPort, Receive, ServerDown, checked
from antiphon.midi.port_names import VIRTUAL_INPUT, VIRTUAL_OUTPUT, numbered
from antiphon.output import OutputPort, PortGone
from antiphon.quiet import quiet_stderr

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

    stamps = False
    tells_connections = False
    carries_daws = True

    def __init__(self, kind: str, client_name: str) -> None:
        """Become a client. Raises BackendUnusable with the reason."""
        self._rtmidi, self._api = _usable_api(kind)
        self.name = kind
        self.virtual = kind != "winmm"
        self.may_freeze = kind == "rtmidi"
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
