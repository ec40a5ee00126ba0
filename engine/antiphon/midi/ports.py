"""The performance's ports: opened by name, watched, and opened again when they come back.

They have one owner, the watcher, a thread of theirs: while the performance lasts, it alone opens and closes them.
(Before and after it, whoever makes `Ports` and closes them does.) Others only mark the very port that failed them: the
engine, which sends; and the MIDI system, all of them, when it is gone.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence

from antiphon.errors import AntiphonError
from antiphon.midi.backend import Backend, InputPort, Spawn
from antiphon.midi.backends import find_backend
from antiphon.midi.plugged_in import open_plugged_in
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
from antiphon.midi.port_names import (
    CLIENT_NAME,
    auto_inputs,
    family_of,
    match_port,
    virtual_name,
    virtual_name_problems,
)
from antiphon.output import OpenOutput, OutputPort, PortGone

_WATCH_SECONDS = 0.5
"""How often vanished ports are looked for."""
_WELCOME_SECONDS = 10.0
"""Where the system does not say who is plugged in: how long after our ports are back newcomers are told what ended."""

Deliver = Callable[[str, bytes, float], None]
"""Called with the input's name, a message, and the `perf_counter` seconds at which it arrived."""

Tell = Callable[[PortEvent], None]
"""Called with each thing that happens."""


class _Output:
    """An open output, and whether it has failed: then it is left alone, and the watcher opens another in its place."""

    def __init__(self, port: OutputPort) -> None:
        self.name = port.name
        self.stamps = port.stamps
        self.failed = False
        self.told = False
        """Whether its end has been reported."""
        self._port = port

    def send(self, message: bytes, at_seconds: float | None = None) -> None:
        try:
            self._port.send(message, at_seconds)
        except PortGone:
            self.failed = True
            raise

    def close(self) -> None:
        self._port.close()


