"""What comes out of the schedule, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.duet.plan import VelocityCurve
from antiphon.duet.schedule import PLAYER, OutputPart, Schedule, Send
from antiphon.music import messages
from antiphon.notes import Note

PART = OutputPart(0, (0,), 2)


def on(pitch: int, ticks: int, velocity: int = 80, output: int = 0) -> Send:
    return Send(output, messages.note_on(2, pitch, velocity), ticks, 0)


def off(pitch: int, ticks: int, output: int = 0) -> Send:
    return Send(output, messages.note_off(2, pitch), ticks, 0)


def played(part: OutputPart, *notes: Note) -> list[Send]:
    schedule = Schedule()
    schedule.play(part, notes)
    return list(schedule.due(10**6))


def test_notes_come_out_when_due() -> None:
    schedule = Schedule()
    schedule.play(PART, [Note(10, 60, 5, 80), Note(12, 64, 5, 80)])
    assert schedule.next_ticks() == 10
    assert list(schedule.due(9)) == []
    assert list(schedule.due(12)) == [on(60, 10), on(64, 12)]
    assert (schedule.sounding(), schedule.sounding(0), schedule.sounding(PLAYER)) == (2, 2, 0)
    assert list(schedule.due(100)) == [off(60, 15), off(64, 17)]
    assert (schedule.sounding(), schedule.next_ticks()) == (0, None)


def test_at_one_tick_notes_end_before_others_begin_however_they_were_scheduled() -> None:
    late = [Note(20, 60, 5, 80), Note(20, 55, 5, 80)]
    early = [Note(10, 60, 10, 80), Note(10, 55, 10, 80)]
    expected = [
        *(on(55, 10), on(60, 10), off(55, 20), off(60, 20)),
        *(on(55, 20), on(60, 20), off(55, 25), off(60, 25)),
    ]
    assert played(PART, *late, *early) == played(PART, *early, *late) == expected


def test_a_note_struck_again_ends_first_and_keeps_its_own_end() -> None:
    assert played(PART, Note(0, 60, 100, 80), Note(30, 60, 100, 80)) == [
        on(60, 0),
        off(60, 30),
        on(60, 30),
        off(60, 130),
    ]


def test_a_further_note_takes_the_place_of_the_oldest() -> None:
    part = OutputPart(0, (0,), 2, polyphony=2)
    notes = (Note(0, 60, 100, 80), Note(10, 50, 100, 80), Note(20, 70, 100, 80))
    assert played(part, *notes) == [on(60, 0), on(50, 10), off(60, 20), on(70, 20), off(50, 110), off(70, 120)]


def test_polyphony_counts_each_output_and_no_other_voice() -> None:
    schedule = Schedule()
    schedule.play(OutputPart(0, (0, 1), 2, polyphony=1), [Note(0, 60, 50, 80)])
    schedule.play(OutputPart(1, (0,), 5, polyphony=1), [Note(5, 61, 50, 80)])
    assert len([s for s in schedule.due(10) if messages.is_note_on(s.message)]) == 3
    assert schedule.sounding() == 3


@pytest.mark.parametrize(
    ("transpose", "pitch", "out"),
    [(0, 60, 60), (12, 120, 120), (-12, 5, 5), (-20, 5, 9), (24, 127, 127), (7, 127, 122), (-60, 0, 0), (100, 40, 116)],
)
def test_what_transposition_takes_out_of_range_moves_back_by_octaves(transpose: int, pitch: int, out: int) -> None:
    part = OutputPart(0, (0,), 0, transpose)
    assert part.pitch(pitch) == out
    assert (part.pitch(pitch) - pitch - transpose) % 12 == 0


def test_a_voice_comes_out_with_its_channel_curve_and_outputs() -> None:
    part = OutputPart(0, (1, 3), 2, transpose=1, velocity=VelocityCurve(20, 100, 1.0))
    assert played(part, Note(0, 60, 10, 127)) == [
        *(on(61, 0, 100, output=1), on(61, 0, 100, output=3)),
        *(off(61, 10, output=1), off(61, 10, output=3)),
    ]


@pytest.mark.parametrize(
    ("curve", "velocity", "out"),
    [
        (VelocityCurve(), 99, 99),
        (VelocityCurve(40, 90), 127, 90),
        (VelocityCurve(40, 90), 1, 40),
        (VelocityCurve(1, 127, 2.0), 64, 33),
        (VelocityCurve(1, 127, 0.5), 32, 64),
    ],
)
def test_velocities_are_bent_by_the_curve(curve: VelocityCurve, velocity: int, out: int) -> None:
    assert curve.apply(velocity) == out


def test_a_held_note_cannot_be_scheduled() -> None:
    with pytest.raises(ValueError, match="still held; only a note with a length"):
        Schedule().play(PART, [Note(0, 60, None, 80)])


def test_silence_ends_what_sounds_and_cancels_what_would_begin() -> None:
    schedule = Schedule()
    schedule.play(PART, [Note(0, 60, 100, 80), Note(50, 62, 10, 80)])
    schedule.play(OutputPart(1, (0,), 2), [Note(50, 70, 10, 80)])
    list(schedule.due(49))
    schedule.silence(0, 49)
    assert list(schedule.due(49)) == [off(60, 49)]
    assert [send.source for send in schedule.due(1000)] == [1, 1]


def test_silence_later_lets_play_until_then() -> None:
    schedule = Schedule()
    schedule.play(PART, [Note(0, 60, 100, 80), Note(50, 62, 100, 80), Note(70, 64, 10, 80)])
    schedule.silence(0, 70)
    assert list(schedule.due(1000)) == [on(60, 0), on(62, 50), off(60, 70), off(62, 70)]


def test_thru_passes_every_message_on_untouched() -> None:
    schedule = Schedule()
    for message in (b"\xe4\x01\x40", b"\xd5\x21", b"\xa6\x3c\x20", b"\xf0\x7e\x7f\xf7", b"\xb2\x4a\x10", b"\xc3\x07"):
        assert list(schedule.thru(message, (0, 1), 7)) == [Send(o, message, 7, PLAYER) for o in (0, 1)]
    held = messages.note_on(9, 36, 1)
    assert list(schedule.thru(held, (0,), 8)) == [Send(0, held, 8, PLAYER)]
    assert schedule.sounding(PLAYER) == 1
    release = messages.note_off(9, 36, 99)
    assert list(schedule.thru(release, (0,), 9)) == [Send(0, release, 9, PLAYER)]
    assert schedule.sounding() == 0


def test_the_player_takes_a_key_over_from_a_voice() -> None:
    schedule = Schedule()
    schedule.play(PART, [Note(0, 60, 100, 80)])
    list(schedule.due(0))
    press, release = messages.note_on(2, 60, 33), messages.note_off(2, 60)
    assert list(schedule.thru(press, (0,), 10)) == [off(60, 10), Send(0, press, 10, PLAYER)]
    assert list(schedule.due(200)) == []  # The voice's note is over; its end must not cut the player's.
    assert list(schedule.thru(release, (0,), 300)) == [Send(0, release, 300, PLAYER)]


def test_a_voice_takes_a_key_over_from_the_player() -> None:
    schedule = Schedule()
    list(schedule.thru(messages.note_on(2, 60, 33), (0,), 0))
    schedule.play(PART, [Note(10, 60, 100, 80)])
    assert list(schedule.due(10)) == [Send(0, messages.note_off(2, 60), 10, PLAYER), on(60, 10)]
    assert list(schedule.thru(messages.note_off(2, 60), (0,), 50)) == []
    assert list(schedule.due(200)) == [off(60, 110)]


def test_the_end_forgets_what_is_to_come_and_ends_what_sounds() -> None:
    schedule = Schedule()
    schedule.play(PART, [Note(0, 60, 100, 80), Note(50, 62, 10, 80)])
    list(schedule.due(0))
    list(schedule.thru(messages.note_on(0, 70, 1), (0,), 1))
    assert list(schedule.end(5)) == [off(60, 5), Send(0, messages.note_off(0, 70), 5, PLAYER)]
    assert (schedule.next_ticks(), schedule.sounding(), list(schedule.end(6))) == (None, 0, [])


notes = st.builds(Note, st.integers(0, 50), st.integers(60, 66), st.integers(1, 40), st.integers(1, 127))
parts = st.builds(
    OutputPart,
    st.integers(0, 1),
    st.sampled_from([(0,), (0, 1)]),
    st.integers(0, 1),
    st.sampled_from([0, 70, -70]),
    polyphony=st.integers(1, 3),
)
deeds = st.one_of(
    st.tuples(st.just("play"), parts, st.lists(notes, max_size=5)),
    st.tuples(st.just("silence"), st.integers(0, 1), st.integers(0, 60)),
    st.tuples(st.just("press"), st.integers(0, 1), st.integers(60, 66)),
    st.tuples(st.just("lift"), st.integers(0, 1), st.integers(60, 66)),
)


@given(st.lists(st.tuples(st.integers(0, 9), deeds)))
def test_every_note_ends_in_time_and_in_order(every: list[tuple[int, tuple]]) -> None:
    schedule, now, sends = Schedule(), 0, list[Send]()
    for wait, (what, who, detail) in every:
        now += wait
        sends += schedule.due(now)
        if what == "play":
            schedule.play(who, [note.shifted(now) for note in detail])
        elif what == "silence":
            schedule.silence(who, now + detail)
        else:
            make = messages.note_on if what == "press" else messages.note_off
            sends += schedule.thru(make(who, detail, 64), (0, 1), now)
        assert all(send.due_ticks <= now for send in sends)
    sends += schedule.due(now + 200)
    # A key the player still holds is all that may sound when everything has been played.
    assert schedule.sounding() == schedule.sounding(PLAYER)
    sends += schedule.end(now + 200)
    assert [send.due_ticks for send in sends] == sorted(send.due_ticks for send in sends)
    down = set()
    for send in sends:
        key = (send.output, messages.channel(send.message), send.message[1])
        if messages.is_note_on(send.message):
            assert key not in down or send.source == PLAYER, "struck again without an end"
            down.add(key)
        else:
            down.discard(key)
    assert not down
