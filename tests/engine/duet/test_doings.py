"""What a voice says that it is doing: whose turn it is, and why it is silent."""

from __future__ import annotations

import pytest
from stages import Rehearsal

from antiphon.duet.doings import bars_left, held_keys
from antiphon.duet.events import TransportStopped
from antiphon.duet.plan import Handover, Plan, VoicePlan
from antiphon.music import messages

PRESS = messages.control_change(0, messages.SOSTENUTO, 127)


def rehearse(**voice: object) -> Rehearsal:
    return Rehearsal(Plan(voices=(VoicePlan("echo", fallback="low", **voice),), outputs=("virtual",)))  # type: ignore[arg-type]


def doing(jam: Rehearsal, ticks: int) -> tuple[str, str]:
    jam.advance(ticks)
    player, voice = jam.duet.performer.doings(jam.duet.timeline.moment_at(ticks))
    return player, voice


def test_by_silence_it_waits_for_keys_to_come_up_and_then_for_a_rest() -> None:
    jam = rehearse()
    assert doing(jam, 0) == ("your turn", "listening: it is your turn")
    jam.hear(0, messages.note_on(0, 60, 80))
    assert doing(jam, 5000) == ("your turn", "waiting: C4 is down")
    jam.hear(5000, messages.note_on(3, 64, 80))
    assert doing(jam, 5001)[1] == "waiting: C4 and E4 are down"
    jam.hear(5100, messages.note_off(0, 60))
    jam.hear(5100, messages.note_off(3, 64))
    assert doing(jam, 5110)[1] == "waiting for a rest"
    jam.advance(7000)
    assert doing(jam, 7000) == ("its turn", "answering: it is its turn")


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (Handover(by="pedal"), "waiting for the sostenuto pedal"),
        (Handover(by="trigger", trigger_note=108, trigger_cc=20), "waiting for C8 or cc 20"),
        (Handover(by="bars", bars=2), "it is your turn: 2 bars left"),
        (Handover(by="turns", bars=4), "it is your turn: 4 bars left"),
    ],
)
def test_by_every_rule_it_says_what_it_waits_for(rule: Handover, told: str) -> None:
    jam = rehearse(handover=rule)
    jam.tone(100)
    assert doing(jam, 300) == ("your turn", told)


def test_turns_are_counted_down_for_both() -> None:
    jam = rehearse(handover=Handover(by="turns", bars=2), answer_bars=2)
    jam.tone(100)
    assert doing(jam, 1930)[1] == "it is your turn: 1 bar left"
    assert doing(jam, 2 * 1920 + 10) == ("its turn", "answering: 2 bars left")
    assert doing(jam, 3 * 1920 + 10)[1] == "answering: 1 bar left"


def test_a_voice_that_goes_on_says_how_it_ends_and_one_on_a_grid_that_it_waits() -> None:
    jam = rehearse(mode="continue", handover=Handover(by="pedal"), launch="bar")
    jam.tone(0)
    jam.hear(500, PRESS)
    assert doing(jam, 600)[1] == "waiting for the next bar"
    assert doing(jam, 2000)[1] == "answering until you touch a key"


def test_a_breath_a_stop_and_a_player_that_is_not_there_are_told() -> None:
    jam = rehearse()
    jam.duet.change(TransportStopped(0))
    assert doing(jam, 10)[1] == "the transport is stopped"
    jam = Rehearsal(Plan(voices=(VoicePlan("echo", fallback="low"),), outputs=("virtual",)), absent=["main"])
    assert doing(jam, 10)[1] == "echo is getting ready"


def test_an_accompaniment_says_when_it_plays() -> None:
    jam = rehearse(mode="accompany")
    assert doing(jam, 0) == ("", "listening: it begins when you do")
    jam.hear(0, messages.note_on(0, 60, 80))
    assert doing(jam, 10)[1] == "begins on the next beat"
    assert doing(jam, 2000)[1] == "playing along"


def test_of_many_keys_three_are_named_and_a_bar_that_has_begun_counts() -> None:
    assert held_keys([60, 64, 67]) == "waiting: C4, E4 and G4 are down"
    assert held_keys([60, 62, 64, 65, 67]) == "waiting: C4, D4, E4 and 2 more are down"
    assert [bars_left(ticks, 1920) for ticks in (-5, 1, 1920, 1921)] == [
        "1 bar left",
        "1 bar left",
        "1 bar left",
        "2 bars left",
    ]
