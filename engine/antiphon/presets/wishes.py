"""Wishes of the command line beside a preset: another generator, a control, a key.

What is wished for holds for every voice that it can have an effect on; what has an effect on none is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from antiphon.controls import ChoiceControl, Control, ControlValue
from antiphon.duet.modes import MODES
from antiphon.duet.plan import ControllerMapping, MorphPlan, Plan, VoicePlan
from antiphon.duet.voice_controls import RANGE, SCALE, playable, turned
from antiphon.errors import AntiphonError
from antiphon.generator import GeneratorInfo
from antiphon.music.note_names import SCALE_ALLOWED, UnknownName, parse_pitch, parse_scale, pitch_name
from antiphon.presets.controllers import controls_of
from antiphon.presets.idle import idle_control
from antiphon.presets.reading import Generators
from antiphon.spelling import did_you_mean


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asks for on the command line; nothing, unless said."""

    generator: str | None = None
    model: str | None = None
    """A name, or the path of a file."""
    bars: int | None = None
    """Length of an answer; of turns, of both."""
    key: str | None = None
    """A scale that has a name, or `auto`."""
    controls: Sequence[tuple[str, ControlValue]] = ()
    """Names of controls, of the generator's own or of those that every voice has, and values."""

    def granted(self, plans: Sequence[Plan], generators: Generators) -> tuple[Plan, ...]:
        """`plans` with all of it. Raises AntiphonError if a wish is unknown, out of range, or without effect."""
        settings = [*self.controls, *([] if self.key is None else [(SCALE, check_key(self.key))])]
        granted = tuple(self._recast(plan, generators) for plan in plans)
        for name, value in settings:
            granted = _set(granted, generators, name, value)
        return granted if self.bars is None else _counted(granted, self.bars)

    def _recast(self, plan: Plan, generators: Generators) -> Plan:
        """The plan, with another generator or model for each of its voices."""
        if self.generator is None and self.model is None:
            return plan
        voices = []
        for voice in plan.voices:
            info = known_generator(self.generator or voice.generator, generators)
            model = None if self.model is None else model_path(self.model)
            if info.name != voice.generator:
                voice = _played_by(info, voice, plan.name)
            voices.append(replace(voice, model=model))
        mappings = (_mapped(mapping, generators[voices[mapping.voice].generator]) for mapping in plan.controllers)
        return replace(plan, voices=tuple(voices), controllers=tuple(m for m in mappings if m is not None))


