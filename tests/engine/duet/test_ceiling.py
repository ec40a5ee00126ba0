"""An accompaniment stays below the player's melody."""

from __future__ import annotations

from antiphon.duet.ceiling import Ceiling
from antiphon.generator import Constraints

LIMITS = Constraints(33, 79)


def heard(*keys: tuple[int, int]) -> Ceiling:
    """Keys as (tick, pitch)."""
    ceiling = Ceiling()
    for ticks, pitch in keys:
        ceiling.strike(pitch, ticks)
    return ceiling


def test_before_the_first_note_the_range_is_the_only_limit() -> None:
    assert heard().lower(LIMITS) == LIMITS


def test_nothing_comes_within_a_second_of_the_lowest_note_of_the_melody() -> None:
    assert heard((0, 74), (240, 72), (480, 76)).lower(LIMITS).high_pitch == 70


def test_of_what_is_struck_together_the_highest_note_is_the_melody() -> None:
    assert heard((0, 72), (5, 48), (12, 60), (480, 50), (480, 74)).lower(LIMITS).high_pitch == 70


def test_a_melody_that_has_climbed_lets_the_accompaniment_follow() -> None:
    assert heard((0, 60), (480, 72), (1500, 79), (1900, 81)).lower(LIMITS).high_pitch == 77


def test_the_range_still_holds_above_and_an_octave_of_it_is_left_below() -> None:
    assert heard((0, 100)).lower(LIMITS).high_pitch == 79
    assert heard((0, 36)).lower(LIMITS).high_pitch == 45
