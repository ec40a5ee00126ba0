"""In what runs a model is fed what was heard, so that how it was told leaves no trace.

Steps fed together and steps fed one by one give logits that differ in the last bits; and where chance falls on the
edge between two choices, a bit decides. So how heard steps are divided depends on nothing but these steps: whole
strides from the first on, then single steps. Then music depends on what was heard, not on how often it was told, and a
session is played again to the bit.
"""

from __future__ import annotations

from typing import Final

STRIDE: Final = 16
"""Steps that are fed in one run where there are so many."""


def runs_after(known: int, shared: int, count: int, *, stride: int, earliest: int) -> tuple[int, list[slice]]:
    """How many of the `known` steps that were fed stay, and the runs in which the rest of `count` steps follow.

    `shared`: how many steps both begin with alike; `earliest`: how far back the model can go, besides to nothing.
    """
    whole = count - count % stride
    kept = shared
    if kept < whole or whole < known - known % stride:
        # A stride is completed or broken up: what comes after the whole ones that stay is fed anew.
        kept -= kept % stride
    if kept < earliest:
        kept = 0
    strides = [slice(start, start + stride) for start in range(kept, whole, stride)]
    singles = [slice(start, start + 1) for start in range(max(kept, whole), count)]
    return kept, strides + singles
