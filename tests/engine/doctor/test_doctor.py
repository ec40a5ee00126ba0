"""What the doctor finds, on machines played by stand-ins; the real one is examined in tests/e2e."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from antiphon.cli import doctor as doctor_command
from antiphon.cli import ports as ports_command
from antiphon.doctor import checks
from antiphon.doctor.checks import Finding
from antiphon.errors import AntiphonError, pip_line
from antiphon.midi import backends
from antiphon.midi.backend import BackendUnusable
from antiphon.midi.backends import BackendReport
from antiphon.models import onnx_session
from antiphon.models.onnx_session import Providers, probe_providers
from antiphon.output import PortGone
from antiphon.session.percentiles import percentile
from antiphon.sound import audio


def spawn(work: Callable[[], None], name: str) -> None:
    raise AssertionError("nothing here needs a thread")


class FakeBackend:
    """A MIDI system on which what leaves an output arrives at the input that listens to it, at once."""

    def __init__(self, name: str = "jack", *, virtual: bool = True, keyboards: tuple[str, ...] = ("keys",)) -> None:
        self.name = name
        self.virtual = virtual
        self.stamps = self.tells_connections = name == "jack"
        self.carries_daws = name != "socket"
        self.may_freeze = name == "rtmidi"
        self.keyboards = list(keyboards)
        self.ports: dict[str, list[Any]] = {"Antiphon doctor:out": [], "Antiphon doctor:in": []}
        self.loses = 0
        self.closed = False

    def inputs(self) -> list[str]:
        return [*self.keyboards, "Antiphon doctor:out"]

    def outputs(self) -> list[str]:
        return ["Antiphon doctor:in"]

    def open_input(self, name: str, receive: Any, *, virtual: bool = False) -> Any:
        full_name = f"Antiphon doctor:{name}" if virtual else name
        self.ports[full_name].append(receive)
        return SimpleNamespace(name=full_name)

    def open_output(self, name: str, *, virtual: bool = False) -> Any:
        full_name = f"Antiphon doctor:{name}" if virtual else name
        return SimpleNamespace(name=full_name, send=lambda message: self._carry(full_name, message))

    def _carry(self, name: str, message: bytes) -> None:
        if self.loses:
            self.loses -= 1
            return
        for receive in self.ports[name]:
            receive(message, 0.0)

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is turned by looking at it and by sleeping, so that no test waits."""
    now = [0.0]

    def look() -> float:
        now[0] += 1e-6
        return now[0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(checks, "time", SimpleNamespace(perf_counter=look, sleep=sleep))


def midi_findings(monkeypatch: pytest.MonkeyPatch, backend: FakeBackend) -> dict[str, Finding]:
    monkeypatch.setattr(checks, "find_backend", lambda *_: backend)
    monkeypatch.setattr(checks, "survey_backends", lambda _: [BackendReport("jack", "jack: no JACK server is running")])
    findings = {finding.subject: finding for finding in checks._midi(spawn, None)}
    assert backend.closed
    return findings


def test_a_machine_with_a_midi_system_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = midi_findings(monkeypatch, FakeBackend())
    assert {finding.level for finding in findings.values()} == {"ok"}
    assert not any(finding.advice for finding in findings.values())
    assert findings["keyboard"].text == "keys"
    assert "p50 0.00 ms" in findings["loopback"].text


def test_lost_messages_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = FakeBackend()
    backend.loses = 7
    loopback = midi_findings(monkeypatch, backend)["loopback"]
    assert (loopback.level, loopback.text) == ("fail", "7 of 300 messages were lost on jack")


def test_a_slow_round_trip_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "measure_round_trips", lambda *_: [0.02] * 300)
    assert midi_findings(monkeypatch, FakeBackend())["loopback"].level == "warn"


def test_a_round_trip_that_cannot_begin_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> list[float]:
        raise PortGone("the server is gone")

    monkeypatch.setattr(checks, "measure_round_trips", refuse)
    loopback = midi_findings(monkeypatch, FakeBackend())["loopback"]
    assert loopback.level == "fail"
    assert "the server is gone" in loopback.text


@pytest.mark.parametrize(
    ("backend", "subject", "advice"),
    [
        (FakeBackend("socket"), "midi", "no JACK server is running"),
        (FakeBackend("rtmidi"), "midi", r"-m pip install JACK-Client"),
        (FakeBackend("winmm", virtual=False), "daw", "loopMIDI"),
        (FakeBackend(keyboards=()), "keyboard", "antiphon ports"),
    ],
)
def test_what_could_be_better_is_a_warning_with_advice(
    monkeypatch: pytest.MonkeyPatch, backend: FakeBackend, subject: str, advice: str
) -> None:
    finding = midi_findings(monkeypatch, backend)[subject]
    assert finding.level == "warn"
    assert advice in finding.advice