def setting(text: str) -> tuple[str, ControlValue]:
    """Name and value of a NAME=VALUE; what is no number is a word. Raises AntiphonError if it is none."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise AntiphonError(f"--set {text}: allowed: NAME=VALUE, such as temperature=0.8 or length=2")
    try:
        return name, float(value)
    except ValueError:
        return name, value


def check_key(key: str, option: str = "--key") -> str:
    """`key`, if it is a scale or `auto`. Raises AntiphonError otherwise, naming the option that asks for it."""
    try:
        parse_scale(key)
    except UnknownName as error:
        if key != "auto":
            nearest = f"; did you mean '{error}'?" if str(error) else ";"
            raise AntiphonError(f"{option} is '{key}'{nearest} allowed: {SCALE_ALLOWED}, or 'auto'") from error
    return key


def known_generator(name: str, generators: Generators) -> GeneratorInfo:
    """The generator of that name. Raises AntiphonError if there is none."""
    if name not in generators:
        known = ", ".join(sorted(generators))
        raise AntiphonError(f"--generator is '{name}'{did_you_mean(name, generators)} allowed: {known}")
    return generators[name]


def model_path(model: str) -> str:
    """A file as a full path, a name as it is. Raises AntiphonError if it looks like a file, and is none."""
    path = Path(model).expanduser()
    if path.exists():
        return str(path.absolute())
    if "/" in model or "\\" in model:
        raise AntiphonError(f"--model is '{model}': there is no such file; `antiphon models` lists models by name")
    return model


def _set(plans: Sequence[Plan], generators: Generators, name: str, value: ControlValue) -> tuple[Plan, ...]:
    """A control set for every voice that has it, and on which it has an effect."""
    reasons = []
    changed = []
    for plan in plans:
        voices = []
        for voice in plan.voices:
            info = known_generator(voice.generator, generators)
            reason = _without_effect(voice, info, name)
            reasons.append(reason)
            voices.append(voice if reason else _with(voice, info, name, value))
        changed.append(replace(plan, voices=tuple(voices)))
    if all(reasons):
        raise AntiphonError(f"--set {name}{reasons[0]}")
    return tuple(changed)


def _without_effect(voice: VoicePlan, info: GeneratorInfo, name: str) -> str | None:
    """Why a voice is not changed by a control of that name; None if it is."""
    names = sorted({*controls_of(info), SCALE})
    if name not in names:
        return f": '{info.name}' has no such control{did_you_mean(name, names)} it has: {', '.join(names)}"
    idle = None if _is_own(info, name) else idle_control(name, voice.mode, voice.handover.by)
    if idle is None:
        return None
    return f" has no effect while {idle[-1]} is '{voice.mode if idle == ('mode',) else voice.handover.by}'"


def _with(voice: VoicePlan, info: GeneratorInfo, name: str, value: ControlValue) -> VoicePlan:
    """`voice` with a control that it has set. Raises AntiphonError for a value that is not allowed."""
    if name == SCALE and not _is_own(info, name):
        changed = turned(voice, SCALE, check_key(value if isinstance(value, str) else f"{value:g}", f"--set {name}"))
        if playable(changed.constraints) != changed.constraints:
            low, high = (pitch_name(p) for p in (voice.constraints.low_pitch, voice.constraints.high_pitch))
            raise AntiphonError(f"'{value}' leaves nothing to play: no note of it lies in the range {low} to {high}")
        return changed
    control = controls_of(info)[name]
    number = _pitch(value) if isinstance(value, str) and name in RANGE and not _is_own(info, name) else value
    if not control.allows(number):
        given = f"'{number}'" if isinstance(number, str) else f"{number:g}"
        names = "a note name, such as C3, or " if name in RANGE else ""
        raise AntiphonError(f"--set {name} is {given}; allowed: {names}{control.allowed}")
    if _is_own(info, name):
        return replace(voice, controls={**voice.controls, name: number})
    return turned(voice, name, number)


def _is_own(info: GeneratorInfo, name: str) -> bool:
    return any(control.name == name for control in info.controls)


def _pitch(value: str) -> ControlValue:
    """The note number of a name; what is none, as it is."""
    try:
        return parse_pitch(value)
    except UnknownName:
        return value


def _played_by(info: GeneratorInfo, voice: VoicePlan, preset: str) -> VoicePlan:
    """`voice`, played by another generator: of its controls those stay that this one has, too, within its bounds."""
    loops = MODES[voice.mode].loops
    if info.interpolates and loops == "refused":
        raise AntiphonError(f"--generator {info.name} plays loops, and cannot {voice.mode} as preset '{preset}' wants")
    if loops == "needed" and not info.interpolates:
        raise AntiphonError(
            f"--generator {info.name} does not interpolate, as preset '{preset}' needs; try another preset"
        )
    known = {control.name: control for control in info.controls}
    kept = {name: value for name, value in voice.controls.items() if name in known and known[name].allows(value)}
    morph = (voice.morph or MorphPlan(b="played")) if info.interpolates else None
    return replace(voice, generator=info.name, follows=info.follows, controls=info.resolve_controls(kept), morph=morph)


def _mapped(mapping: ControllerMapping, info: GeneratorInfo) -> ControllerMapping | None:
    """What a controller turns of another generator: the control of that name, all of it if the bounds differ."""
    control = controls_of(info).get(mapping.control)
    if control is None:
        return mapping if mapping.control == SCALE else None
    numbers = mapping.values or (mapping.low, mapping.high)
    if all(control.allows(number) for number in numbers):
        return mapping
    if isinstance(control, Control):
        return replace(mapping, low=control.low, high=control.high, values=())
    return replace(mapping, values=control.choices) if isinstance(control, ChoiceControl) else None


def _counted(plans: Sequence[Plan], bars: int) -> tuple[Plan, ...]:
    """Answers of so many bars; where turns are counted, both are so long."""
    answering = [voice for plan in plans for voice in plan.voices if MODES[voice.mode].ends]
    if not answering:
        modes = ", ".join(sorted({voice.mode for plan in plans for voice in plan.voices}))
        raise AntiphonError(f"--bars has no effect: the mode is {modes}, which does not end by itself")
    return tuple(replace(plan, voices=tuple(_with_bars(voice, bars) for voice in plan.voices)) for plan in plans)


def _with_bars(voice: VoicePlan, bars: int) -> VoicePlan:
    if not MODES[voice.mode].ends:
        return voice
    if voice.handover.by == "turns":
        voice = replace(voice, handover=replace(voice.handover, bars=bars))
    return replace(voice, answer_bars=bars)
