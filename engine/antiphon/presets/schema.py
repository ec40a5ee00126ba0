"""What may stand in a preset or setlist, key by key, and what it is in a plan. It refuses what it does not know.

The one table of keys: the reader makes a plan by it, the writer a file, and the reference is compared with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from types import NoneType
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator
from pydantic.fields import FieldInfo

from antiphon.controls import ControlValue
from antiphon.duet.plan import GRIDS, HandoverBy, Mode, Pedal, Switch, Sync
from antiphon.duet.voice_controls import LENGTHS
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

MAX_VOICES: Final = 4
MAX_PRESETS: Final = 16
"""Most presets in a setlist."""
END_ALLOWED: Final = f"'played', 'prior', a MIDI file's path, ending in .mid, or {NOTATION_ALLOWED}"
EVERY_CHANNEL: Final = list(range(1, 17))


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
    Meaning(lambda ports: ports if isinstance(ports, bool) else tuple(ports), SAME.to_file),
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


class Table(BaseModel):
    """A table of a file: nothing unknown, nothing converted, no infinities."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class HandoverTable(Table):
    """When your call is over and the voice takes its turn."""

    by: HandoverBy = Field(default="silence", description="What ends the call.")
    silence_multiple: float = Field(
        default=2.5, ge=1, le=20, description="By silence: how many of your usual gaps between notes make an end."
    )
    min_seconds: float = Field(
        default=0.3, ge=0.05, le=30, description="By silence: the shortest silence that ends a call."
    )
    max_seconds: float = Field(default=1.5, ge=0.05, le=30, description="By silence: the longest one it waits for.")
    patience: float = Field(
        default=1.0,
        ge=LENGTHS[0],
        le=LENGTHS[1],
        description="By silence and by bars: it waits so many times as long as the other keys say.",
    )
    breath_beats: float = Field(
        default=0.0,
        ge=0,
        le=8,
        description="By silence: where your phrase has not come to rest, so many beats of your pulse from your last "
        "note on are a breath; and the answer comes in on your pulse. 0: silence alone decides.",
    )
    pedal: Pedal = Field(default="sostenuto", description="By pedal: which one; its press is not passed on.")
    bars: int = Field(
        default=2,
        ge=1,
        le=64,
        description="By bars: length of the call, from the bar in which it begins. By turns: length of your turn.",
    )
    trigger_note: Pitch | None = Field(
        default=None, description="By trigger: the key that ends the call; it does not sound."
    )
    trigger_cc: Controller | None = Field(
        default=None, description="By trigger: the controller that ends the call when it rises to 64 or more."
    )


class VelocityTable(Table):
    """How loud the voice plays: from `low` to `high`, bent by `gamma`."""

    low: int = Field(default=1, ge=1, le=127, description="Velocity of its softest notes.")
    high: int = Field(default=127, ge=1, le=127, description="Velocity of its loudest notes.")
    gamma: float = Field(default=1.0, ge=0.1, le=10, description="Below 1 lifts soft notes; above 1 softens them.")


class MorphTable(Table):
    """Between what a generator that interpolates plays: two loops of whole bars, A and B."""

    a: EndText = Field(
        default="played", description="End A: what you played last, whatever the model holds likely, or music."
    )
    b: EndText | None = Field(
        default=None, description="End B. Absent: in the mode 'morph' as 'prior', in the others as 'played'."
    )
    capture_note: Pitch | None = Field(
        default=None, description="A key that captures what you played last, as A, then as B, and so on; it is silent."
    )
    capture_cc: Controller | None = Field(
        default=None, description="A controller that does the same when it rises to 64 or more."
    )


class PartTable(Table):
    """One part of a generator that plays several at once: where it is heard, and with what sound."""

    channel: Channel | None = Field(default=None, description="MIDI channel it plays on. Absent: the voice's.")
    program: Program | None = Field(
        default=None, description="General MIDI sound, 1 is a grand piano. Absent: the voice's."
    )
    bank: Bank | None = Field(
        default=None, description="Bank of that sound. Absent: the voice's, if the program is absent, too."
    )
    output: Text | None = Field(default=None, description="One of `outputs`. Absent: the voice's.")


