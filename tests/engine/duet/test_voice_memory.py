"""What the players are told: only what is new, and always exactly what the voice remembers."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from stages import Rehearsal

from antiphon.duet.commands import Continuation, Extend, Prime
from antiphon.duet.memory import MEMORY_NOTES, Memory
from antiphon.duet.performer import Performer
from antiphon.duet.plan import Handover, Plan, VoicePlan
from antiphon.music import messages
from antiphon.music.timing import Timeline
from antiphon.notes import Note, Phrase, score_order

PRESS, LIFT = (messages.control_change(0, messages.SOSTENUTO, value) for value in (127, 0))


def test_every_key_tells_the_players_only_what_is_new() -> None:
    performer, timeline = Performer(Plan(voices=(VoicePlan("echo"),)), itertools.count()), Timeline()
    performer.voices[0].ready("main", timeline.moment_at(0))
    told: list[Prime] = []
    for number in range(5):
        for ticks, make in ((200 * number, messages.note_on), (200 * number + 100, messages.note_off)):
            said = performer.hear(make(0, 60 + number, 80), timeline.moment_at(ticks))
            told += [command for command in said if isinstance(command, Prime)]
    assert [prime.keep for prime in told] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert all(len(prime.notes) == 1 for prime in told)
    assert [prime.end_ticks for prime in told[:4]] == [1, 100, 201, 300]


def test_the_memory_is_bounded_while_the_player_plays_on() -> None:
    jam = Rehearsal(
        Plan(voices=(VoicePlan("resting", fallback="resting", handover=Handover(by="pedal")),), outputs=("virtual",)),
        absent=["fallback"],
    )
    ear = jam.duet.performer.voices[0].memory.ear
    for number in range(MEMORY_NOTES):
        ear.remember([Note(number, 60, 1, 80)])
    jam.tone(MEMORY_NOTES + 10)
    jam.advance(MEMORY_NOTES + 1000)
    assert len(ear.notes) == MEMORY_NOTES + 1 - MEMORY_NOTES // 4
    assert list(jam.toys[0].heard.notes) == list(ear.notes)


def test_the_memory_is_bounded_however_many_notes_are_struck_in_one_instant() -> None:
    memory = Memory(0)
    for number in range(2 * MEMORY_NOTES):
        key = (number // 128 % 16, number % 128)
        memory.hear(messages.note_on(*key, 80), 100)
        memory.hear(messages.note_off(*key), 100)
    assert len(memory.ear.notes) <= MEMORY_NOTES


steps = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.one_of(
            st.builds(messages.note_on, st.integers(0, 1), st.integers(60, 63), st.integers(0, 127)),
            st.builds(messages.note_on, st.integers(0, 1), st.integers(60, 63), st.integers(1, 127)),
            st.builds(messages.note_off, st.integers(0, 1), st.integers(60, 63)),
            st.builds(
                messages.control_change,
                st.just(0),
                st.sampled_from([messages.SUSTAIN, messages.SOSTENUTO, messages.SOSTENUTO, 123]),
                st.sampled_from([0, 127]),
            ),
        ),
    ),
    max_size=40,
)


@settings(max_examples=100)
@given(steps, st.sampled_from(["answer", "continue"]), st.sampled_from(["stop", "finish_bar"]))
def test_what_a_player_was_told_piece_by_piece_is_what_the_voice_remembers(
    steps: list[tuple[int, bytes]], mode: Any, touch: Any
) -> None:
    voice_plan = VoicePlan("echo", handover=Handover(by="pedal"), mode=mode, touch=touch)
    performer, timeline = Performer(Plan(voices=(voice_plan,)), itertools.count()), Timeline()
    voice = performer.voices[0]
    heard: dict[str, list[Note]] = {"main": [], "fallback": []}
    ends: dict[str, int] = {}
    now = 0

    def carry_out(commands: list[Any]) -> None:
        for command in commands:
            if isinstance(command, Prime):
                heard[command.chair][command.keep :] = command.notes
                assert heard[command.chair] == list(voice.memory.ear.notes)
                assert heard[command.chair] == sorted(heard[command.chair], key=score_order)
                assert all(note.start_ticks < command.end_ticks for note in command.notes)
                ends[command.chair] = command.end_ticks
            elif isinstance(command, Extend):
                request = command.request
                assert request.start_ticks == ends[command.chair], "asked to go on from elsewhere"
                ends[command.chair] = request.end_ticks
                notes = tuple(Note(t, 72, 50, 80) for t in range(request.start_ticks, request.end_ticks, 100))
                phrase = Phrase(request.start_ticks, request.end_ticks, notes)
                reply = Continuation(0, command.chair, command.epoch, command.index, phrase)
                carry_out(performer.receive(reply, timeline.moment_at(now)))

    for chair in ("main", "fallback"):
        carry_out(voice.ready(chair, timeline.moment_at(0)))  # type: ignore[arg-type]
    for wait, message in steps:
        until = now + wait
        while (due := performer.next_ticks()) is not None and due <= until:
            now = max(now, due)
            carry_out(performer.advance(timeline.moment_at(now)))
        now = until
        carry_out(performer.hear(message, timeline.moment_at(now)))


def test_players_are_told_which_notes_are_the_voices_own() -> None:
    jam = Rehearsal(Plan(voices=(VoicePlan("echo", fallback="low"),), outputs=("virtual",)))
    jam.tone(0, 60)
    jam.advance(4000)
    jam.tone(4000, 62)
    jam.advance(4100)
    heard = jam.toys[0].heard.notes
    assert [note.own for note in heard if note.start_ticks in (0, 4000)] == [False, False]
    between = [note.own for note in heard if 0 < note.start_ticks < 4000]
    assert between
    assert all(between)
