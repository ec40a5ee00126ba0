"""The show goes on: a player that is late, wrong or dead. A player has 29 ticks (30 ms) to be late at 120 bpm."""

from collections.abc import Iterable

import pytest
from stages import Rehearsal

from antiphon.duet.commands import Chair, Decision
from antiphon.duet.plan import Handover, Launch, Plan, VoicePlan
from antiphon.music import messages

PRESS, LIFT = (messages.control_change(0, messages.SOSTENUTO, value) for value in (127, 0))
MAIN, FALLBACK = 0, 1
"""Slots of the only voice's players."""


def rehearse(
    main: str = "echo",
    fallback: str = "low",
    *,
    launch: Launch = "now",
    bars: int = 2,
    slow: Iterable[Chair] = (),
    absent: Iterable[Chair] = (),
) -> Rehearsal:
    voice = VoicePlan(main, fallback=fallback, handover=Handover(by="pedal"), answer_bars=bars, launch=launch)
    return Rehearsal(Plan(voices=(voice,), outputs=("virtual",)), slow=slow, absent=absent)


def call(jam: Rehearsal, ticks: int = 0) -> None:
    """A short note, and the pedal 500 ticks after its start."""
    jam.tone(ticks)
    jam.hear(ticks + 500, PRESS)
    jam.hear(ticks + 500, LIFT)


def texts(jam: Rehearsal, kind: str) -> list[str]:
    return [r.text for r in jam.record_of if isinstance(r, Decision) and r.kind == kind]


def test_a_phrase_a_little_late_is_waited_for_and_begins_when_it_comes() -> None:
    jam = rehearse(slow=["main"])
    call(jam)
    jam.work(MAIN, 520)
    assert jam.decisions() == [("handover", 500), ("late", 520), ("answer", 520)]
    assert jam.notes() == [(520, 72, None)]


def test_rests_that_open_an_answer_are_composed_while_the_player_still_plays() -> None:
    jam = rehearse("sleepy", slow=["main"])
    jam.tone(0)
    for ticks in (350, 400, 450):  # Two empty beats, and the one with the first note: all before the hand-over.
        jam.work(MAIN, ticks)
    jam.hear(500, PRESS)
    jam.hear(500, LIFT)
    jam.work(MAIN, 700)
    jam.advance(1400)
    assert jam.decisions() == [("handover", 500), ("answer", 500)], "the fallback is not needed"
    assert [(start, pitch) for start, pitch, _ in jam.notes()] == [(500, 77), (980, 77)]


def test_on_a_grid_a_phrase_a_little_late_keeps_its_place() -> None:
    jam = rehearse(slow=["main"], launch="bar")
    call(jam)
    jam.work(MAIN, 1930)
    jam.work(MAIN, 2000)  # The bar after the first beat, in time for 2400.
    jam.advance(2500)
    assert jam.decisions() == [("handover", 1920), ("late", 1930), ("answer", 1920)]
    assert jam.notes() == [(1930, 72, 2040), (2400, 72, None)]


def test_a_phrase_in_time_falls_where_it_would_have_fallen_at_once() -> None:
    jams = [rehearse(launch="bar"), rehearse(launch="bar", slow=["main"])]
    for jam in jams:
        call(jam)
    jams[1].work(MAIN, 1920)
    jams[1].work(MAIN, 2400 - 49)  # The bar after the first beat, a tick before it is given up,
    jams[1].work(MAIN, 4320 - 49)  # and what comes after it.
    jams[0].advance(6000)
    jams[1].advance(6000)
    assert jams[0].sends == jams[1].sends


def test_the_fallback_plays_from_the_deadline_on() -> None:
    jam = rehearse(slow=["main"])
    call(jam)
    jam.advance(528)
    assert jam.notes() == []
    jam.advance(529)
    assert jam.decisions() == [("handover", 500), ("fallback", 529), ("late", 529), ("answer", 529)]
    assert texts(jam, "fallback") == ["echo: it is late; low plays"]
    jam.advance(9000)
    assert [pitch for _, pitch, _ in jam.notes()] == [48] * 8
    assert jam.decisions()[-1] == ("end", 529 + 3840)


