"""A plan as the text of a preset file that says the same, every value spelt out. It writes no file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from antiphon.duet.plan import (
    ALL_CHANNELS,
    ControllerMapping,
    Handover,
    MetronomePlan,
    MorphPlan,
    PartPlan,
    Plan,
    RemotePlan,
    TempoPlan,
    VoicePlan,
)
from antiphon.music.note_names import pitch_class_names, pitch_name
from antiphon.notes import Phrase
from antiphon.presets.reading import HANDOVER_KEYS, idle_keys
from antiphon.presets.remote import CONTROLLERS, NOTES
from antiphon.presets.step_notation import steps_text


def preset_text(plan: Plan) -> str:
    """TOML that loads as an equal plan; but what lies in a MIDI file of its own is only remarked upon."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield from _pairs(
        {
            "name": plan.name,
            "tempo_bpm": plan.tempo_bpm,
            "time_signature": str(plan.signature),
            "sync": plan.sync,
            "clock_out": list(plan.clock_out) if isinstance(plan.clock_out, tuple) else plan.clock_out,
            "seed": plan.seed,
            "inputs": list(plan.inputs),
            "outputs": list(plan.outputs),
            "thru": plan.thru,
            "switch": plan.switch,
        }
    )
    if plan.prompt is not None:
        yield f"# prompt: {len(plan.prompt.notes)} notes, from a MIDI file"
    for table, latencies in (("latency", plan.latency), ("clock_latency", plan.clock_latency)):
        if latencies:
            yield from ("", f"[{table}]", *_pairs({_toml(name): value for name, value in latencies.items()}))
    if remote := dict(_remote(plan.remote)):
        yield from ("", "[remote]", *_pairs(remote))
    if tempo := dict(_tempo_control(plan.tempo_control)):
        yield from ("", "[tempo_control]", *_pairs(tempo))
    yield from ("", "[metronome]", *_pairs(_metronome(plan.metronome)))
    for voice in plan.voices:
        idle = idle_keys(voice.mode, voice.handover.by)
        yield from ("", "[[voice]]", *_pairs({k: v for k, v in _voice(voice).items() if (k,) not in idle}))
        rule = {k: v for k, v in _handover(voice.handover).items() if ("handover", k) not in idle}
        yield from ("", "[voice.handover]", *_pairs(rule))
        if voice.morph is not None:
            yield from ("", "[voice.morph]", *_morph(voice.morph))
        for part in voice.parts:
            yield from ("", f"[voice.parts.{part.name}]", *_pairs({"channel": part.channel + 1, **_sound(part)}))
        yield from ("", "[voice.controls]", *_pairs(voice.controls))
    for mapping in plan.controllers:
        yield from ("", "[[controller]]", *_pairs(_controller(mapping)))


def _voice(voice: VoicePlan) -> dict[str, object]:
    limits = voice.constraints
    return {
        "generator": voice.generator,
        "model": voice.model,
        "mode": voice.mode,
        "launch": voice.launch,
        "touch": voice.touch,
        "answer_bars": voice.answer_bars,
        "length": voice.length,
        "channel": voice.channel + 1,
        **_sound(voice),
        "transpose": voice.transpose,
        "range": [pitch_name(limits.low_pitch), pitch_name(limits.high_pitch)],
        "scale": "auto" if voice.heard_scale else None if limits.scale is None else pitch_class_names(limits.scale),
        "below_melody": voice.below_melody,
        "polyphony": limits.polyphony,
        "fallback": voice.fallback,
        "inputs": None if voice.inputs is None else sorted(voice.inputs),
        "input_channels": [channel + 1 for channel in sorted(voice.input_channels)],
        "input_range": [pitch_name(voice.input_low), pitch_name(voice.input_high)],
        "velocity": {"low": voice.velocity.low, "high": voice.velocity.high, "gamma": voice.velocity.gamma},
    }


def _sound(part: VoicePlan | PartPlan) -> dict[str, object]:
    return {
        "program": None if part.program is None else part.program + 1,
        "bank": None if part.bank is None else list(divmod(part.bank, 128)),
        "output": part.output,
    }


def _handover(handover: Handover) -> dict[str, object]:
    values = {name: getattr(handover, name) for name in ("by", *HANDOVER_KEYS[handover.by])}
    if values.get("trigger_note") is not None:
        values["trigger_note"] = pitch_name(values["trigger_note"])
    return values


def _morph(morph: MorphPlan) -> Iterator[str]:
    for name, end in (("a", morph.a), ("b", morph.b)):
        if isinstance(end, Phrase) and (text := steps_text(end)) is None:
            yield f"# {name}: {len(end.notes)} notes, from a MIDI file"
        else:
            yield from _pairs({name: text if isinstance(end, Phrase) else end})
    note = None if morph.capture_note is None else pitch_name(morph.capture_note)
    yield from _pairs({"capture_note": note, "capture_cc": morph.capture_cc})


def _remote(remote: RemotePlan) -> Iterator[tuple[str, object]]:
    for name in (*NOTES, *CONTROLLERS):
        if (number := getattr(remote, name)) is not None:
            yield name, pitch_name(number) if name in NOTES else number
    if remote.program_channels != ALL_CHANNELS:
        yield "program_channels", [channel + 1 for channel in sorted(remote.program_channels)]
    if remote.program_inputs is not None:
        yield "program_inputs", sorted(remote.program_inputs)


def _tempo_control(control: TempoPlan) -> Iterator[tuple[str, object]]:
    if control.tap_note is not None:
        yield "tap_note", pitch_name(control.tap_note)
    if control.tap_cc is not None:
        yield "tap_cc", control.tap_cc
    if control.cc is not None:
        yield from (("cc", control.cc), ("low_bpm", control.low_bpm), ("high_bpm", control.high_bpm))


def _metronome(metronome: MetronomePlan) -> dict[str, object]:
    return {
        "on": metronome.on,
        "count_in_bars": metronome.count_in_bars,
        "output": metronome.output,
        "channel": metronome.channel + 1,
        "note": pitch_name(metronome.note),
        "accent_note": pitch_name(metronome.accent_note),
        "velocity": metronome.velocity,
    }


def _controller(mapping: ControllerMapping) -> dict[str, object]:
    between = {"low": mapping.low, "high": mapping.high}
    return {
        "cc": mapping.controller,
        "voice": mapping.voice + 1,
        "control": mapping.control,
        **({"values": list(mapping.values)} if mapping.values else between),
    }


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
