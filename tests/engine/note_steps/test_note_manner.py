"""What a model of notes is told while music is made, beside what it is told of whole pieces in training."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.generator import Request
from antiphon.note_steps.codec import DRUMS, EDGE, LIFT, MACHINE, PLAYER
from antiphon.note_steps.manner import HELD, Manner, Step, lively, told_ends
from antiphon.note_steps.spans import Clock
from antiphon.note_steps.words import ASKED, ENDS, LENGTH, OPEN, PART, PITCH, STYLE, Moments, read
from antiphon.notes import Note

BAR = 1920


def note(start: int, pitch: int, length: int | None, velocity: int = 70, *, own: bool = False) -> Note:
    return Note(start, pitch, length, velocity, own=own)


def music() -> st.SearchStrategy[list[Note]]:
    """Up to 30 closed notes of both, some of which end together, as under a pedal."""
    one = st.builds(
        lambda start, pitch, length, until, own: note(
            start, pitch, until - start if until > start else length, own=own
        ),
        st.integers(0, 6000),
        st.integers(40, 80),
        st.integers(1, 1500),
        st.sampled_from([0, 1500, 3000, 6500]),
        st.booleans(),
    )
    return st.lists(one, min_size=1, max_size=30).map(
        lambda notes: sorted(notes, key=lambda n: (n.start_ticks, n.pitch))
    )


def words_of(manner: Manner, notes: list[Note], now: int) -> list[set[int]]:
    read_, _ = manner.heard(notes, now)
    return [set(bag.tolist()) for bag in read_.bags]


@pytest.mark.parametrize("clock", ["free", "beat"])
@given(notes=music(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_step_by_itself_is_told_as_in_the_whole(clock: Clock, notes: list[Note], data: st.DataObject) -> None:
    manner = Manner(clock, style=data.draw(st.sampled_from([None, "pop"])), beside=data.draw(st.booleans()))
    whole, _ = manner.heard(notes, 10_000)
    steps = manner.steps(notes, 10_000)
    told = [Step(*row) for row in zip(*(getattr(steps, name).tolist() for name in Step._fields), strict=True)]
    for place in range(1, len(told)):
        alone = manner.told(lively(told[:place]), told[place], -1)
        assert alone.bags[0].tolist() == whole.bags[place].tolist()
        assert alone.seconds[0] == whole.seconds[place]


@given(notes=music())
@settings(max_examples=60, deadline=None)
def test_the_ends_that_a_length_may_share_are_those_of_training(notes: list[Note]) -> None:
    steps = Manner("free").steps(notes, 10_000)
    reading = read(steps, "free", moments=Moments())
    told = [Step(*row) for row in zip(*(getattr(steps, name).tolist() for name in Step._fields), strict=True)]
    for place in range(1, len(told)):
        onset = told[place].onset
        ends = told_ends(lively(told[:place]), onset)
        classes = Manner("free").spans.classes_of(np.array(ends, dtype=np.int64) - onset).tolist()
        assert classes + [-1] * (ENDS - len(ends)) == reading.ends[place - 1].tolist()


def test_who_played_is_told() -> None:
    notes = [note(0, 60, 400), note(480, 64, 400, own=True)]
    you, me = words_of(Manner("free"), notes, 960)
    assert PART + PLAYER in you
    assert PART + MACHINE in me
    assert PART + DRUMS in words_of(Manner("free", style="drums"), notes, 960)[1]


def test_a_key_that_is_down_is_open_and_its_release_changes_that_step_alone() -> None:
    notes = [note(0, 60, 400), note(480, 64, None), note(960, 67, None)]
    held, _ = Manner("free").heard(notes, 1200)
    assert LENGTH + OPEN in held.bags[1]
    notes[2] = note(960, 67, 240)
    released, steps = Manner("free").heard(notes, 1200)
    assert held.shared(released) == 2
    assert [step.end for step in steps if step.open] == [HELD]


def test_what_a_pedal_held_is_lifted_by_a_step_of_its_own_and_nothing_else_changes() -> None:
    pitches = (48, 55, 60, 64)
    held, _ = Manner("free").heard([note(240 * i, pitch, None) for i, pitch in enumerate(pitches)], 960)
    lifted, _ = Manner("free").heard([note(240 * i, pitch, 1000 - 240 * i) for i, pitch in enumerate(pitches)], 1000)
    assert held.shared(lifted) == len(held) == 4
    assert len(lifted) == 5
    assert PITCH + LIFT in lifted.bags[4]


def test_notes_of_its_own_that_ring_beyond_now_tell_their_end() -> None:
    notes = [note(240 * i, pitch, 2000 - 240 * i, own=True) for i, pitch in enumerate((48, 55, 60, 64))]
    ringing, steps = Manner("free").heard(notes, 960)
    assert len(ringing) == 4
    assert not any(step.open for step in steps)


def test_where_nothing_was_heard_music_begins() -> None:
    [bag] = words_of(Manner("beat"), [], 960)
    assert PITCH + EDGE in bag


def test_to_the_beat_the_player_is_heard_on_sixteenths_and_triplets() -> None:
    manner = Manner("beat")
    played = [note(at, 60, 200) for at in (14, 478, 1075, 1290, 1450, 1925)]
    _, [*_, last] = manner.heard(played[:1], 480)
    assert last.onset == 0
    reading, _ = manner.heard(played, 2400)
    assert (reading.seconds * 48 % 24).tolist() == [0, 0, 6, 16, 0, 0]


def test_beside_the_player_the_machine_is_asked_for_and_hears_them_late() -> None:
    notes = [note(0, 60, 100), note(100, 48, 100, own=True), note(900, 50, 100, own=True)]
    manner = Manner("free").of(Request(960, 480, beside=True), None)
    you_late = words_of(manner, notes, 960)
    assert [PART + PLAYER in words for words in you_late] == [False, True, False]
    assert all(ASKED in words for words in you_late)
    apart = words_of(Manner("free"), notes, 960)
    assert [PART + PLAYER in words for words in apart] == [True, False, False]
    assert not any(ASKED in words for words in apart)


def test_style_and_tempo_are_told_of_all() -> None:
    notes = [note(0, 60, 100), note(960, 62, 100)]
    chorale = words_of(Manner("beat", style="chorale"), notes, 1920)
    assert all(STYLE + 6 in words for words in chorale)
    slow, _ = Manner("free", tempo_bpm=60.0).heard(notes, 1920)
    assert slow.seconds.tolist() == [0.0, 2.0]
