"""Who hears which keyboard, and what goes to which port: banks, inputs of a voice, a split keyboard, ports by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stages import Rehearsal
from toys import toy_player

import antiphon_presets
from antiphon.cli.setup import check_routes
from antiphon.duet.events import Heard
from antiphon.duet.offline import Offline
from antiphon.duet.plan import Handover, Plan, VoicePlan
from antiphon.duet.routing import output_names
from antiphon.duet.schedule import PLAYER
from antiphon.errors import AntiphonError
from antiphon.midi.loops import Route, find_route, is_loop
from antiphon.midi.port_events import InputBack, InputGone, OutputBack, OutputGone
from antiphon.midi.port_names import auto_inputs, virtual_name, virtual_name_problems
from antiphon.midi.ports import Ports
from antiphon.music import messages
from antiphon.music.messages import control_change, note_off, note_on, program_change
from antiphon.music.midi_file import read_score, write_score
from antiphon.output import PortGone
from antiphon.plugins.host import load_plugins
from antiphon.presets.library import PresetLibrary
from antiphon.session.header import Header
from antiphon.session.journal import JournalWriter, Record, read_session
from antiphon.session.summary import score_of

PEDAL = Handover(by="pedal")
PRESS, LIFT = (control_change(0, messages.SOSTENUTO, value) for value in (127, 0))
CALL = ((0, note_on(0, 60, 80)), (100, note_off(0, 60)), (500, PRESS), (500, LIFT))
HIGH = VoicePlan("echo", fallback="low", handover=PEDAL, channel=1, inputs=frozenset({"Keystation"}))
LOW = VoicePlan("low", fallback="low", handover=PEDAL, channel=2, inputs=frozenset({"virtual:pads"}))
TWO = Plan(voices=(HIGH, LOW), inputs=("Keystation", "virtual:pads"), outputs=("virtual",))
KEYS, PADS = ("Keystation",), ("virtual:pads",)


def hear(jam: Rehearsal, message: bytes, ticks: int, inputs: tuple[str, ...]) -> None:
    jam.advance(ticks)
    jam.duet.hear(message, ticks, inputs)
    jam.advance(ticks)


def call(jam: Rehearsal, ticks: int, inputs: tuple[str, ...]) -> None:
    """A note, and the pedal."""
    for at, message in CALL:
        hear(jam, message, ticks + at, inputs)


# ---- banks -----------------------------------------------------------------------------------------------------------


def test_a_bank_is_sent_in_two_parts_before_the_program_on_every_output_of_the_voice() -> None:
    voice = VoicePlan("echo", fallback="low", channel=4, bank=2 * 128 + 5, program=9)
    jam = Rehearsal(Plan(voices=(voice,), outputs=("virtual", "Synth")))
    jam.duet.begin()
    sound = [control_change(4, 0, 2), control_change(4, 32, 5), program_change(4, 9)]
    assert [(send.output, send.message, send.source) for send in jam.sends] == [
        (output, message, 0) for output in (0, 1) for message in sound
    ]


def test_a_preset_of_the_set_brings_its_banks_and_so_can_be_told_to_who_comes_later() -> None:
    brass = VoicePlan("echo", fallback="low", channel=1, program=61, bank=128)
    jam = Rehearsal(Plan(outputs=("virtual",), voices=(HIGH,)), Plan(outputs=("virtual", "Synth"), voices=(brass,)))
    jam.duet.begin()
    assert jam.sends == []
    jam.hear(960, program_change(0, 1))
    sound = [control_change(1, 0, 1), control_change(1, 32, 0), program_change(1, 61)]
    assert [send.message for send in jam.sends if send.output == 1] == sound
    sent = len(jam.sends)
    assert list(jam.duet.sounds(0)) == list(jam.duet.sounds(1)) == sound
    assert len(jam.sends) == sent, "it is on record once"


def test_banks_are_in_the_voice_s_track_of_the_score(tmp_path: Path) -> None:
    plan = Plan(voices=(VoicePlan("echo", fallback="low", channel=1, program=61, bank=130),), outputs=("virtual", "x"))
    jam = Rehearsal(plan)
    jam.duet.begin()
    header = Header((plan,), output_names([plan]), {}, "today")
    write_score(tmp_path / "session.mid", score_of(header, [Record(what) for what in jam.record_of]))
    track = read_score(tmp_path / "session.mid", allow_empty=True).tracks[1]
    assert [message for _, message in track.messages] == [
        control_change(1, 0, 1),
        control_change(1, 32, 2),
        program_change(1, 61),
    ]


# ---- a keyboard for each voice ---------------------------------------------------------------------------------------


def test_a_voice_hears_its_own_inputs_only() -> None:
    jam = Rehearsal(TWO)
    call(jam, 0, PADS)
    jam.advance(4000)
    assert [source for source in (0, 1) if jam.notes(source)] == [1]
    call(jam, 4000, KEYS)
    jam.advance(9000)
    assert jam.notes(0)
    assert all(start < 4000 for start, _, _ in jam.notes(1))


def test_one_player_s_touch_leaves_the_other_s_answer_alone() -> None:
    jam = Rehearsal(replace(TWO, voices=(replace(HIGH, answer_bars=2), LOW)))
    call(jam, 0, KEYS)
    hear(jam, note_on(0, 50, 80), 800, PADS)
    hear(jam, note_off(0, 50), 900, PADS)
    jam.advance(9000)
    assert max(start for start, _, _ in jam.notes(0)) > 1500


def test_a_pedal_that_only_the_other_keyboard_hands_over_with_is_passed_on() -> None:
    jam = Rehearsal(Plan(voices=(HIGH,), inputs=("Keystation", "auto"), outputs=("virtual",)))
    for inputs in (KEYS, ("auto",), ("auto", "Keystation"), ()):
        hear(jam, PRESS, 10, inputs)
        hear(jam, LIFT, 10, inputs)
    assert [send.message for send in jam.sends] == [PRESS, LIFT], "from the other one"


def test_what_is_passed_on_comes_from_all_inputs() -> None:
    jam = Rehearsal(TWO)
    hear(jam, note_on(0, 60, 80), 5, KEYS)
    hear(jam, note_on(0, 62, 80), 6, PADS)
    assert [send.message[1] for send in jam.sends if send.source == PLAYER] == [60, 62]


def test_two_players_are_on_record_and_play_again_note_for_note(tmp_path: Path) -> None:
    live = Offline([TWO], lambda role: toy_player(role.generator))
    live.begin()
    for start, inputs in ((0, PADS), (2000, KEYS)):
        for at, message in CALL:
            live.hear(message, start + at, inputs)
    live.end(9000)
    writer = JournalWriter(tmp_path, Header((TWO,), ("virtual",), {}, "today"))
    writer.write(Record(what) for what in live.record_of)
    writer.close()
    session = read_session(tmp_path)
    assert [r.what.inputs for r in session.records if isinstance(r.what, Heard)][:1] == [PADS]
    again = Offline([TWO], lambda role: toy_player(role.generator))
    again.duet.begin()
    again.replay([record.what for record in session.records])
    assert again.record_of == live.record_of


def test_an_older_journal_has_no_inputs_and_every_voice_hears(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Header((TWO,), ("virtual",), {}, "today"))
    writer.write([Record(Heard(3, note_on(0, 60, 80)))])
    writer.close()
    assert '"inputs":[' not in (tmp_path / "journal.jsonl").read_text("utf-8").splitlines()[1]
    (record,) = read_session(tmp_path).records
    assert record.what == Heard(3, note_on(0, 60, 80), ())


# ---- a split keyboard ------------------------------------------------------------------------------------------------


def split() -> Rehearsal:
    """The shipped preset, with toys for its generators."""
    infos = {name: registered.info for name, registered in load_plugins().generators.items()}
    folder = Path(antiphon_presets.__file__).parent
    (plan,) = PresetLibrary([folder], folder / "nobody's").load_set("split", infos)
    voices = tuple(replace(voice, generator="echo", fallback="low") for voice in plan.voices)
    return Rehearsal(replace(plan, voices=voices, outputs=("virtual",)))


def test_on_a_split_keyboard_each_hand_is_answered_by_its_own_voice() -> None:
    jam = split()
    for pitch in (48, 52, 55):
        jam.tone(0, pitch, 900)
    jam.tone(2000, 72, 200)
    jam.tone(2300, 74, 200)
    jam.advance(20_000)
    chords, melody = jam.notes(0), jam.notes(1)
    assert len(melody) > 0
    assert max(start for start, _, _ in chords) > max(start for start, _, _ in melody), "they go on"
    assert {send.message[0] & 0x0F for send in jam.sends if send.source == 0} == {1}
    assert {send.message[0] & 0x0F for send in jam.sends if send.source == 1} == {2}
    own = [send.message for send in jam.sends if send.source == PLAYER and messages.is_note_on(send.message)]
    assert [message[:2] for message in own] == [bytes((0x90, pitch)) for pitch in (48, 52, 55, 72, 74)]


def test_on_a_split_keyboard_a_hand_silences_its_own_voice_only() -> None:
    jam = split()
    jam.tone(0, 48, 900)
    jam.advance(4000)
    jam.tone(4000, 76, 100)
    jam.advance(6000)
    assert max(start for start, _, _ in jam.notes(0)) > 4500, "the right hand does not stop the chords"
    jam.tone(6000, 50, 100)
    assert [note for note in jam.notes(0) if note[0] >= 6000] == []


# ---- ports by name ---------------------------------------------------------------------------------------------------


def test_a_port_of_our_own_is_called_as_the_preset_says() -> None:
    assert virtual_name("virtual", "input") == "in"
    assert virtual_name("virtual", "output") == "out"
    assert virtual_name("virtual:bass line", "output") == "bass line"
    assert virtual_name("Virtual Keys", "output") is None


@pytest.mark.parametrize(
    ("inputs", "outputs", "problem"),
    [
        (["virtual:"], [], "1 to 32 letters"),
        (["virtual:a:b"], [], "1 to 32 letters"),
        (["virtual:" + 33 * "x"], [], "1 to 32 letters"),
        (["virtual: keys"], [], "1 to 32 letters"),
        (["virtual:Bässe"], [], "1 to 32 letters"),
        ([], ["virtual:out"], "called 'out' already"),
        ([], ["virtual:In"], "called 'in' already"),
        (["virtual:keys"], ["virtual:keys"], "a name of its own"),
        (["virtual:keys"], ["virtual:Keys"], "a name of its own"),
        (["auto", "virtual", "virtual:keys"], ["auto", "virtual", "virtual:bass", "virtual:lead 2"], None),
    ],
)
def test_names_of_our_own_ports_are_checked(inputs: list[str], outputs: list[str], problem: str | None) -> None:
    found = [text for _, _, text in virtual_name_problems(inputs, outputs)]
    assert [problem in text for text in found] == ([] if problem is None else [True])


class System:
    """A MIDI system of which only the names matter."""

    name = "winmm"

    def __init__(self, virtual: bool, inputs: list[str]) -> None:
        self.virtual = virtual
        self.tells_connections = False
        self._inputs = inputs
        self.opened: list[tuple[str, str, bool]] = []
        self.receivers: dict[str, Any] = {}

    def inputs(self) -> list[str]:
        return self._inputs

    def outputs(self) -> list[str]:
        return ["loopMIDI Port 1"]

    def connections(self) -> list[tuple[str, str]]:
        return []

    def close(self) -> None:
        pass

    def open_input(self, name: str, receive: Any, *, virtual: bool = False) -> Any:
        self.opened.append(("input", name, virtual))
        self.receivers[name] = receive
        return _Port(name)

    def open_output(self, name: str, *, virtual: bool = False) -> Any:
        self.opened.append(("output", name, virtual))
        return _Port(name)


class _Port:
    stamps = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.gone = self.closed = False

    def send(self, message: bytes, at_seconds: float | None = None) -> None:
        if self.gone:
            raise PortGone("gone")

    def close(self) -> None:
        self.closed = True


def opened(
    monkeypatch: pytest.MonkeyPatch, inputs: list[str], outputs: list[str], *, virtual: bool = True
) -> tuple[Ports, System, list[str]]:
    """The ports, the system, and the names that what is heard is delivered under."""
    system, heard = System(virtual, ["Keystation 61 20:0", "nanoPAD2 24:0"]), []
    monkeypatch.setattr("antiphon.midi.ports.find_backend", lambda *_: system)
    ports = Ports(inputs, outputs, lambda *_: None, lambda name, *_: heard.append(name), lambda *_: None)
    return ports, system, heard


def test_ports_of_our_own_are_opened_under_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    ports, system, heard = opened(monkeypatch, ["virtual:keys", "virtual"], ["virtual:bass", "virtual:lead", "synth"])
    assert system.opened == [
        ("output", "bass", True),
        ("output", "lead", True),
        ("input", "keys", True),
        ("input", "in", True),
    ]
    system.receivers["keys"](b"\x90\x3c\x50", 0.0)
    assert heard == ["Antiphon:keys"]
    assert ports.input_names == ("Antiphon:keys", "Antiphon:in")
    assert ports.meant_by("Antiphon:keys") == ("virtual:keys",)


def test_every_port_answers_to_all_names_that_mean_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ports, _, _ = opened(monkeypatch, ["auto", "keystation", "virtual:pads"], ["synth"])
    assert ports.meant_by("Keystation 61 20:0") == ("auto", "keystation")
    assert ports.meant_by("nanoPAD2 24:0") == ("auto",)
    assert ports.meant_by("Antiphon:in") == ("auto", "virtual")
    assert ports.meant_by("Antiphon:pads") == ("virtual:pads",)
    assert ports.meant_by("somebody else") == ()


def test_of_ports_that_look_alike_all_are_opened_anew_when_one_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can tell which of them went: the one that is left has the first one's name."""
    system, reports = System(False, ["Keys", "Pads", "Keys#2"]), []
    monkeypatch.setattr("antiphon.midi.ports.find_backend", lambda *_: system)
    watch: list[Any] = []
    ports = Ports(["auto"], [], lambda run, _: watch.append(run), lambda *_: None, reports.append)
    assert ports.input_names == ("Keys", "Pads", "Keys#2")
    looks = iter([["Keys", "Pads", "Keys#2"], ["Keys", "Pads"], ["Keys", "Pads", "Keys#2"], None])

    def sleep(_: float) -> None:
        there = next(looks)
        if there is None:
            ports.close()
        else:
            system._inputs = there

    monkeypatch.setattr("antiphon.midi.ports.time.sleep", sleep)
    monkeypatch.setattr(ports, "close", lambda: setattr(ports, "_closed", True))
    watch[0]()
    changes = [told for told in reports if isinstance(told, InputGone | InputBack)]
    assert changes == [InputGone("Keys"), InputGone("Keys#2"), InputBack("Keys"), InputBack("Keys#2")]
    assert sorted(ports.input_names) == ["Keys", "Keys#2", "Pads"]


