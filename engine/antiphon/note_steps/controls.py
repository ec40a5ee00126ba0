"""The knobs that every generator of notes has: those of the tokens, and the style. It loads nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from antiphon.controls import ChoiceControl, Control, ControlValue
from antiphon.tokens.controls import TOKEN_CONTROLS

STYLES: Final = ("pop", "roll", "piano", "song", "chopin", "dance", "chorale", "drums")
"""What music may be asked to be like. A model that is told none plays whatever fits."""
_ANY: Final = "any"

NOTE_CONTROLS: Final = (
    *TOKEN_CONTROLS,
    Control("motif", 0, 1, 0.2, "0 goes its own way, 1 develops the figures that you played"),
    ChoiceControl("style", (_ANY, *STYLES), _ANY, "what it plays like, whatever you play like"),
)


def style_of(controls: Mapping[str, ControlValue]) -> str | None:
    """The style that a request asks for; None: any."""
    style = str(controls.get("style", _ANY))
    return None if style == _ANY else style
