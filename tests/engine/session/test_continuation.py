"""A file continued, and a session played again."""

from __future__ import annotations

from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from stages import LiveLike
from toys import TOYS, toy_info, toy_player

from antiphon.duet.casting import PlayerNeeded
from antiphon.duet.events import Ended
from antiphon.duet.plan import Handover, Plan, VoicePlan
from antiphon.duet.player import Player
from antiphon.duet.routing import output_names
from antiphon.duet.schedule import Send
from antiphon.errors import AntiphonError
from antiphon.generator import Control, Follows, GeneratorInfo
from antiphon.music import messages
from antiphon.music.midi_file import Score, Track
from antiphon.music.timing import TimeSignature
from antiphon.session import continuation
from antiphon.session.continuation import continue_score, replay_session
from antiphon.session.header import Header
from antiphon.session.journal import JournalWriter, Record, Session, read_session

TUNE = ((0, messages.note_on(0, 60, 80)), (900, messages.note_off(0, 60)))
ROLES: list[PlayerNeeded] = []
FOLLOWS: dict[str, Follows] = {}
"""What a toy follows that does not follow the beat."""


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Toys in the place of plugins."""

    def generator(name: str) -> SimpleNamespace:
        if name not in TOYS:
            raise AntiphonError(f"no generator {name!r}")
        control = Control("heat", 0.0, 2.0, 1.0, "more of it")
        parts = toy_info(name).parts
        follows = FOLLOWS.get(name, "beat")
        return SimpleNamespace(info=GeneratorInfo(name, "a toy", (control,), follows=follows, parts=parts))

    def make_player(role: PlayerNeeded) -> Player:
        ROLES.append(role)
        return toy_player("low" if role.generator == "markov" else role.generator)

    ROLES.clear()
    FOLLOWS.clear()
    monkeypatch.setattr(continuation, "load_plugins", lambda: SimpleNamespace(generator=generator))
    monkeypatch.setattr(continuation, "make_player", make_player)


def starts(score: Score) -> list[tuple[int, int]]:
    return [(ticks, message[1]) for ticks, message in score.tracks[-1].messages if messages.is_note_on(message)]


def test_a_score_goes_on_from_the_next_bar_line_for_as_many_bars_as_asked() -> None:
    score = Score((Track("piano", TUNE),))
    continued = continue_score(score, generator="echo", bars=3, seed=7)
    assert continued.notes == 12
    assert starts(continued.score) == [(1920 + 480 * i, 72) for i in range(12)]
    assert continued.score.tracks[0] == score.tracks[0]
    assert continued.score.tracks[1].name == "antiphon echo"
    assert continued.score.markers == ((1920, "antiphon"),)
    assert continued.score.end_ticks <= 4 * 1920
    assert {role.casting.seed for role in ROLES} == {7}


def test_each_part_of_the_continuation_is_a_track_of_its_own() -> None:
    continued = continue_score(Score((Track("piano", TUNE),)), generator="trio", bars=1, seed=0)
    _, *parts = continued.score.tracks
    assert [track.name for track in parts] == ["antiphon trio lead", "antiphon trio echo", "antiphon trio bass"]
    pitches = [{message[1] for _, message in track.messages if messages.is_note_on(message)} for track in parts]
    assert pitches == [{60}, {60}, {36}]
    assert sum(messages.is_note_on(m) for track in parts for _, m in track.messages) == continued.notes == 12


def test_the_continuation_keeps_to_the_metre_and_tempo_of_the_score() -> None:
    score = Score((Track("", TUNE),), ((0, 90.0), (100, 77.0)), ((0, TimeSignature(3, 4)),))
    continued = continue_score(score, generator="echo", bars=1, seed=0)
    assert [ticks for ticks, _ in starts(continued.score)] == [1440, 1920, 2400]
    assert (continued.score.tempo, continued.score.signatures) == (score.tempo, score.signatures)


def test_the_continuation_has_so_many_bars_of_the_metre_in_force_at_the_end() -> None:
    upbeat = ((0, TimeSignature(1, 4)), (480, TimeSignature(3, 4)))
    continued = continue_score(Score((Track("", TUNE),), signatures=upbeat), generator="echo", bars=2, seed=0)
    assert [ticks for ticks, _ in starts(continued.score)] == [1920 + 480 * beat for beat in range(6)]
    assert continued.score.signatures == upbeat


def test_a_fermata_at_the_end_refuses_nothing_and_moves_nothing() -> None:
    both: tuple[Follows, ...] = ("beat", "free")
    for follows in both:
        FOLLOWS["echo"] = follows
        score = Score((Track("", TUNE),), ((0, 120.0), (480, 12.0)))
        continued = continue_score(score, generator="echo", bars=2, seed=0)
        lines = [ticks for ticks, _ in starts(continued.score) if ticks % 480 == 0]
        assert lines == [1920 + 480 * beat for beat in range(8)]
        assert continued.score.tempo == score.tempo


def answer_channels(score: Score) -> set[int]:
    return {messages.channel(message) for _, message in score.tracks[-1].messages}


def test_the_answer_is_on_a_channel_of_its_own() -> None:
    second = tuple((ticks, bytes((message[0] | 1, *message[1:]))) for ticks, message in TUNE)
    pedal = ((0, messages.control_change(2, messages.SUSTAIN, 127)),)
    program = ((0, messages.program_change(3, 40)),)
    score = Score((Track("", TUNE), Track("", second), Track("", pedal), Track("", program)))
    assert answer_channels(continue_score(score, generator="echo", bars=1, seed=0).score) == {4}


def test_where_no_channel_is_left_the_answer_begins_by_undoing_what_was_left_on_its_own() -> None:
    others = [(0, messages.program_change(channel, 30 + channel)) for channel in range(16)]
    pedals = [(1, messages.control_change(channel, messages.SUSTAIN, 127)) for channel in range(16)]
    score = Score((Track("", (TUNE[0], *others, *pedals, TUNE[1])),))
    continued = continue_score(score, generator="echo", bars=1, seed=0)
    (channel,) = answer_channels(continued.score)
    assert continued.score.tracks[-1].messages[:2] == (
        (1920, messages.control_change(channel, messages.SUSTAIN, 0)),
        (1920, messages.program_change(channel, 0)),
    )
    assert continued.notes == 4


def test_where_there_is_nothing_that_a_generator_hears_it_says_why_it_does_not_play() -> None:
    hits = ((0, messages.note_on(messages.DRUM_CHANNEL, 36, 80)), (10, messages.note_off(messages.DRUM_CHANNEL, 36)))
    with pytest.raises(
        AntiphonError, match=r"echo has nothing to go on from: its only note is a drum's \(channel 10\)"
    ):
        continue_score(Score((Track("", hits),)), generator="echo", bars=1, seed=0)
    with pytest.raises(AntiphonError, match="all its 2 notes are drums'"):
        continue_score(Score((Track("", hits), Track("", hits))), generator="echo", bars=1, seed=0)
    with pytest.raises(AntiphonError, match="no notes in it"):
        continue_score(Score((Track("", ((0, messages.program_change(0, 4)),)),)), generator="echo", bars=1, seed=0)


def test_every_note_of_the_continuation_ends_with_it() -> None:
    continued = continue_score(Score((Track("", TUNE),)), generator="overlapping", bars=2, seed=0)
    down = 0
    for _, message in continued.score.tracks[-1].messages:
        down += 1 if messages.is_note_on(message) else -1
    assert down == 0
    assert continued.score.end_ticks == 3 * 1920


def test_a_score_that_ends_on_a_bar_line_goes_on_right_there() -> None:
    full = ((0, messages.note_on(0, 60, 80)), (1920, messages.note_off(0, 60)))
    assert starts(continue_score(Score((Track("", full),)), generator="echo", bars=1, seed=0).score)[0][0] == 1920


def test_drums_and_the_controller_used_as_signal_are_not_listened_to() -> None:
    drums = ((0, messages.note_on(messages.DRUM_CHANNEL, 36, 80)), (10, messages.note_off(messages.DRUM_CHANNEL, 36)))
    signals = ((5, messages.control_change(0, 119, 127)), (6, messages.control_change(0, 119, 0)))
    with_drums = Score((Track("", TUNE), Track("drums", drums), Track("", signals)))
    plain = Score((Track("", TUNE),))
    heard = [continue_score(score, generator="regular", bars=2, seed=0) for score in (plain, with_drums)]
    assert starts(heard[0].score) == starts(heard[1].score)


def test_two_times_the_same_is_the_same() -> None:
    score = Score((Track("", TUNE),))
    assert continue_score(score, generator="regular", bars=4, seed=3) == continue_score(
        score, generator="regular", bars=4, seed=3
    )


@pytest.mark.parametrize("generator", ["failing", "deaf", "broken", "resting", "failing-later"])
def test_a_generator_that_does_not_go_on_is_an_error_and_no_fallback_covers_it_up(generator: str) -> None:
    with pytest.raises(AntiphonError, match=f"the generator did not go on: {generator}: "):
        continue_score(Score((Track("", TUNE),)), generator=generator, bars=4, seed=0)


def test_unknown_generators_and_controls_are_errors() -> None:
    score = Score((Track("", TUNE),))
    with pytest.raises(AntiphonError, match="no generator 'nobody'"):
        continue_score(score, generator="nobody", bars=1, seed=0)
    with pytest.raises(AntiphonError, match=r"--set heat is 3; allowed: a number, 0 to 2"):
        continue_score(score, generator="echo", bars=1, seed=0, controls={"heat": 3.0})
    with pytest.raises(AntiphonError, match="'echo' has no such control; it has: heat"):
        continue_score(score, generator="echo", bars=1, seed=0, controls={"cold": 1.0})


PLANS = (
    Plan("one", (VoicePlan("regular", handover=Handover(by="pedal"), program=4),), outputs=("virtual", "synth")),
    Plan("two", (VoicePlan("moody", mode="continue"), VoicePlan("overlapping")), 97.0, outputs=("virtual",)),
)
PRESS, LIFT = (messages.control_change(0, messages.SOSTENUTO, value) for value in (127, 0))


def record_session(folder: Path, seed: int) -> Session:
    """A session as it is recorded on stage: with a change of preset, a death, a restart and a panic."""

    def make(role: PlayerNeeded) -> Player:
        return toy_player("low" if role.generator == "markov" else role.generator)

    stage = LiveLike(list(PLANS), make, Random(seed))
    stage.begin()

    def call() -> None:
        for pitch in (60, 62, 65):
            stage.hear(messages.note_on(0, pitch, 80))
            stage.wait(0.25)
            stage.hear(messages.note_off(0, pitch))
        stage.hear(PRESS)
        stage.hear(LIFT)
        stage.wait(2.0)

    call()
    stage.hear(messages.program_change(0, 1))
    call()
    stage.lose(1)
    call()
    stage.restart()
    call()
    stage.duet.panic(stage.now_ticks)
    stage.duet.select(0, stage.now_ticks)
    call()
    stage.end()
    header = Header(PLANS, output_names(PLANS), {}, "2026-03-01T20:15:00+01:00")
    writer = JournalWriter(folder, header)
    writer.write(Record(what) for what in stage.record_of)
    writer.close()
    return read_session(folder)


@pytest.mark.parametrize("seed", range(5))
def test_a_recorded_session_plays_again_bit_for_bit(tmp_path: Path, seed: int) -> None:
    session = record_session(tmp_path, seed)
    again = replay_session(session)
    assert again.difference is None
    sends = [record.what for record in session.records if isinstance(record.what, Send)]
    assert again.messages == len(sends) > 100
    assert starts(again.score) == starts(replay_session(session).score)


def test_a_session_that_was_killed_ends_where_its_journal_does(tmp_path: Path) -> None:
    session = record_session(tmp_path, 1)
    sounding = next(
        i for i, r in enumerate(session.records) if isinstance(r.what, Send) and r.what.source == 0 and i > 50
    )
    cut = Session(session.folder, session.header, session.records[: sounding + 1])
    assert not any(isinstance(record.what, Ended) for record in cut.records)
    again = replay_session(cut)
    assert again.difference is None
    for track in again.score.tracks:
        down: set[tuple[int, int]] = set()
        for _, message in track.messages:
            key = (messages.channel(message), message[1])
            if messages.is_note_on(message):
                down.add(key)
            elif messages.is_note_off(message):
                down.discard(key)
        assert not down


def test_what_came_out_different_is_named(tmp_path: Path) -> None:
    session = record_session(tmp_path, 0)
    records = list(session.records)
    index = next(i for i, record in enumerate(records) if isinstance(record.what, Send))
    original = records[index].what
    assert isinstance(original, Send)
    records[index] = Record(Send(original.output, b"\x90\x01\x01", original.due_ticks, original.source))
    difference = replay_session(Session(session.folder, session.header, tuple(records))).difference
    assert difference == f"message 1 was {records[index].what}, is {original}"
    more = (*session.records, Record(Send(0, b"\x90\x01\x01", 10**6, 0)))
    count = sum(isinstance(record.what, Send) for record in more)
    difference = replay_session(Session(session.folder, session.header, more)).difference
    assert difference == f"{count} messages were sent, now {count - 1}"
