"""A model kept in step with music that changes at its end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_models import BrokenModel, ToyModel

from antiphon.tokens.codec import Tokens
from antiphon.tokens.feed import TokenFeed
from antiphon.tokens.grid_codec import GridCodec

CODEC = GridCodec()
TUNE = np.random.default_rng(3).integers(0, 153, 300)


def after(model: ToyModel, feed: TokenFeed, tokens: Tokens) -> np.ndarray:
    """Logits after `tokens`, as a generator asks for them."""
    feed.listen(tokens)
    return feed.logits_after(int(tokens[-1]), len(tokens) - 1)


def fresh(tokens: Tokens, chunk: int = 32) -> np.ndarray:
    model = ToyModel(CODEC, chunk=chunk)
    return after(model, TokenFeed(model), tokens)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([1, 8, 32, 64]),
    st.lists(st.tuples(st.integers(1, 300), st.integers(0, 300), st.integers(0, 152), st.integers(0, 5)), max_size=8),
    st.integers(1, 300),
)
def test_how_it_was_told_leaves_no_trace(chunk: int, told: list[tuple[int, int, int, int]], length: int) -> None:
    model = ToyModel(CODEC, chunk=chunk)
    feed = TokenFeed(model)
    for size, place, token, drawn in told:
        tokens = TUNE[:size].copy()
        tokens[place:] = (tokens[place:] + token) % 153
        after(model, feed, tokens)
        for step in range(drawn):
            feed.logits_after(token, len(tokens) + step)
    assert np.array_equal(after(model, feed, TUNE[:length]), fresh(TUNE[:length], chunk))


def test_a_key_press_costs_its_own_tokens_and_now_and_then_a_stride() -> None:
    model = ToyModel(CODEC)
    feed = TokenFeed(model)
    feed.listen(TUNE[:70])
    model.runs.clear()
    feed.listen(TUNE[:73])
    assert model.runs == [1, 1, 1]
    model.runs.clear()
    feed.listen(TUNE[:80])
    assert model.runs == [1] * 7, "the last is fed when the next is drawn"
    model.runs.clear()
    feed.listen(TUNE[:83])
    assert model.runs == [16, 1, 1], "a whole stride is fed anew, in one run"


def test_what_is_told_twice_costs_nothing() -> None:
    model = ToyModel(CODEC)
    feed = TokenFeed(model)
    after(model, feed, TUNE[:50])
    model.runs.clear()
    feed.listen(TUNE[:50])
    assert model.runs == []
    assert model.position == 49


def test_beyond_the_reach_of_a_rewind_all_is_fed_anew() -> None:
    model = ToyModel(CODEC, window=64, margin=16)
    feed = TokenFeed(model)
    feed.listen(TUNE[:200])
    changed = TUNE[:200].copy()
    changed[140] = (changed[140] + 1) % 153
    assert model.earliest > 140
    assert np.array_equal(after(model, feed, changed), _fresh_with_margin(changed))


def _fresh_with_margin(tokens: Tokens) -> np.ndarray:
    model = ToyModel(CODEC, window=64, margin=16)
    return after(model, TokenFeed(model), tokens)


def test_it_knows_from_where_it_can_go_on() -> None:
    model = ToyModel(CODEC, window=64, margin=16)
    feed = TokenFeed(model)
    feed.listen(TUNE[:200])
    assert [feed.reaches(position) for position in (0, 1, model.earliest - 1, model.earliest, 199, 200)] == [
        True,
        False,
        False,
        True,
        True,
        False,
    ]


def test_a_model_that_fails_on_the_way_is_fed_anew() -> None:
    model = BrokenModel(CODEC, after=40)
    feed = TokenFeed(model)
    with pytest.raises(ValueError, match="999"):
        feed.listen(np.array([1, 999, 2]))
    feed.listen(TUNE[:20])
    assert model.position == 19
