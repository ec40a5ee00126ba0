"""A plan as the text of a preset file that says the same, every value spelt out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from antiphon.duet.plan import (
    ALL_CHANNELS,
    ControllerMapping,
    Handover,
    MorphPlan,
    Plan,
    RemotePlan,
    TempoPlan,
    VoicePlan,
)
from antiphon.notes import Phrase
from antiphon.presets.idle import HANDOVER_KEYS, idle_keys
from antiphon.presets.keys import file_values
from antiphon.presets.schema import (
    ControllerTable,
    HandoverTable,
    MetronomeTable,
    MorphTable,
    PartTable,
    PresetFile,
    RemoteTable,
    TempoControlTable,
    VelocityTable,
    VoiceTable,
)
from antiphon.presets.step_notation import steps_text


def preset_text(plan: Plan) -> str:
    """TOML that loads as an equal plan; but what lies in a MIDI file of its own is only remarked upon."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield from _pairs(file_values(PresetFile, plan, time_signature=plan.signature, prompt=None))
    if plan.prompt is not None:
        yield f"# prompt: {len(plan.prompt.notes)} notes, from a MIDI file"
    for table, latencies in (("latency", plan.latency), ("clock_latency", plan.clock_latency)):
        if latencies:
            yield from ("", f"[{table}]", *_pairs({_toml(name): value for name, value in latencies.items()}))
    if remote := _remote(plan.remote):
        yield from ("", "[remote]", *_pairs(remote))
    if tempo := _tempo_control(plan.tempo_control):
        yield from ("", "[tempo_control]", *_pairs(tempo))
    yield from ("", "[metronome]", *_pairs(file_values(MetronomeTable, plan.metronome)))
    for voice in plan.voices:
        idle = idle_keys(voice.mode, voice.handover.by)
        yield from ("", "[[voice]]", *_pairs({k: v for k, v in _voice(voice).items() if (k,) not in idle}))
        rule = {k: v for k, v in _handover(voice.handover).items() if ("handover", k) not in idle}
        yield from ("", "[voice.handover]", *_pairs(rule))
        if voice.morph is not None:
            yield from ("", "[voice.morph]", *_morph(voice.morph))
        for part in voice.parts:
            yield from ("", f"[voice.parts.{part.name}]", *_pairs(file_values(PartTable, part)))
        yield from ("", "[voice.controls]", *_pairs(voice.controls))
    for mapping in plan.controllers:
        yield from ("", "[[controller]]", *_pairs(_controller(mapping)))


def _voice(voice: VoicePlan) -> dict[str, object]:
    limits = voice.constraints
    return file_values(
        VoiceTable,
        voice,
        range=(limits.low_pitch, limits.high_pitch),
        scale="auto" if voice.heard_scale else limits.scale,
        polyphony=limits.polyphony,
        input_range=(voice.input_low, voice.input_high),
        velocity=file_values(VelocityTable, voice.velocity),
    )


def _handover(handover: Handover) -> dict[str, object]:
    values = file_values(HandoverTable, handover)
    return {name: values[name] for name in ("by", *HANDOVER_KEYS[handover.by]) if name in values}


def _morph(morph: MorphPlan) -> Iterator[str]:
    for name, end in (("a", morph.a), ("b", morph.b)):
        if isinstance(end, Phrase) and (text := steps_text(end)) is None:
            yield f"# {name}: {len(end.notes)} notes, from a MIDI file"
        else:
            yield from _pairs({name: text if isinstance(end, Phrase) else end})
    yield from _pairs(file_values(MorphTable, morph, a=None, b=None))


def _remote(remote: RemotePlan) -> dict[str, object]:
    channels = None if remote.program_channels == ALL_CHANNELS else remote.program_channels
    return file_values(RemoteTable, remote, program_channels=channels)


def _tempo_control(control: TempoPlan) -> dict[str, object]:
    without_knob: dict[str, object] = {"low_bpm": None, "high_bpm": None} if control.cc is None else {}
    return file_values(TempoControlTable, control, **without_knob)


def _controller(mapping: ControllerMapping) -> dict[str, object]:
    between: dict[str, object] = {"low": None, "high": None} if mapping.values else {"values": None}
    return file_values(ControllerTable, mapping, cc=mapping.controller, voice=mapping.voice + 1, **between)


def _pairs(values: Mapping[str, object]) -> Iterator[str]:
    """TOML has no null: what is `None` is left out."""
    return (f"{name} = {_toml(value)}" for name, value in values.items() if value is not None)


def _toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(_pairs(value))} }}"
    if isinstance(value, str):
        # A JSON string is a TOML string, but for the delete character, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
