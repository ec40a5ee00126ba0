"""MIDI on JACK through JACK-Client, stamped to the frame. It starts no server and keeps no time of its own."""

from __future__ import annotations

import logging
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from antiphon.errors import AntiphonError, pip_line
from antiphon.midi.backend import BackendUnusable, OnLost, Receive, ServerDown, checked
from antiphon.midi.jack_frames import Outbox, PeriodClock
from antiphon.output import PortGone
from antiphon.quiet import quiet_stderr

_log = logging.getLogger(__name__)

_NAME_SECONDS: Final = 0.5
"""How long to wait for our name: the server needs a moment to notice that its last owner was killed."""
_FLUSH_SECONDS: Final = 0.25
"""How long closing a port waits for what was sent to leave."""
_CONNECTING_PERIODS: Final = 3
"""Periods after which a new connection surely carries messages; what is sent before that may be lost."""
_MOST_WAITING: Final = 100_000
"""Messages that may wait to leave; more means that the server has stopped taking them."""
_FRAMES_OF_A_MESSAGE: Final = 4
"""A burst is spread, so that neither end is ever late because of it: who is late loses messages."""
_WRITING_SHARE: Final = 0.3
"""Largest share of a period that an output may take."""
_LONGEST_PORT_NAME: Final = 60

_open: Final[weakref.WeakSet[JackBackend]] = weakref.WeakSet()
"""Every backend of this process that is not closed: libjack keeps state that they share."""


