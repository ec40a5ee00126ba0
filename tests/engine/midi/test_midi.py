"""Which backend is chosen, and the way through rtmidi, with the systems themselves played by stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from antiphon.errors import AntiphonError
from antiphon.midi import backends, rtmidi_backend
from antiphon.midi.backend import BackendUnusable, ServerDown, checked
from antiphon.midi.backends import KINDS, find_backend
from antiphon.midi.rtmidi_backend import RtMidiBackend
from antiphon.output import PortGone
from antiphon.quiet import quiet_stderr


def spawn(work: Callable[[], None], name: str) -> None:
    raise AssertionError("choosing a backend needs no thread")


@pytest.fixture(autouse=True)
def no_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTIPHON_MIDI_BACKEND", raising=False)


def usable(monkeypatch: pytest.MonkeyPatch, *kinds: str, problem: type[BackendUnusable] = BackendUnusable) -> list[str]:
    """Pretend that just these can be opened; returns the list of those that were tried."""
    tried = []

    def open_backend(kind: str, client_name: str, spawn: Any, on_lost: Any = None) -> Any:
        tried.append(kind)
        if kind not in kinds:
            raise problem(f"{kind}: not here")
        return SimpleNamespace(name=kind, virtual=True, inputs=list, outputs=list, close=lambda: None)

    monkeypatch.setattr(backends, "open_backend", open_backend)
    return tried


@pytest.mark.parametrize(
    ("wanted", "present", "chosen"),
    [
        (None, KINDS, "jack"),
        ("auto", ("alsa", "socket"), "alsa"),
        ("auto", ("socket",), "socket"),
        ("auto", ("rtmidi", "alsa"), "rtmidi"),
        ("jack", ("rtmidi", "alsa"), "rtmidi"),
        ("rtmidi", ("jack", "alsa"), "alsa"),
        ("socket", KINDS, "socket"),
        ("winmm", KINDS, "winmm"),
    ],
)
def test_the_first_usable_backend_is_chosen(
    monkeypatch: pytest.MonkeyPatch, wanted: str | None, present: tuple[str, ...], chosen: str
) -> None:
    usable(monkeypatch, *present)
    assert find_backend("Antiphon", spawn, wanted).name == chosen


def test_the_environment_chooses_where_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    usable(monkeypatch, *KINDS)
    monkeypatch.setenv("ANTIPHON_MIDI_BACKEND", "socket")
    assert find_backend("Antiphon", spawn).name == "socket"
    assert find_backend("Antiphon", spawn, "alsa").name == "alsa"


def test_a_jack_server_that_is_down_is_not_reached_through_rtmidi_either(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = usable(monkeypatch, "rtmidi", "socket", problem=ServerDown)
    assert find_backend("Antiphon", spawn).name == "socket"
    assert "rtmidi" not in tried


def test_an_unusable_backend_is_refused_with_the_reason_and_the_usable_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    usable(monkeypatch, "alsa", "socket")
    with pytest.raises(
        AntiphonError, match=r"'coremidi' is not usable here: coremidi: not here\. Usable: auto, alsa, socket"
    ):
        find_backend("Antiphon", spawn, "coremidi")


def test_an_unknown_backend_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        AntiphonError, match=r"'oss' is unknown; allowed: auto, jack, rtmidi, alsa, coremidi, winmm, socket"
    ):
        find_backend("Antiphon", spawn, "oss")


def test_this_machines_survey_has_a_problem_or_none_for_every_backend(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANTIPHON_SOCKET_PORTS", str(tmp_path))
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "antiphon-no-such-server")
    reports = {report.kind: report.problem for report in backends.survey_backends(spawn)}
    assert tuple(reports) == KINDS
    assert reports["socket"] is None
    assert all(problem is None or problem.startswith(f"{kind}: ") for kind, problem in reports.items())
    assert sum(problem is None for problem in reports.values()) < len(KINDS), "no machine has them all"


@pytest.mark.parametrize("message", [b"\x90\x3c\x40", b"\xf8", b"\xf0\x01\xf7", bytes([0xF0, *bytes(16_377), 0xF7])])
def test_well_formed_messages_go_out(message: bytes) -> None:
    assert checked(message) is message


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (b"", "malformed"),
        (b"\x90\x3c", "malformed MIDI message '90 3c'"),
        (b"\x90\x3c\x80", "malformed"),
        (b"\x3c\x40", "malformed"),
        (bytes([0xF0, *bytes(16_378), 0xF7]), "16380 bytes; allowed 1 to 16379"),
    ],
)
def test_malformed_and_overlong_messages_are_refused(message: bytes, complaint: str) -> None:
    with pytest.raises(AntiphonError, match=complaint):
        checked(message)


def test_what_a_library_prints_is_hushed_and_no_more_than_that(capfd: pytest.CaptureFixture[str]) -> None:
    import os

    os.write(2, b"before ")
    with quiet_stderr():
        os.write(2, b"during ")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


# ── rtmidi, played by a stand-in ─────────────────────────────────────────────────────────────────────────────────


class FakeRtMidi:
    """What this project uses of the module `rtmidi`."""

    class RtMidiError(Exception):
        pass

    class SystemError(RtMidiError):  # noqa: A001 (the library's own name)
        pass

    API = 5

    def __init__(self) -> None:
        self.made: list[FakeDevice] = []
        self.server_runs = True

    def MidiIn(self, api: int, name: str) -> FakeDevice:  # noqa: N802 (the library's own name)
        return self._make(name, ["keys 20:0", "pads 24:0"])

    def MidiOut(self, api: int, name: str) -> FakeDevice:  # noqa: N802 (the library's own name)
        return self._make(name, ["synth 28:0"])

    def _make(self, name: str, ports: list[str]) -> FakeDevice:
        if not self.server_runs:
            raise self.SystemError("no server")
        self.made.append(FakeDevice(name, ports))
        return self.made[-1]


class FakeDevice:
    def __init__(self, client_name: str, ports: list[str]) -> None:
        self.client_name = client_name
        self.ports = ports
        self.sent: list[bytes] = []
        self.ignored: dict[str, bool] = {}
        self.opened: object = None
        self.callback: Any = None
        self.is_deleted = False

    def get_ports(self) -> list[str]:
        return self.ports

    def ignore_types(self, **ignored: bool) -> None:
        self.ignored = ignored

    def set_callback(self, callback: Any) -> None:
        self.callback = callback

    def open_port(self, index: int, name: str) -> None:
        self.opened = (index, name)

    def open_virtual_port(self, name: str) -> None:
        self.opened = name

    def send_message(self, message: bytes) -> None:
        self.sent.append(message)

    def close_port(self) -> None:
        self.opened = None

    def delete(self) -> None:
        self.is_deleted = True


@pytest.fixture
def rtmidi(monkeypatch: pytest.MonkeyPatch) -> FakeRtMidi:
    fake = FakeRtMidi()
    monkeypatch.setattr(rtmidi_backend, "_opened_library", lambda *_: (fake, fake.API))
    return fake


def test_rtmidi_lists_and_opens_ports_of_others(rtmidi: FakeRtMidi) -> None:
    backend = RtMidiBackend("alsa", "Antiphon")
    heard: list[bytes] = []
    assert (backend.inputs(), backend.outputs()) == (["keys 20:0", "pads 24:0"], ["synth 28:0"])
    source = backend.open_input("pads 24:0", lambda message, seconds: heard.append(message))
    device = rtmidi.made[-1]
    assert (source.name, source.connected, device.opened) == ("pads 24:0", True, (1, "input pads 24"))
    assert device.ignored == {"sysex": False, "timing": False, "active_sense": True}
    device.callback(([0x90, 60, 1], 0.0), None)
    assert heard == [b"\x90\x3c\x01"]
    out = backend.open_output("synth 28:0")
    out.send(b"\x80\x3c\x00", at_seconds=1.0)
    assert rtmidi.made[-1].sent == [b"\x80\x3c\x00"]


def test_of_two_ports_of_one_name_each_is_opened_by_its_number(rtmidi: FakeRtMidi) -> None:
    backend = RtMidiBackend("coremidi", "Antiphon")
    rtmidi.made[0].ports[:] = rtmidi.made[1].ports[:] = ["Keys", "Pads", "Keys"]
    assert backend.inputs() == backend.outputs() == ["Keys", "Pads", "Keys#2"]
    places = []
    for name in backend.inputs():
        backend.open_input(name, lambda *_: None)
        backend.open_output(name)
        places += [device.opened[0] for device in rtmidi.made[-2:] if isinstance(device.opened, tuple)]
    assert places == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("kind", "opened", "shown", "client_name"),
    [
        ("alsa", "in", "Antiphon:in", "Antiphon"),
        ("rtmidi", "in", "Antiphon input:in", "Antiphon input"),
        ("coremidi", "Antiphon in", "Antiphon in", "Antiphon"),
    ],
)
def test_virtual_ports_have_the_names_a_patchbay_shows(
    rtmidi: FakeRtMidi, kind: str, opened: str, shown: str, client_name: str
) -> None:
    port = RtMidiBackend(kind, "Antiphon").open_input("in", lambda *_: None, virtual=True)
    assert (rtmidi.made[-1].opened, port.name, rtmidi.made[-1].client_name) == (opened, shown, client_name)


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("alsa", "Antiphon:bass"), ("rtmidi", "Antiphon bass:bass"), ("coremidi", "Antiphon bass")],
)
def test_ports_with_names_of_their_own_are_called_alike_at_every_start(
    rtmidi: FakeRtMidi, kind: str, shown: str
) -> None:
    backend = RtMidiBackend(kind, "Antiphon")
    assert backend.open_output("bass", virtual=True).name == shown
    assert backend.open_input("bass", lambda *_: None, virtual=True).name == shown


def test_windows_has_no_virtual_ports(rtmidi: FakeRtMidi, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = RtMidiBackend("winmm", "Antiphon")
    assert not backend.virtual

    def refuse(device: FakeDevice, name: str) -> None:
        raise NotImplementedError("not with this API")

    monkeypatch.setattr(FakeDevice, "open_virtual_port", refuse)
    with pytest.raises(AntiphonError, match="MIDI output 'out' cannot be opened: not with this API"):
        backend.open_output("out", virtual=True)
    assert rtmidi.made[-1].is_deleted


def test_closing_rtmidi_releases_every_device(rtmidi: FakeRtMidi) -> None:
    backend = RtMidiBackend("alsa", "Antiphon")
    out = backend.open_output("out", virtual=True)
    backend.open_input("in", lambda *_: None, virtual=True)
    backend.close()
    assert all(device.is_deleted for device in rtmidi.made)
    assert len(rtmidi.made) == 4
    with pytest.raises(PortGone, match="'Antiphon:out' is closed"):
        out.send(b"\xf8")


def test_a_port_that_is_gone_is_refused(rtmidi: FakeRtMidi) -> None:
    with pytest.raises(PortGone, match="MIDI input 'organ' is not there"):
        RtMidiBackend("alsa", "Antiphon").open_input("organ", lambda *_: None)
    assert rtmidi.made[-1].is_deleted


def test_a_system_that_does_not_start_makes_the_backend_unusable(rtmidi: FakeRtMidi) -> None:
    rtmidi.server_runs = False
    with pytest.raises(BackendUnusable, match="alsa: no server"):
        RtMidiBackend("alsa", "Antiphon")


def test_alsa_without_its_sequencer_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rtmidi_backend.sys, "platform", "linux")
    alsa = replace(rtmidi_backend._APIS["alsa"], device=tmp_path / "seq")
    monkeypatch.setitem(rtmidi_backend._APIS, "alsa", alsa)
    with pytest.raises(BackendUnusable, match="modprobe snd-seq"):
        RtMidiBackend("alsa", "Antiphon")
    (tmp_path / "seq").touch()
    monkeypatch.setattr(backends.os, "access", lambda *_: False)
    with pytest.raises(BackendUnusable, match="join the group `audio`"):
        RtMidiBackend("alsa", "Antiphon")


def test_a_backend_for_another_system_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtmidi_backend.sys, "platform", "linux")
    with pytest.raises(BackendUnusable, match=r"winmm: not for this operating system \(linux\)"):
        RtMidiBackend("winmm", "Antiphon")
