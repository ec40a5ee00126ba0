"""What is computed from a performance is what happened in it."""

from __future__ import annotations

from pathlib import Path

from antiphon.duet.commands import Decision
from antiphon.duet.events import Heard
from antiphon.duet.plan import Plan
from antiphon.duet.schedule import PLAYER, Send
from antiphon.music import messages
from antiphon.session.header import Header
from antiphon.session.journal import Record, Session
from antiphon_export.bench.performance import Performance
from antiphon_export.bench.playing import answers, delays, misplaced, pulses
from antiphon_export.bench.scores import chords, numbered
from antiphon_export.bench.witness import Timed

ON, OFF = messages.note_on(1, 60, 80), messages.note_off(1, 60)


def session(*records: Record) -> Session:
    header = Header((Plan(tempo_bpm=125.0),), ("virtual",), {}, "today")
    return Session(Path(), header, records)


def performance(sent: Timed, heard: Timed, *records: Record) -> Performance:
    return Performance(session(*records), 100.0, sent, heard)


def handover(ticks: int) -> Record:
    return Record(Decision("handover", 0, ticks, "by trigger"))


def test_a_chord_is_pressed_and_released_finger_by_finger() -> None:
    score = chords(0.2, 0.005)
    assert [seconds for seconds, _ in score] == sorted(seconds for seconds, _ in score)
    assert sum(messages.is_note_on(message) for _, message in score) == 8
    assert sum(messages.is_note_off(message) for _, message in score) == 8


def test_no_two_notes_of_a_burst_are_alike() -> None:
    assert len({message for number in range(10_000) for message in numbered(number)}) == 20_000


def test_what_is_lost_or_swapped_is_out_of_place() -> None:
    score = [(float(number), message) for number in range(4) for message in numbered(number)]
    assert misplaced(performance(score, score)) == 0
    assert misplaced(performance(score, score[:-3])) == 3
    assert misplaced(performance(score, [score[1], score[0], *score[2:]])) == 2
    assert misplaced(performance(score, [score[0], score[0], *score[1:]])) == 7
    assert misplaced(performance(score, [])) == 8


def test_each_handover_has_its_own_answer_or_none() -> None:
    first = Record(Send(0, ON, 1002, 0), 0.0005)
    again = Record(Send(0, ON, 2000, 0), 0.0)
    found = answers(session(handover(1000), first, Record(Send(0, OFF, 1100, 0), 0.0), again, handover(3000)))
    assert [[round(1000 * seconds, 3) for seconds in latencies] for latencies in found] == [[2.5], []]


def test_a_delay_runs_from_the_note_s_moment_to_its_arrival() -> None:
    own = Record(Send(0, ON, 990, PLAYER), 0.0)
    voice = Record(Send(0, OFF, 1000, 0), 0.0)
    unsent = Record(Send(0, ON, 995, 0), None)
    heard = [(100.991, ON), (101.003, OFF)]
    played = performance([], heard, Record(Heard(990, ON)), own, unsent, voice)
    assert [round(1000 * seconds, 3) for seconds in delays(played)] == [3.0]


def test_a_pulse_of_the_clock_is_late_by_its_distance_from_the_nearest_place_for_one() -> None:
    # At 125 bpm a tick is a millisecond, and a pulse is due every 20.
    played = performance([], [(100.0403, b"\xf8"), (100.0405, ON), (100.0599, b"\xf8"), (100.06, b"\xfa")])
    assert [round(1000 * seconds, 3) for seconds in pulses(played)] == [0.3, -0.1]
