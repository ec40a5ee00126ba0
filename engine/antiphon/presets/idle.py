"""Keys of a voice, and whether they have an effect with its mode and its rule of handing over."""

from __future__ import annotations

from typing import Final

from antiphon.duet.modes import MODES
from antiphon.duet.plan import HandoverBy, Mode

HANDOVER_KEYS: Final[dict[HandoverBy, tuple[str, ...]]] = {
    "silence": ("silence_multiple", "min_seconds", "max_seconds", "breath_beats", "patience"),
    "pedal": ("pedal",),
    "bars": ("bars", "patience"),
    "turns": ("bars",),
    "trigger": ("trigger_note", "trigger_cc"),
}
"""The keys that each rule goes by; the others have no effect with it."""


def idle_keys(mode: Mode, by: HandoverBy) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The keys of a voice that have no effect with this mode and this rule, each with the key that makes it so."""
    idle: dict[tuple[str, ...], tuple[str, ...]] = dict.fromkeys(MODES[mode].idle_keys, ("mode",))
    if by == "turns":
        idle |= dict.fromkeys([("launch",), ("touch",), ("length",)], ("handover", "by"))
    return idle


def idle_control(control: str, mode: Mode, by: HandoverBy) -> tuple[str, ...] | None:
    """The key of a voice that leaves this control of every voice without effect; None: it has one."""
    if control == "length":
        return idle_keys(mode, by).get((control,))
    return ("handover", "by") if control == "patience" and control not in HANDOVER_KEYS[by] else None
