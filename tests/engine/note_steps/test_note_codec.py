"""Notes as steps: what `encode` writes, `decode` gives back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from antiphon.note_steps.codec import EDGE, LIFT, MACHINE, PLAYER, UNTOLD, decode, edge, encode, joined
from antiphon.note_steps.spans import Clock

STEP = 9.6
"""Ticks of 10 ms at 120 bpm."""


def rows(*notes: tuple[float, int, float, int]) -> NDArray[np.int64]:
    """Notes of (onset, pitch, length, velocity), times in hundredths of a second."""
    return np.array([(round(o * STEP), p, round(n * STEP), v) for o, p, n, v in notes], dtype=np.int64)


def alone(music: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.full(len(music), MACHINE)


def test_notes_that_a_pedal_ends_together_are_open_and_lifted() -> None:
    music = rows((0, 60, 100, 80), (20, 64, 80, 80), (40, 67, 60, 80), (50, 72, 10, 80))
    steps = encode(music, alone(music), "free")
    assert steps.pitch.tolist() == [60, 64, 67, 72, LIFT]
    assert steps.open.tolist() == [True, True, True, False, False]
    assert steps.onset.tolist() == [0, 20, 40, 50, 100]


def test_a_chord_of_one_length_needs_no_lift() -> None:
    music = rows((0, 60, 50, 80), (0, 64, 50, 80), (0, 67, 50, 80))
    assert not encode(music, alone(music), "free").open.any()


def test_in_beats_there_are_no_lifts() -> None:
    music = np.array([[0, 60, 960, 0], [120, 64, 840, 0], [240, 67, 720, 0]])
    steps = encode(music, alone(music), "beat")
    assert steps.pitch.tolist() == [60, 64, 67]
    assert set(steps.velocity.tolist()) == {UNTOLD}


def test_a_lift_ends_the_notes_of_its_part_alone() -> None:
    music = rows((0, 60, 100, 80), (20, 64, 80, 80), (40, 67, 60, 80), (10, 40, 300, 80))
    parts = np.array([MACHINE, MACHINE, MACHINE, PLAYER])
    steps = encode(music, parts, "free")
    assert steps.part[steps.pitch == LIFT].tolist() == [MACHINE]
    back, owners = decode(steps, "free")
    assert back[owners == PLAYER][0, 2] == round(310 * STEP) - round(10 * STEP)


def test_an_open_note_without_a_lift_is_still_held() -> None:
    music = rows((0, 60, 100, 80), (20, 64, 80, 80), (40, 67, 60, 80))
    steps = encode(music, alone(music), "free")
    back, _ = decode(steps.take(steps.sounds), "free")
    assert back[:, 2].tolist() == [0, 0, 0]


def test_an_edge_is_no_note() -> None:
    music = rows((0, 60, 50, 80))
    steps = joined(edge(0, MACHINE), encode(music, alone(music), "free"))
    assert steps.pitch.tolist() == [EDGE, 60]
    assert len(decode(steps, "free")[0]) == 1


NOTES = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(21, 108), st.integers(1, 2000), st.integers(1, 127), st.integers(0, 3)),
    min_size=1,
    max_size=40,
)


@given(NOTES, st.sampled_from(["free", "beat"]))
def test_what_was_written_is_read_back_the_same(notes: list[tuple[int, ...]], clock: Clock) -> None:
    music = np.array(notes, dtype=np.int64)
    order = np.lexsort((music[:, 1], music[:, 0]))
    music = music[order]
    steps = encode(music[:, :4], music[:, 4], clock)
    back, parts = decode(steps, clock)
    again = encode(back, parts, clock)
    for name in ("onset", "part", "pitch", "velocity", "end", "open"):
        assert getattr(again, name).tolist() == getattr(steps, name).tolist(), name
    assert (back[:, 2] > 0).all()


@given(NOTES)
def test_steps_are_in_order_and_every_key_of_a_part_sounds_once(notes: list[tuple[int, ...]]) -> None:
    music = np.array(notes, dtype=np.int64)
    steps = encode(music[:, :4], music[:, 4], "free")
    assert (np.diff(steps.onset) >= 0).all()
    found = steps.take(steps.sounds)
    for key in set(zip(found.part.tolist(), found.pitch.tolist(), strict=True)):
        mine = (found.part == key[0]) & (found.pitch == key[1])
        assert (found.end[mine][:-1] <= found.onset[mine][1:]).all()
