"""What each mode asks of a voice and of its preset, a row each. It plays nothing: `PLAYS` in `performer` says who does.

The performer, the voices, the reader and writer of presets, and the table of modes in the guide all go by these rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from antiphon.duet.plan import HandoverBy, Mode

_SIGNALS: Final[tuple[HandoverBy, ...]] = ("silence", "pedal", "trigger")
"""The rules that count no bars."""
_LENGTH: Final = (("answer_bars",), ("length",))
"""Keys that say how long an answer is."""
_MELODY: Final = ("below_melody",)


@dataclass(frozen=True, slots=True)
class ModeRules:
    """One mode."""

    takes_turns: bool = True
    """Whether it plays when the player does not; else it plays along while they do."""
    ends: bool = False
    """Whether an answer has a length, and is over by itself; else it goes on until a key is touched."""
    keeps_place: bool = False
    """Whether it is a loop that keeps its place in the bar: it begins with its rests, and on a beat of the player's."""
    by_half_bars: bool = False
    """Whether half a bar is asked for at a time, and late, so that what is turned is heard soon; else a bar."""
    rules: tuple[HandoverBy, ...] = (*_SIGNALS[:2], "bars", *_SIGNALS[2:])
    """Rules by which it may be handed over to."""
    loops: Literal["allowed", "needed", "refused"] = "allowed"
    """What it makes of a generator that interpolates."""
    b: Literal["played", "prior"] = "played"
    """The second end of a morph, where the preset names none."""
    idle_keys: tuple[tuple[str, ...], ...] = ()
    """Keys of a preset's voice that have no effect with it, whatever the rule: each a path within the voice."""


MODES: Final[Mapping[Mode, ModeRules]] = {
    "answer": ModeRules(ends=True, rules=("silence", "pedal", "bars", "turns", "trigger"), idle_keys=(_MELODY,)),
    "continue": ModeRules(idle_keys=(*_LENGTH, _MELODY)),
    "accompany": ModeRules(
        takes_turns=False,
        rules=_SIGNALS,
        loops="refused",
        idle_keys=(
            *_LENGTH,
            ("touch",),
            *(("handover", name) for name in ("silence_multiple", "min_seconds", "breath_beats")),
        ),
    ),
    "morph": ModeRules(keeps_place=True, by_half_bars=True, loops="needed", b="prior", idle_keys=(*_LENGTH, _MELODY)),
}


def mode_with(key: tuple[str, ...]) -> Mode:
    """The first mode in which a key, which has no effect in another, has one."""
    return next(mode for mode, rules in MODES.items() if key not in rules.idle_keys)
