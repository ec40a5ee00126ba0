"""A new plugin, file by file: a distribution whose generator keeps the rules from the start."""

from __future__ import annotations

import re
from string import Template
from typing import Final

from antiphon.errors import AntiphonError

_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def plugin_files(name: str) -> dict[str, str]:
    """The files of a distribution that brings a generator `name`: their texts, by their paths in its folder.

    Raises:
        AntiphonError: a generator cannot have this name.
    """
    if not _NAME.fullmatch(name):
        raise AntiphonError(f"a plugin cannot be called {name!r}; allowed: lower-case letters, digits and hyphens")
    words = {
        "name": name,
        "distribution": distribution_name(name),
        "package": distribution_name(name).replace("-", "_"),
        "Player": "".join(word.capitalize() for word in name.split("-")).lstrip("0123456789") or "Player",
    }
    return {Template(path).substitute(words): Template(text).substitute(words) for path, text in _FILES.items()}


def distribution_name(name: str) -> str:
    """What the distribution that brings a generator `name` is called, and its folder."""
    return f"antiphon-{name}"


_PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "$distribution"
version = "0.1.0"
description = "A generator for Antiphon."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["antiphon"]

# This is all it takes to be found.
[project.entry-points.antiphon]
$name = "$package"

# An editable install adds this folder to where Python looks.
[tool.hatch.build]
dev-mode-dirs = ["."]

[tool.hatch.build.targets.wheel]
packages = ["$package"]

[tool.pytest.ini_options]
testpaths = ["tests"]
addopts = "--import-mode=importlib"
"""

_README = """\
# $distribution

A plugin for Antiphon: the generator `$name`. Install it editable, beside Antiphon, and what you change counts from the
next start on:

```sh
python -m pip install -e .
antiphon plugins            # lists $name, its controls, and where it came from
antiphon jam $name          # plays with $package/presets/$name.toml
python -m pip install pytest && python -m pytest
```

- `$package/__init__.py`: the hooks. It is imported by every `antiphon` command: keep it light.
- `$package/player.py`: the generator.
- `$package/presets/$name.toml`: a preset that plays it.
- `tests/test_rules.py`: the contract's rules, checked.

A traceback of your generator is in `player-2.log` in the session's folder; `antiphon jam $name --verbose` shows it.
"""

_HOOKS = '''\
"""A plugin for Antiphon: the generator `$name`. This module is its entry point and only registers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from antiphon import hookimpl
from antiphon.generator import RegisterGenerator
from $package.player import INFO, make


@hookimpl
def register_generators(register: RegisterGenerator) -> None:
    """The generator."""
    register(INFO, make)


@hookimpl
def register_presets(register: Callable[[Path], None]) -> None:
    """A preset that plays it."""
    register(Path(__file__).parent / "presets")
'''

_PLAYER = '''\
"""The generator `$name`: goes on from the last note in small steps. Replace what is in `play`."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from antiphon import (
    Casting,
    ChoiceControl,
    Control,
    GeneratorInfo,
    Note,
    Phrase,
    Request,
    StatefulGenerator,
    TextControl,
)

INFO = GeneratorInfo(
    name="$name",
    summary="Goes on from your last note in small steps.",
    controls=(
        Control("leap", 1, 12, 3, "semitones of the widest step"),
        ChoiceControl("pace", ("quarters", "eighths", "triplets"), "eighths", "how a beat is divided"),
        TextControl("accent", "x..", "x is loud, anything else is soft, over and over", longest=32),
    ),
    latency="quick",
    follows="beat",
)

_NOTES_A_BEAT = {"quarters": 1, "eighths": 2, "triplets": 3}


@dataclass
class State:
    """All that changes while it plays, dice included: snapshots of it are kept, and gone back to."""

    dice: Random
    pitches: list[int] = field(default_factory=list)


class $Player(StatefulGenerator[State]):
    """Written as though time only went on; what is taken back, `StatefulGenerator` takes back."""

    def begin(self) -> State:
        return State(Random(self.seed))

    def hear(self, state: State, note: Note) -> None:
        state.pitches = [*state.pitches[-15:], note.pitch]

    def play(self, state: State, request: Request) -> Phrase:
        leap = round(request.controls["leap"])
        step_ticks = 480 // _NOTES_A_BEAT[request.controls["pace"]]
        accents = request.controls["accent"] or "x"
        notes = []
        # The first place of the grid that is not before the phrase, then every one in it.
        first = -(-request.start_ticks // step_ticks)
        for place in range(first, -(-request.end_ticks // step_ticks)):
            here = state.pitches[-1] if state.pitches else 60
            pitch = min(96, max(36, here + state.dice.randint(-leap, leap)))
            velocity = 96 if accents[place % len(accents)] == "x" else 60
            notes.append(Note(place * step_ticks, pitch, step_ticks * 3 // 4, velocity))
            state.pitches = [*state.pitches[-15:], pitch]
        return Phrase.of(notes, request.start_ticks, request.end_ticks)


def make(casting: Casting) -> $Player:
    """One player. What is slow, as loading a model, belongs here."""
    return $Player(casting.seed)
'''

_PRESET = """\
description = "Plays the generator $name."

[[voice]]
generator = "$name"
channel = 2

[voice.controls]
pace = "eighths"

[[controller]]
cc = 1                          # the modulation wheel
control = "leap"
"""

_TEST = '''\
"""The rules that every generator keeps, checked by Antiphon's kit; add what makes yours what it is."""

from antiphon.testing import check_generator
from $package.player import INFO, make


def test_it_keeps_the_rules() -> None:
    report = check_generator(make, INFO)
    print(report)
    assert not report.idle_controls
    assert report.seeds_differ
'''

_FILES: Final = {
    "pyproject.toml": _PROJECT,
    "README.md": _README,
    "$package/__init__.py": _HOOKS,
    "$package/player.py": _PLAYER,
    "$package/py.typed": "",
    "$package/presets/$name.toml": _PRESET,
    "tests/test_rules.py": _TEST,
}
"""By path; a name after a dollar is filled in."""
