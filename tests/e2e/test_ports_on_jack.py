"""Ports on a real JACK server, against witnesses that share no code with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from queue import Empty, SimpleQueue
from threading import Thread

import pytest

from antiphon.errors import AntiphonError
from antiphon.midi.backend import ServerDown
from antiphon.midi.backends import find_backend
from antiphon.midi.jack_backend import JackBackend
from antiphon.midi.rtmidi_backend import RtMidiBackend
from antiphon.music.messages import control_change, note_off, note_on
from antiphon.output import PortGone

from .conftest import is_calm
from .stage import PATIENCE_SECONDS

jack = pytest.importorskip("jack")

SAMPLE_RATE = 48_000
PERIOD_FRAMES = 128
BURST = [
    note_on(channel=number // 128 % 16, pitch=number % 128, velocity=number // 2048 + 1) for number in range(10_000)
]

pytestmark = [pytest.mark.timed, pytest.mark.jack, pytest.mark.usefixtures("jack_server")]


def spawn(work: Callable[[], None], name: str) -> None:
    Thread(target=work, name=name, daemon=True).start()


def wait_until(happened: Callable[[], object], patience_seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.perf_counter() + patience_seconds
    while not happened():
        assert time.perf_counter() < deadline, "it never happened"
        time.sleep(0.005)


def receive_all(inbox: SimpleQueue[bytes], count: int) -> list[bytes]:
    received = []
    try:
        while len(received) < count:
            received.append(inbox.get(timeout=5))
    except Empty:
        pass
    return received


def assert_complete(heard: list[bytes], sent: list[bytes], xruns: list[float]) -> None:
    """All of `sent` is `heard`, once and in order; in a period with an xrun some of it may be lost, or heard twice."""
    assert heard == sent or xruns, f"sent {len(sent)} messages, heard {len(heard)}, and nothing held JACK up"
    assert set(heard) <= set(sent)


@pytest.fixture
def backend() -> Iterator[JackBackend]:
    backend = JackBackend("Antiphon")
    yield backend
    backend.close()


@pytest.fixture
def rtmidi_backend() -> Iterator[RtMidiBackend]:
    backend = RtMidiBackend("rtmidi", "Antiphon")
    yield backend
    backend.close()


@pytest.fixture
def observer() -> Iterator[jack.Client]:
    """Sees what a patchbay sees."""
    client = jack.Client("observer", no_start_server=True)
    # Without a callback JACK would never run it, nor whatever listens to it.
    client.set_process_callback(lambda _: [port.clear_buffer() for port in client.midi_outports])
    client.activate()
    yield client
    client.deactivate()
    client.close()


def names(observer: jack.Client) -> set[str]:
    return {port.name for port in observer.get_ports(is_midi=True)}


@pytest.mark.parametrize("witness", ["jack", "rtmidi"])
def test_ten_thousand_notes_in_a_burst_all_leave_in_order(
    backend: JackBackend, listen, xruns: list[float], witness: str
) -> None:
    out = backend.open_output("out", virtual=True)
    listener = listen("Antiphon:out", backend=witness)
    for message in BURST:
        out.send(message)
    assert_complete([heard.message for heard in listener.wait_for(len(BURST))], BURST, xruns)


@pytest.mark.parametrize("musician", ["jack", "rtmidi"])
def test_ten_thousand_notes_in_a_burst_all_arrive_in_order(
    backend: JackBackend, play, xruns: list[float], musician: str
) -> None:
    inbox: SimpleQueue[bytes] = SimpleQueue()
    backend.open_input("in", lambda message, _: inbox.put(message), virtual=True)
    # rtmidi's own buffer holds some 1,600 messages; a person who sends more at once has to be patient.
    gap_seconds = 0.0 if musician == "jack" else 2e-5
    play([(number * gap_seconds, message) for number, message in enumerate(BURST)], to="Antiphon:in", backend=musician)
    assert_complete(receive_all(inbox, len(BURST)), BURST, xruns)


def test_ten_thousand_notes_pass_through_from_process_to_process(
    backend: JackBackend, listen, play, xruns: list[float]
) -> None:
    out = backend.open_output("out", virtual=True)
    backend.open_input("in", lambda message, _: out.send(message), virtual=True)
    listener = listen("Antiphon:out")
    play([(0.0, message) for message in BURST], to="Antiphon:in")
    assert_complete([heard.message for heard in listener.wait_for(len(BURST))], BURST, xruns)


def test_messages_with_a_time_leave_without_jitter(backend: JackBackend, listen, xruns: list[float]) -> None:
    out = backend.open_output("out", virtual=True)
    listener = listen("Antiphon:out")
    count, gap_seconds = 500, 0.00203
    begin = time.perf_counter() + 0.1
    for number in range(count):
        due = begin + number * gap_seconds
        time.sleep(max(0.0, due - time.perf_counter() - 0.02))
        out.send(note_on(0, number % 128, 1), at_seconds=due)
    heard = listener.wait_for(count)
    assert len(heard) == count or xruns
    # When JACK is held up, so is its clock, which is then followed.
    gaps = [
        later.frame - earlier.frame
        for earlier, later in pairwise(heard)
        if is_calm(later.seconds, xruns, settle_seconds=0.3)
    ]
    # Within two frames (0.04 ms) of where the one before says; in portions of a period, none would be.
    exact = sum(abs(gap - gap_seconds * SAMPLE_RATE) <= 2 for gap in gaps)
    assert exact >= 0.97 * len(gaps), (exact, gaps, xruns)


def test_arrivals_are_stamped_with_the_frame_at_which_they_were_played(
    backend: JackBackend, play, xruns: list[float]
) -> None:
    stamps: SimpleQueue[tuple[float, float]] = SimpleQueue()
    backend.open_input("in", lambda _, seconds: stamps.put((seconds, time.perf_counter())), virtual=True)
    count, gap_seconds = 200, 0.00507
    play([(number * gap_seconds, note_on(0, 60, 1)) for number in range(count)], to="Antiphon:in").wait()
    received = [stamps.get(timeout=PATIENCE_SECONDS) for _ in range(count)]
    assert all(stamp <= seen for stamp, seen in received), "a message arrived before it was stamped"
    gaps = [
        later - earlier
        for (earlier, _), (later, seen) in pairwise(received)
        if is_calm(seen, xruns, settle_seconds=0.3)
    ]
    exact = sum(abs(gap - gap_seconds) < 0.0002 for gap in gaps)
    assert exact >= 0.97 * len(gaps), (exact, gaps, xruns)


def test_a_note_off_without_a_time_never_overtakes_its_note_on(
    backend: JackBackend, listen, xruns: list[float]
) -> None:
    out = backend.open_output("out", virtual=True)
    listener = listen("Antiphon:out")
    expected = []
    for pitch in range(100):
        out.send(note_on(0, pitch, 1), at_seconds=time.perf_counter())
        out.send(note_off(0, pitch))
        expected += [note_on(0, pitch, 1), note_off(0, pitch)]
        time.sleep(0.001)
    assert_complete([heard.message for heard in listener.wait_for(len(expected))], expected, xruns)


def test_what_was_sent_before_closing_still_leaves(backend: JackBackend, listen) -> None:
    out = backend.open_output("out", virtual=True)
    listener = listen("Antiphon:out")
    for pitch in range(128):
        out.send(note_off(0, pitch))
    backend.close()
    assert [heard.message for heard in listener.wait_for(128)] == [note_off(0, pitch) for pitch in range(128)]


def test_a_closed_port_repeats_nothing_and_refuses_more(backend: JackBackend, listen) -> None:
    out, other = backend.open_output("out", virtual=True), backend.open_output("other", virtual=True)
    listener = listen("Antiphon:out")
    out.send(note_on(0, 60, 1))
    out.close()
    out.close()
    other.send(note_on(0, 61, 1))
    time.sleep(0.1)
    assert [heard.message for heard in listener.close()] == [note_on(0, 60, 1)]
    with pytest.raises(PortGone):
        out.send(note_off(0, 60))


def test_long_system_exclusive_messages_arrive_whole_and_longer_ones_are_refused(backend: JackBackend, listen) -> None:
    out = backend.open_output("out", virtual=True)
    listener = listen("Antiphon:out")
    longest = bytes([0xF0, *(number % 128 for number in range(16_379 - 2)), 0xF7])
    for _ in range(3):
        out.send(longest)
    assert [heard.message for heard in listener.wait_for(3)] == [longest] * 3
    with pytest.raises(AntiphonError, match="16380 bytes"):
        out.send(bytes([0xF0, *bytes(16_380 - 2), 0xF7]))
    with pytest.raises(AntiphonError, match="malformed"):
        out.send(b"\x90\x3c")


def test_ports_have_the_names_a_patchbay_shows(backend: JackBackend, observer: jack.Client) -> None:
    assert backend.open_output("out", virtual=True).name == "Antiphon:out"
    assert backend.open_input("in", lambda *_: None, virtual=True).name == "Antiphon:in"
    assert backend.open_output("out", virtual=True).name == "Antiphon:out 2"
    assert {"Antiphon:out", "Antiphon:in", "Antiphon:out 2"} <= names(observer)
    assert backend.inputs() == []
    assert backend.outputs() == []


def test_a_second_antiphon_gets_a_name_of_its_own(backend: JackBackend) -> None:
    second = JackBackend("Antiphon")
    try:
        assert second.open_output("out", virtual=True).name == "Antiphon-01:out"
    finally:
        second.close()


def test_a_physical_keyboard_is_shown_by_its_alias_and_opened_by_it(
    backend: JackBackend, observer: jack.Client
) -> None:
    plain = observer.midi_outports.register("plain")
    keyboard = observer.midi_outports.register("midi_capture_1", is_physical=True)
    keyboard.set_alias("alsa_pcm:nanoKEY2/midi_capture_1")
    assert backend.inputs() == ["alsa_pcm:nanoKEY2/midi_capture_1", plain.name]
    port = backend.open_input("alsa_pcm:nanoKEY2/midi_capture_1", lambda *_: None)
    assert backend.connections() == [
        ("alsa_pcm:nanoKEY2/midi_capture_1", "Antiphon:from alsa_pcm nanoKEY2/midi_capture_1")
    ]
    assert port.connected


def test_a_vanished_keyboard_is_noticed_and_can_be_opened_again(backend: JackBackend, play) -> None:
    inbox: SimpleQueue[bytes] = SimpleQueue()
    first = play([(60.0, note_on(0, 60, 1))])
    port = backend.open_input("keyboard:out", lambda message, _: inbox.put(message))
    assert port.connected
    first.close()
    wait_until(lambda: not port.connected)
    wait_until(lambda: backend.inputs() == [])
    port.close()
    play([(0.0, control_change(0, 64, 127))])
    backend.open_input("keyboard:out", lambda message, _: inbox.put(message))
    assert inbox.get(timeout=PATIENCE_SECONDS) == control_change(0, 64, 127)


def test_a_port_that_does_not_exist_is_refused(backend: JackBackend, observer: jack.Client) -> None:
    with pytest.raises(PortGone, match="cannot be connected"):
        backend.open_input("nobody:out", lambda *_: None)
    with pytest.raises(PortGone, match="cannot be connected"):
        backend.open_output("nobody:in")
    assert not any(name.startswith("Antiphon") for name in names(observer))


def test_connections_are_restored_after_a_restart(listen, observer: jack.Client) -> None:
    first = JackBackend("Antiphon")
    first.open_output("out", virtual=True)
    first.open_input("in", lambda *_: None, virtual=True)
    listener = listen("Antiphon:out")
    keys = observer.midi_outports.register("keys")
    observer.connect(keys, "Antiphon:in")
    connections = first.connections()
    assert connections == [("observer:keys", "Antiphon:in"), ("Antiphon:out", "listener:in")]
    first.close()
    second = JackBackend("Antiphon")
    out = second.open_output("out", virtual=True)
    second.open_input("in", lambda *_: None, virtual=True)
    second.restore([*connections, ("Antiphon:out", "nobody:in")])
    assert second.connections() == connections
    out.send(note_on(0, 60, 1))
    assert [heard.message for heard in listener.wait_for(1)] == [note_on(0, 60, 1)]
    second.close()


def test_the_death_of_the_server_is_noticed_and_survived(jack_server, listen) -> None:
    reasons: SimpleQueue[str] = SimpleQueue()
    backend = find_backend("Antiphon", spawn, on_lost=reasons.put)
    assert backend.name == "jack"
    out = backend.open_output("out", virtual=True)
    source = backend.open_input("in", lambda *_: None, virtual=True)
    out.send(note_on(0, 60, 1))
    jack_server.kill()
    try:
        assert reasons.get(timeout=PATIENCE_SECONDS)
        assert reasons.empty()
        with pytest.raises(PortGone, match="server is gone"):
            out.send(note_off(0, 60))
        with pytest.raises(PortGone):
            backend.inputs()
        assert not source.connected
        with pytest.raises(ServerDown):
            JackBackend("Antiphon")
        begin = time.perf_counter()
        out.close()
        backend.close()
        assert time.perf_counter() - begin < 1
    finally:
        jack_server.start()
    again = find_backend("Antiphon", spawn)
    assert again.name == "jack"
    out = again.open_output("out", virtual=True)
    listener = listen("Antiphon:out")
    out.send(note_on(0, 60, 1))
    assert [heard.message for heard in listener.wait_for(1)] == [note_on(0, 60, 1)]
    again.close()


def test_rtmidi_carries_messages_on_jack_too(rtmidi_backend: RtMidiBackend, listen, play) -> None:
    inbox: SimpleQueue[bytes] = SimpleQueue()
    out = rtmidi_backend.open_output("out", virtual=True)
    rtmidi_backend.open_input("in", lambda message, _: inbox.put(message), virtual=True)
    listener = listen("Antiphon:out")
    sent = [note_on(0, 60, 1), b"\xf0\x7e\x7f\x06\x01\xf7", b"\xf8", b"\xb0\x40\x7f", note_off(0, 60)]
    for message in sent:
        out.send(message)
    assert [heard.message for heard in listener.wait_for(len(sent))] == sent
    play([(0.01 * number, message) for number, message in enumerate(sent)], to="Antiphon input:in")
    assert receive_all(inbox, len(sent)) == sent
    with pytest.raises(AntiphonError, match="malformed"):
        out.send(b"\x90\x3c")
    out.close()
    with pytest.raises(PortGone):
        out.send(note_off(0, 60))


def test_rtmidi_connects_to_ports_of_others(rtmidi_backend: RtMidiBackend, listen, play) -> None:
    inbox: SimpleQueue[bytes] = SimpleQueue()
    listener = listen()
    play([(0.0, note_on(0, 60, 1))])
    assert "keyboard:out" in rtmidi_backend.inputs()
    assert "listener:in" in rtmidi_backend.outputs()
    rtmidi_backend.open_output("listener:in").send(note_on(0, 61, 1))
    rtmidi_backend.open_input("keyboard:out", lambda message, _: inbox.put(message))
    assert inbox.get(timeout=PATIENCE_SECONDS) == note_on(0, 60, 1)
    assert [heard.message for heard in listener.wait_for(1)] == [note_on(0, 61, 1)]
    with pytest.raises(PortGone):
        rtmidi_backend.open_output("nobody:in")
