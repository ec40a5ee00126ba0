"""What a voice is doing, in words for the player: whose turn it is, and what it waits for."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.duet.plan import Handover
from antiphon.music.note_names import pitch_name

_NAMED = 3
"""How many of the keys that are down are named."""


def held_keys(pitches: Sequence[int]) -> str:
    """`waiting: C4 is down`; `pitches` from the lowest up, at least one."""
    names = [pitch_name(pitch) for pitch in pitches]
    if len(names) == 1:
        return f"waiting: {names[0]} is down"
    if len(names) > _NAMED:
        names[_NAMED:] = [f"{len(names) - _NAMED} more"]
    return f"waiting: {', '.join(names[:-1])} and {names[-1]} are down"


def awaited(rule: Handover) -> str:
    """What ends a call while no key is down, where no bar line does."""
    if rule.by == "silence":
        return "waiting for a rest"
    if rule.by == "pedal":
        return f"waiting for the {rule.pedal} pedal"
    signals = [] if rule.trigger_note is None else [pitch_name(rule.trigger_note)]
    signals += [] if rule.trigger_cc is None else [f"cc {rule.trigger_cc}"]
    return f"waiting for {' or '.join(signals)}"


def bars_left(ticks: int, bar_ticks: int) -> str:
    """`2 bars left`; a bar that has begun counts."""
    bars = max(1, -(-ticks // bar_ticks))
    return f"{bars} bar left" if bars == 1 else f"{bars} bars left"