WAVETABLE = "Microsoft GS Wavetable Synth 0"


@pytest.mark.parametrize(
    ("system", "ports", "level", "says"),
    [
        ("jack", [], "ok", "Antiphon:in and Antiphon:out"),
        ("coremidi", ["IAC Driver Bus 1"], "ok", "Antiphon in and Antiphon out; no need for 'IAC Driver Bus 1'"),
        ("winmm", [], "warn", "winmm has no ports of our own"),
        ("winmm", ["loopMIDI Port 1"], "warn", "--out 'loopMIDI Port 1', which it hears as 'loopMIDI Port 1'"),
        ("winmm", ["to daw loopMIDI 1", "from daw loopMIDI 2"], "ok", "heard with --in 'from daw loopMIDI 2'"),
        (
            "winmm",
            ["Default App Loopback (A) 1", "Default App Loopback (B) 2"],
            "ok",
            "--out 'Default App Loopback (A) 1', which it hears as 'Default App Loopback (B) 2'; "
            "it sends to 'Default App Loopback (B) 2', heard with --in 'Default App Loopback (A) 1'",
        ),
    ],
)
def test_how_to_connect_a_daw_is_said_with_the_ports_there_are(
    system: str, ports: list[str], level: str, says: str
) -> None:
    finding = checks.daw_route(system, system != "winmm", ["Keystation 0", *ports], [WAVETABLE, *ports])
    assert (finding.subject, finding.level) == ("daw", level)
    assert says in finding.text
    assert bool(finding.advice) == (level == "warn")


def test_a_backend_that_cannot_be_opened_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Any:
        raise BackendUnusable("jack: not here")

    monkeypatch.setattr(checks, "find_backend", refuse)
    (finding,) = checks._midi(spawn, "jack")
    assert (finding.level, finding.text) == ("fail", "jack: not here")


def test_a_coarse_clock_and_late_sleep_are_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks._clock().level == "ok"
    assert checks._sleep().level == "ok"
    now = [0.0]

    def look() -> float:
        now[0] += 0.001
        return now[0]

    def oversleep(seconds: float) -> None:
        now[0] += seconds + 0.01

    monkeypatch.setattr(checks, "time", SimpleNamespace(perf_counter=look, sleep=oversleep))
    assert checks._clock().level == "warn"
    assert checks._sleep().level == "warn"


def test_the_switch_interval_is_left_as_it_was() -> None:
    before = sys.getswitchinterval()
    assert checks._switch_interval().level == "ok"
    assert sys.getswitchinterval() == before


def test_missing_real_time_rights_are_a_warning_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    real_time = SimpleNamespace(
        SCHED_FIFO=1,
        sched_getscheduler=lambda _: 0,
        sched_getparam=lambda _: None,
        sched_get_priority_min=lambda _: 1,
        sched_param=lambda _: None,
        sched_setscheduler=refuse,
    )
    monkeypatch.setattr(checks, "os", real_time)
    finding = checks._real_time()
    assert (finding.level, "limits.d" in finding.advice) == ("warn", True)
    real_time.sched_setscheduler = lambda *_: None
    assert checks._real_time().level == "ok"
    monkeypatch.setattr(checks, "os", SimpleNamespace())
    assert checks._real_time().level == "ok"


def test_a_missing_package_fails_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks._packages().level == "ok"
    monkeypatch.setattr(checks, "_PACKAGES", ("mido", "no-such-package"))
    finding = checks._packages()
    assert (finding.level, finding.advice) == ("fail", pip_line("no-such-package"))


def test_without_sound_there_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = [
        audio.AudioDevice(0, "hdmi", "ALSA", 2, 44_100, False),
        audio.AudioDevice(1, "usb", "ALSA", 2, 48_000, True),
    ]
    monkeypatch.setattr(audio, "describe_devices", lambda: devices)
    assert checks._audio() == Finding("audio", "ok", "usb (ALSA), 48000 Hz; 2 in all")
    monkeypatch.setattr(audio, "describe_devices", list)
    assert checks._audio().level == "warn"

    def refuse() -> list[audio.AudioDevice]:
        raise AntiphonError("PortAudio is not installed")

    monkeypatch.setattr(audio, "describe_devices", refuse)
    assert checks._audio().level == "warn"


