"""A morph: goes on until touched, hears a knob by the next half bar, and knows its ends. At 120 bpm a beat is 480."""

from __future__ import annotations

import pytest
from stages import Rehearsal

from antiphon.duet.plan import ControllerMapping, Handover, MorphPlan, Plan, VoicePlan
from antiphon.generator import Morph, Request
from antiphon.music import messages
from antiphon.music.timing import TimeSignature
from antiphon.notes import Note, Phrase

PEDAL = Handover(by="pedal")
PRESS, LIFT = (messages.control_change(0, messages.SOSTENUTO, value) for value in (127, 0))
BAR = 1920
LEAD = 240
"""A quarter of a second."""
GIVEN = Phrase(0, BAR, (Note(0, 36, 120, 84),))
KNOB = ControllerMapping(1, 0, "position", 0.0, 1.0)


def voice(generator: str = "echo", **more: object) -> VoicePlan:
    plan = {"mode": "morph", "morph": MorphPlan(), "handover": PEDAL, "fallback": "low", "follows": "beat", **more}
    return VoicePlan(generator, **plan)  # type: ignore[arg-type]


def rehearse(*voices: VoicePlan, **more: object) -> Rehearsal:
    return Rehearsal(Plan(voices=voices, outputs=("virtual",), controllers=(KNOB,), **more))  # type: ignore[arg-type]


def press(jam: Rehearsal, ticks: int) -> None:
    jam.hear(ticks, PRESS)
    jam.hear(ticks, LIFT)


def turn(jam: Rehearsal, ticks: int, value: int) -> None:
    jam.hear(ticks, messages.control_change(0, 1, value))


def requests(jam: Rehearsal) -> list[Request]:
    return jam.toys[0].requests


def test_it_goes_on_until_touched() -> None:
    jam = rehearse(voice())
    jam.tone(0)
    press(jam, 200)
    jam.advance(480 + 20 * BAR)
    assert [start for start, _, _ in jam.notes()] == [480 + 480 * i for i in range(81)]
    jam.tone(40_000)
    jam.advance(50_000)
    assert jam.decisions()[-1] == ("touch", 40_000)
    assert jam.notes()[-1][0] <= 40_000


def test_half_bars_are_asked_for_a_quarter_of_a_second_before_they_are_heard() -> None:
    jam = rehearse(voice(launch="bar"))
    jam.tone(0)
    press(jam, 700)
    jam.advance(BAR + 2 * BAR)
    opening = len([request for request in requests(jam) if request.start_ticks == BAR])
    asked = [(request.start_ticks, request.length_ticks) for request in requests(jam)[opening - 1 :]]
    assert asked == [(1920, 480), (2400, 480), *((2880 + 960 * i, 960) for i in range(4))]
    last = requests(jam)[-1]
    assert last.start_ticks == 5760
    # It is asked for 240 ticks before, must be there 48 before, and 30 ms is what a phrase may always be late.
    assert last.deadline_seconds == pytest.approx((LEAD - 48) / 960 + 0.03)


def test_a_knob_is_heard_from_the_next_half_bar_on() -> None:
    for ticks, position in ((5760 - LEAD, 0.0), (5760 - LEAD - 1, 1.0)):
        jam = rehearse(voice(launch="bar", controls={"position": 0.0}))
        jam.tone(0)
        press(jam, 700)
        turn(jam, ticks, 127)
        jam.advance(5760)
        at = next(request for request in requests(jam) if request.start_ticks == 5760)
        assert at.controls["position"] == position


def test_a_bar_that_has_no_half_is_asked_for_as_a_whole() -> None:
    jam = rehearse(voice(launch="bar"), signature=TimeSignature(3, 4))
    jam.tone(0)
    press(jam, 700)
    jam.advance(5 * 1440)
    asked = [(request.start_ticks, request.length_ticks) for request in requests(jam)[-5:-1]]
    assert asked == [(1920, 960), (2880, 1440), (4320, 1440), (5760, 1440)]