class Ports:
    """Inputs and outputs of one performance. `auto`, `virtual`, `virtual:NAME` and names are as a plan gives them.

    Ports of our own are called `Antiphon:in`, `Antiphon:NAME`, whatever a system makes of that.
    """

    def __init__(
        self,
        inputs: Sequence[str],
        outputs: Sequence[str],
        spawn: Spawn,
        deliver: Deliver,
        tell: Tell,
        backend: str | None = None,
        *,
        plugged_in: Mapping[str, OpenOutput] | None = None,
        patient: bool = False,
    ) -> None:
        """Open everything that is named.

        `plugged_in`: kinds of output that plugins bring, by name. `patient`: what cannot be opened now is waited for;
        otherwise it is an error.

        Raises:
            AntiphonError: a name that matches no port or several, or cannot be a port of our own here, or a backend
                that is not usable.
        """
        for key, wanted, problem in virtual_name_problems(inputs, outputs):
            raise AntiphonError(f"'{wanted}' among {key}: {problem}")
        self._outputs: list[_Output | None] = [None for _ in outputs]
        self.backend: Backend | None = None
        self._wanted_inputs = tuple(inputs)
        self._wanted_outputs = tuple(outputs)
        self._wanted_backend = backend
        self._plugged_in = plugged_in or {}
        self._spawn = spawn
        self._deliver = deliver
        self._tell = tell
        self._inputs: dict[str, InputPort] = {}
        self._own_inputs: set[str] = set()
        self._meant: dict[str, tuple[str, ...]] = {}
        self._there: dict[str, set[str]] = {}
        """Ports that were there when they were looked for last, by direction."""
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
    def outputs(self) -> list[OutputPort | None]:
        """Open outputs, by index; None for one that is gone, or that is not a port."""
        return [None if port is None or port.failed else port for port in self._outputs]

    @property
    def input_names(self) -> tuple[str, ...]:
        """Inputs that are open now."""
        return tuple(self._inputs)

    def meant_by(self, name: str) -> tuple[str, ...]:
        """The names in the plans that the input `name` was opened for; they are kept when it is gone."""
        return self._meant.get(name, ())

    def lose_output(self, index: int) -> None:
        """A message could not be sent: tell so, if the output has failed; it is opened again when it is back.

        One that has come back meanwhile has not.
        """
        port = self._outputs[index]
        if port is not None and port.failed and not port.told:
            port.told = True
            self._tell(OutputGone(port.name))

    def close(self) -> None:
        """Close all ports."""
        self._closed = True
        self._close_ports()

    def _close_ports(self) -> None:
        ports: list[InputPort | OutputPort | None] = [*self._inputs.values(), *self._outputs]
        for port in ports:
            if port is None:
                continue
            with contextlib.suppress(AntiphonError):
                port.close()
        self._inputs.clear()
        self._outputs[:] = [None for _ in self._outputs]
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
            own = virtual_name(name, "output")
            if own is not None:
                if backend.virtual or name != "virtual":  # A plain one may stand for `auto`, which takes what there is.
                    self._outputs[index] = _Output(backend.open_output(_checked(backend, name, own), virtual=True))
            elif name != "synth":
                self._outputs[index] = self._open_output(backend, name)
        for name in self._wanted_inputs:
            own = virtual_name("virtual" if name == "auto" and backend.virtual else name, "input")
            if own is not None:
                self._open_own_input(backend, _checked(backend, name, own), name)
            if name == "auto":
                for found in self._keyboards(backend):
                    self._open_input(backend, found, name)
            elif own is None:
                self._open_input(backend, match_port(name, backend.inputs(), "input"), name)

    def _open_output(self, backend: Backend, name: str) -> _Output:
        if name in self._plugged_in:
            return _Output(open_plugged_in(name, self._plugged_in[name]))
        return _Output(backend.open_output(match_port(name, backend.outputs(), "output")))

    def _open_own_input(self, backend: Backend, own: str, wanted: str) -> None:
        name = f"{CLIENT_NAME}:{own}"
        self._own_inputs.add(name)
        self._open_input(backend, name, wanted, own)
        if wanted == "auto":
            self._mean(name, "virtual")

    def _open_input(self, backend: Backend, name: str, wanted: str, own: str | None = None) -> None:
        """Open the port `name`, or one of our own called `own`, for what a plan calls `wanted`."""
        self._mean(name, wanted)
        if name in self._inputs:
            return

        def receive(message: bytes, seconds: float) -> None:
            self._deliver(name, message, seconds)

        self._inputs[name] = backend.open_input(own or name, receive, virtual=own is not None)

    def _mean(self, name: str, wanted: str) -> None:
        meant = self._meant.get(name, ())
        if wanted not in meant:
            self._meant[name] = (*meant, wanted)

    def _keyboards(self, backend: Backend) -> list[str]:
        """The keyboards that are found; one that somebody has plugged into a port of ours is heard there already."""
        own = {port.name for name, port in self._inputs.items() if name in self._own_inputs}
        plugged = {source for source, destination in backend.connections() if destination in own}
        return [name for name in auto_inputs(backend.inputs()) if name not in plugged]

    def _backend_lost(self, reason: str) -> None:
        self._lost_backend = True
        # Each output is given up here, not at the next send: a dead server's library may never return from one.
        for port in self._outputs:
            if port is not None:
                port.failed = port.told = True
        self._tell(SystemGone(reason))

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
        if not backend.tells_connections and time.perf_counter() < self._welcome_until:
            for index, output in enumerate(self.outputs):
                if output is not None:
                    self._tell(Plugged(index, certain=False))
        if connections == self._connections:
            return
        lost, new = set(self._connections) - set(connections), set(connections) - set(self._connections)
        self._connections = connections
        self._tell(Connected(connections))
        for name, source in list(self._inputs.items()):
            if any(destination == source.name for _, destination in lost):
                self._tell(Unplugged(name))
        for index, output in enumerate(self.outputs):
            if output is not None and any(source == output.name for source, _ in new):
                self._tell(Plugged(index))

    def _reopen_backend(self) -> None:
        self._close_ports()
        try:
            self._open_all()
        except AntiphonError:
            self._close_ports()
            raise
        self._welcome_until = time.perf_counter() + _WELCOME_SECONDS
        self._connections = ()  # Whoever is plugged in now has missed something.
        if self.backend is not None:
            self._tell(SystemBack(self.backend.name))

    def _reopen_ports(self, backend: Backend) -> None:
        available, sinks = backend.inputs(), backend.outputs()
        gone = self._gone("input", available)
        for name in [name for name in self._inputs if name not in self._own_inputs and gone(name)]:
            with contextlib.suppress(AntiphonError):
                self._inputs.pop(name).close()
            self._tell(InputGone(name))
        for wanted in self._wanted_inputs:
            if virtual_name(wanted, "input") is not None:
                continue
            with contextlib.suppress(AntiphonError):
                found = self._keyboards(backend) if wanted == "auto" else [match_port(wanted, available, "input")]
                for name in found:
                    if name not in self._inputs:
                        self._open_input(backend, name, wanted)
                        self._tell(InputBack(name))
                    self._mean(name, wanted)
        gone = self._gone("output", sinks)
        for index, wanted in enumerate(self._wanted_outputs):
            if wanted == "synth" or virtual_name(wanted, "output") is not None:
                continue
            port = self._outputs[index]
            if port is not None and wanted not in self._plugged_in and gone(port.name):
                port.failed = True
            if port is not None and port.failed:
                self.lose_output(index)
                self._outputs[index] = None
                with contextlib.suppress(AntiphonError):
                    port.close()
            if self._outputs[index] is None:
                with contextlib.suppress(AntiphonError):
                    self._outputs[index] = self._open_output(backend, wanted)
                    self._tell(OutputBack(wanted))

    def _gone(self, direction: str, available: Sequence[str]) -> Callable[[str], bool]:
        """Whether a port is to be given up. Of those that look alike, nobody knows which one went: all are reopened."""
        vanished = self._there.get(direction, set()) - set(available)
        self._there[direction] = set(available)
        fewer = {family_of(name) for name in vanished}
        return lambda name: name not in available or family_of(name) in fewer


def _checked(backend: Backend, wanted: str, name: str) -> str:
    """`name`, if the system can make a port of our own. Raises AntiphonError with what to do where it cannot."""
    if not backend.virtual:
        raise AntiphonError(
            f"'{wanted}' cannot be made: {backend.name} has no ports of our own; make a port with a loopback driver, "
            f"such as loopMIDI on Windows, and write its name in place of '{wanted}'; `antiphon doctor` names what is "
            "there"
        )
    return name
