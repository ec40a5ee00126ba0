"""Factors that rise and fall with the steps of a run: of a learning rate, of a part of a loss. It trains nothing."""

from __future__ import annotations


def rising(step: int, steps: int, share: float) -> float:
    """The factor at `step` of one that rises from 0 to 1 over the first `share` of `steps`, and stands."""
    return min(1.0, (step + 1) / max(1.0, share * steps))


def rising_and_falling(step: int, steps: int, warm_up: float, cool_down: float) -> float:
    """The factor at `step` of one that rises over the share `warm_up` of `steps`, stands, and falls over the last,
    `cool_down` (Hu et al., 2024, arXiv:2404.06395).
    """
    return min(rising(step, steps, warm_up), (steps - step) / max(1.0, cool_down * steps))
