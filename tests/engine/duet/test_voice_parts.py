"""A generator of several parts: each goes where the plan puts it, and is told apart on the way out and on record."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stages import Rehearsal
from toys import make_toy

from antiphon.duet.commands import Extend, Failed, Prime
from antiphon.duet.plan import Handover, PartPlan, Plan, VelocityCurve, VoicePlan
from antiphon.duet.player import Player, constrain
from antiphon.duet.schedule import Send
from antiphon.generator import Constraints, GeneratorInfo, IllegalPhrase, Request, check_phrase
from antiphon.music import messages
from antiphon.notes import Note, Phrase

LEAD, ECHO, BASS = (
    PartPlan("lead", 1, "synth"),
    PartPlan("echo", 2, program=7),
    PartPlan("bass", 3, program=32, bank=130),
)
TRIO = VoicePlan("trio", fallback="low", handover=Handover(by="pedal"), parts=(LEAD, ECHO, BASS))


def answer(voice: VoicePlan = TRIO, **more: object) -> Rehearsal:
    """A call of one note, and the first beat of the answer to it."""
    jam = Rehearsal(Plan(voices=(voice,), outputs=("virtual", "synth"), thru=False), **more)  # type: ignore[arg-type]
    jam.duet.begin()
    jam.tone(0)
    jam.hear(480, messages.control_change(0, messages.SOSTENUTO, 127))
    jam.advance(700)
    return jam


def began(jam: Rehearsal) -> list[tuple[int, int, int, int]]:
    """(output, channel, pitch, part) of every note that has begun."""
    found = [send for send in jam.sends if messages.is_note_on(send.message)]
    return sorted((send.output, messages.channel(send.message), send.message[1], send.part) for send in found)


def test_each_part_goes_to_its_own_channel_and_output() -> None:
    virtual, synth = 0, 1
    expected = [(virtual, 2, 60, 1), (virtual, 3, 36, 2), (synth, 1, 60, 0), (synth, 2, 60, 1), (synth, 3, 36, 2)]
    assert began(answer()) == expected


def test_each_part_has_its_own_sound_at_the_start() -> None:
    sounds = [send for send in answer().sends if messages.kind(send.message) == messages.PROGRAM_CHANGE]
    assert [(s.output, s.message, s.part) for s in sounds] == [
        *((0, b"\xc2\x07", 1), (1, b"\xc2\x07", 1), (0, b"\xc3\x20", 2), (1, b"\xc3\x20", 2))
    ]
    assert list(answer().duet.sounds(0)) == [b"\xc2\x07", b"\xb3\x00\x01", b"\xb3\x20\x02", b"\xc3\x20"]


def test_a_note_ends_in_the_part_that_it_began_in() -> None:
    jam = answer()
    jam.advance(5000)
    down: list[tuple[int, int, int]] = []
    for send in jam.sends:
        key = (send.output, messages.channel(send.message), send.part)
        if messages.is_note_on(send.message):
            down.append(key)
        elif messages.is_note_off(send.message):
            down.remove(key)
    assert not down


def test_a_touch_silences_every_part() -> None:
    jam = answer()
    jam.hear(710, messages.note_on(0, 50, 80))
    assert jam.duet.schedule.sounding(0) == 0


def test_who_stands_in_plays_where_the_first_part_does() -> None:
    assert began(answer(absent=["main"])) == [(1, 1, 48, 0)]
    one_part = VoicePlan("failing", fallback="trio", handover=Handover(by="pedal"), output="virtual", channel=5)
    assert began(answer(one_part)) == [(0, 5, 36, 0), (0, 5, 60, 0), (0, 5, 60, 0)]


def test_curve_transposition_and_polyphony_are_the_whole_voice_s() -> None:
    bent = replace(TRIO, transpose=12, velocity=VelocityCurve(1, 9), constraints=Constraints(polyphony=1))
    jam = answer(bent)
    starts = [send.message for send in jam.sends if messages.is_note_on(send.message)]
    assert {(message[1], message[2] < 10) for message in starts} == {(72, True), (48, True)}
    assert all(jam.duet.schedule.sounding(0) <= 2 for _ in starts)  # one on each output


def test_two_parts_may_play_one_pitch_at_once() -> None:
    notes = (Note(0, 60, 480, 80), Note(0, 60, 480, 70, part=1), Note(240, 60, 480, 60, part=1))
    bent = constrain(Phrase(0, 960, notes), Constraints())
    assert bent.notes == (notes[0], Note(0, 60, 240, 70, part=1), notes[2])


@pytest.mark.parametrize(("part", "parts"), [(1, 1), (3, 3), (-1, 3), (True, 3)])
def test_a_part_that_the_generator_does_not_have_is_refused(part: int, parts: int) -> None:
    phrase = Phrase(0, 480, (Note(0, 60, 480, 80, part=part),))
    with pytest.raises(IllegalPhrase, match=rf"notes\[0\].part is {part}; allowed: a whole number, 0 to {parts - 1}"):
        check_phrase(phrase, Request(0, 480), parts)


def test_a_player_lets_only_declared_parts_out() -> None:
    asked = [Prime(0, "main", 0, 0, (), 0), Extend(0, "main", 0, 0, Request(0, 480))]
    (reply,) = Player(GeneratorInfo("trio", "undeclared"), make_toy("trio")).perform(asked)
    assert isinstance(reply, Failed)
    assert "part" in reply.reason


def test_a_send_without_a_part_is_of_the_first() -> None:
    assert Send(0, b"\x90\x3c\x40", 0, 0).part == 0
