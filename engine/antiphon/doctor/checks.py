"""Examines whether this machine can play in time, and says what to do where it cannot. It mends nothing itself."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from antiphon.doctor.latency import Returns, RoundTrips, time_notes
from antiphon.errors import AntiphonError, pip_line
from antiphon.midi.backend import Backend, Spawn
from antiphon.midi.backends import find_backend, survey_backends
from antiphon.midi.loops import find_route
from antiphon.midi.port_names import CLIENT_NAME, auto_inputs, match_port, virtual_name
from antiphon.music.messages import control_change
from antiphon.quiet import quiet_stderr
from antiphon.session.percentiles import percentile

Level = Literal["ok", "warn", "fail"]

_PACKAGES: Final = (
    "numpy",
    "mido",
    "python-rtmidi",
    "sounddevice",
    "pluggy",
    "typer",
    "rich",
    "pydantic",
    "platformdirs",
    "matplotlib",
)
_OWN_PORTS: Final = {"coremidi": ("Antiphon in", "Antiphon out"), "rtmidi": ("Antiphon input:in", "Antiphon:out")}
"""What others see our ports as, where that is not `Antiphon:in` and `Antiphon:out`."""
_CONNECTING_SECONDS: Final = 60.0
"""How long a person has time to connect our ports."""
_ANSWERING_SECONDS: Final = 3.0
"""How long the first note may take to come back where nothing is to be done."""
_ROUND_TRIPS: Final = 300
_GAP_SECONDS: Final = 0.003
_LOST_SECONDS: Final = 0.25
_SLOW_ROUND_TRIP_SECONDS: Final = 0.015
_LATE_SLEEP_SECONDS: Final = 0.002
_COARSE_CLOCK_SECONDS: Final = 1e-5
_SHORT_SWITCH_SECONDS: Final = 1e-4

_REAL_TIME_ADVICE: Final = (
    "as root: echo '@audio - rtprio 95' > /etc/security/limits.d/audio.conf; usermod -aG audio YOUR-NAME; "
    "then log in again"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    subject: str
    level: Level
    """`warn`: it plays, but not as well as it could; `fail`: it cannot play."""
    text: str
    advice: str = ""
    """What to do about it; empty if all is well."""


def examine(spawn: Spawn, wanted_backend: str | None = None) -> Iterator[Finding]:
    """Everything in turn, as soon as it is known; takes some three seconds.

    `wanted_backend`: as for `find_backend`.
    """
    yield _python()
    yield _packages()
    yield from _midi(spawn, wanted_backend)
    yield _clock()
    yield _sleep()
    yield _switch_interval()
    yield _real_time()
    yield _audio()
    yield _onnx()


def _python() -> Finding:
    text = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform(terse=True)}"
    return Finding("python", "ok", text)


def _packages() -> Finding:
    versions, missing = [], []
    for package in ("antiphon", *_PACKAGES):
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(package)
    if missing:
        return Finding("packages", "fail", f"not installed: {', '.join(missing)}", pip_line(*missing))
    return Finding("packages", "ok", ", ".join(versions))


# ── MIDI ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _midi(spawn: Spawn, wanted: str | None) -> Iterator[Finding]:
    try:
        backend = find_backend("Antiphon doctor", spawn, wanted)
    except AntiphonError as error:
        yield Finding("midi", "fail", str(error), "choose a usable backend, or leave the choice to `auto`")
        return
    try:
        yield _system(backend, spawn)
        yield _keyboards(backend)
        if backend.virtual:
            yield _loopback(backend, spawn)
        if backend.carries_daws:
            yield daw_route(backend.name, backend.virtual, backend.inputs(), backend.outputs())
    finally:
        backend.close()


def _system(backend: Backend, spawn: Spawn) -> Finding:
    text = f"plays through {backend.name}, {'with' if backend.virtual else 'without'} virtual ports"
    if backend.may_freeze:
        text += ", on JACK without frame stamps; when the JACK server dies, rtmidi freezes"
        return Finding("midi", "warn", text, pip_line("JACK-Client"))
    if not backend.carries_daws:
        problems = [report.problem for report in survey_backends(spawn) if report.problem is not None]
        here = [problem for problem in problems if "not for this operating system" not in problem]
        return Finding("midi", "warn", f"{text}: only Antiphon's own programs can be reached", "; or ".join(here))
    return Finding("midi", "ok", text)


def _keyboards(backend: Backend) -> Finding:
    keyboards = auto_inputs(backend.inputs())
    if keyboards:
        return Finding("keyboard", "ok", ", ".join(keyboards))
    return Finding("keyboard", "warn", "none found", "connect one; `antiphon ports` lists what is there")


def _loopback(backend: Backend, spawn: Spawn) -> Finding:
    try:
        seconds = measure_round_trips(backend, spawn)
    except AntiphonError as error:
        return Finding("loopback", "fail", f"no round trip through {backend.name}: {error}", "restart the MIDI system")
    lost = _ROUND_TRIPS - len(seconds)
    if lost:
        text = f"{lost} of {_ROUND_TRIPS} messages were lost on {backend.name}"
        return Finding("loopback", "fail", text, "restart the MIDI system; with JACK, start jackd with -S")
    text = (
        f"round trip through two clients of {backend.name}: "
        f"p50 {percentile(seconds, 50) * 1e3:.2f} ms, p99 {percentile(seconds, 99) * 1e3:.2f} ms"
    )
    if percentile(seconds, 99) > _SLOW_ROUND_TRIP_SECONDS:
        return Finding(
            "loopback", "warn", text, "with JACK, choose a shorter period (jackd -p 128); close other programs"
        )
    return Finding("loopback", "ok", text)


def daw_route(system: str, virtual: bool, inputs: Sequence[str], outputs: Sequence[str]) -> Finding:
    """How to connect a DAW: through ports of our own where the system has such, else through loops that are there."""
    route = find_route(inputs, outputs)
    if virtual:
        text = f"while you jam, connect it to {' and '.join(_OWN_PORTS.get(system, ('Antiphon:in', 'Antiphon:out')))}"
        if route is not None:
            text += f"; no need for '{route.to_daw}'"
        return Finding("daw", "ok", text)
    text = f"{system} has no ports of our own"
    if route is None:
        advice = (
            "install loopMIDI and make two ports in it; or, on a Windows with Windows MIDI Services, make a pair of "
            "loopback endpoints in its settings. Run this again: it will say how to use them"
        )
        return Finding("daw", "warn", text, advice)
    text += f"; play to the DAW with --out '{route.to_daw}', which it hears as '{route.heard_as}'"
    if route.from_daw is None:
        return Finding("daw", "warn", text, "for the way back, make a second loop: one would bring back our own notes")
    return Finding("daw", "ok", f"{text}; it sends to '{route.sent_to}', heard with --in '{route.from_daw}'")


def measure_round_trips(backend: Backend, spawn: Spawn, count: int = _ROUND_TRIPS) -> list[float]:
    """Seconds of each of `count` round trips from `backend` to a second client and back; lost ones are left out.

    Raises:
        AntiphonError: a port cannot be made or found.
    """
    # One after the other: a burst looped back within one process through rtmidi comes out corrupted.
    echo = find_backend("Antiphon doctor echo", spawn, backend.name)
    arrivals: list[float] = []
    try:
        there = backend.open_output("out", virtual=True)
        back = backend.open_input("in", lambda *_: arrivals.append(time.perf_counter()), virtual=True)
        answer = echo.open_output(match_port(back.name, echo.outputs(), "output"))
        echo.open_input(match_port(there.name, echo.inputs(), "input"), lambda message, _: answer.send(message))
        time.sleep(0.05)  # until the connections carry
        seconds = []
        for number in range(count):
            arrived, begin = len(arrivals), time.perf_counter()
            there.send(control_change(0, 119, number % 128))
            while len(arrivals) == arrived and time.perf_counter() - begin < _LOST_SECONDS:
                time.sleep(_GAP_SECONDS / 10)
            if len(arrivals) > arrived:
                seconds.append(arrivals[arrived] - begin)
            time.sleep(_GAP_SECONDS)
        return seconds
    finally:
        echo.close()


@dataclass(frozen=True, slots=True)
class PortLatency:
    """What was measured of an output."""

    output: str
    """Its name, as others see it."""
    input: str
    """Where its notes came back."""
    backend: str
    trips: RoundTrips
    one_way: bool
    """Whether the way back was not counted."""


def measure_latency(
    output: str, input_name: str, spawn: Spawn, wanted: str | None, tell: Callable[[str], None]
) -> PortLatency:
    """Time notes from `output` to `input_name`, ports by name as in a preset.

    `wanted`: as for `find_backend`. `tell`: told what a person has to do meanwhile.

    Raises:
        AntiphonError: no such port, no usable MIDI system, or nothing came back.
    """
    backend = find_backend(CLIENT_NAME, spawn, wanted)
    returns = Returns()
    try:
        own_output, own_input = virtual_name(output, "output"), virtual_name(input_name, "input")
        into = own_output or match_port(output, backend.outputs(), "output")
        back = own_input or match_port(input_name, backend.inputs(), "input")
        if not backend.virtual and (own_output or own_input):
            raise AntiphonError(f"{backend.name} has no ports of our own; `antiphon ports` lists those there are")
        listening = backend.open_input(back, returns.receive, virtual=own_input is not None)
        sending = backend.open_output(into, virtual=own_output is not None)
        if own_output or own_input:
            tell(f"waiting up to {_CONNECTING_SECONDS:g} s for {sending.name} to be connected to {listening.name}")
        patience = _CONNECTING_SECONDS if own_output or own_input else _ANSWERING_SECONDS
        trips = time_notes(sending.send, returns, patience)
        # What comes in on JACK bears the frame at which it was sent on, unless an interface has held it up.
        one_way = backend.stamps and not re.search("playback|capture", f"{sending.name} {listening.name}")
        return PortLatency(sending.name, listening.name, backend.name, trips, one_way)
    finally:
        backend.close()


# ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _clock() -> Finding:
    readings = [time.perf_counter() for _ in range(10_000)]
    step = min(after - before for before, after in pairwise(readings) if after > before)
    text = f"perf_counter steps by {step * 1e6:.2f} µs"
    if step > _COARSE_CLOCK_SECONDS:
        return Finding("clock", "warn", text, "in a virtual machine, choose another clock source (tsc)")
    return Finding("clock", "ok", text)


def _sleep() -> Finding:
    late = []
    for _ in range(300):
        due = time.perf_counter() + 0.001
        time.sleep(0.001)
        late.append(time.perf_counter() - due)
    text = f"wakes up late by p50 {percentile(late, 50) * 1e3:.2f} ms, p99 {percentile(late, 99) * 1e3:.2f} ms"
    if percentile(late, 99) > _LATE_SLEEP_SECONDS:
        return Finding("sleep", "warn", text, "close other programs; set the processor's governor to `performance`")
    return Finding("sleep", "ok", text)


def _switch_interval() -> Finding:
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SHORT_SWITCH_SECONDS)
    reached = sys.getswitchinterval()
    sys.setswitchinterval(before)
    text = f"threads can take turns every {reached * 1e3:g} ms (Python's default: {before * 1e3:g} ms)"
    if reached > 2 * _SHORT_SWITCH_SECONDS:
        return Finding("switch interval", "warn", text, "use CPython; other interpreters may not allow it")
    return Finding("switch interval", "ok", text)


def _real_time() -> Finding:
    if not hasattr(os, "sched_setscheduler"):
        return Finding("real time", "ok", "not asked for on this operating system")
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(os.sched_get_priority_min(os.SCHED_FIFO)))
    except OSError as error:
        return Finding("real time", "warn", f"SCHED_FIFO is not allowed: {error.strerror}", _REAL_TIME_ADVICE)
    os.sched_setscheduler(0, policy, parameters)
    return Finding("real time", "ok", "SCHED_FIFO is allowed")


# ── Sound and models ─────────────────────────────────────────────────────────────────────────────────────────────


def _audio() -> Finding:
    from antiphon.sound.audio import describe_devices

    try:
        with quiet_stderr():  # PortAudio tells of every system that is not there
            devices = describe_devices()
    except AntiphonError as error:
        return Finding("audio", "warn", str(error), "without sound, the built-in synth is not heard; MIDI ports work")
    if not devices:
        return Finding("audio", "warn", "no device", "connect one or start JACK, or play through MIDI ports only")
    chosen = next((device for device in devices if device.is_default), devices[0])
    return Finding("audio", "ok", f"{chosen}, {chosen.sample_rate} Hz; {len(devices)} in all")


def _onnx(has_nvidia_driver: Callable[[], bool] = lambda: shutil.which("nvidia-smi") is not None) -> Finding:
    from antiphon.models.onnx_session import PACKAGE, probe_providers

    try:
        providers = probe_providers()
    except AntiphonError as error:
        return Finding("onnx", "fail", str(error), "until then only generators without a neural model play")
    text = f"ONNX Runtime {providers.version} computes with {', '.join(providers.usable) or 'nothing'}"
    if not providers.usable:
        return Finding(
            "onnx",
            "fail",
            text,
            f"{pip_line('--force-reinstall', PACKAGE)}, and never onnxruntime beside onnxruntime-gpu",
        )
    if has_nvidia_driver() and "CUDAExecutionProvider" not in providers.usable:
        text += "; there is an NVIDIA driver, but models run on the processor"
        return Finding(
            "onnx", "warn", text, f"{pip_line('onnxruntime-gpu[cuda,cudnn]')}, and keep the driver fit for its CUDA"
        )
    return Finding("onnx", "ok", text)
