"""What an answer is made of: its length, its place, its end. At 120 bpm a beat is 480 ticks."""

import pytest
from stages import Rehearsal

from antiphon.duet.plan import ControllerMapping, Handover, Launch, Plan, VelocityCurve, VoicePlan
from antiphon.generator import Constraints
from antiphon.music import messages
from antiphon.music.timing import TimeSignature
from antiphon.notes import Note, Phrase

PEDAL = Handover(by="pedal")
PRESS, LIFT = (messages.control_change(0, messages.SOSTENUTO, value) for value in (127, 0))


def rehearse(*voices: VoicePlan, **more: object) -> Rehearsal:
    return Rehearsal(Plan(voices=voices, outputs=("virtual",), **more))  # type: ignore[arg-type]


def press(jam: Rehearsal, ticks: int) -> None:
    jam.hear(ticks, PRESS)
    jam.hear(ticks, LIFT)


def test_an_answer_is_as_long_as_the_call() -> None:
    jam = rehearse(VoicePlan("echo", fallback="low", handover=PEDAL))
    jam.tone(0, length_ticks=100)
    jam.tone(900, length_ticks=100)
    press(jam, 1500)
    jam.advance(9000)
    # The call lasted 1,000 ticks: notes on three beats, the last one in full.
    assert jam.notes() == [(1500, 72, 1620), (1980, 72, 2100), (2460, 72, 2500)]
    assert jam.decisions() == [("handover", 1500), ("answer", 1500), ("end", 2500)]


def test_an_answer_is_never_shorter_than_a_beat() -> None:
    jam = rehearse(VoicePlan("echo", fallback="low", handover=PEDAL))
    jam.tone(0, length_ticks=5)
    press(jam, 10)
    jam.advance(9000)
    assert jam.decisions()[-1] == ("end", 490)


@pytest.mark.parametrize(("launch", "end_ticks"), [("beat", 2 * 960), ("bar", 2 * 1920)])
def test_on_a_grid_the_length_of_the_call_is_rounded_up_to_it(launch: Launch, end_ticks: int) -> None:
    jam = rehearse(VoicePlan("echo", fallback="low", handover=PEDAL, launch=launch))
    jam.tone(0, length_ticks=700)
    press(jam, 800)
    jam.advance(9000)
    assert jam.decisions()[-1] == ("end", end_ticks)


def test_the_first_phrase_is_a_beat_long_and_the_bar_after_it_is_asked_for_at_the_handover() -> None:
    jam = rehearse(VoicePlan("echo", fallback="low", handover=PEDAL, launch="bar", mode="continue"))
    jam.tone(0)
    requests = jam.toys[0].requests
    assert {r.length_ticks for r in requests} == {480}, "every guess is a beat"
    jam.advance(699)
    guesses = len(requests)
    press(jam, 700)
    jam.advance(1920 + 480 - 1)
    assert [(r.start_ticks, r.length_ticks) for r in requests[guesses:]] == [(2400, 1920)], "long before it sounds"
    # It may take until 50 ms before the first beat is over, and 30 ms is what a phrase may always be late.
    assert requests[guesses].deadline_seconds == pytest.approx((2400 - 48 - 700) / 960 + 0.03)
    jam.advance(2400)
    assert [(r.start_ticks, r.length_ticks) for r in requests[guesses + 1 :]] == [(4320, 1920)], "as the bar begins"
    jam.advance(6240 - 1)
    assert [start for start, _, _ in jam.notes()] == [1920 + 480 * i for i in range(9)]


def test_an_answer_of_n_bars_is_asked_for_bar_by_bar_after_its_first_beat() -> None:
    jam = rehearse(VoicePlan("echo", fallback="low", handover=PEDAL, answer_bars=3))
    jam.tone(0)
    press(jam, 480)
    jam.advance(480 + 3 * 1920 - 1)
    requests = jam.toys[0].requests
    assert [r.length_ticks for r in requests[-4:]] == [480, 1920, 1920, 1440]
    assert [r.final for r in requests[-4:]] == [False, False, False, True]
    assert [r.start_ticks for r in requests[-4:]] == [100, 580, 2500, 4420]
    assert [start for start, _, _ in jam.notes()] == [480 + 480 * i for i in range(12)]
    jam.advance(10_000)
    assert jam.decisions()[-1] == ("end", 480 + 3 * 1920)


