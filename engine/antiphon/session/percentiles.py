"""What a list of measured values says: percentiles. It measures nothing."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of `values` that at least `percent` per cent do not exceed. Raises ValueError if there are none."""
    if not values:
        raise ValueError("no values, so no percentile")
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]


def percentiles(values: Sequence[float]) -> dict[str, float] | None:
    """p50, p95, p99 and max of `values`, and their number; None for none."""
    if not values:
        return None
    return {"n": len(values)} | {name: round(percentile(values, percent), 4) for name, percent in _PERCENTS.items()}


_PERCENTS = {"p50": 50, "p95": 95, "p99": 99, "max": 100}