class VoiceTable(Table):
    """One voice: which generator plays, when, and where it is heard."""

    generator: Text = Field(default="markov", description="Who plays; `antiphon plugins` lists them.")
    model: Text | None = Field(
        default=None, description="Its model: a name, or a path from this file's folder. Absent: the generator's own."
    )
    mode: Mode = Field(
        default="answer",
        description="Answer each call; take over and keep on until you touch a key; accompany you while you play; or "
        "take over between two pieces of music, see `morph`.",
    )
    launch: Launch = Field(
        default="now",
        description="Where its first note falls: at once, or on the next beat, half bar, bar, or group of bars.",
    )
    touch: Touch = Field(
        default="stop",
        description="What your key press does while it plays: stop it, or let it finish the beat, the bar, the bars.",
    )
    answer_bars: int | None = Field(
        default=None, ge=1, le=64, description="Length of an answer in bars. Absent: as long as your call."
    )
    length: float = Field(
        default=1.0, ge=LENGTHS[0], le=LENGTHS[1], description="It answers so many times as long; 2 is twice as long."
    )
    channel: Channel = Field(default=2, description="MIDI channel it plays on, as keyboards and DAWs count them.")
    program: Program | None = Field(
        default=None,
        description="General MIDI sound, 1 is a grand piano. Absent: the synth's present one.",
    )
    bank: Bank | None = Field(
        default=None, description="Bank of that sound, as the synth's manual has it. Absent: the synth's present one."
    )
    output: PortName | None = Field(
        default=None, description='One of `outputs`; "auto" there gives "virtual" and "synth". Absent: all of them.'
    )
    transpose: int = Field(default=0, ge=-48, le=48, description="Semitones added to what it plays.")
    range: PitchRange = Field(default=[0, 127], description="Lowest and highest note it may generate.")
    scale: Scale = Field(
        default=None, description="Notes it may generate; 'auto': those of the key you play in. Absent: all twelve."
    )
    below_melody: bool = Field(
        default=False, description="Playing along: whether it keeps below your melody, however high that goes."
    )
    polyphony: int = Field(default=16, ge=1, le=64, description="Most notes it sounds at once.")
    fallback: Text = Field(default="markov", description="Generator that stands in when this one is late or fails.")
    inputs: SomePorts | None = Field(
        default=None, description="Which of the preset's `inputs` it listens to. Absent: all of them."
    )
    input_channels: Channels = Field(default=EVERY_CHANNEL, min_length=1, description="MIDI channels it listens to.")
    input_range: PitchRange = Field(default=[0, 127], description="Lowest and highest key it listens to.")
    velocity: VelocityTable = Field(default=VelocityTable(), description="How loud it plays; see below.")
    handover: HandoverTable = Field(default=HandoverTable(), description="When your call is over; see below.")
    morph: MorphTable = Field(
        default=MorphTable(), description="What a generator that interpolates plays between; see below."
    )
    parts: dict[str, PartTable] = Field(
        default={}, description="Channel and sound of each of its generator's parts, if it has several; see below."
    )
    controls: dict[str, Setting] = Field(
        default={}, description="Its generator's own controls; `antiphon plugins` lists them."
    )


class TempoControlTable(Table):
    """What moves the tempo while you play. None of it sounds, and no voice hears it."""

    tap_note: Pitch | None = Field(default=None, description="A key on which you tap the beat.")
    tap_cc: Controller | None = Field(
        default=None, description="A controller, such as a foot switch, that taps the beat when it rises to 64 or more."
    )
    cc: Knob | None = Field(default=None, description="A knob that turns the tempo.")
    low_bpm: float = Field(default=60.0, ge=20, le=400, description="The tempo with that knob at 0.")
    high_bpm: float = Field(
        default=180.0, ge=20, le=400, description="The tempo with it at 127; less than `low_bpm` turns it round."
    )


class MetronomeTable(Table):
    """The click."""

    on: bool = Field(default=False, description="Whether it clicks while you play; the key `m` turns it on and off.")
    count_in_bars: int = Field(
        default=0, ge=0, le=4, description="Bars that are counted at the start, once everything is ready."
    )
    output: PortName | None = Field(
        default=None, description="One of `outputs`. Absent: the built-in synth if it is one of them, else all of them."
    )
    channel: Channel = Field(default=10, description="MIDI channel it is sent on; 10 has the drums in General MIDI.")
    note: Pitch = Field(default=77, description="Note of a beat; 77 is a low wood block in General MIDI.")
    accent_note: Pitch = Field(default=76, description="Note of the first beat of a bar; 76 is a high wood block.")
    velocity: int = Field(default=90, ge=1, le=127, description="How loud it is.")