def test_an_output_that_fails_is_left_alone_and_who_finds_out_late_does_not_harm_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    system, reports = System(False, []), []
    made: list[_Port] = []

    def open_output(name: str, *, virtual: bool = False) -> Any:
        made.append(_Port(name))
        return made[-1]

    monkeypatch.setattr(system, "outputs", lambda: ["synth 28:0"])
    monkeypatch.setattr(system, "open_output", open_output)
    monkeypatch.setattr("antiphon.midi.ports.find_backend", lambda *_: system)
    watch: list[Any] = []
    ports = Ports([], ["synth 28:0"], lambda run, _: watch.append(run), lambda *_: None, reports.append)
    made[0].gone = True
    (output,) = ports.outputs
    assert output is not None
    for _ in range(2):
        with pytest.raises(PortGone):
            output.send(b"\x80\x3c\x00")
        ports.lose_output(0)
    assert ports.outputs == [None]
    assert not made[0].closed, "its owner closes it"
    looks = iter([False, True])
    monkeypatch.setattr("antiphon.midi.ports.time.sleep", lambda _: setattr(ports, "_closed", next(looks)))
    watch[0]()
    assert made[0].closed
    assert ports.outputs != [None]
    ports.lose_output(0)
    assert ports.outputs != [None]
    assert not made[1].closed
    assert reports == [OutputGone("synth 28:0"), OutputBack("synth 28:0")]


