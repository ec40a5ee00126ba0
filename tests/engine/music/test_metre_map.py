"""Bars of a score through its changes of metre."""

from hypothesis import given
from hypothesis import strategies as st

from antiphon.music.metre_map import MetreMap
from antiphon.music.timing import TimeSignature

METRES = st.builds(TimeSignature, st.integers(1, 9), st.sampled_from([2, 4, 8, 16]))


def test_a_pickup_is_a_bar_of_its_own() -> None:
    metre = MetreMap([(0, TimeSignature(1, 4)), (480, TimeSignature(4, 4))])
    assert [metre.start_of(bar) for bar in range(4)] == [0, 480, 2400, 4320]
    assert [metre.bar_at(ticks) for ticks in (0, 479, 480, 2399, 2400)] == [0, 0, 1, 1, 2]
    assert list(metre.beats_of(1)) == [480, 960, 1440, 1920]


def test_without_a_signature_it_is_four_four_and_a_late_one_cuts_the_bar_short() -> None:
    assert MetreMap([]).start_of(3) == 5760
    metre = MetreMap([(2000, TimeSignature(3, 4))])
    assert [metre.start_of(bar) for bar in range(4)] == [0, 1920, 2000, 3440]


@given(st.dictionaries(st.integers(0, 30_000), METRES, max_size=6), st.integers(0, 60_000))
def test_every_tick_lies_in_the_bar_that_it_is_said_to(signatures: dict[int, TimeSignature], ticks: int) -> None:
    metre = MetreMap(sorted(signatures.items(), key=lambda entry: entry[0]))
    bar = metre.bar_at(ticks)
    assert metre.start_of(bar) <= ticks < metre.start_of(bar + 1)
    assert metre.bar_at(metre.start_of(bar)) == bar
    assert all(metre.bar_at(beat) == bar for beat in metre.beats_of(bar))
