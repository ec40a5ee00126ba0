"""What the names of MIDI ports mean: whose port a person asked for, and which are keyboards. It opens nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from antiphon.errors import AntiphonError
from antiphon.midi.loops import is_loop
from antiphon.spelling import nearest

_NO_KEYBOARD: Final = re.compile(
    r"^antiphon\b|\bthrough\b|^system:(timer|announce)|playback|monitor"  # ourselves, loops, the system's own
    r"|fluid\s?synth|timidity|\bsynth input\b|midi_00$"  # software synths
    r"|\bclock\b|mclk|\bmtc\b|\bmmc\b|control out|\bdaw\b|midiin2\b",  # timing, and a controller's port for DAWs
    re.IGNORECASE,
)
_HARDWARE: Final = re.compile(
    r"\s(1[6-9]|[2-9]\d|1[01]\d|12[0-7]):\d+$"  # ALSA gives the kernel's clients the numbers 16 to 127
    r"|capture",  # JACK's names of physical ports, with or without a bridge
    re.IGNORECASE,
)
CLIENT_NAME: Final = "Antiphon"
"""Name under which other programs see our ports."""
_VIRTUAL: Final = "virtual"
_VIRTUAL_NAME: Final = re.compile(r"[A-Za-z0-9](?:[\w .-]{0,30}[\w.-])?", re.ASCII)
VIRTUAL_NAME_ALLOWED: Final = "1 to 32 letters, digits, spaces, '-', '.' or '_', the first a letter or digit"
VIRTUAL_INPUT, VIRTUAL_OUTPUT = "in", "out"
"""Names of our own ports where a plan says only "virtual"."""


def virtual_name(wanted: str, direction: str) -> str | None:
    """What the port of our own is called that `wanted` asks for, such as "virtual:bass"; None if it asks for another's.

    `direction`: "input" or "output", by which a plain "virtual" is called.
    """
    if wanted == _VIRTUAL:
        return VIRTUAL_INPUT if direction == "input" else VIRTUAL_OUTPUT
    return wanted.removeprefix("virtual:") if wanted.startswith("virtual:") else None


def virtual_name_problems(inputs: Sequence[str], outputs: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the names of our own ports: the list, the name there, and why it cannot be."""
    taken: dict[str, str] = {}
    for key, direction, names in (("inputs", "input", inputs), ("outputs", "output", outputs)):
        for wanted in names:
            name = virtual_name(wanted, direction)
            if name is None or wanted == _VIRTUAL:
                continue
            if not _VIRTUAL_NAME.fullmatch(name):
                yield key, wanted, f"the name of a port of our own is {VIRTUAL_NAME_ALLOWED}, such as 'virtual:bass'"
            elif name.casefold() in (VIRTUAL_INPUT, VIRTUAL_OUTPUT):
                yield key, wanted, f"plain 'virtual' is called '{name.casefold()}' already; choose another name"
            elif taken.setdefault(name.casefold(), wanted) != wanted or (key == "outputs" and wanted in inputs):
                yield key, wanted, "a port of our own has that name already; give each a name of its own"


def match_port(wanted: str, available: Sequence[str], direction: str) -> str:
    """The one port meant by `wanted`: its exact name, or a part of exactly one name, whatever the case.

    `direction`: "input" or "output", for the message.

    Raises:
        AntiphonError: none or several match; the message lists the candidates and the nearest name.
    """
    if wanted in available:
        return wanted
    matching = [name for name in available if wanted.casefold() in name.casefold()]
    if len(matching) == 1:
        return matching[0]
    if not available:
        raise AntiphonError(f"MIDI {direction} '{wanted}' not found: there are no MIDI {direction}s at all")
    problem = f"matches {len(matching)} ports; write more of the name" if matching else "matches no port"
    meant = "" if matching else nearest(wanted, available, cutoff=0.4)
    hint = f"; did you mean '{meant}'?" if meant else ""
    listed = "\n".join(f"  {name}" for name in matching or available)
    raise AntiphonError(f"MIDI {direction} '{wanted}' {problem}{hint}; candidates:\n{listed}")


def auto_inputs(available: Sequence[str]) -> list[str]:
    """The keyboards among `available`: hardware if there is any, else other programs; never ourselves or a loop."""
    playable = [name for name in available if not _NO_KEYBOARD.search(name) and not is_loop(name)]
    return [name for name in playable if _HARDWARE.search(name)] or playable