def test_what_comes_after_the_fallback_has_begun_is_dropped() -> None:
    jam = rehearse(slow=["main"])
    call(jam)
    jam.work(MAIN, 600)
    jam.advance(9000)
    assert {pitch for _, pitch, _ in jam.notes()} == {48}


def test_the_fallback_goes_on_from_the_answer_as_it_was_played() -> None:
    jam = rehearse("failing-later", bars=3)
    call(jam)
    jam.advance(9000)
    assert texts(jam, "fallback") == ["failing-later: RuntimeError: out of ideas; low plays"]
    assert [(start, pitch) for start, pitch, _ in jam.notes()] == [
        (500 + 480 * i, 72 if i < 5 else 48) for i in range(12)
    ]
    heard = [phrase for phrase in jam.toys[FALLBACK].primed if phrase.end_ticks == 500 + 480 + 1920]
    assert [(n.start_ticks, n.pitch) for n in heard[0].notes] == [(0, 60)] + [(500 + 480 * i, 72) for i in range(5)]


def test_a_player_that_dies_before_the_handover_is_replaced_at_it() -> None:
    jam = rehearse()
    jam.tone(0)
    jam.lose(MAIN, 400)  # Its guess was already there; without what follows it is worth nothing.
    jam.hear(500, PRESS)
    jam.advance(9000)
    assert texts(jam, "fallback") == ["echo: its process is gone; low plays"]
    assert [(start, pitch) for start, pitch, _ in jam.notes()] == [(500 + 480 * i, 48) for i in range(8)]


def test_a_player_that_comes_back_before_the_handover_plays() -> None:
    jam = rehearse()
    jam.tone(0)
    jam.lose(MAIN, 300)
    jam.seat(MAIN, 400)
    jam.hear(500, PRESS)
    jam.advance(9000)
    assert {pitch for _, pitch, _ in jam.notes()} == {72}


def test_a_player_that_dies_while_it_is_waited_for_is_replaced_at_once() -> None:
    jam = rehearse(slow=["main"])
    call(jam)
    jam.lose(MAIN, 510)
    assert jam.notes() == [(510, 48, None)]


def test_a_player_that_dies_in_the_middle_is_replaced_when_more_is_needed() -> None:
    jam = rehearse(bars=3)
    call(jam)
    jam.lose(MAIN, 1000)  # A beat and two bars are there by now.
    jam.advance(9000)
    assert [(start, pitch) for start, pitch, _ in jam.notes()] == [
        (500 + 480 * i, 72 if i < 9 else 48) for i in range(12)
    ]
    assert jam.decisions("answer")[:2] == [("handover", 500), ("fallback", 500 + 480 + 1920)]


@pytest.mark.parametrize(("replies", "beats"), [(1, 1), (2, 5)])
def test_a_player_that_is_asked_for_more_and_does_not_reply_is_replaced_before_the_gap(
    replies: int, beats: int
) -> None:
    jam = rehearse(slow=["main"])
    jam.tone(0)
    jam.work(MAIN, 400)
    jam.hear(500, PRESS)
    if replies == 2:
        jam.work(MAIN, 900)
    jam.advance(9000)
    # The bar after the first beat, or the one after that: 50 ms before it is due, the fallback composes it.
    assert jam.decisions("late")[2] == ("fallback", 500 + 480 * beats - 48)
    assert [(start, pitch) for start, pitch, _ in jam.notes()] == [
        (500 + 480 * i, 72 if i < beats else 48) for i in range(8)
    ]


def test_a_player_waited_for_has_until_30_ms_after_the_handover_however_soon_it_is_due() -> None:
    jam = rehearse("upbeat", slow=["main"])
    jam.tone(0)
    jam.work(MAIN, 400)
    jam.hear(500, PRESS)  # The note on the last tick of the first beat falls here, so the bar after it is due at 501.
    jam.work(MAIN, 528)
    assert jam.decisions() == [("handover", 500), ("answer", 500), ("late", 528)]
    assert jam.notes()[0][:2] == (500, 74)


