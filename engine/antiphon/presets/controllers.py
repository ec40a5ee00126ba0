"""What a preset says of a knob becomes a mapping of a plan, or mistakes."""

from __future__ import annotations

from collections.abc import Mapping

from antiphon.controls import AnyControl, ChoiceControl, Control, ControlValue, TextControl
from antiphon.duet.plan import (
    ControllerMapping,
)
from antiphon.duet.voice_controls import SCALE, VOICE_CONTROLS
from antiphon.generator import GeneratorInfo
from antiphon.music.note_names import SCALE_ALLOWED, UnknownName, parse_scale
from antiphon.presets.document import Document, shown
from antiphon.presets.idle import idle_control
from antiphon.presets.lines import KeyPath
from antiphon.presets.schema import ControllerTable, PresetFile
from antiphon.presets.tempo import controllers_in_use


def read_controller(
    document: Document, file: PresetFile, key: KeyPath, table: ControllerTable, generators: Mapping[str, GeneratorInfo]
) -> ControllerMapping | None:
    """The mapping, or `None` after a mistake."""
    voices = file.voice
    for name, written in (("cc", table.cc), ("control", table.control)):
        if written is None:
            document.refuse((*key, name), f" is missing; add {name} to this [[controller]]")
    if table.voice > len(voices):
        allowed = f"a whole number, 1 to {len(voices)}, as there are voices"
        if voices:
            document.refuse_value((*key, "voice"), table.voice, allowed)
        return None
    info = generators.get(voices[table.voice - 1].generator)
    if info is None or table.control is None:
        return None
    given = [("voice", table.voice - 1, "generator"), (*key, "voice")]
    known = controls_of(info)
    if table.control not in (*known, SCALE):
        document.refuse_name((*key, "control"), table.control, (*known, SCALE), given=given)
        return None
    own = any(control.name == table.control for control in info.controls)
    handover = voices[table.voice - 1].handover
    if not own and (idle := idle_control(table.control, voices[table.voice - 1].mode, handover.by)):
        choice = handover.by if idle == ("handover", "by") else voices[table.voice - 1].mode
        text = f" is '{table.control}', which has no effect while {idle[-1]} of that voice is '{choice}'"
        document.refuse((*key, "control"), text, given=[*given, ("voice", table.voice - 1, *idle)])
    control = known.get(table.control)
    if isinstance(control, TextControl):
        turnable = [name for name, each in known.items() if not isinstance(each, TextControl)]
        lacking = f" is {shown(control.name)}, a text, which no controller turns"
        document.refuse_name((*key, "control"), control.name, turnable, lacking=lacking, given=given)
        return None
    if table.values is not None:
        for name in sorted(table.model_fields_set & {"low", "high"}):
            document.refuse((*key, name), " has no effect beside values; remove it", given=[(*key, "values")])
    elif isinstance(control, ChoiceControl):
        text = f" has no effect: control '{control.name}' goes through {control.allowed}; remove it"
        for name in sorted(table.model_fields_set & {"low", "high"}):
            document.refuse((*key, name), text, given=[*given, (*key, "control")])
    elif control is None:
        document.refuse((*key, "values"), f" is missing; add values, each {SCALE_ALLOWED}, or 'auto'")
    for path, value in (
        (("low",), table.low),
        (("high",), table.high),
        *((("values", index), value) for index, value in enumerate(table.values or ())),
    ):
        if value is not None and not _fits(control, value):
            words = f"{SCALE_ALLOWED}, or 'auto'" if control is None else control.allowed
            document.refuse_value((*key, *path), value, words, given=given)
    if table.cc is None:
        return None
    if table.cc in controllers_in_use(file):
        text = f" is {table.cc}, which {controllers_in_use(file)[table.cc]} already; choose another"
        document.refuse((*key, "cc"), text)
    values = tuple(table.values or (control.choices if isinstance(control, ChoiceControl) else ()))
    low, high = (0.0, 0.0) if values or not isinstance(control, Control) else (control.low, control.high)
    return ControllerMapping(
        table.cc,
        table.voice - 1,
        table.control,
        low if table.low is None else table.low,
        high if table.high is None else table.high,
        values,
    )


def controls_of(info: GeneratorInfo) -> dict[str, AnyControl]:
    """The controls of a voice that `info` plays for; the generator's own come first."""
    return VOICE_CONTROLS | {control.name: control for control in info.controls}


def _fits(control: AnyControl | None, value: ControlValue) -> bool:
    """Whether a control can be set to `value`; None: the scale."""
    if control is not None:
        return control.allows(value)
    try:
        parse_scale(value)
    except UnknownName:
        return value == "auto"
    return True