@pytest.mark.parametrize(("inputs", "outputs"), [(["virtual:keys"], []), (["virtual"], []), ([], ["virtual:bass"])])
def test_where_there_are_no_ports_of_our_own_it_is_said_what_to_do(
    monkeypatch: pytest.MonkeyPatch, inputs: list[str], outputs: list[str]
) -> None:
    with pytest.raises(AntiphonError, match=r"winmm has no ports of our own; .* loopMIDI"):
        opened(monkeypatch, inputs, outputs, virtual=False)


def test_what_auto_stands_for_is_opened_as_far_as_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    _, system, _ = opened(monkeypatch, ["auto"], ["virtual", "synth"], virtual=False)
    assert system.opened == [("input", "Keystation 61 20:0", False), ("input", "nanoPAD2 24:0", False)]


def test_the_same_name_for_an_input_and_an_output_is_refused_whoever_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AntiphonError, match="'virtual:keys' among outputs: a port of our own has that name already"):
        opened(monkeypatch, ["virtual:keys"], ["virtual:keys"])


def test_loops_are_told_from_keyboards() -> None:
    loops = ["loopMIDI Port 1", "Default App Loopback (A) 2", "IAC Driver Bus 1", "LoopBe Internal MIDI"]
    assert [name for name in [*loops, "Keystation 61", "Poly Looper"] if is_loop(name)] == loops
    assert auto_inputs([*loops, "Keystation 61"]) == ["Keystation 61"]


