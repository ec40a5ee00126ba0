"""Bar lines of a file: where the session has them, whatever time signatures come when."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.music.timing import TimeSignature, next_multiple
from antiphon.session.bar_lines import BarLines

FOUR, THREE, SIX_EIGHT, SEVEN = TimeSignature(), TimeSignature(3, 4), TimeSignature(6, 8), TimeSignature(7, 16)


def lines_of(signatures: tuple[tuple[int, TimeSignature], ...], until_ticks: int) -> list[int]:
    """Where whoever reads a file sees bar lines: a signature holds until the next, and its first bar begins with it."""
    lines = []
    for (since, signature), (until, _) in pairwise((*signatures, (until_ticks, FOUR))):
        assert (until - since) % signature.bar_ticks == 0 or until == until_ticks, "a signature in the middle of a bar"
        lines += range(since, until, signature.bar_ticks)
    return lines


def changed(*changes: tuple[int, TimeSignature]) -> tuple[tuple[int, TimeSignature], ...]:
    bars = BarLines(FOUR)
    for ticks, signature in changes:
        bars.change(ticks, signature)
    return bars.signatures


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param([], [(0, FOUR)], id="none"),
        pytest.param([(0, THREE)], [(0, THREE)], id="at the beginning"),
        pytest.param([(5760, THREE)], [(0, FOUR), (5760, THREE)], id="on a line of both"),
        pytest.param(
            [(2500, THREE)],
            [(0, FOUR), (1920, TimeSignature(2, 4)), (2880, THREE)],
            id="in a bar, which ends at the first line of the new ones",
        ),
        pytest.param(
            [(2000, SEVEN)],
            [(0, FOUR), (1920, TimeSignature(5, 16)), (2520, SEVEN)],
            id="by sixteenths",
        ),
        pytest.param([(2500, THREE), (2600, FOUR)], [(0, FOUR)], id="and back, before it had begun"),
        pytest.param([(2500, THREE), (2600, SIX_EIGHT)], [(0, FOUR), (1920, TimeSignature(2, 4)), (2880, SIX_EIGHT)]),
        pytest.param([(2000, FOUR)], [(0, FOUR)], id="to the same"),
    ],
)
def test_a_new_time_signature_begins_at_a_bar_line(
    changes: list[tuple[int, TimeSignature]], expected: list[tuple[int, TimeSignature]]
) -> None:
    assert changed(*changes) == tuple(expected)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 9000),
            st.builds(TimeSignature, st.integers(1, 32), st.sampled_from([2, 4, 8, 16])),
        ),
        max_size=6,
    )
)
def test_after_every_change_a_file_s_bar_lines_are_the_session_s(steps: list[tuple[int, TimeSignature]]) -> None:
    bars, now, in_force = BarLines(FOUR), 0, FOUR
    spans = []
    for ticks, signature in steps:
        spans.append((now, now + ticks, in_force))
        now, in_force = now + ticks, signature
        bars.change(now, signature)
    end = now + 4 * in_force.bar_ticks
    spans.append((now, end, in_force))
    found = lines_of(bars.signatures, end)
    assert all(1 <= signature.beats <= 255 for _, signature in bars.signatures), "what a file has room for"
    assert found == sorted(set(found))
    for since, until, signature in spans:
        first = next_multiple(since, signature.bar_ticks)
        assert [line for line in found if first <= line < until] == list(range(first, until, signature.bar_ticks))