class JackBackend:
    """One JACK client, with any number of ports.

    What is sent is only put into a queue, which cannot block, whatever becomes of the server; JACK's own thread
    writes it, and reads what arrives.
    """

    name = "jack"
    virtual = True
    stamps = True
    tells_connections = True
    carries_daws = True
    may_freeze = False

    def __init__(self, client_name: str, on_lost: OnLost | None = None) -> None:
        """Become a client of the running server. Raises BackendUnusable if there is none, or no JACK-Client."""
        self._jack = _jack_module()
        # A failed attempt to open a client frees memory that the clients of a dead server still stand on: closing
        # them after it crashes the process.
        for other in list(_open):
            if not other.is_alive:
                other.close()
        self._client = _open_client(self._jack, client_name)
        self._on_lost = on_lost
        self._lost: str | None = None
        self._closed = False
        self._periods = 0
        self._clock = PeriodClock(self._client.samplerate)
        # Replaced, never changed: the process callback may be walking through them.
        self._inputs: tuple[_JackInput, ...] = ()
        self._outputs: tuple[_JackOutput, ...] = ()
        self._client.set_process_callback(self._process)
        self._client.set_shutdown_callback(lambda _, reason: self._lose(reason))
        self._client.activate()
        _open.add(self)

    def inputs(self) -> list[str]:
        return self._others(is_output=True)

    def outputs(self) -> list[str]:
        return self._others(is_input=True)

    def open_input(self, name: str, receive: Receive, *, virtual: bool = False) -> JackInputPort:
        port = self._register(self._client.midi_inports, name if virtual else f"from {name}")
        if not virtual:
            self._connect_or_unregister(port, name, port)
        source = _JackInput(port, receive)
        self._inputs = (*self._inputs, source)
        return JackInputPort(self, source, port.name if virtual else name, virtual)

    def open_output(self, name: str, *, virtual: bool = False) -> JackOutputPort:
        port = self._register(self._client.midi_outports, name if virtual else f"to {name}")
        if not virtual:
            self._connect_or_unregister(port, port, name)
            self._wait_for_periods(_CONNECTING_PERIODS)
        output = _JackOutput(port, Outbox())
        self._outputs = (*self._outputs, output)
        return JackOutputPort(self, output, port.name if virtual else name)

    def connections(self) -> list[tuple[str, str]]:
        """Pairs (source, destination) of the connections of our ports."""
        self._raise_if_gone()
        incoming = [(_shown_name(peer), ours.port.name) for ours in self._inputs for peer in ours.port.connections]
        outgoing = [(ours.port.name, _shown_name(peer)) for ours in self._outputs for peer in ours.port.connections]
        return incoming + outgoing

    def restore(self, connections: Sequence[tuple[str, str]]) -> None:
        self._raise_if_gone()
        for source, destination in connections:
            try:
                self._client.connect(source, destination)
            except self._jack.JackError as error:
                _log.info("not connected again: %s to %s (%s)", source, destination, error)
        self._wait_for_periods(_CONNECTING_PERIODS)

    def close(self) -> None:
        if self._closed:
            return
        for output in self._outputs:
            self.remove(output)
        self._closed = True
        _open.discard(self)
        self._client.deactivate()
        self._client.close()

    # ── For the ports ────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, output: _JackOutput, message: bytes, at_seconds: float | None) -> None:
        """Queue `message`. Raises PortGone when the server is dead or the port is closed."""
        self._raise_if_gone()
        if output not in self._outputs:
            raise PortGone("this JACK output is closed")
        if len(output.outbox) >= _MOST_WAITING:
            raise PortGone(f"JACK has not taken the last {_MOST_WAITING} MIDI messages; restart its server")
        immediate = at_seconds is None
        output.outbox.put(checked(message), time.perf_counter() if at_seconds is None else at_seconds, immediate)

    def is_connected(self, source: _JackInput) -> bool:
        """Whether anything is connected to this input."""
        return self.is_alive and source in self._inputs and source.port.number_of_connections > 0

    @property
    def is_alive(self) -> bool:
        """Whether the server still serves us."""
        return self._lost is None and not self._closed

    def remove(self, port: _JackInput | _JackOutput) -> None:
        """Let an output's messages leave, then take the port from JACK."""
        if not self.is_alive or port not in (*self._inputs, *self._outputs):
            return
        if isinstance(port, _JackOutput):
            deadline = time.perf_counter() + _FLUSH_SECONDS
            while port.outbox and self.is_alive and time.perf_counter() < deadline:
                time.sleep(self._period_seconds)
            port.outbox.drop()
            # JACK repeats a port's last messages until they are cleared: one more period for that.
            self._wait_for_periods(2)
            self._outputs = tuple(other for other in self._outputs if other is not port)
        else:
            self._inputs = tuple(other for other in self._inputs if other is not port)
        self._wait_for_periods(1)
        if self.is_alive:
            port.port.unregister()

    # ── Inside ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _process(self, frames: int) -> None:
        """One period, in JACK's real-time thread."""
        try:
            client, clock, now_seconds = self._client, self._clock, time.perf_counter()
            clock.begin(client.last_frame_time, client.frames_since_cycle_start, now_seconds)
            # What JACK hands over now has arrived during the period that has just ended.
            first_seconds = clock.seconds_at(clock.frame - frames)
            for source in self._inputs:
                for offset, data in source.port.incoming_midi_events():
                    # Whatever the clock has yet to learn: it was played before it is heard.
                    source.receive(bytes(data), min(now_seconds, first_seconds + offset / clock.sample_rate))
            for output in self._outputs:
                output.port.clear_buffer()
                if output.outbox:
                    most = max(1, frames // _FRAMES_OF_A_MESSAGE)
                    self._write(output, output.outbox.due(clock, frames, most), frames / clock.sample_rate)
            self._periods += 1
        except Exception as error:
            self._lose(f"the process callback failed: {error!r}")
            raise self._jack.CallbackExit from error

    def _write(self, output: _JackOutput, messages: list[tuple[int, bytes]], period_seconds: float) -> None:
        """Write what there is time for: each call of the library lets other threads in, which keep the interpreter."""
        until_seconds = time.perf_counter() + _WRITING_SHARE * period_seconds
        written = 0
        try:
            for offset, message in messages:
                output.port.write_midi_event(offset, message)
                written += 1
                if time.perf_counter() > until_seconds:
                    break
        except self._jack.JackError:
            if written == 0:  # the buffer is empty, and still too small for it: it would block the port for ever
                written = 1
        output.outbox.taken(written)

    def _lose(self, reason: str) -> None:
        if self._lost is None:
            self._lost = reason
            if self._on_lost is not None and not self._closed:
                self._on_lost(reason)

    def _raise_if_gone(self) -> None:
        if self._lost is not None:
            raise PortGone(f"the JACK server is gone: {self._lost}")
        if self._closed:
            raise PortGone("this JACK client is closed")

    def _others(self, **direction: bool) -> list[str]:
        self._raise_if_gone()
        try:
            ports = self._client.get_ports(is_midi=True, **direction)
        except self._jack.JackError:  # a port vanished while the list was made
            ports = self._client.get_ports(is_midi=True, **direction)
        others = sorted((port for port in ports if not self._client.owns(port)), key=lambda port: not port.is_physical)
        return [_shown_name(port) for port in others]

    def _register(self, ports: Any, wanted: str) -> Any:
        self._raise_if_gone()
        short_name = wanted.replace(":", " ")[:_LONGEST_PORT_NAME]
        taken = {port.shortname for port in (*self._client.midi_inports, *self._client.midi_outports)}
        numbered = (f"{short_name} {number}" for number in range(2, len(taken) + 3))
        free = short_name if short_name not in taken else next(name for name in numbered if name not in taken)
        try:
            return ports.register(free)
        except self._jack.JackError as error:
            raise AntiphonError(f"JACK port '{free}' cannot be made: {error}") from None

    def _connect_or_unregister(self, port: Any, source: Any, destination: Any) -> None:
        try:
            self._client.connect(source, destination)
        except self._jack.JackError as error:
            port.unregister()
            raise PortGone(f"JACK port '{port.shortname}' cannot be connected: {error}") from None

    @property
    def _period_seconds(self) -> float:
        return float(self._client.blocksize / self._client.samplerate)

    def _wait_for_periods(self, count: int) -> None:
        end = self._periods + count
        deadline = time.perf_counter() + _FLUSH_SECONDS
        while self._periods < end and self.is_alive and time.perf_counter() < deadline:
            time.sleep(self._period_seconds / 2)


@dataclass(frozen=True, slots=True, eq=False)
class _JackInput:
    port: Any
    receive: Receive


@dataclass(frozen=True, slots=True, eq=False)
class _JackOutput:
    port: Any
    outbox: Outbox


class JackInputPort:
    """A registered input and what it listens to."""

    def __init__(self, backend: JackBackend, source: _JackInput, name: str, virtual: bool) -> None:
        self.name = name
        self._backend = backend
        self._source = source
        self._virtual = virtual

    @property
    def connected(self) -> bool:
        return self._backend.is_alive and (self._virtual or self._backend.is_connected(self._source))

    def close(self) -> None:
        self._backend.remove(self._source)


class JackOutputPort:
    """A registered output; what is due at a time leaves exactly one period later."""

    stamps = True
    """It keeps a message until its moment; the engine hands over early what it knows early."""

    def __init__(self, backend: JackBackend, output: _JackOutput, name: str) -> None:
        self.name = name
        self._backend = backend
        self._output = output

    def send(self, message: bytes, at_seconds: float | None = None) -> None:
        self._backend.send(self._output, message, at_seconds)

    def close(self) -> None:
        self._backend.remove(self._output)


def _jack_module() -> ModuleType:
    try:
        import jack
    except ImportError:
        raise BackendUnusable(f"jack: JACK-Client is not installed; {pip_line('JACK-Client')}") from None
    except OSError:
        raise BackendUnusable("jack: the JACK library (libjack) is not installed") from None
    # Set for good: the library also prints from threads of its own, when the server dies.
    jack.set_error_function(_log.debug)
    jack.set_info_function(_log.debug)
    module: ModuleType = jack
    return module


def _open_client(jack: ModuleType, name: str) -> Any:
    """A client called `name`; should that stay taken, what the server makes of it (`Antiphon-01`)."""
    deadline = time.perf_counter() + _NAME_SECONDS
    while True:
        try:
            with quiet_stderr():
                client = jack.Client(name, no_start_server=True)
        except jack.JackError:
            raise ServerDown("jack: no JACK server is running") from None
        if client.name == name or time.perf_counter() > deadline:
            return client
        client.close()
        time.sleep(0.05)


def _shown_name(port: Any) -> str:
    """A physical port's alias, which tells the device, where there is one; else its name. Either one opens it."""
    aliases = port.aliases if port.is_physical else []
    return str(aliases[0] if aliases else port.name)
