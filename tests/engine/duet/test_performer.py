"""The performer is a pure state machine: commands out, nothing else."""

from __future__ import annotations

import itertools

import pytest

from antiphon.duet.commands import Continuation, Decision, Extend, Failed, Lost, Play, Prime, Ready, Silence
from antiphon.duet.performer import Performer
from antiphon.duet.plan import ControllerMapping, Handover, Plan, VoicePlan
from antiphon.generator import Request
from antiphon.music import messages
from antiphon.music.timing import Moment, Timeline
from antiphon.notes import Note, Phrase

TIMELINE = Timeline()
PRESS, LIFT = (messages.control_change(0, messages.SOSTENUTO, value) for value in (127, 0))


def at(ticks: int) -> Moment:
    return TIMELINE.moment_at(ticks)


def performer(**more: object) -> Performer:
    voice = VoicePlan("main", fallback="other", handover=Handover(by="pedal"), **more)  # type: ignore[arg-type]
    return Performer(Plan(voices=(voice,)), itertools.count())


def answer_to(extend: Extend, *notes: Note) -> Continuation:
    request = extend.request
    phrase = Phrase(request.start_ticks, request.end_ticks, notes)
    return Continuation(extend.voice, extend.chair, extend.epoch, extend.index, phrase)


def test_a_whole_round_from_the_first_key_to_the_end_of_the_answer() -> None:
    duo = performer()
    assert duo.receive(Ready(0, "main"), at(0)) == [Prime(0, "main", 0, 0, (), 0)]
    said = duo.hear(messages.note_on(0, 60, 80), at(10))
    request = Request(11, 480, {}, duo.plan.voices[0].constraints, 0.03, call_ticks=10, answer_ticks=11)
    assert said == [
        Prime(0, "main", 1, 0, (Note(10, 60, None, 80),), 11),
        Extend(0, "main", 1, 0, request),
    ]
    assert duo.hear(messages.note_off(0, 60), at(500)) == [], "a signal may come now, for which an answer is there"
    assert duo.next_ticks() == 740
    said = duo.advance(at(740))
    assert said[0] == Prime(0, "main", 2, 0, (Note(10, 60, 490, 80),), 500)
    guess = said[1]
    assert isinstance(guess, Extend)
    assert duo.receive(answer_to(guess, Note(510, 72, 700, 90)), at(760)) == []
    assert duo.next_ticks() is None
    assert duo.hear(PRESS, at(1000)) == [
        Decision("handover", 0, 1000, "by pedal"),
        Decision("answer", 0, 1000, "the first note falls here"),
        Play(0, (Note(1000, 72, 490, 90),)),
    ]
    assert duo.voices[0].state == "answering"
    assert duo.next_ticks() == 1000
    (rest,) = duo.advance(at(1000))
    # Of the call's 490 ticks, 10 are left after the first beat. Its phrase began 10 ticks before its note, at 990.
    limits, deadline = duo.plan.voices[0].constraints, pytest.approx(0.03 + 422 / 960)
    request = Request(980, 10, {}, limits, deadline, final=True, left_ticks=10, call_ticks=10, answer_ticks=500)
    assert rest == Extend(0, "main", 2, 1, request)
    assert duo.next_ticks() == 1470 - 48
    assert duo.receive(answer_to(rest, Note(985, 74, 50, 90)), at(1200)) == [Play(0, (Note(1475, 74, 15, 90),))]
    assert duo.next_ticks() == 1490
    assert duo.advance(at(1490)) == [
        Decision("end", 0, 1490, "the answer is over"),
        Silence(0, 1490),
        Prime(0, "main", 3, 1, (Note(1000, 72, 490, 90, own=True), Note(1475, 74, 15, 90, own=True)), 1490),
    ]
    assert (duo.voices[0].state, duo.next_ticks()) == ("listening", None)
    assert duo.advance(at(2000)) == []


def test_stale_replies_change_nothing() -> None:
    duo = performer()
    duo.receive(Ready(0, "main"), at(0))
    old = duo.hear(messages.note_on(0, 60, 80), at(10))[-1]
    assert isinstance(old, Extend)
    new = duo.hear(messages.note_on(0, 64, 80), at(100))[-1]
    assert isinstance(new, Extend)
    assert duo.receive(answer_to(old, Note(20, 72, 5, 80)), at(110)) == []
    assert duo.receive(Failed(0, "main", old.epoch, 0, "too old"), at(110)) == []
    assert duo.receive(Failed(0, "fallback", new.epoch, 0, "not asked"), at(110)) == []
    assert duo.receive(Lost(0, "fallback", "gone"), at(110)) == []
    duo.receive(answer_to(new, Note(110, 74, 5, 80)), at(120))
    assert duo.receive(answer_to(new, Note(110, 75, 5, 80)), at(121)) == [], "the same phrase twice"
    said = duo.hear(PRESS, at(200))
    assert [note.pitch for command in said if isinstance(command, Play) for note in command.notes] == [74]


def test_what_comes_after_a_failure_to_listen_is_not_played() -> None:
    duo = performer()
    duo.receive(Ready(0, "main"), at(0))
    extend = duo.hear(messages.note_on(0, 60, 80), at(10))[-1]
    assert isinstance(extend, Extend)
    duo.receive(Failed(0, "main", extend.epoch, -1, "deaf"), at(11))
    duo.receive(answer_to(extend, Note(20, 72, 5, 80)), at(12))
    assert [command.kind for command in duo.hear(PRESS, at(300)) if isinstance(command, Decision)] == [
        "handover",
        "silent",
    ]


def test_waiting_comes_between_listening_and_answering() -> None:
    duo = performer(launch="bar")
    voice = duo.voices[0]
    duo.receive(Ready(0, "main"), at(0))
    extend = duo.hear(messages.note_on(0, 60, 80), at(10))[-1]
    assert voice.state == "listening"
    duo.hear(PRESS, at(300))
    assert (voice.state, duo.next_ticks()) == ("waiting", 1920 + 29)
    assert isinstance(extend, Extend)
    duo.receive(answer_to(extend, Note(1930, 72, 5, 80)), at(400))
    assert voice.state == "answering"


def test_what_is_a_command_is_swallowed() -> None:
    voices = (
        VoicePlan(handover=Handover(by="pedal", pedal="soft")),
        VoicePlan(handover=Handover(by="trigger", trigger_note=36, trigger_cc=80)),
        VoicePlan(handover=Handover(by="bars")),
    )
    duo = Performer(Plan(voices=voices, controllers=(ControllerMapping(7, 0, "x", 0.0, 1.0),)), itertools.count())
    swallowed = [
        messages.control_change(3, messages.SOFT, 0),
        messages.note_on(2, 36, 4),
        messages.note_off(2, 36),
        messages.control_change(0, 80, 1),
        messages.control_change(0, 7, 1),
    ]
    assert all(duo.swallows(message) for message in swallowed)
    passed = [messages.note_on(2, 37, 4), messages.control_change(0, messages.SUSTAIN, 127), b"\xf8", b"\xe0\x00\x24"]
    assert not any(duo.swallows(message) for message in passed)


def test_to_give_up_forgets_call_and_answer_and_lets_go_of_every_key() -> None:
    duo = performer()
    duo.receive(Ready(0, "main"), at(0))
    duo.hear(messages.note_on(0, 60, 80), at(10))
    assert duo.give_up(at(50)) == [Silence(0, 50)]
    assert duo.voices[0].memory.ear.notes == [Note(10, 60, 40, 80)]
    assert duo.voices[0].memory.ear.keys_down == 0
    assert duo.hear(PRESS, at(60)) == []
    assert duo.give_up(at(70)) == []
