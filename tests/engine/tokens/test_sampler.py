"""One token drawn from logits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.tokens.sampler import sample, uniform

CHANCES = [(index + 0.5) / 20_000 for index in range(20_000)]


def logits(*probabilities: float) -> np.ndarray:
    """Logits whose softmax these are."""
    with np.errstate(divide="ignore"):
        return np.log(np.array(probabilities, dtype=np.float32)) + np.float32(3)


def drawn(values: np.ndarray, allowed: list[int] | None = None, **settings: float) -> dict[int, float]:
    """How often each token comes over evenly spread chances."""
    mask = np.ones(len(values), dtype=bool)
    if allowed is not None:
        mask[:] = False
        mask[allowed] = True
    tokens = [sample(values, mask, chance, **settings) for chance in CHANCES]  # type: ignore[arg-type]  # by name
    return {token: tokens.count(token) / len(tokens) for token in sorted(set(tokens))}


def test_tokens_come_as_often_as_they_are_likely() -> None:
    assert drawn(logits(0.5, 0.1, 0.4)) == pytest.approx({0: 0.5, 1: 0.1, 2: 0.4}, abs=1e-3)


def test_what_is_not_allowed_never_comes_and_the_rest_keeps_its_proportions() -> None:
    assert drawn(logits(0.5, 0.1, 0.4), [1, 2]) == pytest.approx({1: 0.2, 2: 0.8}, abs=1e-3)


def test_temperature_sharpens_and_flattens() -> None:
    assert drawn(logits(0.2, 0.8), temperature=0.5) == pytest.approx({0: 0.04 / 0.68, 1: 0.64 / 0.68}, abs=1e-3)
    assert drawn(logits(0.2, 0.8), temperature=2.0)[0] == pytest.approx(1 / 3, abs=1e-3)


def test_at_temperature_0_the_likeliest_comes_the_first_of_equals() -> None:
    assert drawn(logits(0.2, 0.4, 0.4), temperature=0) == {1: 1}
    assert drawn(logits(0.2, 0.4, 0.4), [0, 2], temperature=0) == {2: 1}


def test_top_k_leaves_the_likeliest() -> None:
    assert drawn(logits(0.1, 0.2, 0.3, 0.4), top_k=2) == pytest.approx({2: 3 / 7, 3: 4 / 7}, abs=1e-3)
    assert drawn(logits(0.1, 0.2, 0.7), [0, 1], top_k=1) == {1: 1}
    assert len(drawn(logits(0.1, 0.2, 0.7), top_k=0)) == 3


def test_top_p_leaves_the_fewest_that_reach_it() -> None:
    assert drawn(logits(0.1, 0.2, 0.3, 0.4), top_p=0.65) == pytest.approx({2: 3 / 7, 3: 4 / 7}, abs=1e-3)
    assert drawn(logits(0.1, 0.2, 0.3, 0.4), top_p=0.05) == {3: 1}
    assert len(drawn(logits(0.1, 0.2, 0.3, 0.4), top_p=1)) == 4


def test_top_k_comes_before_top_p() -> None:
    assert drawn(logits(0.1, 0.2, 0.3, 0.4), top_k=2, top_p=0.6) == pytest.approx({2: 3 / 7, 3: 4 / 7}, abs=1e-3)


def test_tokens_without_any_probability_never_come() -> None:
    values = logits(0.5, 0.0, 0.5)
    assert sorted(drawn(values)) == [0, 2]


@given(
    st.lists(st.floats(-40, 40, width=32), min_size=1, max_size=60),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 2),
    st.integers(0, 70),
    st.floats(0.05, 1),
    st.integers(0, 2**60),
)
def test_whatever_the_settings_an_allowed_token_comes(
    values: list[float], chance: float, temperature: float, top_k: int, top_p: float, bits: int
) -> None:
    mask = np.array([bits >> index & 1 == 1 for index in range(len(values))])
    mask[bits % len(values)] = True
    array = np.array(values, dtype=np.float32)
    token = sample(array, mask, chance, temperature=temperature, top_k=top_k, top_p=top_p)
    assert type(token) is int
    assert mask[token]
    assert np.array_equal(array, np.array(values, dtype=np.float32)), "the logits are left as they are"


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_logits_that_are_no_numbers_are_refused(bad: float) -> None:
    values = np.array([0.0, bad, 1.0], dtype=np.float32)
    with pytest.raises(ValueError, match=f"the highest of 3 logits is {bad}"):
        sample(values, np.ones(3, dtype=bool), 0.5)
    assert sample(values, np.array([True, False, True]), 0.5) == 2, "what is not allowed is not looked at"


def test_without_an_allowed_token_there_is_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="no token is allowed"):
        sample(np.zeros(3, dtype=np.float32), np.zeros(3, dtype=bool), 0.5)


def test_chance_is_even_and_depends_on_every_part() -> None:
    values = [uniform(seed, ticks, index) for seed in range(20) for ticks in range(0, 4000, 40) for index in range(5)]
    assert all(0 <= value < 1 for value in values)
    assert len(set(values)) == len(values)
    assert np.histogram(values, 10, (0, 1))[0] == pytest.approx(len(values) / 10, rel=0.1)
    assert uniform(1, 2, 3) == uniform(1, 2, 3)
    assert 0 <= uniform(2**63 - 1, 10**9, 300) < 1
