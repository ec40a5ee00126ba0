"""What constraints leave to play."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.generator import Constraints
from antiphon.tokens.pitch_mask import bits_of, pitch_mask


@pytest.mark.parametrize(
    ("constraints", "pitches"),
    [
        (Constraints(), list(range(128))),
        (Constraints(126), [126, 127]),
        (Constraints(0, 1), [0, 1]),
        (Constraints(60, 72, frozenset({0, 11})), [60, 71, 72]),
        (Constraints(61, 70, frozenset({0, 11})), []),
        (Constraints(scale=frozenset()), []),
        (Constraints(72, 60), []),
    ],
)
def test_pitches_in_range_and_scale_are_left(constraints: Constraints, pitches: list[int]) -> None:
    mask = pitch_mask(constraints)
    assert np.flatnonzero(mask).tolist() == pitches
    assert bits_of(mask) == sum(1 << pitch for pitch in pitches)


def test_a_codec_may_narrow_the_range_further() -> None:
    assert np.flatnonzero(pitch_mask(Constraints(20, 23), 21, 108)).tolist() == [21, 22, 23]
    assert np.flatnonzero(pitch_mask(Constraints(107), 21, 108)).tolist() == [107, 108]


def test_masks_are_shared_and_so_not_to_be_written_to() -> None:
    mask = pitch_mask(Constraints(60, 61))
    assert pitch_mask(Constraints(60, 61)) is mask
    with pytest.raises(ValueError, match="read-only"):
        mask[0] = True
