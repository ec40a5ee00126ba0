"""Playing along: what is settled, what is revised, when it begins and ends. At 120 bpm a beat is 480 ticks."""

import pytest
from stages import Rehearsal

from antiphon.duet.commands import Chair
from antiphon.duet.plan import Handover, Launch, Plan, VoicePlan
from antiphon.generator import Constraints
from antiphon.music import messages
from antiphon.music.timing import TimeSignature

BEAT = 480


def rehearse(
    generator: str = "echo",
    *,
    launch: Launch = "beat",
    rule: Handover = Handover(),
    fallback: str = "low",
    slow: tuple[Chair, ...] = (),
) -> Rehearsal:
    voice = VoicePlan(generator, fallback=fallback, mode="accompany", launch=launch, handover=rule)
    return Rehearsal(Plan(voices=(voice,), outputs=("virtual",)), slow=slow)


def starts(jam: Rehearsal) -> list[int]:
    return [start for start, _, _ in jam.notes()]


def keep_playing(jam: Rehearsal, until_ticks: int, *, gap_ticks: int = BEAT) -> None:
    for start in range(0, until_ticks, gap_ticks):
        jam.tone(start + 10, 60, gap_ticks // 2)


@pytest.mark.parametrize(("launch", "first_ticks"), [("beat", 480), ("half_bar", 960), ("bar", 1920), ("2_bars", 3840)])
def test_it_begins_on_the_line_that_leaves_time_to_compose(launch: Launch, first_ticks: int) -> None:
    jam = rehearse(launch=launch)
    keep_playing(jam, 6000)
    assert starts(jam)[0] == first_ticks
    assert jam.decisions()[0] == ("answer", first_ticks)


def test_with_launch_now_it_falls_in_with_the_players_own_beat() -> None:
    jam = rehearse(launch="now")
    jam.tone(137, 60)
    jam.tone(137 + BEAT, 62)
    jam.advance(137 + 3 * BEAT)
    assert starts(jam)[:2] == [137 + BEAT, 137 + 2 * BEAT]


def test_it_plays_while_the_player_plays_and_a_touch_does_not_stop_it() -> None:
    jam = rehearse()
    keep_playing(jam, 8 * BEAT, gap_ticks=120)
    jam.advance(8 * BEAT)
    assert starts(jam) == [number * BEAT for number in range(1, 9)]
    assert {kind for kind, _ in jam.decisions()} == {"answer"}


def test_what_is_heard_half_a_beat_before_shapes_the_next_beat_and_what_comes_later_the_one_after_it() -> None:
    early, late = rehearse("regular"), rehearse("regular")
    plain = rehearse("regular")
    for jam in (early, late, plain):
        jam.tone(0, 60)
    # Beat 4 is settled at 1680, and the players are left in peace from 1680 - 144 on.
    early.tone(1530, 61, 5)
    late.tone(1540, 61, 5)
    for jam in (early, late, plain):
        jam.advance(3000)
    played = {jam: [pitch for start, pitch, _ in jam.notes() if start == 1920] for jam in (early, late, plain)}
    assert played[late] == played[plain] != played[early]
    after = {jam: [pitch for start, pitch, _ in jam.notes() if start == 2400] for jam in (late, plain)}
    assert after[late] != after[plain]


def test_what_is_revised_is_never_heard_twice_and_what_is_settled_sounds_to_its_end() -> None:
    jam = rehearse("overlapping")
    for start in range(0, 9600, 97):
        jam.tone(start, 60 + start % 11, 60)
    jam.advance(16000)
    toy = jam.toys[0]
    settled = {note for phrase in toy.primed for note in phrase.notes if note.velocity == 90}
    played = jam.notes()
    assert len(played) == len(set(played)) > 20
    for note in settled:
        later = [start for start, pitch, _ in played if pitch == note.pitch and start > note.start_ticks]
        end = min([note.end_ticks or 0, *later])  # A key that is struck again ends what it sounded.
        assert (note.start_ticks, note.pitch, end) in played


def test_a_generator_hears_the_player_and_what_was_settled_of_its_own() -> None:
    jam = rehearse()
    keep_playing(jam, 4 * BEAT)
    last = jam.toys[0].primed[-1]
    assert {note.start_ticks for note in last.notes if note.pitch == 60} == {10, 490, 970, 1450}
    own = [note.start_ticks for note in last.notes if note.pitch == 72]
    assert own == list(range(BEAT, last.end_ticks, BEAT))


def test_it_ends_when_the_player_has_rested_for_a_bar_and_rounds_off_what_is_settled() -> None:
    jam = rehearse()
    jam.tone(0, 60, 100)
    jam.advance(10000)
    (end,) = [ticks for kind, ticks in jam.decisions() if kind == "end"]
    assert end == 2160, "the first time that a beat is to be settled after the rest"
    assert starts(jam)[-1] == 1920
    assert jam.duet.schedule.sounding() == 0


def test_a_key_that_is_held_is_no_rest() -> None:
    jam = rehearse()
    jam.hear(0, messages.note_on(0, 60, 80))
    jam.advance(20 * BEAT)
    assert len(starts(jam)) == 20
    assert jam.duet.performer.voices[0].state == "answering"


def test_after_its_end_the_next_note_lets_it_begin_again() -> None:
    jam = rehearse()
    jam.tone(0)
    jam.advance(9600)
    jam.tone(9610)
    jam.advance(11000)
    assert [kind for kind, _ in jam.decisions()] == ["answer", "end", "answer"]
    assert [start for start in starts(jam) if start > 9610] == [10080, 10560]


def test_a_pedal_lets_it_begin_and_end() -> None:
    jam = rehearse(rule=Handover(by="pedal"))
    press, lift = (messages.control_change(0, messages.SOSTENUTO, value) for value in (127, 0))
    jam.tone(0)
    jam.advance(4800)
    assert not starts(jam), "nobody has asked it to play"
    jam.hear(4800, press)
    jam.hear(4900, lift)
    jam.advance(9600)
    jam.hear(9600, press)
    jam.advance(14400)
    assert starts(jam)[0] == 5280
    assert starts(jam)[-1] <= 9600 + 2 * BEAT


def test_the_fallback_plays_the_beats_for_which_the_generator_is_late() -> None:
    jam = rehearse(slow=("main",))
    keep_playing(jam, 6 * BEAT)
    played = [pitch for start, pitch, _ in jam.notes() if start < 6 * BEAT]
    assert set(played) == {48}
    assert jam.decisions()[0][0] == "fallback"
    jam.slow.clear()
    for start in range(6 * BEAT, 9 * BEAT, BEAT):
        jam.tone(start + 10)
    jam.advance(10 * BEAT)
    assert jam.notes()[-1][1] == 72, "back in time, it plays again"


def test_where_nobody_is_in_time_there_is_a_rest_and_one_word_about_it() -> None:
    jam = rehearse(slow=("main", "fallback"))
    keep_playing(jam, 6 * BEAT)
    assert not starts(jam)
    assert [kind for kind, _ in jam.decisions()] == ["silent"]


def test_a_generator_that_is_gone_is_named() -> None:
    jam = rehearse()
    keep_playing(jam, 2 * BEAT)
    jam.lose(0, 1000)
    jam.tone(1010)
    jam.advance(6 * BEAT)
    assert "its process is gone" in next(r.text for r in jam.record_of if getattr(r, "kind", "") == "fallback")


def test_panic_ends_it_at_once() -> None:
    jam = rehearse("overlapping")
    keep_playing(jam, 4 * BEAT)
    jam.duet.panic(4 * BEAT)
    jam.advance(20 * BEAT)
    assert all(end is not None and end <= 4 * BEAT for _, _, end in jam.notes())


def test_in_six_eight_a_beat_is_an_eighth() -> None:
    voice = VoicePlan("echo", fallback="low", mode="accompany", launch="half_bar")
    jam = Rehearsal(Plan(voices=(voice,), outputs=("virtual",), signature=TimeSignature(6, 8)))
    jam.tone(0)
    jam.advance(2000)
    assert starts(jam)[0] == 720


def test_below_the_melody_the_generator_is_asked_for_nothing_higher_and_follows_when_it_climbs() -> None:
    voice = VoicePlan(
        "echo", fallback="low", mode="accompany", below_melody=True, constraints=Constraints(high_pitch=90)
    )
    jam = Rehearsal(Plan(voices=(voice,), outputs=("virtual",)))
    for number, pitch in enumerate((60, 62, 64, 80, 81, 82, 84, 84)):
        jam.tone(number * BEAT, pitch)
    jam.advance(8 * BEAT)
    asked = [request.constraints.high_pitch for request in jam.toys[0].requests]
    assert asked[0] == 58
    assert asked[-1] == 80
