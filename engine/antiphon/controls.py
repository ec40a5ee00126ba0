"""What may be set of a generator: numbers, choices and texts, each with what it allows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ControlValue = float | str
"""A number, or the text of a choice or a text."""


@dataclass(frozen=True, slots=True)
class Control:
    """One knob of a generator, declared so that presets are checked and a controller can be mapped to it."""

    name: str
    """What presets and controller maps call it, e.g. `temperature`."""
    low: float
    """Smallest allowed value."""
    high: float
    """Largest allowed value."""
    default: float
    """Value when the preset says nothing."""
    help: str
    """What turning it up does, in one line."""

    @property
    def allowed(self) -> str:
        """What its value may be, in words."""
        return f"a number, {self.low:g} to {self.high:g}"

    @property
    def extremes(self) -> tuple[float, ...]:
        """Values that something might break at."""
        return self.low, self.high

    def allows(self, value: object) -> bool:
        """Whether it may be set to `value`."""
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high

    def spelt(self, text: str) -> ControlValue:
        """The value that a command line means by `text`; `text` itself if it spells none."""
        try:
            return float(text)
        except ValueError:
            return text

    def problem(self) -> str | None:
        """What is wrong with the declaration."""
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            return f"ranges from {self.low} to {self.high}"
        return None


@dataclass(frozen=True, slots=True)
class ChoiceControl:
    """A switch with named places; a controller that is mapped to it goes through them."""

    name: str
    choices: tuple[str, ...]
    """The texts that are allowed, two at least; a controller meets them in this order."""
    default: str
    help: str
    """What it changes, in one line."""

    @property
    def allowed(self) -> str:
        """What its value may be, in words."""
        return " or ".join(f'"{choice}"' for choice in self.choices)

    @property
    def extremes(self) -> tuple[str, ...]:
        """Values that something might break at."""
        return self.choices

    def allows(self, value: object) -> bool:
        """Whether it may be set to `value`."""
        return value in self.choices

    def spelt(self, text: str) -> ControlValue:
        """The value that a command line means by `text`."""
        return text

    def problem(self) -> str | None:
        """What is wrong with the declaration."""
        if len(self.choices) < 2 or len(set(self.choices)) < len(self.choices):
            return f"has the choices {self.choices!r}; there must be two or more, each once"
        for choice in self.choices:
            if not (isinstance(choice, str) and choice.strip() and choice.isprintable()):
                return f"has the choice {choice!r}; it must be a text of one line"
        return None


@dataclass(frozen=True, slots=True)
class TextControl:
    """A text of one line, such as a prompt or the name of a style. No controller can turn it."""

    name: str
    default: str
    help: str
    """What it says, in one line."""
    longest: int = 200
    """Most characters."""

    @property
    def allowed(self) -> str:
        """What its value may be, in words."""
        return f"a text of one line, {self.longest} characters at most"

    @property
    def extremes(self) -> tuple[str, ...]:
        """Values that something might break at."""
        return "", ("größer 大きい = [x] " * self.longest)[: self.longest]

    def allows(self, value: object) -> bool:
        """Whether it may be set to `value`."""
        return isinstance(value, str) and len(value) <= self.longest and (value == "" or value.isprintable())

    def spelt(self, text: str) -> ControlValue:
        """The value that a command line means by `text`."""
        return text

    def problem(self) -> str | None:
        """What is wrong with the declaration."""
        return None if self.longest > 0 else f"allows {self.longest} characters"


AnyControl = Control | ChoiceControl | TextControl


def resolve(who: str, controls: Iterable[AnyControl], values: Mapping[str, ControlValue]) -> dict[str, ControlValue]:
    """The defaults of `controls`, overlaid with `values`; numbers as floats.

    Raises:
        ValueError: there is no such control, or its value is not allowed.
    """
    known = {control.name: control for control in controls}
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"{who} has no control {name!r}; it has: {', '.join(sorted(known)) or 'none'}")
        if not known[name].allows(value):
            raise ValueError(f"{name} is {value!r}; allowed: {known[name].allowed}")
    whole = {name: values.get(name, control.default) for name, control in known.items()}
    return {name: value if isinstance(value, str) else float(value) for name, value in whole.items()}


def spelt_out(controls: Iterable[AnyControl], settings: Iterable[str]) -> dict[str, ControlValue]:
    """The values of `settings`, NAME=VALUE each, as a command line has them.

    Raises:
        ValueError: one of them has no `=`.
    """
    known = {control.name: control for control in controls}
    values: dict[str, ControlValue] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"{setting!r} sets no control; allowed: NAME=VALUE, such as temperature=0.8")
        values[name] = known[name].spelt(text) if name in known else text
    return values
