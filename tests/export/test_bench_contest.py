"""Those who are compared go turn about, equally often or by their share."""

from __future__ import annotations

import pytest

from antiphon_export.bench.contest import Contestant, Times, take_turns


def test_each_goes_in_its_turn_and_the_first_go_is_not_counted() -> None:
    gone: list[str] = []
    contestants = [Contestant("a", lambda: gone.append("a")), Contestant("b", lambda: gone.append("b"), share=0.5)]
    times = take_turns(contestants, turns=2, goes=4)
    assert "".join(gone) == 2 * ("aaaaa" + "bbb")
    assert len(times.of("a")) == 8
    assert len(times.of("b")) == 4


def test_the_smallest_share_still_goes_once() -> None:
    times = take_turns([Contestant("slow", lambda: None, share=0.01)], turns=3, goes=2)
    assert len(times.of("slow")) == 3
    assert min(times.of("slow")) >= 0


def test_what_is_compared_was_done_in_the_same_turn() -> None:
    times = Times({"ours": [[1.0, 1.0, 9.0], [2.0, 2.0, 2.0]], "theirs": [[3.0], [8.0]]})
    assert times.ratios("theirs", "ours") == pytest.approx([3, 4])
    assert times.of("ours") == [1, 1, 9, 2, 2, 2]
