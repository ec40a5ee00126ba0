"""What must be known to play a session again. It knows nothing of what happened in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from antiphon.duet.plan import Plan


@dataclass(frozen=True, slots=True)
class Header:
    """What must be known to play a session again."""

    plans: tuple[Plan, ...]
    outputs: tuple[str, ...]
    versions: Mapping[str, str]
    """Version of Antiphon, Python and the distribution of each generator, by name."""
    started: str
    """When the session began: ISO 8601, local time."""
