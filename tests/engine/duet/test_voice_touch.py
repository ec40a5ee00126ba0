"""What a touch of the keyboard does to an answer. At 120 bpm a bar is 1,920 ticks."""

from stages import Rehearsal

from antiphon.duet.plan import Handover, Launch, Plan, Touch, VoicePlan
from antiphon.music import messages

PRESS, LIFT = (messages.control_change(0, messages.SOSTENUTO, value) for value in (127, 0))


def answering(touch: Touch = "stop", launch: Launch = "now", bars: int | None = 4) -> Rehearsal:
    voice = VoicePlan(
        "overlapping", fallback="low", handover=Handover(by="pedal"), answer_bars=bars, touch=touch, launch=launch
    )
    jam = Rehearsal(Plan(voices=(voice,), outputs=("virtual",)))
    jam.tone(0)
    jam.hear(480, PRESS)
    jam.hear(480, LIFT)
    return jam


def test_a_touch_stops_the_answer_at_once() -> None:
    jam = answering()
    jam.advance(1000)
    assert jam.duet.schedule.sounding(0) > 0
    jam.hear(1000, messages.note_on(0, 50, 80))
    assert jam.duet.schedule.sounding(0) == 0
    jam.advance(20_000)
    assert all(start < 1000 and end is not None and end <= 1000 for start, _, end in jam.notes())
    assert jam.decisions() == [("handover", 480), ("answer", 480), ("touch", 1000)]


def test_the_touch_is_heard_before_anything_is_silenced() -> None:
    jam = answering()
    jam.hear(1000, messages.note_on(0, 50, 80))
    at_touch = [send.message for send in jam.sends if send.due_ticks == 1000]
    assert at_touch[0] == messages.note_on(0, 50, 80)


def test_a_touch_lets_the_bar_be_finished_by_preset() -> None:
    jam = answering("finish_bar")
    jam.tone(1000, 50)
    jam.advance(20_000)
    assert max(end for _, _, end in jam.notes() if end is not None) == 1920
    assert max(start for start, _, _ in jam.notes()) == 1680
    assert jam.decisions() == [("handover", 480), ("answer", 480), ("touch", 1000)]


def test_an_answer_that_ends_within_the_bar_ends_there() -> None:
    jam = answering("finish_bar", bars=None)
    jam.tone(700, 50)
    jam.advance(20_000)
    # The call was shorter than a beat, so the answer lasts one beat.
    assert max(end for _, _, end in jam.notes() if end is not None) == 960


def test_the_next_answer_waits_for_the_bar_to_be_finished() -> None:
    jam = answering("finish_bar")
    jam.tone(1000, 50)
    jam.hear(1200, PRESS)
    jam.advance(5000)
    assert jam.decisions("answer") == [("handover", 480), ("touch", 1000), ("handover", 1920)]
    assert next(start for start, _, _ in jam.notes() if start >= 1920) == 1920


def test_a_release_or_a_pedal_is_no_touch() -> None:
    jam = answering()
    jam.hear(1000, messages.note_off(0, 50))
    jam.hear(1010, messages.control_change(0, messages.SUSTAIN, 127))
    assert ("touch", 1000) not in jam.decisions()
    assert jam.duet.schedule.sounding(0) > 0


def test_an_answer_that_has_not_begun_is_put_off_and_the_call_goes_on() -> None:
    jam = answering(launch="bar", bars=None)
    jam.tone(1000, 50)
    jam.advance(6000)
    assert jam.notes() == []
    jam.hear(6000, PRESS)
    jam.advance(30_000)
    assert jam.decisions("answer") == [("handover", 1920), ("touch", 1000), ("handover", 7680), ("end", 9600)]


def test_bars_that_are_over_are_not_played_again_when_a_late_answer_is_put_off() -> None:
    voice = VoicePlan("echo", fallback="low", handover=Handover(by="bars", bars=1))
    jam = Rehearsal(Plan(voices=(voice,), outputs=("virtual",)), slow=["main"])
    jam.tone(0)
    jam.advance(1920)
    jam.tone(1925)
    jam.advance(5000)
    assert jam.decisions()[:3] == [("handover", 1920), ("touch", 1925), ("handover", 3840)]


def test_what_was_played_before_the_touch_is_remembered() -> None:
    jam = answering()
    jam.tone(1000, 50)
    heard = jam.toys[0].heard.notes
    played = [(start, pitch, end) for start, pitch, end in jam.notes()]
    assert [(n.start_ticks, n.pitch) for n in heard if n.pitch not in (50, 60)] == [(s, p) for s, p, _ in played]
    assert all(note.end_ticks is None or note.end_ticks <= 1100 for note in heard if note.start_ticks < 1000 - 240)


def test_a_note_that_rang_on_from_an_earlier_phrase_is_remembered_as_cut_by_the_touch() -> None:
    jam = answering(bars=4)
    jam.tone(2900, 50)  # The third phrase was asked for at 960, the fourth at 2880: notes begun before that ring on.
    heard = jam.toys[0].heard.notes
    assert len(heard) == 13
    assert all(note.end_ticks is not None and note.end_ticks <= 2900 for note in heard if note.start_ticks < 2900)


def test_the_player_and_a_voice_on_one_key_end_each_their_own_note() -> None:
    voice = VoicePlan("echo", fallback="low", handover=Handover(by="pedal"), channel=0, touch="finish_bar")
    jam = Rehearsal(Plan(voices=(voice,), outputs=("virtual",)))
    jam.hear(0, messages.note_on(0, 72, 80))
    jam.hear(480, PRESS)
    jam.hear(500, messages.note_off(0, 72))
    jam.advance(5000)
    assert [(s.due_ticks, s.message[0] & 0xF0, s.source) for s in jam.sends] == [
        (0, 0x90, -1),
        (480, 0x80, -1),  # The voice takes the key over,
        (480, 0x90, 0),
        (600, 0x80, 0),  # and ends it itself.
    ]
