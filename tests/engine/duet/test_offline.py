"""A performance without a stage, and one played again."""

from __future__ import annotations

from toys import toy_player

from antiphon.duet.casting import PlayerNeeded
from antiphon.duet.commands import Failed
from antiphon.duet.events import Ended, Event, Heard, PlayerAnswered, PlayerFailed, PlayerLost, PlayerReady, Restarted
from antiphon.duet.offline import Offline
from antiphon.duet.plan import Handover, Plan, VoicePlan
from antiphon.duet.player import Player
from antiphon.duet.schedule import Send
from antiphon.music import messages

PRESS = messages.control_change(0, messages.SOSTENUTO, 127)
PLAN = Plan(voices=(VoicePlan("echo", fallback="low", handover=Handover(by="pedal")),), outputs=("virtual",))


def make(role: PlayerNeeded) -> Player:
    return toy_player(role.generator)


def replayed(records: list[Event | Send], *plans: Plan) -> list[tuple[int, int]]:
    """(tick, pitch) of the notes that the voices begin."""
    stage = Offline(plans or (PLAN,), make)
    stage.duet.begin()
    stage.replay(records)
    return [(s.due_ticks, s.message[1]) for s in stage.sends if s.source == 0 and messages.is_note_on(s.message)]


def recorded() -> list[Event | Send]:
    stage = Offline([PLAN], make)
    stage.begin()
    stage.hear(messages.note_on(0, 60, 80), 0)
    stage.hear(messages.note_off(0, 60), 1000)
    stage.hear(PRESS, 1500)
    stage.end(5000)
    return stage.record_of


def test_an_answer_is_there_at_the_very_tick() -> None:
    notes = [s for s in recorded() if isinstance(s, Send) and s.source == 0 and messages.is_note_on(s.message)]
    assert [(s.due_ticks, s.message[1]) for s in notes] == [(1500, 72), (1980, 72), (2460, 72)]


def test_a_performance_played_again_is_the_same_event_by_event() -> None:
    stage = Offline([PLAN], make)
    stage.replay(recorded())
    assert stage.record_of == recorded()


def test_a_phrase_that_came_late_comes_late_again() -> None:
    came = {1240: 1520, 1500: 1600}  # The first phrase after the hand-over; the next, asked for then, after it.
    late = [
        PlayerAnswered(came[r.ticks], r.voice, r.chair, r.epoch, r.index)
        if isinstance(r, PlayerAnswered) and r.ticks in came
        else r
        for r in recorded()
    ]
    late.sort(key=lambda r: r.due_ticks if isinstance(r, Send) else r.ticks)
    assert replayed(late) == [(1520, 72), (2000, 72), (2480, 72)]


def test_a_phrase_that_never_came_is_missing_again() -> None:
    lost = [r for r in recorded() if not isinstance(r, PlayerAnswered)]
    assert replayed(lost) == []


def test_a_failure_is_repeated_and_the_fallback_composes_anew() -> None:
    records = recorded()
    epoch = [r for r in records if isinstance(r, PlayerAnswered)][-1].epoch
    failed: list[Event | Send] = [r for r in records if not isinstance(r, PlayerAnswered | Ended)]
    handed_over = failed.index(Heard(1500, PRESS))
    failed[handed_over:handed_over] = [PlayerFailed(1300, Failed(0, "main", epoch, 0, "out of ideas"))]
    failed += [PlayerAnswered(1510 + 10 * index, 0, "fallback", epoch + 1, index) for index in (0, 1)]
    failed += [Ended(9000)]
    assert replayed(failed) == [(1510, 48), (1990, 48), (2470, 48)]


def test_a_player_that_was_lost_is_lost_again() -> None:
    base: list[Event | Send] = [PlayerReady(0, 0), PlayerReady(0, 1), Heard(0, messages.note_on(0, 60, 80))]
    records = [*base, PlayerLost(50, 0, "killed"), Heard(1500, PRESS), PlayerAnswered(1510, 0, "fallback", 3, 0)]
    assert replayed([*records, Ended(2000)]) == [(1510, 48)]


def test_what_was_about_to_sound_when_the_engine_died_does_not() -> None:
    records = [r for r in recorded() if not (isinstance(r, Send) and r.due_ticks > 1500) and not isinstance(r, Ended)]
    records = [r for r in records if isinstance(r, Send) or r.ticks <= 1500]
    assert replayed([*records, Restarted(1700, 0), Ended(9000)]) == [(1500, 72)]


def test_a_restart_at_the_very_beginning_counts_as_well() -> None:
    deaf = Plan(voices=PLAN.voices, outputs=("virtual",), thru=False)
    stage = Offline([PLAN, deaf], make)
    stage.replay([Restarted(0, 1), Heard(5, messages.note_on(0, 60, 80))])
    assert stage.duet.selected == 1
    assert stage.sends == []


def test_a_recording_that_breaks_off_is_played_as_far_as_it_goes() -> None:
    cut = [r for r in recorded() if (r.due_ticks if isinstance(r, Send) else r.ticks) <= 2000]
    assert replayed(cut) == [(1500, 72), (1980, 72)]
