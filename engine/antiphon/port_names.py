"""What the names of MIDI ports mean: which one a person asked for, and which are keyboards. It opens nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Final

from antiphon.errors import AntiphonError

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
    folded = {name.casefold(): name for name in available}
    nearest = difflib.get_close_matches(wanted.casefold(), folded, n=1, cutoff=0.4)
    hint = f"; did you mean '{folded[nearest[0]]}'?" if nearest and not matching else ""
    listed = "\n".join(f"  {name}" for name in matching or available)
    raise AntiphonError(f"MIDI {direction} '{wanted}' {problem}{hint}; candidates:\n{listed}")


def auto_inputs(available: Sequence[str]) -> list[str]:
    """The keyboards among `available`: hardware if there is any, else other programs; never ourselves or a loop."""
    playable = [name for name in available if not _NO_KEYBOARD.search(name)]
    return [name for name in playable if _HARDWARE.search(name)] or playable