def test_a_pair_of_loopback_endpoints_leads_there_and_back() -> None:
    outputs = ["Microsoft GS Wavetable Synth 0", "Default App Loopback (A) 1", "Default App Loopback (B) 2"]
    inputs = ["Keystation 61 0", "Default App Loopback (A) 1", "Default App Loopback (B) 2"]
    a, b = outputs[1:]
    assert find_route(inputs, outputs) == Route(to_daw=a, heard_as=b, from_daw=a, sent_to=b)


def test_of_loops_with_one_end_it_takes_two() -> None:
    one, two = "loopMIDI Port 1", "loopMIDI Port B 2"
    assert find_route([one], [one]) == Route(one, one, None, None)
    assert find_route(["Keystation 0", one, two], [one, two]) == Route(one, one, two, two)
    assert find_route(["loopMIDI Port 1"], ["Synth 0", "loopMIDI Port 2"]).from_daw is None, "it is the same one"  # type: ignore[union-attr]
    assert find_route(["Keystation 0"], ["Synth 0"]) is None


# ---- from the command line -------------------------------------------------------------------------------------------


def test_ports_that_leave_a_voice_without_one_are_refused() -> None:
    check_routes([TWO, Plan(voices=(replace(HIGH, inputs=frozenset({"auto"})),))])
    with pytest.raises(AntiphonError, match=r"voice 2 of preset 'untitled' would hear nothing.*--in 'virtual:pads'"):
        check_routes([replace(TWO, inputs=("Keystation",))])
    bass = replace(HIGH, inputs=None, output="virtual:bass")
    with pytest.raises(AntiphonError, match=r"nothing of voice 1 .* --out 'virtual:bass'"):
        check_routes([Plan(voices=(bass,), outputs=("synth",))])
