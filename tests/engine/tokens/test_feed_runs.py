"""How heard steps are divided into runs: by nothing but these steps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from antiphon.tokens.feed_runs import runs_after

STRIDE = 4


def divided(count: int) -> list[int]:
    """Sizes of the runs in which `count` steps are fed from nothing."""
    _, runs = runs_after(0, 0, count, stride=STRIDE, earliest=0)
    return [run.stop - run.start for run in runs]


def test_whole_strides_come_first_and_then_single_steps() -> None:
    assert divided(11) == [4, 4, 1, 1, 1]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=8), st.integers(0, 30))
def test_however_it_was_told_all_is_divided_as_from_nothing(told: list[tuple[int, int]], back: int) -> None:
    fed: list[int] = []
    for shared, count in told:
        known = sum(fed)
        shared = min(shared, known, count)
        kept, runs = runs_after(known, shared, count, stride=STRIDE, earliest=max(0, known - back))
        assert kept <= shared
        assert kept == 0 or kept >= known - back
        while sum(fed) > kept:
            fed.pop()
        assert sum(fed) == kept, "a run is never broken up"
        fed += [run.stop - run.start for run in runs]
        assert fed == divided(count)