def test_the_first_note_falls_on_the_moment_even_if_the_phrase_begins_with_a_rest() -> None:
    jam = rehearse(VoicePlan("pickup", fallback="low", handover=PEDAL, launch="beat"))
    jam.tone(0)
    press(jam, 700)
    jam.advance(9000)
    assert jam.notes()[0][0] == 960


def test_who_follows_the_beat_is_moved_by_whole_beats_only() -> None:
    jam = rehearse(VoicePlan("pickup", fallback="low", handover=PEDAL, launch="beat", follows="beat"))
    jam.tone(0)
    press(jam, 700)
    jam.advance(9000)
    assert jam.notes()[0][0] == 960 + 240


def test_continue_goes_on_until_touched() -> None:
    jam = rehearse(VoicePlan("echo", fallback="low", handover=PEDAL, mode="continue"))
    jam.tone(0)
    press(jam, 480)
    jam.advance(480 + 100 * 1920)
    assert [start for start, _, _ in jam.notes()] == [480 + 480 * i for i in range(401)]
    assert jam.decisions() == [("handover", 480), ("answer", 480)]
    jam.tone(200_000)
    jam.advance(220_000)
    assert jam.decisions()[-1] == ("touch", 200_000)
    assert jam.notes()[-1][0] <= 200_000


def test_bars_are_traded_exactly_over_many_rounds() -> None:
    jam = rehearse(VoicePlan("echo", fallback="low", handover=Handover(by="bars", bars=2), launch="bar"))
    for round_ticks in range(0, 20 * 7680, 7680):
        for beat in range(8):
            jam.tone(round_ticks + 480 * beat, 60 + beat, 400)
    jam.advance(20 * 7680)
    assert [start for start, _, _ in jam.notes()] == [r * 7680 + 3840 + 480 * i for r in range(20) for i in range(8)]
    expected = [(kind, r * 7680 + at) for r in range(20) for kind, at in (("handover", 3840), ("end", 7680))]
    assert jam.decisions("answer") == expected


def test_a_voice_comes_out_on_its_output_and_channel_transposed_and_bent() -> None:
    voice = VoicePlan(
        *("echo", None, "free", "answer", PEDAL),
        fallback="low",
        channel=4,
        output="synth",
        transpose=60,
        velocity=VelocityCurve(1, 50),
        program=11,
    )
    jam = Rehearsal(Plan(voices=(voice,), outputs=("virtual", "synth")))
    jam.duet.begin()
    jam.tone(0)
    press(jam, 500)
    jam.advance(9000)
    own = [send for send in jam.sends if send.source == 0]
    assert own[0].message == messages.program_change(4, 11)
    # 72 + 60 is 132, an octave lower is 120.
    assert own[1].message == messages.note_on(4, 120, 32)
    assert {send.output for send in own} == {1}
    assert {send.output for send in jam.sends if send.source == -1} == {0, 1}


def test_what_the_generator_does_not_honour_the_host_enforces() -> None:
    constraints = Constraints(60, 71, frozenset({0, 2, 4, 5, 7, 9, 11}), polyphony=2)
    jam = rehearse(VoicePlan("dense", fallback="low", handover=PEDAL, constraints=constraints, answer_bars=2))
    jam.tone(0)
    press(jam, 500)
    jam.advance(9000)
    notes = jam.notes()
    assert len(notes) > 10
    assert all(60 <= pitch <= 71 and pitch % 12 in {0, 2, 4, 5, 7, 9, 11} for _, pitch, _ in notes)
    for start, _, _ in notes:
        assert sum(begin <= start < (end or 0) for begin, _, end in notes) <= 2