class RemoteTable(Table):
    """What you command from your keyboard. None of it sounds, and no voice hears it."""

    panic_note: Pitch | None = Field(default=None, description="A key that silences everything.")
    panic_cc: Controller | None = Field(
        default=None, description="A controller that does, when it rises to 64 or more, as do those below."
    )
    next_note: Pitch | None = Field(
        default=None, description="A key that chooses the next preset of the setlist; after the last comes the first."
    )
    next_cc: Controller | None = Field(default=None, description="A controller that does.")
    previous_note: Pitch | None = Field(default=None, description="A key that chooses the preset before.")
    previous_cc: Controller | None = Field(default=None, description="A controller that does.")
    program_channels: Channels = Field(
        default=EVERY_CHANNEL,
        min_length=1,
        description="MIDI channels whose program changes choose a preset of the setlist; others are passed on.",
    )
    program_inputs: SomePorts | None = Field(
        default=None, description="Which of `inputs` they count on; on others they are passed on. Absent: all of them."
    )


class ControllerTable(Table):
    """A knob or wheel of your keyboard that turns a control while you play."""

    cc: Knob | None = Field(default=None, description="Controller number it sends. Required.")
    voice: int = Field(default=1, ge=1, le=MAX_VOICES, description="Which voice, the first [[voice]] being 1.")
    control: Text | None = Field(
        default=None,
        description="Which of that generator's controls, or of those that every voice has, see below. Required.",
    )
    low: float | None = Field(default=None, description="Value at 0. Absent: the control's lowest.")
    high: float | None = Field(
        default=None, description="Value at 127; less than `low` turns it round. Absent: its highest."
    )
    values: ControlValues | None = Field(
        default=None, description="Values that it goes through from 0 to 127, instead of `low` and `high`."
    )


class PresetFile(Table):
    """A performance: one to four voices and what they share."""

    name: Text | None = Field(default=None, description="What the screen shows. Absent: the file's name.")
    description: str = Field(default="", description="One line for `antiphon presets list`.")
    tempo_bpm: float = Field(default=120.0, ge=20, le=400, description="Quarter notes a minute.")
    time_signature: Signature = Field(default=TimeSignature(), description="Beats in a bar, and which note is a beat.")
    sync: Sync = Field(
        default="internal",
        description="Whose tempo and bars: its own, or those of a MIDI clock on one of `inputs` or of an Ableton Link "
        "session, once there is one.",
    )
    clock_out: ClockOut = Field(
        default=False, description="Whether a MIDI clock goes out, to all ports among `outputs` or to those listed."
    )
    seed: int = Field(default=0, ge=0, le=2**63 - 1, description="Same seed and same playing, same answers.")
    inputs: PortNames = Field(
        default=["auto"],
        description='Ports to listen to: "auto" (the keyboard that is found), "virtual", "virtual:NAME", or names.',
    )
    outputs: PortNames = Field(
        default=["auto"],
        description='Ports to play to: "auto" (virtual port and synth), "synth", "virtual", "virtual:NAME", or names.',
    )
    thru: bool = Field(default=True, description="Whether your own notes are passed on to the outputs.")
    prompt: Text | None = Field(
        default=None,
        description="A MIDI file, by its path from this file's folder, that every voice has in mind from the start.",
    )
    switch: Switch = Field(
        default="now",
        description="In a setlist, where it takes over when you choose it: at once, on the next beat or bar line, or "
        "when the answer is over. What played before ends there.",
    )
    remote: RemoteTable = Field(
        default=RemoteTable(), description="What you command from your keyboard, such as panic; see below."
    )
    tempo_control: TempoControlTable = Field(
        default=TempoControlTable(), description="What moves the tempo while you play; see below."
    )
    metronome: MetronomeTable = Field(default=MetronomeTable(), description="The click; see below.")
    latency: Latencies = Field(
        default={}, description="By how much each of `outputs` gets what is played later, or, below 0, earlier."
    )
    clock_latency: Latencies = Field(
        default={}, description="By how much the MIDI clock on each of `inputs` counts as later, or, below 0, earlier."
    )
    voice: Annotated[list[VoiceTable], Allowed("one to four tables, each headed [[voice]]")] = Field(
        default=[], description="Who plays; at least one."
    )
    controller: Annotated[list[ControllerTable], Allowed("tables, each headed [[controller]]")] = Field(
        default=[], description="Knobs that turn controls."
    )


