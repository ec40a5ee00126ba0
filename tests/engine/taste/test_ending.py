"""Where an answer of known length comes to rest."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.generator import Request
from antiphon.taste.course import last_notes
from antiphon.taste.ending import Ending

BAR_TICKS = 1920
BEAT_TICKS = 480


@pytest.mark.parametrize(("bars", "beats"), [(1, 1), (2, 2), (3, 3), (4, 3), (16, 3)])
def test_the_last_chord_has_its_part_of_the_whole_answer(bars: int, beats: int) -> None:
    end_ticks = 960 + bars * BAR_TICKS
    for start in range(960, end_ticks, BAR_TICKS):  # The same end, whichever phrase is asked for.
        request = Request(start, BAR_TICKS, left_ticks=end_ticks - start, answer_ticks=960)
        ending = Ending.of(request, None)
        assert ending is not None
        assert ending.last_ticks == end_ticks - beats * BEAT_TICKS
        assert ending.falls_ticks < ending.hush_ticks < ending.last_ticks < ending.rest_ticks < end_ticks


def test_an_answer_of_unknown_length_has_no_end_and_one_of_unknown_beginning_a_short_one() -> None:
    assert Ending.of(Request(0, BAR_TICKS, answer_ticks=0), None) is None
    ending = Ending.of(Request(0, BAR_TICKS, left_ticks=4 * BAR_TICKS), None)
    assert ending is not None
    assert ending.last_ticks == 4 * BAR_TICKS - BEAT_TICKS


def test_the_last_chord_climbs_no_higher_than_what_was_played_lately() -> None:
    pitches = np.arange(128)
    tonic = np.isin(pitches % 12, (0, 4, 7))
    assert pitches[last_notes(tonic, pitches, [55, 62, 69], None)].tolist() == [52, 55, 60, 64, 67, 72]
    assert pitches[last_notes(tonic, pitches, [55, 62, 69], 67)].tolist() == [72]
    assert not last_notes(tonic, pitches, [55, 62, 69], 72).any()
    assert pitches[last_notes(tonic, pitches, [], 67)].tolist() == [72, 76, 79]
