"""The controls that every voice has, whatever plays: its range, its scale, how long it answers, how long it waits.

To turn one is to play on by another plan: what a voice goes by is its plan alone. It asks nobody to play.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from antiphon.duet.plan import VoicePlan
from antiphon.generator import Constraints, Control
from antiphon.music.note_names import parse_scale

SCALE: Final = "scale"
"""The one control whose values are words: those of the preset's `scale`, `auto` among them."""
RANGE: Final = ("range_low", "range_high")
"""Those whose values are keys, which have names."""
LENGTHS: Final = (0.125, 8.0)
"""Bounds of `length` and `patience`."""
VOICE_CONTROLS: Final = {
    control.name: control
    for control in (
        Control("range_low", 0, 127, 0, "the lowest note it may play"),
        Control("range_high", 0, 127, 127, "the highest note it may play"),
        Control("length", *LENGTHS, 1, "2 answers twice as long as it would, 0.5 half as long"),
        Control("patience", *LENGTHS, 1, "2 waits twice as long for the end of your call, 0.5 half as long"),
    )
}
"""The others, by name."""
VOICE_CONTROL_NAMES: Final = (*VOICE_CONTROLS, SCALE)


def turned(plan: VoicePlan, control: str, value: float | str) -> VoicePlan:
    """`plan` with a voice control set to `value`, a number within its bounds; `scale` to a scale that has a name.

    The ends of the range push no other: the lowest note goes no higher than the highest, and the other way round.
    """
    limits = plan.constraints
    if control == SCALE:
        scale = None if value == "auto" else parse_scale(value)
        return replace(plan, constraints=replace(limits, scale=scale), heard_scale=value == "auto")
    number = float(value)
    if control == "range_low":
        low = min(round(number), limits.high_pitch)
        return replace(plan, constraints=replace(limits, low_pitch=low))
    if control == "range_high":
        high = max(round(number), limits.low_pitch)
        return replace(plan, constraints=replace(limits, high_pitch=high))
    if control == "length":
        return replace(plan, length=number)
    return replace(plan, handover=replace(plan.handover, patience=number))


def playable(limits: Constraints) -> Constraints:
    """`limits`, without the scale where a range turned narrow leaves no note of it."""
    pitches = range(limits.low_pitch, limits.high_pitch + 1)
    if limits.scale is None or any(pitch % 12 in limits.scale for pitch in pitches):
        return limits
    return replace(limits, scale=None)
