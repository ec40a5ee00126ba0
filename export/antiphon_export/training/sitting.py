"""One sitting at a run: what its first step tells, when to look first, how Ctrl-C ends it. It trains nothing."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

FIRST_LOOK_SECONDS: Final = 10.0
"""After so long the first judgement is due, so that a log and a curve are there from the first minute on."""
_FIRST_RUN_SECONDS: Final = 300.0
"""How long somebody waits for a first look at what a model learns."""
_FEW_STEPS: Final = 60
"""From fewer steps nothing can be seen: then the model is too large for the machine."""


class Stopped(Exception):
    """A person ended the run; the text says what is kept."""


def first_look(now_seconds: float, every_seconds: float) -> float:
    """When the first judgement is due of a sitting that begins now; the others are due after `every_seconds`."""
    return now_seconds + min(FIRST_LOOK_SECONDS, every_seconds)


def told_of_the_first_step(seconds: float, steps: int, smaller: str) -> str:
    """What the first step says of a run with `steps` to go; `smaller`: options of a model for a slow machine."""
    told = f"the first step took {seconds:.2g} s; {steps:,} steps take {_minutes(seconds * steps)}"
    if seconds * steps <= 1.2 * _FIRST_RUN_SECONDS:
        return told
    few = int(_FIRST_RUN_SECONDS / seconds)
    if few >= _FEW_STEPS:
        few = int(float(f"{few:.1g}"))
        return f"{told}; for a first look add --steps {few} ({_minutes(seconds * few)})"
    return f"{told}; for a first look at a smaller model add --steps {_FEW_STEPS} {smaller}, and another --out"


def _minutes(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    about = "about a minute" if minutes == 1 else f"about {minutes} minutes"
    return about if minutes < 120 else f"about {seconds / 3600:.0f} hours"


class Ending:
    """While it is entered, Ctrl-C asks for an end after the present step; pressed again, it ends at once."""

    def __init__(self, report: Callable[[str], None]) -> None:
        """`report` is told that the end is near."""
        self.asked = False
        self._report = report
        self._before: Any = None

    def __enter__(self) -> Ending:
        self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self._report("ending after this step; Ctrl-C once more ends at once")