def test_a_fallback_that_hangs_after_its_first_beat_falls_silent_without_a_note_hanging() -> None:
    jam = rehearse("failing", slow=["fallback"])
    call(jam)
    jam.work(FALLBACK, 510)
    jam.advance(9000)
    assert jam.decisions() == [("handover", 500), ("fallback", 500), ("late", 510), ("answer", 510), ("silent", 990)]
    assert jam.notes() == [(510, 48, 630)]
    jam.slow.clear()
    call(jam, 10_000)
    jam.advance(20_000)
    assert {pitch for start, pitch, _ in jam.notes() if start > 9000} == {48}


def test_a_player_that_has_not_started_yet_is_replaced() -> None:
    jam = rehearse(absent=["main"])
    call(jam)
    assert texts(jam, "fallback") == ["echo: it has not started yet; low plays"]
    assert jam.notes() == [(500, 48, None)]


@pytest.mark.parametrize(
    ("main", "reason"),
    [
        ("failing", "RuntimeError: out of ideas"),
        ("deaf", "ValueError: no ears"),
        ("broken", "IllegalPhrase: notes[0].pitch is 300; allowed: a whole number, 0 to 127"),
        ("resting", "it plays nothing"),
    ],
)
def test_a_generator_that_cannot_go_on_is_replaced_at_the_handover(main: str, reason: str) -> None:
    jam = rehearse(main, bars=8)
    call(jam)
    assert texts(jam, "fallback") == [f"{main}: {reason}; low plays"]
    assert jam.notes() == [(500, 48, None)]
    jam.advance(50_000)
    assert len(jam.notes()) == 32


def test_a_short_answer_of_nothing_but_rests_is_replaced_too() -> None:
    jam = rehearse("resting", bars=1)
    call(jam)
    jam.advance(9000)
    assert [(start, pitch) for start, pitch, _ in jam.notes()] == [(500 + 480 * i, 48) for i in range(4)]


@pytest.mark.parametrize("fallback", ["failing", "deaf", "broken", "resting"])
def test_when_both_fail_there_is_silence_and_the_next_call_works_again(fallback: str) -> None:
    jam = rehearse("failing", fallback)
    call(jam)
    jam.advance(9000)
    assert jam.notes() == []
    assert [kind for kind, _ in jam.decisions()] == ["handover", "fallback", "silent"]
    assert texts(jam, "silent")[0].startswith(f"{fallback}: ")
    call(jam, 10_000)
    assert [kind for kind, _ in jam.decisions()[3:]] == ["handover", "fallback", "silent"]


def test_a_fallback_that_hangs_is_given_half_a_second() -> None:
    jam = rehearse("failing", slow=["fallback"])
    call(jam)
    jam.advance(9000)
    assert jam.decisions() == [("handover", 500), ("fallback", 500), ("silent", 980)]
    jam.slow.clear()
    call(jam, 10_000)
    jam.advance(20_000)
    assert {pitch for _, pitch, _ in jam.notes()} == {48}


def test_without_any_player_there_is_silence_and_it_is_told() -> None:
    jam = rehearse(absent=["main", "fallback"])
    call(jam)
    assert jam.decisions() == [("handover", 500), ("silent", 500)]
    jam.seat(MAIN, 600)
    call(jam, 1000)
    assert jam.notes() == [(1500, 72, None)]


def test_a_fallback_too_late_for_its_bar_begins_on_the_next_beat() -> None:
    jam = rehearse("failing", slow=["fallback"], launch="bar")
    call(jam)
    jam.work(FALLBACK, 1920 + 300)
    jam.advance(9000)
    assert jam.notes()[0] == (2400, 48, 2520)


def test_the_fallback_goes_on_after_a_note_that_came_when_its_phrase_was_over() -> None:
    jam = rehearse("upbeat", slow=["main"], launch="bar")
    call(jam)
    jam.work(MAIN, 1930)  # Its only note was meant for 1920, a tick before the end of the phrase.
    jam.advance(9000)
    assert jam.notes()[:2] == [(1930, 74, 2020), (1959, 48, 2051)]
    assert "silent" not in [kind for kind, _ in jam.decisions()]
