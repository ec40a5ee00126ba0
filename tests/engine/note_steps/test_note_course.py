"""What a request asks a line of notes to keep to."""

from __future__ import annotations

import numpy as np

from antiphon.generator import Request
from antiphon.music.tonality import Key
from antiphon.note_steps.course import NoteCourse
from antiphon.note_steps.manner import Manner
from antiphon.notes import Note

C_MAJOR = Key(0, False, frozenset({0, 2, 4, 5, 7, 9, 11}))
F = frozenset({5, 9, 0})


def course(chord: frozenset[int] | None, stay: float = 1.0, style: str | None = None) -> NoteCourse:
    tune = [Note(480 * i, 72 + i % 3, 400, 80) for i in range(8)]
    request = Request(8 * 480, 480, {"stay": stay}, key=C_MAJOR, beside=True, chord=chord)
    return NoteCourse.of(request, Manner("beat", style=style, beside=True), tune)


def test_a_note_that_makes_the_players_chord_whole_is_favoured_until_it_sounds() -> None:
    def favoured(sounding: list[int]) -> set[int]:
        nats = course(F).missing_nats(sounding)
        assert nats.min() == 0
        return {int(pitch) % 12 for pitch in np.flatnonzero(nats)}

    assert favoured([]) == F
    assert favoured([41, 60]) == {9}
    assert favoured([41, 57, 60]) == set()
    assert favoured([43, 62]) == F, "what does not belong to it completes nothing"


def test_its_root_comes_first_in_the_bass_and_a_further_note_as_long_as_one_is_missing() -> None:
    nats = course(F).missing_nats([57, 60])
    assert set(np.flatnonzero(nats == nats.max())) == {41}, "the F that lies where a bass does"
    assert course(F).missing_nats([41]).max() < nats.max()
    wanted = [course(F).further_nats(sounding) for sounding in ([], [41], [41, 57], [41, 57, 60])]
    assert wanted == sorted(wanted, reverse=True)
    assert wanted[-1] == 0
    assert course(None).further_nats([]) > 0, "chords are wanted of whoever accompanies"


def test_drums_have_no_chord() -> None:
    assert not course(F, style="drums").missing_nats([]).any()


def test_nothing_is_favoured_where_no_chord_is_heard_or_where_it_goes_its_own_way() -> None:
    assert not course(None).missing_nats([60]).any()
    assert not course(F, stay=0.0).missing_nats([60]).any()


def test_what_lies_beside_the_chord_costs_no_more_than_what_lies_outside_the_key() -> None:
    costs = course(F).costs
    assert costs[53] < costs[52], "E is in the key and beside the chord"
    assert costs[52] <= costs[51]
