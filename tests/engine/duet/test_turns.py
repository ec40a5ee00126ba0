"""Turns of fixed length, exactly on the bar. At 120 bpm a bar of 4/4 is 1920 ticks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stages import Rehearsal

from antiphon.duet.commands import Chair
from antiphon.duet.events import Skipped, TransportStarted, TransportStopped
from antiphon.duet.plan import Handover, Plan, Sync, VoicePlan
from antiphon.duet.turns import Turns
from antiphon.music import messages
from antiphon.music.timing import TimeSignature

BAR = 1920


def rehearse(
    bars: int = 1, answer_bars: int | None = None, *, sync: Sync = "internal", slow: tuple[Chair, ...] = ()
) -> Rehearsal:
    voice = VoicePlan("echo", fallback="low", handover=Handover(by="turns", bars=bars), answer_bars=answer_bars)
    return Rehearsal(Plan(voices=(voice,), outputs=("virtual",), sync=sync), slow=slow)


def answers(jam: Rehearsal) -> list[tuple[int, int]]:
    """Where each answer began and was over."""
    begun = [ticks for kind, ticks in jam.decisions() if kind == "answer"]
    return list(zip(begun, [ticks for kind, ticks in jam.decisions() if kind == "end"], strict=False))


def test_turns_change_exactly_on_the_bar_for_as_long_as_the_player_takes_theirs() -> None:
    jam = rehearse(2, 1)
    for turn in range(5):
        jam.tone(turn * 3 * BAR + 700)
    jam.advance(15 * BAR)
    assert answers(jam) == [((3 * turn + 2) * BAR, (3 * turn + 3) * BAR) for turn in range(5)]


def test_what_the_player_plays_in_its_turn_takes_nothing_from_it() -> None:
    jam = rehearse(1, 2)
    jam.tone(0)
    for start in range(BAR + 5, 3 * BAR, 313):
        jam.tone(start, 50)
    jam.advance(4 * BAR)
    assert answers(jam) == [(BAR, 3 * BAR)]
    assert [start for start, _, _ in jam.notes()] == list(range(BAR, 3 * BAR, 480))


def test_a_late_last_note_does_not_put_the_answer_off() -> None:
    jam = rehearse(slow=("main",))
    jam.tone(0)
    jam.tone(BAR + 3, 64, 5)
    jam.advance(2 * BAR)
    assert [kind for kind, _ in jam.decisions("late")] == ["handover", "fallback", "answer", "end"]


def test_an_answer_that_begins_late_ends_in_time_all_the_same() -> None:
    jam = rehearse(slow=("main", "fallback"))
    jam.tone(0)
    jam.work(1, BAR + 200)
    jam.slow.clear()
    jam.advance(2 * BAR)
    assert answers(jam) == [(BAR + 480, 2 * BAR)]


def test_without_a_song_a_turn_that_passed_in_silence_ends_the_round() -> None:
    jam = rehearse()
    jam.tone(0)
    jam.advance(4 * BAR + 100)
    assert len(answers(jam)) == 1
    jam.tone(4 * BAR + 3 * 480)
    jam.advance(8 * BAR)
    assert answers(jam)[1:] == [(5 * BAR, 6 * BAR)]
    jam.tone(9 * BAR + 10)  # A bar after their turn: a round of its own.
    jam.advance(12 * BAR)
    assert answers(jam)[2:] == [(10 * BAR, 11 * BAR)]


def test_in_a_song_turns_go_on_whether_the_player_plays_or_not() -> None:
    jam = rehearse(1, 1, sync="midi")
    jam.tone(10)
    jam.advance(9 * BAR - 1)
    assert answers(jam) == [(turn * BAR, (turn + 1) * BAR) for turn in (1, 3, 5, 7)]


def test_in_a_song_turns_are_counted_from_its_beginning() -> None:
    jam = rehearse(2, 2, sync="midi")
    jam.tone(5 * BAR + 10)
    jam.advance(8 * BAR)
    assert answers(jam) == [(6 * BAR, 8 * BAR)]


def test_when_the_transport_stops_so_do_the_turns_until_the_player_plays_again() -> None:
    jam = rehearse(1, 1, sync="midi")
    jam.tone(10)
    jam.duet.change(TransportStopped(3 * BAR + 480))
    jam.advance(8 * BAR)
    assert not [start for start, _, _ in jam.notes() if start > 3 * BAR + 480]
    jam.duet.change(TransportStarted(8 * BAR + 100))
    jam.duet.change(Skipped(8 * BAR + 100, 10 * BAR))
    jam.tone(10 * BAR + 20)
    jam.advance(12 * BAR)
    assert answers(jam)[-1] == (11 * BAR, 12 * BAR)


@given(
    st.integers(1, 8),
    st.integers(1, 8),
    st.sampled_from([TimeSignature(), TimeSignature(3, 4), TimeSignature(7, 8)]),
    st.booleans(),
    st.lists(st.integers(1, 40_000), min_size=1, max_size=20),
)
def test_a_call_is_handed_over_later_on_a_bar_line_and_never_longer_than_it_may_be(
    call: int, answer: int, signature: TimeSignature, anchored: bool, gaps: list[int]
) -> None:
    turns = Turns(call, answer, signature, anchored=anchored)
    now = 0
    for gap in gaps:
        now += gap
        handover = turns.handover_at(now)
        assert handover > now
        assert handover % signature.bar_ticks == 0
        assert handover - now <= (call + answer) * signature.bar_ticks + signature.beat_ticks // 4
        if anchored:
            assert (handover // signature.bar_ticks - call) % (call + answer) == 0


@pytest.mark.parametrize("ticks", [0, 100, 1800])
def test_a_first_note_just_ahead_of_the_bar_line_leads_into_the_bar(ticks: int) -> None:
    assert Turns(1, 1, TimeSignature(), anchored=False).handover_at(ticks) == (BAR if ticks < 1800 else 2 * BAR)


def test_a_key_that_comes_up_in_a_turn_without_a_note_leaves_the_next_answer_in_place() -> None:
    jam = rehearse(1, 1, sync="midi")
    jam.hear(10, messages.note_on(0, 60, 80))
    jam.hear(4 * BAR - 30, messages.note_off(0, 60))
    jam.advance(6 * BAR)
    assert answers(jam) == [(turn * BAR, (turn + 1) * BAR) for turn in (1, 3, 5)][: len(answers(jam))]
    assert len(answers(jam)) >= 2
