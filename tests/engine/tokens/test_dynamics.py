"""How loud notes are that came without a velocity."""

from __future__ import annotations

from statistics import mean, pstdev

from antiphon.notes import Note
from antiphon.tokens.dynamics import Dynamics


def heard(*velocities: int) -> list[Note]:
    return [Note(240 * index, 60, 200, velocity) for index, velocity in enumerate(velocities)]


def line(*ticks: int) -> list[Note]:
    return [Note(start, 60, 100, 1) for start in ticks]


def level(velocity: float, uneven: float = 3, bar_ticks: int = 1920, seed: int = 0) -> Dynamics:
    return Dynamics(velocity, velocity - 10, uneven, bar_ticks, seed)


def test_an_answer_is_as_loud_as_the_call() -> None:
    for velocity in (30, 64, 110):
        played = Dynamics.heard_in(heard(*[velocity] * 8), 1920, seed=0).apply(line(*range(0, 8 * 1920, 240)))
        assert abs(mean(note.velocity for note in played) - velocity) < 4


def test_only_the_last_notes_tell_how_loud_it_is() -> None:
    assert Dynamics.heard_in(heard(*[20] * 50, *[100] * 50), 1920, 0).lead == 100
    assert 60 < Dynamics.heard_in([], 1920, 0).lead < 90


def test_an_answer_is_as_even_as_the_call() -> None:
    ticks = range(60, 400 * 480, 480)
    even, uneven = (
        pstdev(note.velocity for note in Dynamics.heard_in(heard(*velocities), 1920, 0).apply(line(*ticks)))
        for velocities in ([80] * 16, [60, 100] * 8)
    )
    assert even < 3 < 6 < uneven


def test_the_notes_of_a_chord_are_as_loud_as_they_were_heard() -> None:
    chords = [
        Note(480 * bar + 3 * place, pitch, 400, velocity)
        for bar in range(8)
        for place, (pitch, velocity) in enumerate(((48, 40), (55, 50), (64, 90)))
    ]
    dynamics = Dynamics.heard_in(chords, 1920, 0)
    assert (dynamics.lead, dynamics.under) == (90, 45)
    low, middle, high = (note.velocity for note in dynamics.apply([Note(0, pitch, 100, 1) for pitch in (48, 55, 64)]))
    assert high > max(low, middle) + 30


def test_barlines_and_beats_are_accented() -> None:
    dynamics = level(80, bar_ticks=1440, seed=4)
    bars, beats, halves, others = (
        mean(note.velocity for note in dynamics.apply(line(*range(first, 400 * 1440, 1440))))
        for first in (0, 480, 240, 120)
    )
    assert bars > beats + 2 > halves + 4 > others + 6


def test_velocities_are_a_function_of_the_seed_and_stay_in_range() -> None:
    notes = line(*range(0, 40_000, 120))
    loud, soft = (level(velocity, 14).apply(notes) for velocity in (127, 1))
    assert all(1 <= note.velocity <= 127 for note in (*loud, *soft))
    assert level(80).apply(notes) == level(80).apply(notes)
    assert level(80).apply(notes) != level(80, seed=1).apply(notes)