@pytest.mark.parametrize(
    ("usable", "driver", "level"),
    [
        (("CUDAExecutionProvider", "CPUExecutionProvider"), True, "ok"),
        (("CPUExecutionProvider",), False, "ok"),
        (("CPUExecutionProvider",), True, "warn"),
        ((), False, "fail"),
    ],
)
def test_models_on_the_processor_are_a_warning_only_beside_a_driver(
    monkeypatch: pytest.MonkeyPatch, usable: tuple[str, ...], driver: bool, level: str
) -> None:
    providers = Providers("1.31.1", ("CUDAExecutionProvider", "CPUExecutionProvider"), usable)
    monkeypatch.setattr(onnx_session, "probe_providers", lambda: providers)
    assert checks._onnx(lambda: driver).level == level


def test_without_onnx_runtime_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    finding = checks._onnx(lambda: False)
    assert finding.level == "fail"
    assert pip_line("onnxruntime") in finding.text


def test_only_a_provider_whose_session_has_it_and_computes_is_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    class Session:
        """Like the real one: what does not work is silently replaced by the processor."""

        def __init__(self, model: bytes, options: object, providers: list[str], enable_fallback: int) -> None:
            assert not enable_fallback, "it would announce itself on stdout, in the middle of our JSON"
            if providers == ["RaisingExecutionProvider"]:
                raise RuntimeError("no such device")
            self.providers = ["CPUExecutionProvider"] if providers == ["CUDAExecutionProvider"] else providers

        def get_providers(self) -> list[str]:
            return self.providers

        def run(self, outputs: None, inputs: dict[str, Any]) -> list[Any]:
            return [inputs["x"] * (3 if self.providers == ["WrongExecutionProvider"] else 2)]

    names = ["CUDA", "Raising", "Wrong", "Azure", "CPU"]
    fake = SimpleNamespace(
        __version__="1",
        InferenceSession=Session,
        SessionOptions=SimpleNamespace,
        get_available_providers=lambda: [f"{name}ExecutionProvider" for name in names],
    )
    monkeypatch.setitem(sys.modules, "onnxruntime", fake)
    providers = probe_providers()
    assert providers.usable == ("CPUExecutionProvider",)
    assert providers.listed == tuple(f"{name}ExecutionProvider" for name in names if name != "Azure")


def test_the_processor_computes_the_shipped_model() -> None:
    pytest.importorskip("onnxruntime", reason="the package is only demanded of a complete installation")
    assert "CPUExecutionProvider" in probe_providers().usable


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.floats(0.1, 100))
def test_a_percentile_is_the_smallest_value_that_enough_do_not_exceed(values: list[float], percent: float) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values) * (1 - 1e-9)
    assert sum(value < found for value in values) * 100 < percent * len(values) * (1 + 1e-9)


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


# ── The commands ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def run() -> Callable[..., Any]:
    app = typer.Typer()
    doctor_command.add_commands(app)
    ports_command.add_commands(app)
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_doctor_exits_with_1_only_if_something_fails(monkeypatch: pytest.MonkeyPatch, run: Callable[..., Any]) -> None:
    findings = [Finding("clock", "ok", "fine"), Finding("sound", "warn", "no device", "connect one")]
    monkeypatch.setattr(checks, "examine", lambda spawn, backend: iter(findings))
    result = run("doctor")
    assert result.exit_code == 0
    assert result.stdout == "ok    clock: fine\nwarn  sound: no device\n      → connect one\n"
    findings.append(Finding("midi", "fail", "lost", "restart"))
    result = run("doctor", "--json")
    assert result.exit_code == 1
    assert [entry["level"] for entry in json.loads(result.stdout)] == ["ok", "warn", "fail"]


def test_ports_lists_every_backend_and_what_auto_takes(
    monkeypatch: pytest.MonkeyPatch, run: Callable[..., Any]
) -> None:
    reports = [
        BackendReport("jack", "jack: no JACK server is running"),
        BackendReport("alsa", None, True, ("Midi Through 14:0", "keys 20:0"), ("synth 28:0",)),
        BackendReport("winmm", None, False, ("pads",), ()),
    ]
    monkeypatch.setattr(backends, "survey_backends", lambda spawn: reports)
    assert run("ports").stdout.splitlines() == [
        "alsa  ← auto",
        "  input   Midi Through 14:0",
        "  input   keys 20:0  ← auto",
        "  output  synth 28:0",
        "winmm (no virtual ports)",
        "  input   pads",
        "  output  none",
        "Not usable here",
        "  jack: no JACK server is running",
    ]
    data = {entry["backend"]: entry for entry in json.loads(run("ports", "--json").stdout)}
    assert [data[kind]["auto"] for kind in ("jack", "alsa", "winmm")] == [False, True, False]
    assert data["alsa"]["inputs"] == [{"name": "Midi Through 14:0", "auto": False}, {"name": "keys 20:0", "auto": True}]
    assert data["winmm"]["inputs"] == [{"name": "pads", "auto": False}]