def test_a_controller_turns_a_control_from_the_next_phrase_on_and_is_not_passed_on() -> None:
    voice = VoicePlan("echo", fallback="low", handover=PEDAL, controls={"heat": 1.0}, answer_bars=3)
    jam = rehearse(voice, controllers=(ControllerMapping(21, 0, "heat", 0.0, 2.0),))
    jam.hear(0, messages.control_change(0, 21, 0))
    jam.tone(10)
    requests = jam.toys[0].requests
    assert requests[-1].controls == {"heat": 0.0}
    before = len(requests)
    jam.hear(200, messages.control_change(0, 21, 127))
    assert len(requests) == before + 1, "a guess is made anew with the new value"
    assert requests[-1].controls == {"heat": 2.0}
    press(jam, 480)
    jam.hear(500, messages.control_change(0, 21, 64))
    jam.advance(9000)
    # The first beat and the bar asked for at the hand-over came before the turn, the next two phrases after it.
    turned = pytest.approx(2 * 64 / 127)
    assert [r.controls["heat"] for r in requests[-4:]] == [2.0, 2.0, turned, turned]
    assert not [send for send in jam.sends if send.message[0] == 0xB0]


def test_every_voice_of_a_plan_has_its_own_answer() -> None:
    first = VoicePlan("echo", fallback="low", handover=PEDAL)
    second = VoicePlan("pickup", fallback="low", handover=Handover(by="bars", bars=1), launch="bar", channel=2)
    jam = rehearse(first, second)
    jam.tone(0)
    press(jam, 500)
    jam.advance(1919)
    assert (len(jam.notes(0)), len(jam.notes(1))) == (1, 0)
    jam.advance(9000)
    assert jam.notes(1)[0] == (1920, 76, 2040)


def test_the_metre_says_how_long_a_bar_is() -> None:
    voice = VoicePlan("echo", fallback="low", handover=PEDAL, launch="bar", answer_bars=1)
    jam = rehearse(voice, signature=TimeSignature(3, 8))
    jam.tone(0)
    press(jam, 500)
    jam.advance(5000)
    assert jam.decisions() == [("handover", 720), ("answer", 720), ("end", 1440)]
    assert jam.toys[0].requests[-1].bar_ticks == 720


def test_a_prompt_is_known_before_the_first_call_and_is_not_played() -> None:
    prompt = Phrase.of([Note(0, 50, 480, 80), Note(480, 52, 480, 80)])
    jam = rehearse(VoicePlan("echo", fallback="low", handover=PEDAL), prompt=prompt)
    assert [(note.start_ticks, note.pitch) for note in jam.toys[0].heard.notes] == [(-960, 50), (-480, 52)]
    jam.advance(5000)
    assert jam.sends == []


def test_with_the_scale_left_to_the_player_an_answer_keeps_to_theirs() -> None:
    limits = Constraints(low_pitch=40)
    jam = rehearse(
        VoicePlan("echo", fallback="low", handover=PEDAL, answer_bars=2, heard_scale=True, constraints=limits)
    )
    for index, pitch in enumerate((62, 64, 66, 67, 69, 71, 73, 74)):
        jam.tone(240 * index, pitch)
    press(jam, 2000)
    jam.advance(5000)
    requests = jam.toys[0].requests
    assert requests[0].constraints == limits, "one note tells no scale"
    d_major = Constraints(low_pitch=40, scale=frozenset({1, 2, 4, 6, 7, 9, 11}))
    assert [request.constraints for request in requests[-3:]] == [d_major] * 3, "also when its own notes are heard"


def test_a_scale_that_leaves_nothing_to_play_is_not_kept_to() -> None:
    limits = Constraints(low_pitch=61, high_pitch=61)
    jam = rehearse(VoicePlan("echo", fallback="low", handover=PEDAL, heard_scale=True, constraints=limits))
    for index, pitch in enumerate((60, 64, 67, 65, 69, 72)):
        jam.tone(240 * index, pitch)
    assert {request.constraints for request in jam.toys[0].requests} == {limits}
