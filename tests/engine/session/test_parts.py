"""Who played what: every part for a DAW, in the session's time and in a song's, read back by a stranger."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from antiphon.cli import parts as parts_command
from antiphon.duet.commands import Decision
from antiphon.duet.events import (
    CountInBegan,
    Ended,
    Event,
    Heard,
    Located,
    Restarted,
    Selected,
    Skipped,
    TempoChanged,
    TransportStarted,
    TransportStopped,
)
from antiphon.duet.plan import ControllerMapping, Handover, MorphPlan, PartPlan, Plan, VoicePlan
from antiphon.duet.schedule import PLAYER, Send
from antiphon.errors import AntiphonError
from antiphon.music import messages
from antiphon.music.midi_file import read_score, write_score
from antiphon.music.timing import TimeSignature
from antiphon.session.header import Header
from antiphon.session.journal import JournalWriter, Record, Session
from antiphon.session.part_files import part_files
from antiphon.session.parts import Played, played_in
from antiphon.session.summary import score_of, timeline_of
from antiphon.session.takes import takes_of

BASS, LEAD = VoicePlan("markov", channel=1, program=32), VoicePlan("lstm", channel=2)
PLAN = Plan("duo", (BASS, LEAD), 100.0, TimeSignature(3, 4), sync="midi", outputs=("virtual", "synth"))
WALTZ = Plan("waltz", (LEAD,), 90.0, TimeSignature(), sync="midi", outputs=("synth",))


def header(*plans: Plan) -> Header:
    return Header(plans or (PLAN,), ("virtual", "synth"), {}, "")


def on(ticks: int, pitch: int, source: int = 0, output: int = 0) -> Send:
    return Send(output, messages.note_on(1, pitch, 80), ticks, source)


def off(ticks: int, pitch: int, source: int = 0, output: int = 0) -> Send:
    return Send(output, messages.note_off(1, pitch), ticks, source)


def pressed(ticks: int, pitch: int) -> Heard:
    return Heard(ticks, messages.note_on(0, pitch, 80))


def released(ticks: int, pitch: int) -> Heard:
    return Heard(ticks, messages.note_off(0, pitch))


def turned(ticks: int, controller: int, value: int) -> Heard:
    return Heard(ticks, messages.control_change(0, controller, value))


def played(*events: Event | Send, plans: tuple[Plan, ...] = ()) -> Played:
    return played_in(header(*plans), [Record(event) for event in events])


def in_take(number: int, *events: Event | Send, plans: tuple[Plan, ...] = ()) -> Played:
    head, records = header(*plans), [Record(event) for event in events]
    take = takes_of(head, records)[number - 1]
    return played_in(head, records).within(take, timeline_of(head, records))


# ---- in the session's time -------------------------------------------------------------------------------------------


def test_a_stranger_reads_the_session_as_it_was_played(tmp_path: Path) -> None:
    bank = [messages.control_change(1, 0, 3), messages.control_change(1, 32, 7), messages.program_change(1, 32)]
    records = [
        *(Send(output, message, 0, 0) for message in bank for output in (0, 1)),
        *(pressed(100, 60), turned(150, 64, 127), released(700, 60), turned(800, 64, 0)),
        Decision("handover", 0, 1440, "by silence"),
        *(on(1440, 40), on(1440, 40, output=1), off(1900, 40), off(1900, 40, output=1)),
        *(TempoChanged(2880, 133.0), on(3000, 72, 1), off(3100, 72, 1)),
        Selected(6000, 1),
        *(on(7680, 76, 0, output=1), off(7900, 76, 0, output=1), Ended(8000)),
    ]
    path = tmp_path / "session.mid"
    write_score(path, score_of(header(PLAN, WALTZ), [Record(what) for what in records]))
    assert path.read_bytes()[8:14] == bytes((0, 1, 0, 4, 1, 224)), (
        "format 1, a conductor and three parts, 480 a quarter"
    )
    read = symusic.Score(path)
    assert [(t.time, round(t.qpm, 3)) for t in read.tempos] == [(0, 100), (2880, 133), (6000, 90)]
    signatures = [(s.time, s.numerator, s.denominator) for s in read.time_signatures]
    assert signatures == [(0, 3, 4), (7200, 1, 4), (7680, 4, 4)], "a bar of one beat leads to the new bars"
    assert [(m.time, m.text) for m in read.markers] == [(0, "duo"), (1440, "antiphon 1"), (6000, "waltz")]
    you, bass, lead = read.tracks
    assert [track.name for track in read.tracks] == ["you", "antiphon 1 markov, lstm", "antiphon 2 lstm"]
    assert [(n.time, n.pitch, n.duration) for n in you.notes] == [(100, 60, 600)]
    assert [(p.time, p.duration) for p in you.pedals] == [(150, 650)]
    assert [(n.time, n.pitch, n.duration) for n in bass.notes] == [(1440, 40, 460), (7680, 76, 220)]
    assert bass.program == 32
    assert [(c.time, c.number, c.value) for c in bass.controls] == [(0, 0, 3), (0, 32, 7)]
    assert [(n.time, n.pitch, n.duration) for n in lead.notes] == [(3000, 72, 100)]


def test_a_voice_is_kept_once_whatever_outputs_each_preset_gives_it() -> None:
    found = played(
        *(on(0, 60, output=0), on(0, 60, output=1), Selected(100, 1)),
        *(on(200, 64, output=1), off(300, 60, output=0), off(300, 60, output=1), off(400, 64, output=1)),
        plans=(PLAN, WALTZ),
    )
    assert [(ticks, message[1], messages.is_note_on(message)) for ticks, message in found.voices[0].messages] == [
        *((0, 60, True), (200, 64, True)),
        *((300, 60, False), (400, 64, False)),
    ]


def test_a_click_belongs_to_nobody() -> None:
    found = played(on(0, 77, source=-2), off(60, 77, source=-2))
    assert all(track.messages == () for track in found.players + found.voices)


def test_players_whom_voices_listen_to_apart_have_tracks_of_their_own() -> None:
    left = VoicePlan(inputs=frozenset({"virtual:keys"}), handover=Handover(by="trigger", trigger_note=108))
    plan = Plan("two", (left, VoicePlan()), inputs=("virtual:keys", "virtual:pads"))
    keys, pads = ("virtual:keys",), ("virtual:pads",)
    heard = [
        *(Heard(0, messages.note_on(0, 60, 80), keys), Heard(5, messages.note_on(0, 60, 70), pads)),
        *(Heard(10, messages.note_off(0, 60), pads), Heard(20, messages.note_off(0, 60), keys)),
        *(Heard(30, messages.note_on(0, 108, 80), keys), Heard(40, messages.note_on(0, 108, 80), pads)),
    ]
    found = played(*heard, plans=(plan,))
    assert [track.name for track in found.players] == ["you keys", "you pads"]
    assert [[ticks for ticks, _ in track.messages] for track in found.players] == [[0, 20], [5, 10, 40, 40]]


def test_a_key_that_two_keyboards_hold_comes_up_with_the_last_hand_on_a_track_that_they_share() -> None:
    heard = [
        *(Heard(0, messages.note_on(0, 60, 80), port="one"), Heard(5, messages.note_on(0, 60, 70), port="two")),
        *(Heard(10, messages.note_off(0, 60), port="two"), Heard(20, messages.note_off(0, 60), port="one")),
    ]
    assert [ticks for ticks, _ in played(*heard).players[0].messages] == [0, 5, 20]


def test_what_is_said_to_antiphon_is_no_music() -> None:
    voice = VoicePlan(handover=Handover(by="trigger", trigger_note=108))
    morph = VoicePlan(morph=MorphPlan(capture_note=21, capture_cc=20), handover=Handover(by="pedal"))
    plan = Plan("said", (voice, morph), controllers=(ControllerMapping(1, 0, "temperature", 0.0, 1.0),))
    said = [event for key in (108, 21) for event in (pressed(10, key), released(20, key))]
    said += [turned(30, controller, value) for controller in (1, 20, messages.SOSTENUTO) for value in (127, 0)]
    music = [pressed(40, 60), turned(50, 7, 100), released(60, 60)]
    found = played(*said, *music, plans=(plan,))
    assert found.players[0].messages == tuple((event.ticks, event.message) for event in music)


def test_what_went_down_as_music_comes_up_as_music() -> None:
    pedalled = Plan("pedalled", (VoicePlan(handover=Handover(by="pedal", pedal="sustain")),))
    found = played(turned(10, 64, 127), Selected(20, 1), turned(30, 64, 0), turned(40, 64, 127), plans=(PLAN, pedalled))
    assert [ticks for ticks, _ in found.players[0].messages] == [10, 30]


def test_a_session_that_was_cut_off_leaves_nothing_sounding() -> None:
    found = played(pressed(0, 60), turned(10, 64, 127), on(20, 40), on(480, 72, source=1), off(500, 72, source=1))
    you, bass, lead = (track.messages for track in found.players + found.voices)
    assert you[2:] == ((500, messages.note_off(0, 60)), (500, messages.control_change(0, 64, 0)))
    assert bass[1:] == ((500, messages.note_off(1, 40)),)
    assert len(lead) == 2


def test_markers_say_what_happened() -> None:
    found = played(
        *(
            CountInBegan(0),
            TransportStarted(10),
            Located(10, 4320.0),
            Decision("fallback", 1, 20, ""),
            Restarted(30, 0),
        ),
        *(Decision("handover", 1, 60, ""), TransportStopped(50), Ended(70, panic=True)),
    )
    assert [(m.ticks, m.text, m.voice) for m in found.markers] == [
        *((0, "count-in", None), (10, "start", None), (10, "take 1: bar 4", None), (20, "fallback", 1)),
        *((30, "restarted", None), (50, "stop", None), (60, "antiphon 2", 1), (70, "panic", None)),
    ]


def test_each_part_alone_has_what_concerns_it() -> None:
    found = played(
        *(pressed(0, 60), released(10, 60), Decision("handover", 0, 20, ""), Decision("handover", 1, 30, "")),
        *(on(40, 72, source=1), off(50, 72, source=1)),
    )
    you, lead = found.alone()
    assert [track.name for track in you.tracks + lead.tracks] == ["you", "antiphon 2 lstm"]
    assert you.markers == ((20, "antiphon 1"), (30, "antiphon 2"))
    assert lead.markers == ((30, "antiphon 2"),)
    assert you.tempo == lead.tempo == ((0, 100.0),)
    assert you.signatures == lead.signatures == ((0, TimeSignature(3, 4)),)


# ---- in a song's time ------------------------------------------------------------------------------------------------

RUN = (TransportStarted(1000), Located(1000, 2880.0))
"""The song runs from its third bar on."""


def notes(played_part: Played, track: int = 0) -> list[tuple[int, int, int]]:
    """(start, pitch, end) of each note; none may be left sounding."""
    down: dict[int, int] = {}
    found = []
    for ticks, message in (played_part.players + played_part.voices)[track].messages:
        if messages.is_note_on(message):
            down[message[1]] = ticks
        elif messages.is_note_off(message):
            found.append((down.pop(message[1]), message[1], ticks))
    assert not down
    return found


def test_a_take_has_what_was_played_in_it_where_the_song_was() -> None:
    found = in_take(
        1,
        *(pressed(100, 50), released(200, 50), *RUN, pressed(1240, 60), released(1480, 60), on(1480, 40)),
        *(off(1900, 40), TransportStopped(2000), pressed(2100, 70), released(2200, 70)),
    )
    assert notes(found) == [(3120, 60, 3360)]
    assert notes(found, track=1) == [(3360, 40, 3780)]
    assert [(m.ticks, m.text) for m in found.markers] == [(2880, "take 1"), (2880, "start"), (2880, "take 1: bar 3")]
    assert found.signatures == ((0, TimeSignature(3, 4)),)
    assert found.tempo == ((0, 100.0),)


def test_what_sounds_at_the_edges_of_a_take_is_cut_there() -> None:
    found = in_take(
        1,
        *(pressed(100, 50), turned(500, 64, 127), pressed(990, 55), *RUN, released(1100, 50), released(1200, 55)),
        *(pressed(1900, 60), TransportStopped(2000), released(2100, 60), turned(2200, 64, 0)),
    )
    assert notes(found) == [(2880, 55, 3080), (3780, 60, 3880)], "55 was meant for the first beat"
    pedal = [(ticks, message[2]) for ticks, message in found.players[0].messages if messages.is_controller(message, 64)]
    assert pedal == [(2880, 127), (3880, 0)]


def test_what_was_set_before_a_take_is_set_in_it_in_the_same_order() -> None:
    bend, wheel = Heard(30, b"\xe0\x00\x50"), turned(40, 1, 70)
    bank = [messages.control_change(1, 0, 3), messages.control_change(1, 32, 7), messages.program_change(1, 32)]
    found = in_take(
        1,
        *(Send(0, message, 0, 0) for message in (*bank, *bank)),
        *(turned(20, 1, 5), bend, wheel, *RUN, turned(1100, 1, 80), Ended(2000)),
    )
    assert found.voices[0].messages == tuple((2880, message) for message in bank)
    assert found.players[0].messages == ((2880, bend.message), (2880, wheel.message), (2980, turned(0, 1, 80).message))


def test_a_note_for_the_first_beat_of_a_loop_is_not_in_the_pass_before() -> None:
    events = (*RUN, pressed(1500, 50), pressed(1995, 60), Located(2000, 2880.0), released(2100, 50), released(2200, 60))
    assert notes(in_take(1, *events)) == [(3380, 50, 3880)]
    assert notes(in_take(2, *events)) == [(2880, 60, 3080)]


def test_a_note_of_no_length_keeps_a_tick() -> None:
    found = in_take(1, *RUN, pressed(1500, 50), released(1500, 50), pressed(1500, 52), released(1501, 52), Ended(2000))
    assert [end > start for start, _, end in notes(found)] == [True, True]


@given(
    st.lists(
        st.one_of(
            st.builds(lambda p: ("on", p), st.integers(60, 63)),
            st.builds(lambda p: ("off", p), st.integers(60, 63)),
            st.builds(lambda place: ("to", place), st.integers(0, 40)),
            st.sampled_from([("pedal", 127), ("pedal", 0), ("stop", 0), ("skip", 500), ("select", 0), ("select", 1)]),
        ),
        max_size=40,
    ),
    st.lists(st.integers(0, 700), min_size=40, max_size=40),
)
def test_no_take_leaves_a_note_sounding_or_runs_backwards(steps: list[tuple[str, int]], gaps: list[int]) -> None:
    now, events = 0, []
    make: dict[str, Callable[[int, int], Event]] = {
        "on": pressed,
        "off": released,
        "to": lambda ticks, place: Located(ticks, 120.0 * place),
        "pedal": lambda ticks, value: turned(ticks, 64, value),
        "stop": lambda ticks, _: TransportStopped(ticks),
        "skip": lambda ticks, by: Skipped(ticks, ticks + by),
        "select": Selected,
    }
    for (what, value), gap in zip(steps, gaps, strict=False):
        now += gap
        events.append(Record(make[what](now, value)))
        now += value if what == "skip" else 0
    head = header(PLAN, WALTZ)
    for take in takes_of(head, events):
        cut = played_in(head, events).within(take, timeline_of(head, events))
        sequence = cut.players[0].messages
        assert [ticks for ticks, _ in sequence] == sorted(ticks for ticks, _ in sequence)
        held: set[tuple[int, int]] = set()
        for _, message in sequence:
            note = (message[0] & 0x60, message[1])
            up = messages.is_note_off(message) or (message[0] & 0xF0 == messages.CONTROL_CHANGE and message[2] < 64)
            (held.discard if up else held.add)((0, note[1]) if message[1] != 64 else (1, 64))
        assert not held
        assert all(ticks >= 0 for ticks, _ in cut.tempo + cut.signatures)
        assert [ticks for ticks, _ in cut.tempo] == sorted({ticks for ticks, _ in cut.tempo})


# ---- as files --------------------------------------------------------------------------------------------------------


def session(folder: Path, *events: Event | Send, plans: tuple[Plan, ...] = ()) -> Path:
    writer = JournalWriter(folder, header(*plans))
    writer.write(Record(event) for event in events)
    writer.close()
    return folder


DUET = (pressed(100, 50), released(200, 50), *RUN, on(1240, 40), off(1480, 40), Ended(2000))


def run(*arguments: object) -> tuple[int, str]:
    import typer

    app = typer.Typer()
    app.callback()(lambda: None)
    parts_command.add_commands(app)
    result = CliRunner().invoke(app, ["parts", *map(str, arguments)])
    if isinstance(result.exception, AntiphonError):
        return 1, str(result.exception)
    return result.exit_code, result.output


def test_the_command_writes_a_file_for_each_part_that_has_notes(tmp_path: Path) -> None:
    folder = session(tmp_path / "duet", *DUET)
    code, said = run(folder)
    assert code == 0
    assert sorted(file.name for file in (folder / "parts").iterdir()) == ["antiphon-1-markov.mid", "you.mid"]
    assert f"{folder / 'parts' / 'you.mid'}: 1 notes" in said
    assert "--take gives one run of the song, in its time: 1 (from bar 3, bars: 1)" in said
    bass = read_score(folder / "parts" / "antiphon-1-markov.mid")
    assert [ticks for ticks, _ in bass.tracks[0].messages] == [1240, 1480]


def test_the_command_writes_a_take_in_the_song_s_time(tmp_path: Path) -> None:
    folder = session(tmp_path / "duet", *DUET)
    assert run(folder, "--take", 1, "-o", tmp_path / "out" / "deep")[0] == 0
    (file,) = (tmp_path / "out" / "deep").iterdir()
    assert file.name == "take-1-antiphon-1-markov.mid"
    assert [ticks for ticks, _ in read_score(file).tracks[0].messages] == [3120, 3360]


@pytest.mark.parametrize(
    ("events", "take", "complaint"),
    [
        (DUET, 2, "duet has no take 2; allowed: 1 (from bar 3, bars: 1)"),
        (DUET, 0, "has no take 0"),
        (DUET[:2], 1, "has no takes: it was not played to a clock that tells where its song is; leave out --take"),
        (DUET[2:3], None, "nobody played in"),
        ((*RUN, Ended(2000)), 1, "nobody played in take 1 of"),
    ],
)
def test_a_take_or_a_part_that_is_not_there_is_named(
    tmp_path: Path, events: tuple[Event, ...], take: int | None, complaint: str
) -> None:
    folder = session(tmp_path / "duet", *events)
    code, said = run(folder, *(() if take is None else ("--take", take)))
    assert code == 1
    assert complaint in said
    assert [file.name for file in folder.iterdir()] == ["journal.jsonl"]


def test_a_folder_without_a_session_is_named(tmp_path: Path) -> None:
    code, said = run(tmp_path)
    assert (code, f"{tmp_path} holds no session" in said) == (1, True)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    code, said = run(session(tmp_path / "duet", *DUET), "-o", tmp_path / "file" / "out")
    assert code == 1
    assert f"cannot make {tmp_path / 'file' / 'out'}: Not a directory; choose another folder with -o" in said


@pytest.mark.skipif(os.name == "nt", reason="Windows names files by other rules")
def test_a_generator_s_name_makes_a_file_name() -> None:
    plan = Plan("odd", (VoicePlan("my/own: thing"),))
    events = [Record(event) for event in (on(0, 60), off(10, 60), on(20, 62, source=PLAYER))]
    assert list(part_files(Session(Path("x"), header(plan), tuple(events)))) == ["antiphon-1-my-own-thing.mid"]


TRIO = VoicePlan("trio", parts=(PartPlan("lead", 1), PartPlan("bass", 2)))


def test_each_part_of_a_generator_is_a_track_of_its_own() -> None:
    notes = [Send(0, messages.note_on(1 + part, 60, 80), 10 + part, 0, part) for part in (0, 1)]
    ends = [Send(0, messages.note_off(1 + part, 60), 50 + part, 0, part) for part in (0, 1)]
    found = played(*notes, *ends, plans=(Plan("trio", (TRIO,)), Plan("alone", (VoicePlan("markov"),))))
    assert [track.name for track in found.voices] == ["antiphon 1 trio lead, markov", "antiphon 1 trio bass"]
    assert [[ticks for ticks, _ in track.messages] for track in found.voices] == [[10, 50], [11, 51]]
    assert found.voice_of == (0, 0)
    assert [score.tracks[0].name for score in found.alone()] == [track.name for track in found.voices]


def test_every_part_is_told_of_what_concerns_its_voice() -> None:
    sent = [Send(0, messages.note_on(2, 60, 80), 40, 0, 1), Send(0, messages.note_off(2, 60), 50, 0, 1)]
    found = played(
        Decision("handover", 0, 30, ""), Decision("touch", 1, 60, ""), *sent, plans=(Plan("two", (TRIO, TRIO)),)
    )
    (bass,) = found.alone()
    assert bass.markers == ((30, "antiphon 1"),)
