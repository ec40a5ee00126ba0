"""The known name that somebody meant, by its spelling."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The one of `known` that is spelt most like `name`, whatever the case; empty if none is near.

    `cutoff`: how alike they must be, from 0 (anything) to 1 (the same).
    """
    by_folded = {each.casefold(): each for each in known}
    return next((by_folded[match] for match in get_close_matches(name.casefold(), by_folded, 1, cutoff)), "")


def suggestion(meant: str) -> str:
    """`; did you mean 'answer'?` for `meant` 'answer', or only the semicolon if it is empty."""
    return f"; did you mean '{meant}'?" if meant else ";"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`suggestion` of the `nearest`."""
    return suggestion(nearest(name, known))
