"""Presets: a TOML file becomes a `Plan`, or an error that names every mistake in it. It plays nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from antiphon.controls import ChoiceControl, ControlValue
from antiphon.duet.modes import MODES, mode_with
from antiphon.duet.plan import (
    End,
    Handover,
    MorphPlan,
    Plan,
    VelocityCurve,
    VoicePlan,
)
from antiphon.duet.routing import input_names, output_names
from antiphon.errors import AntiphonError
from antiphon.generator import Constraints, GeneratorInfo
from antiphon.midi.port_names import virtual_name_problems
from antiphon.music.note_names import pitch_name
from antiphon.music.timing import next_multiple
from antiphon.notes import Phrase
from antiphon.plugins.host import why_missing
from antiphon.presets.controllers import read_controller
from antiphon.presets.document import Document, nearest_file, read_document, shown, validate
from antiphon.presets.idle import HANDOVER_KEYS, idle_keys
from antiphon.presets.keys import plan_values
from antiphon.presets.lines import KeyPath
from antiphon.presets.parts import read_parts
from antiphon.presets.reach import within_reach
from antiphon.presets.remote import read_remote, refuse_clashes
from antiphon.presets.schema import MAX_VOICES, PresetFile, VoiceTable
from antiphon.presets.step_notation import parse_steps
from antiphon.presets.tempo import read_metronome, read_tempo_control
from antiphon.presets.values import END_ALLOWED

Generators = Mapping[str, GeneratorInfo]
"""What is known of each generator, by its name."""

Rehearse = Callable[[str, str | None], str | None]
"""Why a generator, by its name, cannot be made with a model; None if it can."""

Value = TypeVar("Value")

_MODEL_SUFFIXES: Final = (".onnx", ".npz")
"""By which a model is known as a file, and not as a name."""


def load_preset(path: Path, generators: Generators, rehearse: Rehearse | None = None) -> Plan:
    """The performance that a preset file describes, with every control resolved.

    `rehearse`: tries each generator with its model, which may take seconds; without it, only a performance does.

    Raises:
        AntiphonError: the file cannot be read or has mistakes; one line for each,
            `FILE:LINE: KEY is VALUE; allowed: …`, in the order of the file.
    """
    return plan_of(read_document(path), generators, rehearse)


def plan_of(document: Document, generators: Generators, rehearse: Rehearse | None = None) -> Plan:
    """As `load_preset`, of a file that is read already."""
    if "presets" in document.values:
        raise AntiphonError(f"{document.path}: is a setlist; a preset is needed here")
    return _Reading(document, generators, rehearse).plan()


class _Reading:
    """One preset on its way from tables to a plan. Everything wrong is collected before anything is raised."""

    def __init__(self, document: Document, generators: Generators, rehearse: Rehearse | None) -> None:
        self.document = document
        self.generators = generators
        self.rehearse = rehearse
        controls = {control.name for info in generators.values() for control in info.controls}
        self.file = validate(document, PresetFile, dict.fromkeys(controls, "in [voice.controls]"))

    def plan(self) -> Plan:
        file, document = self.file, self.document
        known = self.generators
        self._count_voices()
        self._check_virtual_names()
        made = {
            "name": document.path.stem if file.name is None else file.name,
            "voices": tuple(self._voice(("voice", index), voice) for index, voice in enumerate(file.voice)),
            "signature": file.time_signature,
            "clock_out": self._clock_out(),
            "latency": self._latencies("latency", file.latency),
            "clock_latency": self._latencies("clock_latency", file.clock_latency),
            "controllers": tuple(
                mapping
                for index, table in enumerate(file.controller)
                if (mapping := read_controller(document, file, ("controller", index), table, known)) is not None
            ),
            "prompt": None if file.prompt is None else self._music(("prompt",), file.prompt),
            "tempo_control": read_tempo_control(document, file),
            "metronome": read_metronome(document, file),
            "remote": read_remote(document, file.remote, input_names(Plan(inputs=tuple(file.inputs)))),
        }
        plan = Plan(**plan_values(file, Plan) | made)
        self._check_programs(plan.voices)
        refuse_clashes(document, plan.remote, [plan])
        document.raise_problems()
        return plan

    def _count_voices(self) -> None:
        """As the file has them: a voice that is no table is another mistake."""
        voices = self.document.values.get("voice", [])
        if isinstance(voices, list) and not 1 <= len(voices) <= MAX_VOICES:
            surplus: KeyPath = ("voice", MAX_VOICES) if voices else ("voice",)
            text = f": this preset has {len(voices) or 'no'} voices; allowed: one to four [[voice]] tables"
            self.document.refuse(surplus, text)

    def _check_virtual_names(self) -> None:
        """Ports of our own need names that every system can show, and one for each port."""
        for key, wanted, error in virtual_name_problems(self.file.inputs, self.file.outputs):
            self.document.refuse((key,), f" has {shown(wanted)}: {error}")

    def _check_programs(self, voices: tuple[VoicePlan, ...]) -> None:
        """Voices that share a channel of an output share its sound: all that name one must name the same."""
        document = self.document
        sounds: dict[tuple[str, int], int] = {}
        for index, voice in enumerate(voices):
            outputs = (
                output_names([Plan(outputs=tuple(self.file.outputs))]) if voice.output is None else (voice.output,)
            )
            if voice.program is None:
                continue
            for output in outputs:
                first = sounds.setdefault((output, voice.channel), index)
                if (voices[first].program, voices[first].bank) != (voice.program, voice.bank):
                    written = self.file.voice[first]
                    bank = "" if written.bank is None else f" of bank {written.bank}"
                    text = (
                        f" is {voice.program + 1}, but voice {first + 1} has {written.program}{bank} on channel "
                        f"{voice.channel + 1} as well; give one of them another channel or output"
                    )
                    given = [("voice", number, name) for number in (first, index) for name in ("channel", "output")]
                    document.refuse(("voice", index, "program"), text, given=[("outputs",), *given])

    def _clock_out(self) -> bool | tuple[str, ...]:
        """Where a clock is sent to; nowhere after a mistake."""
        file, key, given = self.file, ("clock_out",), [("outputs",)]
        if not file.clock_out:
            return False
        if file.sync != "internal":
            text = f" has no effect while sync is '{file.sync}'; remove it, or set sync = \"internal\""
            self.document.refuse(key, text, given=[("sync",)])
            return False
        ports = [name for name in output_names([Plan(outputs=tuple(file.outputs))]) if name != "synth"]
        if not ports:
            self.document.refuse(key, " has no effect: there is no port among outputs; the built-in synth needs none")
        if file.clock_out is True:
            return True
        for name in file.clock_out:
            if name not in ports:
                self.document.refuse_name(key, name, ports, given=given)
        return tuple(file.clock_out)

    def _latencies(self, table: str, given: Mapping[str, float]) -> Mapping[str, float]:
        """Milliseconds by the names of ports, which must be among the outputs, or, for a clock, among the inputs."""
        ports = Plan(inputs=tuple(self.file.inputs), outputs=tuple(self.file.outputs))
        listed, names = ("outputs", output_names([ports])) if table == "latency" else ("inputs", input_names(ports))
        for name in given:
            if name not in names:
                lacking = f": there is no such port among {listed}"
                self.document.refuse_name((table, name), name, names, lacking=lacking, given=[(listed,)])
        return {name: float(value) for name, value in given.items()}

    def _voice(self, key: KeyPath, voice: VoiceTable) -> VoicePlan:
        document = self.document
        for name, generator in (("generator", voice.generator), ("fallback", voice.fallback)):
            if generator not in self.generators:
                lacking = f" is {shown(generator)}{why_missing(generator, self.generators)}"
                document.refuse_name((*key, name), generator, self.generators, lacking=lacking)
        model = None if voice.model is None else self._model((*key, "model"), voice.model)
        self._rehearse(key, voice, model)
        outputs = output_names([Plan(outputs=tuple(self.file.outputs))])
        if voice.output is not None and voice.output not in outputs:
            document.refuse_name((*key, "output"), voice.output, outputs, given=[("outputs",)])
        inputs = input_names(Plan(inputs=tuple(self.file.inputs)))
        for name in voice.inputs or ():
            if name not in inputs:
                document.refuse_name((*key, "inputs"), name, inputs, given=[("inputs",)])
        if voice.bank is not None and voice.program is None:
            text = " has no effect without a program, for a synth takes the two together; add program, or remove it"
            document.refuse((*key, "bank"), text)
        self._refuse_idle(key, voice)
        self._check_halves(key, voice)
        made = {
            "model": model,
            "follows": self.generators[voice.generator].follows if voice.generator in self.generators else "free",
            "handover": self._handover((*key, "handover"), voice),
            "morph": self._morph(key, voice),
            "controls": self._controls(key, voice),
            "constraints": self._constraints(key, voice),
            "heard_scale": voice.scale == "auto",
            "parts": read_parts(document, key, voice, self.generators.get(voice.generator), outputs),
            "velocity": VelocityCurve(**plan_values(voice.velocity, VelocityCurve)),
            "input_low": voice.input_range[0],
            "input_high": voice.input_range[1],
        }
        return VoicePlan(**plan_values(voice, VoicePlan) | made)

    def _rehearse(self, key: KeyPath, voice: VoiceTable, model: str | None) -> None:
        """Try the generators of a voice as a performance makes them."""
        document = self.document
        if self.rehearse is None:
            return
        for name, generator, used in (("generator", voice.generator, model), ("fallback", voice.fallback, None)):
            here = (*key, name if used is None else "model")
            if generator not in self.generators or here in document.problems:
                continue
            problem = self.rehearse(generator, used)
            if problem is not None:
                value = generator if used is None else voice.model
                document.refuse(here, f" is {shown(value)}: {problem}")

    def _refuse_idle(self, key: KeyPath, voice: VoiceTable) -> None:
        """Refuse what is given and has no effect with this mode and this rule."""
        for path, reason in idle_keys(voice.mode, voice.handover.by).items():
            table = voice.handover if path[0] == "handover" else voice
            if path[-1] in table.model_fields_set:
                value, other = (voice.mode, mode_with(path)) if reason == ("mode",) else (voice.handover.by, "bars")
                text = f" has no effect while {reason[-1]} is '{value}'; remove it, or set {reason[-1]} = \"{other}\""
                self.document.refuse((*key, *path), text, given=[(*key, *reason)])

    def _check_halves(self, key: KeyPath, voice: VoiceTable) -> None:
        signature = self.file.time_signature
        for name, value in (("launch", voice.launch), ("touch", voice.touch)):
            if value.endswith("half_bar") and signature.beats % 2:
                text = f" is '{value}', but a bar of {signature} has no half on a beat; allowed: beats or whole bars"
                self.document.refuse((*key, name), text, given=[("time_signature",)])

    def _handover(self, key: KeyPath, voice: VoiceTable) -> Handover:
        table, mode, by = voice.handover, voice.mode, (*key, "by")
        owners = {name: rule for rule, names in reversed(HANDOVER_KEYS.items()) for name in names}
        for name in sorted(table.model_fields_set - {"by", *HANDOVER_KEYS[table.by]}):
            text = f" has no effect while by is '{table.by}'; remove it, or set by = \"{owners[name]}\""
            self.document.refuse((*key, name), text, given=[by])
        if table.by not in MODES[mode].rules:
            allowed = " or ".join(shown(rule) for rule in MODES[mode].rules)
            text = f" is '{table.by}', but mode is '{mode}'; allowed: {allowed}"
            self.document.refuse(by, text, given=[(*key[:-1], "mode")])
        if table.min_seconds > table.max_seconds and ("handover", "min_seconds") not in MODES[mode].idle_keys:
            allowed = f"max_seconds ({table.max_seconds:g}) or less"
            self.document.refuse_value(
                (*key, "min_seconds"), table.min_seconds, allowed, given=[by, (*key, "max_seconds")]
            )
        if table.by == "trigger" and table.trigger_note is None and table.trigger_cc is None:
            triggers = [(*key, name) for name in HANDOVER_KEYS["trigger"]]
            self.document.refuse(
                by, " is 'trigger', but nothing triggers; add trigger_note or trigger_cc", given=triggers
            )
        return Handover(**plan_values(table, Handover))

    def _morph(self, key: KeyPath, voice: VoiceTable) -> MorphPlan | None:
        """The ends, for a generator that interpolates; `None` for others, and after a mistake."""
        document, info, given = self.document, self.generators.get(voice.generator), [(*key, "generator")]
        rules = MODES[voice.mode]
        if info is None:
            return None
        if not info.interpolates:
            able = ", ".join(shown(name) for name in sorted(self.generators) if self.generators[name].interpolates)
            text = f", but generator '{info.name}' does not interpolate; those that do: {able or 'none'}"
            if rules.loops == "needed":
                document.refuse((*key, "mode"), f" is '{voice.mode}'{text}", given=given)
            elif "morph" in voice.model_fields_set:
                document.refuse((*key, "morph"), f" is given{text}", given=given)
            return None
        if rules.loops == "refused":
            *others, last = (f"'{mode}'" for mode, each in MODES.items() if each.loops != "refused")
            allowed = f"{', '.join(others)} or {last}"
            text = f" is '{voice.mode}', but generator '{info.name}' plays loops; allowed: {allowed}"
            document.refuse((*key, "mode"), text, given=given)
            return None
        here, table = (*key, "morph"), voice.morph
        for name, trigger in (
            ("capture_note", voice.handover.trigger_note),
            ("capture_cc", voice.handover.trigger_cc),
        ):
            if trigger is not None and getattr(table, name) == trigger:
                document.refuse((*here, name), f" is {trigger}, which hands over already; choose another")
        a = self._end((*here, "a"), table.a)
        b = self._end((*here, "b"), _first(table.b, rules.b))
        return None if a is None or b is None else MorphPlan(a, b, table.capture_note, table.capture_cc)

    def _end(self, key: KeyPath, text: str) -> End | None:
        """The music that `text` names or spells, rounded up to whole bars, or `None` after a mistake."""
        if text == "played":
            return "played"
        if text == "prior":
            return "prior"
        if text.lower().endswith((".mid", ".midi")):
            phrase = self._music(key, text)
        else:
            try:
                phrase = parse_steps(text)
            except ValueError as error:
                self.document.refuse(key, f" is {shown(text)}: {error}; allowed: {END_ALLOWED}")
                return None
        if phrase is None:
            return None
        return Phrase(0, next_multiple(phrase.end_ticks, self.file.time_signature.bar_ticks), phrase.notes)

    def _controls(self, key: KeyPath, voice: VoiceTable) -> Mapping[str, ControlValue]:
        """The generator's controls, resolved; empty after a mistake."""
        info = self.generators.get(voice.generator)
        wrong_generator = [(*key, "generator")]
        if info is None:
            return {}
        known = {control.name: control for control in info.controls}
        right: dict[str, ControlValue] = {}
        for name, value in voice.controls.items():
            here = (*key, "controls", name)
            if name not in known:
                lacking = f": generator '{info.name}' has no such control"
                self.document.refuse_name(here, name, known, lacking=lacking, given=wrong_generator)
            elif isinstance(value, str) and isinstance(control := known[name], ChoiceControl):
                if control.allows(value):
                    right[name] = value
                else:
                    self.document.refuse_name(here, value, control.choices, given=wrong_generator)
            elif not known[name].allows(value):
                self.document.refuse_value(here, value, known[name].allowed, given=wrong_generator)
            else:
                right[name] = value
        return info.resolve_controls(right)

    def _constraints(self, key: KeyPath, voice: VoiceTable) -> Constraints:
        low, high = voice.range
        if voice.scale == "auto":
            return Constraints(low, high, None, voice.polyphony)
        if voice.scale is not None and not any(pitch % 12 in voice.scale for pitch in range(low, high + 1)):
            text = f" leaves nothing to play: no note of it lies in the range {pitch_name(low)} to {pitch_name(high)}"
            self.document.refuse((*key, "scale"), text, given=[(*key, "range")])
        return Constraints(low, high, voice.scale, voice.polyphony)

    def _model(self, key: KeyPath, model: str) -> str:
        """A file beside the preset as a full path; a name, which may have no slash, as it is."""
        named = "/" in model or "\\" in model or model.lower().endswith(_MODEL_SUFFIXES)
        try:
            path = within_reach(self.document.path, model)
        except AntiphonError as error:
            if named:
                self.document.refuse(key, f" is {shown(model)}: {error}")
            return model
        if path.is_file():
            return str(path)
        if named:
            hint = nearest_file(path, *_MODEL_SUFFIXES)
            self.document.refuse(key, f" is {shown(model)}: there is no such file{hint} looked for: {path}")
        return model

    def _music(self, key: KeyPath, name: str) -> Phrase | None:
        """The music of a MIDI file beside the preset, or `None` after a mistake."""
        # Few presets name a file.
        from antiphon.music.midi_file import read_score

        hint = ""
        try:
            path = within_reach(self.document.path, name)
            hint = "" if path.is_file() else nearest_file(path, ".mid", ".midi").rstrip(";")
            return read_score(path).phrase()
        except AntiphonError as error:
            self.document.refuse(key, f" is {shown(name)}: {error}{hint}")
            return None


def _first(value: Value | None, default: Value) -> Value:
    return default if value is None else value
