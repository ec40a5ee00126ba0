"""Performer, schedule and stage together: the order of things, presets of a set, restarts and panic."""

from __future__ import annotations

from stages import Rehearsal

from antiphon.duet.events import Ended, Heard, PlayerReady, Restarted, Selected
from antiphon.duet.ledger import panic_messages
from antiphon.duet.plan import Handover, Plan, VoicePlan
from antiphon.duet.schedule import PLAYER, Send
from antiphon.music import messages
from antiphon.music.timing import TimeSignature

PRESS, LIFT = (messages.control_change(0, messages.SOSTENUTO, value) for value in (127, 0))
PEDAL = Handover(by="pedal")
ECHO = VoicePlan("echo", fallback="low", handover=PEDAL, answer_bars=4)
LOW = VoicePlan("low", fallback="low", handover=PEDAL, program=9)


def plan(*voices: VoicePlan, **more: object) -> Plan:
    return Plan(voices=voices, **({"outputs": ("virtual",)} | more))  # type: ignore[arg-type]


def program(number: int) -> bytes:
    return messages.program_change(0, number)


def call(jam: Rehearsal, ticks: int) -> None:
    jam.tone(ticks)
    jam.hear(ticks + 500, PRESS)
    jam.hear(ticks + 500, LIFT)


def sent(jam: Rehearsal, since_ticks: int = 0) -> list[bytes]:
    return [send.message for send in jam.sends if send.due_ticks >= since_ticks]


def test_what_is_due_comes_before_what_is_heard_and_each_at_its_own_tick() -> None:
    jam = Rehearsal(plan(ECHO))
    call(jam, 0)
    jam.duet.hear(messages.note_on(0, 50, 80), 1000)  # Nobody woke up in between.
    assert [(send.due_ticks, send.message) for send in jam.sends if send.due_ticks >= 500] == [
        (500, messages.note_on(1, 72, 80)),
        (620, messages.note_off(1, 72)),
        (980, messages.note_on(1, 72, 80)),
        (1000, messages.note_on(0, 50, 80)),
        (1000, messages.note_off(1, 72)),
    ]


def test_an_event_never_happens_before_what_has_happened_already() -> None:
    jam = Rehearsal(plan(ECHO))
    jam.advance(100)
    jam.duet.hear(messages.note_on(0, 60, 80), 90)
    assert jam.record_of[-2:] == [
        Heard(100, messages.note_on(0, 60, 80)),
        Send(0, messages.note_on(0, 60, 80), 100, PLAYER),
    ]


def test_everything_that_happens_is_on_record() -> None:
    jam = Rehearsal(plan(ECHO))
    jam.hear(3, b"\xe0\x00\x40")
    assert jam.record_of == [
        PlayerReady(0, 0),
        PlayerReady(0, 1),
        Heard(3, b"\xe0\x00\x40"),
        Send(0, b"\xe0\x00\x40", 3, PLAYER),
    ]


def test_without_thru_nothing_of_the_player_goes_out() -> None:
    jam = Rehearsal(plan(ECHO, thru=False))
    for message in (messages.note_on(0, 60, 80), b"\xe0\x00\x40", messages.note_off(0, 60)):
        jam.hear(5, message)
    assert jam.sends == []


def test_thru_reaches_every_output_of_the_plan_on_the_channel_it_came_on() -> None:
    jam = Rehearsal(plan(ECHO, outputs=("virtual", "Piano")), plan(LOW, outputs=("Organ",)))
    jam.hear(5, b"\xe7\x01\x02")
    assert jam.sends == [Send(0, b"\xe7\x01\x02", 5, PLAYER), Send(1, b"\xe7\x01\x02", 5, PLAYER)]


def test_a_program_change_selects_a_preset_of_the_set() -> None:
    jam = Rehearsal(plan(ECHO), plan(LOW, tempo_bpm=60.0, signature=TimeSignature(3, 4)))
    jam.hear(960, program(1))
    assert jam.duet.selected == 1
    assert jam.duet.timeline.seconds_at(960 + 480) == 2.0
    assert jam.duet.timeline.signature == TimeSignature(3, 4)
    assert [r for r in jam.record_of if isinstance(r, Selected | Heard)] == [Selected(960, 1)]
    assert sent(jam) == [messages.program_change(1, 9)]
    call(jam, 1000)
    jam.advance(9000)
    assert jam.notes(0)[0][1] == 48


def test_a_program_that_no_preset_has_is_ignored_and_one_preset_alone_lets_programs_through() -> None:
    jam = Rehearsal(plan(ECHO), plan(LOW))
    jam.hear(1, program(2))
    assert (jam.duet.selected, sent(jam)) == (0, [])
    jam = Rehearsal(plan(ECHO))
    jam.hear(1, program(2))
    assert sent(jam) == [program(2)]


