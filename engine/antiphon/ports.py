"""The performance's ports: opened by name, watched, and opened again when they come back. It reads no message."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from antiphon.errors import AntiphonError
from antiphon.midi import Backend, InputPort, OpenOutput, OutputPort, Spawn, auto_inputs, find_backend, match_port

CLIENT_NAME = "Antiphon"
"""Name under which other programs see the ports."""
VIRTUAL_INPUT, VIRTUAL_OUTPUT = "in", "out"
"""Names of the ports that other programs may connect to."""

_WATCH_SECONDS = 0.5
"""How often vanished ports are looked for."""
_WELCOME_SECONDS = 10.0
"""Where the system does not say who is plugged in: how long after our ports are back newcomers are told what ended."""

Deliver = Callable[[str, bytes, float], None]
"""Called with the input's name, a message, and the `perf_counter` seconds at which it arrived."""

Report = Callable[[str, Any], None]
"""Called with what happened, and to what: `system gone` and why, `system back` and which; `gone`, `back`, `output gone`
or `output back`, and the port's name;
`unplugged` and the input's name; `plugged` and the output's index; `connections` and what is plugged into our ports."""


class Ports:
    """Inputs and outputs of one performance. `auto`, `virtual` and names are as a plan gives them."""

    def __init__(
        self,
        inputs: Sequence[str],
        outputs: Sequence[str],
        spawn: Spawn,
        deliver: Deliver,
        report: Report,
        backend: str | None = None,
        *,
        plugged_in: Mapping[str, OpenOutput] | None = None,
        patient: bool = False,
    ) -> None:
        """Open everything that is named.

        `plugged_in`: kinds of output that plugins bring, by name. `patient`: what cannot be opened now is waited for;
        otherwise it is an error.

        Raises:
            AntiphonError: a name that matches no port or several, or a backend that is not usable.
        """
        self.outputs: list[OutputPort | None] = [None for _ in outputs]
        """Open outputs, by index; None for one that is gone, or that is not a port."""
        self.backend: Backend | None = None
        self._wanted_inputs = tuple(inputs)
        self._wanted_outputs = tuple(outputs)
        self._wanted_backend = backend
        self._plugged_in = plugged_in or {}
        self._spawn = spawn
        self._deliver = deliver
        self._report = report
        self._inputs: dict[str, InputPort] = {}
        self._lost_backend = False
        self._closed = False
        self._connections: tuple[tuple[str, str], ...] = ()
        self._welcome_until = time.perf_counter() + _WELCOME_SECONDS if patient else 0.0
        try:
            self._open_all()
        except AntiphonError:
            if not patient:
                self.close()
                raise
        spawn(self._watch, "ports")

    @property
    def input_names(self) -> tuple[str, ...]:
        """Inputs that are open now."""
        return tuple(self._inputs)

    def lose_output(self, index: int) -> None:
        """An output has failed: let go of it; it is opened again when it is back."""
        port, self.outputs[index] = self.outputs[index], None
        if port is not None:
            with contextlib.suppress(AntiphonError):
                port.close()
            self._report("output gone", port.name)

    def close(self) -> None:
        """Close all ports."""
        self._closed = True
        self._close_ports()

    def _close_ports(self) -> None:
        ports: list[InputPort | OutputPort | None] = [*self._inputs.values(), *self.outputs]
        for port in ports:
            if port is None:
                continue
            with contextlib.suppress(AntiphonError):
                port.close()
        self._inputs.clear()
        self.outputs[:] = [None for _ in self.outputs]
        if self.backend is not None:
            with contextlib.suppress(AntiphonError):
                self.backend.close()
            self.backend = None

    def _open_all(self) -> None:
        backend = find_backend(CLIENT_NAME, self._spawn, self._wanted_backend, self._backend_lost)
        self.backend, self._lost_backend = backend, False
        # From now on this one: a performance does not wander to another MIDI system when its own is gone.
        self._wanted_backend = backend.name
        for index, name in enumerate(self._wanted_outputs):
            if name == "virtual":
                if backend.virtual:
                    self.outputs[index] = backend.open_output(VIRTUAL_OUTPUT, virtual=True)
            elif name != "synth":
                self.outputs[index] = self._open_output(backend, name)
        for name in self._wanted_inputs:
            if name == "virtual" or (name == "auto" and backend.virtual):
                self._open_input(backend, VIRTUAL_INPUT, virtual=True)
            if name == "auto":
                for found in self._keyboards(backend):
                    self._open_input(backend, found)
            elif name != "virtual":
                self._open_input(backend, match_port(name, backend.inputs(), "input"))

    def _open_output(self, backend: Backend, name: str) -> OutputPort:
        if name in self._plugged_in:
            return self._plugged_in[name](name)
        return backend.open_output(match_port(name, backend.outputs(), "output"))

    def _open_input(self, backend: Backend, name: str, *, virtual: bool = False) -> None:
        if name in self._inputs:
            return

        def receive(message: bytes, seconds: float) -> None:
            self._deliver(name, message, seconds)

        self._inputs[name] = backend.open_input(name, receive, virtual=virtual)

    def _keyboards(self, backend: Backend) -> list[str]:
        """The keyboards that are found; one that somebody has plugged into our virtual input is heard there already."""
        plugged = {source for source, destination in backend.connections() if destination.endswith(f":{VIRTUAL_INPUT}")}
        return [name for name in auto_inputs(backend.inputs()) if name not in plugged]

    def _backend_lost(self, reason: str) -> None:
        self._lost_backend = True
        # Each output is given up here, not at the next send: a dead server's library may never return from one.
        self.outputs[:] = [None for _ in self.outputs]
        self._report("system gone", reason)

    def _watch(self) -> None:
        while not self._closed:
            time.sleep(_WATCH_SECONDS)
            with contextlib.suppress(AntiphonError):
                if self.backend is None or self._lost_backend:
                    self._reopen_backend()
                else:
                    self._reopen_ports(self.backend)
                    self._note_connections(self.backend)

    def _note_connections(self, backend: Backend) -> None:
        connections = tuple(backend.connections())
        if backend.name != "jack" and time.perf_counter() < self._welcome_until:
            for index, output in enumerate(self.outputs):
                if output is not None:
                    self._report("plugged", index)
        if connections == self._connections:
            return
        lost, new = set(self._connections) - set(connections), set(connections) - set(self._connections)
        self._connections = connections
        self._report("connections", connections)
        for name, source in list(self._inputs.items()):
            if any(destination == source.name for _, destination in lost):
                self._report("unplugged", name)
        for index, output in enumerate(self.outputs):
            if output is not None and any(source == output.name for source, _ in new):
                self._report("plugged", index)

    def _reopen_backend(self) -> None:
        self._close_ports()
        try:
            self._open_all()
        except AntiphonError:
            self._close_ports()
            raise
        self._welcome_until = time.perf_counter() + _WELCOME_SECONDS
        self._connections = ()  # Whoever is plugged in now has missed something.
        self._report("system back", self._wanted_backend)

    def _reopen_ports(self, backend: Backend) -> None:
        available = backend.inputs()
        for name in [name for name in self._inputs if name != VIRTUAL_INPUT and name not in available]:
            with contextlib.suppress(AntiphonError):
                self._inputs.pop(name).close()
            self._report("gone", name)
        for wanted in self._wanted_inputs:
            if wanted == "virtual":
                continue
            with contextlib.suppress(AntiphonError):
                found = self._keyboards(backend) if wanted == "auto" else [match_port(wanted, available, "input")]
                for name in found:
                    if name not in self._inputs:
                        self._open_input(backend, name)
                        self._report("back", name)
        sinks = backend.outputs()
        for index, wanted in enumerate(self._wanted_outputs):
            if wanted in ("virtual", "synth"):
                continue
            port = self.outputs[index]
            if port is not None and wanted not in self._plugged_in and port.name not in sinks:
                self.lose_output(index)
            if self.outputs[index] is None:
                with contextlib.suppress(AntiphonError):
                    self.outputs[index] = self._open_output(backend, wanted)
                    self._report("output back", wanted)