def test_the_loop_begins_where_the_answer_does_even_if_it_begins_with_a_rest() -> None:
    jam = rehearse(voice("pickup", launch="bar"))
    jam.tone(0)
    press(jam, 700)
    jam.advance(2 * BAR - 1)
    assert [start for start, _, _ in jam.notes()] == [BAR + 240 + 480 * i for i in range(4)]


def test_at_once_means_on_the_player_s_own_next_beat() -> None:
    jam = rehearse(voice())
    jam.tone(1003)
    jam.tone(1500)
    press(jam, 1800)
    jam.advance(5000)
    assert jam.notes()[0][0] == 1003 + 2 * 480
    assert ("handover", 1963) in jam.decisions()


def test_its_ends_are_what_was_played_and_what_the_preset_says() -> None:
    jam = rehearse(voice(morph=MorphPlan("played", GIVEN)))
    jam.tone(100)
    jam.tone(1000, 62)
    press(jam, 1300)
    jam.advance(4000)
    played = Phrase(100, 2020, (Note(100, 60, 100, 80), Note(1000, 62, 100, 80)))
    assert {request.given for request in requests(jam)[-2:]} == {Morph(played, GIVEN)}
    jam.tone(9600, 64)
    jam.advance(10_000)
    assert requests(jam)[-1].given == Morph(Phrase(9600, 11520, (Note(9600, 64, 100, 80),)), GIVEN)


def test_what_it_has_played_itself_is_no_end() -> None:
    jam = rehearse(voice(touch="finish_bar"))
    jam.tone(0)
    press(jam, 200)
    jam.tone(3000, 50)
    jam.advance(3500)
    morph = requests(jam)[-1].given
    assert morph is not None
    assert morph.a == Phrase(3000, 4920, (Note(3000, 50, 100, 80),))


def test_a_capture_is_heard_from_the_next_half_bar_on_and_touches_nothing() -> None:
    jam = rehearse(voice(morph=MorphPlan(capture_note=108)))
    jam.tone(0)
    press(jam, 200)
    jam.advance(3000)
    jam.tone(3100, 108)
    jam.tone(3300, 108)
    jam.advance(6000)
    call = Phrase(0, BAR, (Note(0, 60, 100, 80),))
    assert requests(jam)[-1].given == Morph(call, call)
    assert jam.decisions() == [("handover", 480), ("answer", 480), ("capture", 3100), ("capture", 3300)]
    assert [send.message[1] for send in jam.sends if send.source == -1] == [60, 60], "the key is silent"


def test_a_capture_during_a_call_changes_the_guess() -> None:
    jam = rehearse(voice(morph=MorphPlan("prior", "prior", capture_cc=20)))
    jam.tone(0)
    assert requests(jam)[-1].given == Morph(None, None)
    jam.hear(500, messages.control_change(0, 20, 127))
    assert requests(jam)[-1].given == Morph(Phrase(0, BAR, (Note(0, 60, 100, 80),)), None)


def test_an_answer_has_ends_too_and_is_as_long_as_the_call() -> None:
    jam = rehearse(voice(mode="answer", morph=MorphPlan("played", "played"), launch="beat"))
    jam.tone(0)
    jam.tone(900, length_ticks=100)
    press(jam, 1300)
    jam.advance(9000)
    morph = requests(jam)[-1].given
    assert morph is not None
    assert morph.a == morph.b
    assert jam.decisions()[-1][0] == "end"


def test_who_does_not_interpolate_is_given_no_ends() -> None:
    jam = rehearse(VoicePlan("echo", fallback="low", handover=PEDAL))
    jam.tone(0)
    assert {request.given for request in requests(jam)} == {None}


def test_a_late_phrase_is_stood_in_for_and_goes_on() -> None:
    jam = rehearse(
        voice(launch="bar"),
    )
    jam.tone(0)
    press(jam, 700)
    jam.advance(2 * BAR)
    jam.lose(0, 2 * BAR + 100)
    jam.advance(4 * BAR)
    assert {pitch for start, pitch, _ in jam.notes() if start > 3 * BAR} == {48}