def test_the_next_preset_remembers_what_was_heard_and_played() -> None:
    jam = Rehearsal(plan(ECHO), plan(LOW))
    call(jam, 0)
    jam.hear(1100, program(1))
    slot = jam.duet.player_table.slot(1, 0, "main")
    assert [(n.start_ticks, n.pitch, n.length_ticks) for n in jam.toys[slot].heard.notes] == [
        (0, 60, 100),
        (500, 72, 120),
        (980, 72, 120),
    ]


def test_in_a_session_of_old_what_is_scheduled_sounds_on_over_a_program_change_until_a_key_is_touched() -> None:
    jam = Rehearsal(plan(ECHO), plan(LOW, switch=None))
    call(jam, 0)
    jam.hear(600, program(1))
    jam.advance(1470)
    assert [start for start, _, _ in jam.notes()] == [500, 980, 1460]
    jam.tone(1470, 50)
    jam.advance(9000)
    assert [(start, end) for start, _, end in jam.notes()][-1] == (1460, 1470)


def test_a_key_held_over_a_program_change_comes_up_where_it_went_down() -> None:
    deaf = VoicePlan("low", fallback="low", handover=Handover(by="trigger", trigger_note=60))
    for second in (plan(deaf), plan(LOW, thru=False), plan(LOW, outputs=("synth",))):
        jam = Rehearsal(plan(ECHO), second)
        jam.hear(10, messages.note_on(0, 60, 80))
        jam.hear(20, program(1))
        jam.hear(30, messages.note_off(0, 60))
        assert [send.output for send in jam.sends if send.message == messages.note_off(0, 60)][:1] == [0]
        assert jam.duet.schedule.sounding() == 0
        assert jam.duet.performer.voices[0].memory.ear.keys_down == 0


def test_a_pedal_held_over_a_program_change_comes_up_where_it_went_down() -> None:
    sustained = VoicePlan("low", fallback="low", handover=Handover(by="pedal", pedal="sustain"))
    jam = Rehearsal(plan(ECHO), plan(sustained))
    down, up = (messages.control_change(0, messages.SUSTAIN, value) for value in (127, 0))
    for ticks, message in ((1, down), (2, program(1)), (3, up), (4, down), (5, up)):
        jam.hear(ticks, message)
    assert sent(jam) == [down, up]


def test_the_end_silences_everything_and_lifts_the_pedals() -> None:
    jam = Rehearsal(plan(ECHO))
    call(jam, 0)
    jam.hear(501, messages.control_change(3, messages.SUSTAIN, 127))
    jam.hear(502, messages.note_on(2, 40, 80))
    jam.duet.end(502)
    assert sent(jam, 502)[1:] == [
        messages.note_off(1, 72),
        messages.note_off(2, 40),
        messages.control_change(3, messages.SUSTAIN, 0),
    ]
    assert Ended(502) in jam.record_of
    assert jam.duet.next_ticks() is None


def test_a_panic_reaches_every_channel_and_the_music_does_not_go_on() -> None:
    voice = VoicePlan("echo", fallback="low", handover=PEDAL, mode="continue")
    jam = Rehearsal(plan(voice, outputs=("virtual", "synth")))
    call(jam, 0)
    jam.advance(1000)
    jam.duet.panic(1000)
    assert jam.record_of[-1] == Send(1, list(panic_messages())[-1], 1000, PLAYER)
    assert len([send for send in jam.sends if send.message[0] & 0xF0 == 0xB0]) == 2 * 64
    assert Ended(1000, panic=True) in jam.record_of
    before = len(jam.sends)
    jam.advance(50_000)
    assert len(jam.sends) == before
    call(jam, 50_000)
    assert jam.notes(0)[-1][0] == 50_500, "and the next call is answered"


def test_a_key_that_hangs_on_the_keyboard_does_not_silence_the_duet_for_good() -> None:
    jam = Rehearsal(plan(VoicePlan("echo", fallback="low")))
    jam.hear(0, messages.note_on(0, 60, 80))  # Its note-off was lost.
    jam.advance(10_000)
    jam.duet.panic(10_000)
    jam.tone(11_000, 62)
    jam.advance(20_000)
    assert jam.notes(0)


def test_an_engine_that_takes_over_begins_where_the_other_one_died() -> None:
    jam = Rehearsal(plan(ECHO), plan(LOW))
    jam.record_of.clear()
    jam.duet.restart(7000, 1)
    assert jam.record_of == [Restarted(7000, 1), Send(0, messages.program_change(1, 9), 7000, 0)]
    assert (jam.duet.selected, jam.duet.now_ticks) == (1, 7000)


def test_a_reply_for_a_voice_that_the_selected_preset_does_not_have_is_dropped() -> None:
    jam = Rehearsal(plan(ECHO, ECHO), plan(LOW), slow=["main"])
    jam.tone(0)
    slot = jam.duet.player_table.slot(0, 1, "main")
    jam.hear(200, program(1))
    jam.work(slot, 300)
    jam.advance(5000)
    assert jam.notes(1) == []