class SetlistFile(Table):
    """An evening: presets in the order that program changes select them."""

    name: Text | None = Field(default=None, description="What the screen shows. Absent: the file's name.")
    description: str = Field(default="", description="One line for `antiphon presets list`.")
    presets: list[Text] = Field(
        default=[],
        min_length=1,
        max_length=MAX_PRESETS,
        description="Names of presets, or paths from this file's folder; program 1 (0 on the wire) selects the first.",
    )
    switch: Switch | None = Field(
        default=None, description="Where each of them takes over when you choose it. Absent: as each of them says."
    )
    remote: RemoteTable | None = Field(
        default=None, description="What you command from your keyboard, whichever plays. Absent: as each of them says."
    )


TABLES: Final[dict[type[Table], str]] = {
    PresetFile: "at the top of a preset",
    VoiceTable: "in [[voice]]",
    HandoverTable: "in [voice.handover]",
    VelocityTable: "in [voice.velocity]",
    MorphTable: "in [voice.morph]",
    PartTable: "in [voice.parts.NAME]",
    ControllerTable: "in [[controller]]",
    TempoControlTable: "in [tempo_control]",
    MetronomeTable: "in [metronome]",
    RemoteTable: "in [remote]",
    SetlistFile: "in a setlist",
}
"""Every kind of table, and where a file has it."""


def field_at(table: type[Table], path: tuple[str | int, ...]) -> tuple[type[Table], FieldInfo | None]:
    """The table around `path`, and the declared key that `path` leads to or into; `None` if there is no such key."""
    field, named = None, False
    for part in path:
        if isinstance(part, str):
            if field is not None:
                inner = _table_in(field.annotation)
                if inner is None:
                    break
                table = inner
                if get_origin(field.annotation) is dict and not named:
                    named = True  # It is the name that the file gives to one of several such tables.
                    continue
            field, named = table.model_fields.get(part), False
            if field is None:
                break
    return table, field


def allowed(field: FieldInfo) -> str:
    """What the values of a key may be, in words."""
    return _describe(field.annotation, field.metadata)


def plan_values(table: Table, kind: type[Any]) -> dict[str, Any]:
    """What `table` says, as a plan's dataclass `kind` has it: the keys that both have.

    A key that is a table of its own stays one.
    """
    declared = type(table).model_fields
    return {
        field.name: None
        if (value := getattr(table, field.name)) is None
        else _meaning(declared[field.name]).to_plan(value)
        for field in fields(kind)
        if field.name in declared
    }


def file_values(table: type[Table], plan: object, **elsewhere: object) -> dict[str, Any]:
    """What a file says where `plan` holds a part of a plan, key by key in the order of `table`.

    Tables of their own are left out, and what is None. `elsewhere`: values of keys that a plan keeps under another
    name.
    """
    found = {}
    for key, field in table.model_fields.items():
        inner = _table_in(field.annotation) is not None or get_origin(field.annotation) is dict
        value = elsewhere[key] if key in elsewhere else None if inner else getattr(plan, key, None)
        if value is not None:
            found[key] = _meaning(field).to_file(value)
    return found


def _meaning(field: FieldInfo) -> Meaning:
    """The last that is declared: of the key, or else of its type."""
    kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if get_origin(kind) is Annotated]
    declared = [*(item for kind in kinds for item in get_args(kind)[1:]), *field.metadata]
    return next((item for item in reversed(declared) if isinstance(item, Meaning)), SAME)


def _table_in(annotation: Any) -> type[Table] | None:
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, Table):
            return kind
    return None


def _describe(annotation: Any, metadata: list[Any]) -> str:
    for item in metadata:
        if isinstance(item, Allowed):
            return item.text
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        extra = [part for item in arguments[1:] for part in (item.metadata if isinstance(item, FieldInfo) else [item])]
        return _describe(arguments[0], [*metadata, *extra])
    if origin is Literal:
        return " or ".join(f"'{choice}'" for choice in arguments)
    if NoneType in arguments:
        return _describe(next(kind for kind in arguments if kind is not NoneType), metadata)
    if origin is list:
        longest = next((item.max_length for item in metadata if isinstance(item, MaxLen)), None)
        return f"a list, {_span(1, longest)} of: {_describe(arguments[0], [])}"
    if origin is dict or _table_in(annotation):
        return "a table"
    if annotation is str:
        return "text" if any(isinstance(item, MinLen) for item in metadata) else "text, or nothing"
    if annotation is bool:
        return "true or false"
    low = next((item.ge for item in metadata if isinstance(item, Ge)), None)
    high = next((item.le for item in metadata if isinstance(item, Le)), None)
    words = "a whole number" if annotation is int else "a number"
    return words if low is None else f"{words}, {_span(low, high)}"


def _span(low: Any, high: Any) -> str:
    return f"{low} or more" if high is None else f"{low} to {high}"
