"""The knobs that every generator of tokens has, and what a request sets them to. It loads nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from antiphon.generator import Control

TOKEN_CONTROLS: Final = (
    Control("temperature", 0, 2, 1, "0 always takes the likeliest turn, 2 the most surprising ones"),
    Control("top_p", 0.05, 1, 0.95, "1 leaves the unlikeliest turns in; lower keeps to fewer and safer ones"),
    Control("top_k", 0, 100, 0, "how many of the likeliest turns are left at every token; 0 leaves all"),
    Control("density", 0, 1, 0.5, "0.5 plays about as much as you do, lower leaves more room, higher fills it"),
    Control("repetition", 0, 1, 0.5, "how often a note or a figure may come again in a row; 1 lets all pass"),
    Control("stay", 0, 1, 0.9, "0 goes its own way, 1 stays in the key and on the pulse that it hears from you"),
)


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """The knobs as one request sets them; see `TOKEN_CONTROLS`."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    density: float = 0.5
    repetition: float = 1.0
    stay: float = 0.0

    @classmethod
    def of(cls, controls: Mapping[str, float]) -> SamplingSettings:
        """The settings of a request. A control that it does not name interferes with nothing."""
        known = {control.name: controls[control.name] for control in TOKEN_CONTROLS if control.name in controls}
        return cls(**known | {"top_k": round(known.get("top_k", 0))})  # type: ignore[arg-type]  # by name
