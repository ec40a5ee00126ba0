"""Kinds of values in a preset: what each may be, in words, too, and what it is in a plan."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, PlainValidator

from antiphon.controls import ControlValue
from antiphon.duet.plan import GRIDS
from antiphon.midi.port_names import composed
from antiphon.music import messages
from antiphon.music.note_names import (
    PITCH_ALLOWED,
    SCALE_ALLOWED,
    parse_pitch,
    parse_scale,
    pitch_class_names,
    pitch_name,
)
from antiphon.music.timing import TimeSignature
from antiphon.presets.step_notation import NOTATION_ALLOWED

END_ALLOWED: Final = f"'played', 'prior', a MIDI file's path, ending in .mid, or {NOTATION_ALLOWED}"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Says in words what a value may be, where its type cannot."""

    text: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """How what a plan holds, and what a file says, are made of each other, where they differ."""

    to_plan: Callable[[Any], Any]
    to_file: Callable[[Any], Any]


SAME: Final = Meaning(lambda value: value, lambda value: value)
_FROM_ONE: Final = Meaning(lambda number: number - 1, lambda number: number + 1)
"""People count from 1, the wire from 0."""


def _parse_signature(value: object) -> TimeSignature:
    match = re.fullmatch(r"(\d{1,2})/(2|4|8|16)", value) if isinstance(value, str) else None
    if match is None or not 1 <= int(match[1]) <= 32:
        raise ValueError
    return TimeSignature(int(match[1]), int(match[2]))


def _parse_launch(value: object) -> str:
    if value not in ("now", *GRIDS):
        raise ValueError
    return str(value)


def _parse_touch(value: object) -> str:
    if value != "stop" and str(value).removeprefix("finish_") not in GRIDS:
        raise ValueError
    return str(value)


def _parse_clock_out(value: object) -> bool | list[str]:
    if isinstance(value, bool):
        return value
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name for name in value):
        raise ValueError
    return _check_distinct([composed(name) for name in value])


def _parse_control(value: object) -> float | str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return float(value)


def _parse_setting(value: object) -> ControlValue:
    if isinstance(value, bool) or not isinstance(value, int | float | str) or value in (math.inf, -math.inf):
        raise ValueError
    return value


def _check_order(pitches: list[int]) -> list[int]:
    if pitches[0] > pitches[1]:
        raise ValueError
    return pitches


def _check_knob(controller: int) -> int:
    if controller in messages.PEDALS.values():
        raise ValueError
    return controller


def _check_distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) != len(values):
        raise ValueError
    return values


def _parse_bank(value: object) -> int:
    parts = value if isinstance(value, list) else [0, value]
    highest = 127 if isinstance(value, list) else 128 * 128 - 1
    numbers = [part for part in parts if type(part) is int and 0 <= part <= highest]
    if not len(parts) == len(numbers) == 2:
        raise ValueError
    return 128 * numbers[0] + numbers[1]


Signature = Annotated[
    TimeSignature,
    PlainValidator(_parse_signature),
    Allowed("1 to 32 beats over 2, 4, 8 or 16, such as '4/4'"),
    Meaning(SAME.to_plan, str),
]
Launch = Annotated[
    str,
    PlainValidator(_parse_launch),
    Allowed("'now', 'beat', 'half_bar', 'bar', or groups of bars: '2_bars' to '16_bars'"),
]
Touch = Annotated[
    str,
    PlainValidator(_parse_touch),
    Allowed("'stop', 'finish_beat', 'finish_half_bar', 'finish_bar', or 'finish_2_bars' to 'finish_16_bars'"),
]
Bank = Annotated[
    int,
    PlainValidator(_parse_bank),
    Allowed("[MSB, LSB], each a whole number, 0 to 127, or one, 0 to 16383, which is 128 × MSB + LSB"),
    Meaning(SAME.to_plan, lambda bank: list(divmod(bank, 128))),
]
"""What the controllers 0 and 32 say together (MIDI 1.0, bank select)."""
Pitch = Annotated[int, PlainValidator(parse_pitch), Allowed(PITCH_ALLOWED), Meaning(SAME.to_plan, pitch_name)]
PitchRange = Annotated[
    list[Pitch],
    Field(min_length=2, max_length=2),
    AfterValidator(_check_order),
    Allowed(f"two notes, the lower first, each {PITCH_ALLOWED}"),
    Meaning(tuple, lambda pitches: [pitch_name(pitch) for pitch in pitches]),
]
Scale = Annotated[
    frozenset[int] | Literal["auto"] | None,
    PlainValidator(lambda value: value if value == "auto" else parse_scale(value)),
    Allowed(f"{SCALE_ALLOWED}, or 'auto'"),
    Meaning(SAME.to_plan, lambda scale: scale if scale == "auto" else pitch_class_names(scale)),
]
Text = Annotated[str, Field(min_length=1)]
PortName = Annotated[Text, AfterValidator(composed)]
EndText = Annotated[
    str,
    Field(min_length=1),
    Allowed(END_ALLOWED),
]
"""What it says, `presets` reads: a file lies beside the preset's."""
Channel = Annotated[int, Field(ge=1, le=16), _FROM_ONE]
Channels = Annotated[
    list[Channel],
    Meaning(
        lambda channels: frozenset(channel - 1 for channel in channels),
        lambda channels: [channel + 1 for channel in sorted(channels)],
    ),
]
Program = Annotated[int, Field(ge=1, le=128), _FROM_ONE]
Controller = Annotated[int, Field(ge=0, le=119)]
"""120 and above are channel mode messages, not controllers (MIDI 1.0, table III)."""
Knob = Annotated[
    Controller, AfterValidator(_check_knob), Allowed("a whole number, 0 to 119, but no pedal: 64, 66 or 67")
]
"""What turns something: a pedal, which is up or down, is played with, and only hands over, captures or taps."""
ClockOut = Annotated[
    bool | list[str],
    PlainValidator(_parse_clock_out),
    Allowed("true, false, or a list of `outputs`, 1 or more, each once"),
    Meaning(
        lambda ports: ports if isinstance(ports, bool) else tuple(ports),
        lambda ports: ports if isinstance(ports, bool) else list(ports),
    ),
]
Setting = Annotated[ControlValue, PlainValidator(_parse_setting), Allowed("a number, or a text in quotes")]
Latencies = Annotated[
    dict[PortName, Annotated[float, Field(ge=-100, le=100)]],
    Allowed("milliseconds, -100 to 100, each under the name of a port"),
]
ControlValues = Annotated[
    list[float | Text],
    Field(min_length=2, max_length=128),
    Allowed("a list of 2 to 128 values of that control, from the one at 0 to the one at 127"),
    Meaning(tuple, list),
]
PortNames = Annotated[
    list[PortName],
    Field(min_length=1),
    AfterValidator(_check_distinct),
    Allowed("a list of names, 1 or more, each once"),
    Meaning(tuple, list),
]
SomePorts = Annotated[PortNames, Meaning(frozenset, sorted)]
"""A choice among the preset's, in no order."""
