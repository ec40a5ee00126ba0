"""What may stand in a session's journal: types and ranges, and that time goes on. It reads no file.

A journal can be bent by a disk, an editor or a merge. What is not refused here can be played again without a value that
is out of every range.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from types import UnionType
from typing import Any, Final, Literal, Union, assert_never, get_args, get_origin, get_type_hints

from antiphon.duet.casting import PlayerTable
from antiphon.duet.commands import Decision
from antiphon.duet.events import (
    Chosen,
    CountInBegan,
    Ended,
    Event,
    Heard,
    Located,
    MetronomeSwitched,
    PlayerAnswered,
    PlayerFailed,
    PlayerLost,
    PlayerReady,
    Restarted,
    Selected,
    Skipped,
    TempoChanged,
    TransportStarted,
    TransportStopped,
)
from antiphon.duet.plan import GRIDS, Plan
from antiphon.duet.schedule import METRONOME, Send
from antiphon.generator import MOST_PARTS
from antiphon.music.messages import is_well_formed
from antiphon.session.header import Header

_LAST_TICK: Final = 1 << 30
"""Twelve days at 120 beats a minute."""
_MOST: Final = 1 << 53
"""Whole numbers beyond are none to other readers of JSON (RFC 8259, section 6)."""
_SLOWEST_BPM, _FASTEST_BPM = 0.1, 10_000.0


def parsed(line: str) -> Any:
    """A line of JSON. Raises ValueError if it is none, or holds a number that is not finite or beyond 2^53."""

    def number(text: str) -> float:
        value = float(text)
        if not math.isfinite(value):
            raise ValueError(f"{text} is no number")
        return value

    def whole(text: str) -> int:
        value = int(text)
        if abs(value) > _MOST:
            raise ValueError(f"{text} is too large")
        return value

    try:
        return json.loads(line, parse_constant=number, parse_float=number, parse_int=whole)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


class Rules:
    """Checks the lines of one journal, in order."""

    def __init__(self, header: Header) -> None:
        """Raises ValueError if a value of the header is out of range."""
        for problem in _problems_of(header):
            raise ValueError(problem)
        voices = max(len(plan.voices) for plan in header.plans)
        self._ranges: dict[str, tuple[float, float]] = {
            **dict.fromkeys(("ticks", "to_ticks", "due_ticks"), (0, _LAST_TICK)),
            **dict.fromkeys(("bpm", "towards_bpm"), (_SLOWEST_BPM, _FASTEST_BPM)),
            "song_ticks": (-_LAST_TICK, _LAST_TICK),
            "slot": (0, len(PlayerTable(header.plans).needed) - 1),
            "plan": (0, len(header.plans) - 1),
            "voice": (0, voices - 1),
            "source": (METRONOME, voices - 1),
            "output": (0, len(header.outputs) - 1),
            "epoch": (0, _MOST),
            "index": (-1, _MOST),
        }
        self._parts = [
            max(len(plan.voices[voice].all_parts) for plan in header.plans if voice < len(plan.voices))
            for voice in range(voices)
        ]
        self._now_ticks = 0

    def check(self, what: Event | Send) -> None:
        """Raises ValueError if `what`, an event or a message, is none, or comes before what stands ahead of it."""
        self._check_fields(what)
        match what:
            case Send():
                parts = self._parts[what.source] if what.source >= 0 else 1
                if not 0 <= what.part < parts:
                    raise ValueError(f"part is {what.part}; allowed: 0 to {parts - 1}")
            case Decision():
                pass  # It may be meant for later, as a message may.
            case Skipped():
                self._go_on(what.ticks)
                if what.to_ticks < what.ticks:
                    raise ValueError(f"it goes back from tick {what.ticks} to tick {what.to_ticks}")
                self._now_ticks = what.to_ticks
            case (
                Heard()
                | PlayerReady()
                | PlayerLost()
                | PlayerAnswered()
                | PlayerFailed()
                | Chosen()
                | Selected()
                | Restarted()
                | Ended()
                | TempoChanged()
                | Located()
                | TransportStopped()
                | TransportStarted()
                | MetronomeSwitched()
                | CountInBegan()
            ):
                self._go_on(what.ticks)
            case _:
                assert_never(what)

    def _go_on(self, ticks: int) -> None:
        if ticks < self._now_ticks:
            raise ValueError(f"it is at tick {ticks}, after tick {self._now_ticks}")
        self._now_ticks = ticks

    def _check_fields(self, what: Any) -> None:
        kind: type = type(what)
        for name, hint in _hints(kind).items():
            value = getattr(what, name)
            if not _is(value, hint):
                raise ValueError(f"{name} is {value!r}")
            if name == "message" and not is_well_formed(value):
                raise ValueError(f"{value.hex()!r} is no MIDI message")
            if name == "failure":
                self._check_fields(value)
            low, high = self._ranges.get(name, (-math.inf, math.inf))
            if isinstance(value, int | float) and not low <= value <= high:
                raise ValueError(f"{name} is {value!r}; allowed: {low:g} to {high:g}")


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _is(value: object, hint: Any) -> bool:
    """Whether `value` is what a field of this type may hold; True and False are no numbers."""
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint) if isinstance(value, str) else False
    if origin in (Union, UnionType):
        return any(_is(value, choice) for choice in get_args(hint))
    if origin is tuple:
        return isinstance(value, tuple) and all(_is(item, get_args(hint)[0]) for item in value)
    if hint in (int, float):
        return isinstance(value, (int, float) if hint is float else int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _problems_of(header: Header) -> Iterator[str]:
    if not header.plans:
        yield "it has no plans"
    if len(set(header.outputs)) < len(header.outputs):
        yield f"its outputs are {header.outputs!r}"
    for plan in header.plans:
        for name, value, low, high in _ranges_of(plan):
            if value is not None and not low <= value <= high:
                yield f"{name} is {value!r}; allowed: {low:g} to {high:g}"
        for voice in plan.voices:
            for name, grid in (("launch", voice.launch), ("touch", voice.touch.removeprefix("finish_"))):
                if grid not in (*GRIDS, "now", "stop"):
                    yield f"{name} is {grid!r}"
        if plan.signature.unit & (plan.signature.unit - 1):
            yield f"signature is {plan.signature}"


def _ranges_of(plan: Plan) -> Iterator[tuple[str, float | None, float, float]]:
    """Name, value, lowest and highest allowed of the numbers in a plan."""
    yield "the number of voices", len(plan.voices), 1, 128
    yield "tempo_bpm", plan.tempo_bpm, _SLOWEST_BPM, _FASTEST_BPM
    yield "beats", plan.signature.beats, 1, 255
    yield "unit", plan.signature.unit, 1, 64
    yield "seed", plan.seed, 0, _MOST
    for number in ("tap_note", "tap_cc", "cc"):
        yield number, getattr(plan.tempo_control, number), 0, 127
    yield "low_bpm", plan.tempo_control.low_bpm, _SLOWEST_BPM, _FASTEST_BPM
    yield "high_bpm", plan.tempo_control.high_bpm, _SLOWEST_BPM, _FASTEST_BPM
    for number in ("panic_note", "panic_cc", "next_note", "next_cc", "previous_note", "previous_cc"):
        yield number, getattr(plan.remote, number), 0, 127
    yield "count_in_bars", plan.metronome.count_in_bars, 0, 64
    yield "channel", plan.metronome.channel, 0, 15
    for number in ("note", "accent_note", "velocity"):
        yield number, getattr(plan.metronome, number), 0, 127
    for mapping in plan.controllers:
        yield "controller", mapping.controller, 0, 127
        yield "voice", mapping.voice, 0, len(plan.voices) - 1
    for voice in plan.voices:
        yield "the number of parts", len(voice.parts), 0, MOST_PARTS
        for part in voice.all_parts:
            yield "channel", part.channel, 0, 15
            yield "program", part.program, 0, 127
            yield "bank", part.bank, 0, 16_383
        yield "transpose", voice.transpose, -127, 127
        yield "length", voice.length, 0.01, 100
        yield "patience", voice.handover.patience, 0.01, 100
        yield "answer_bars", voice.answer_bars, 1, 1000
        yield "bars", voice.handover.bars, 1, 1000
        yield "trigger_note", voice.handover.trigger_note, 0, 127
        yield "trigger_cc", voice.handover.trigger_cc, 0, 127
        for name in ("silence_multiple", "min_seconds", "max_seconds"):
            yield name, getattr(voice.handover, name), 0, 86_400
        yield "low", voice.velocity.low, 1, 127
        yield "high", voice.velocity.high, 1, 127
        yield "gamma", voice.velocity.gamma, 0.01, 100
        yield "low_pitch", voice.constraints.low_pitch, 0, 127
        yield "high_pitch", voice.constraints.high_pitch, voice.constraints.low_pitch, 127
        yield "polyphony", voice.constraints.polyphony, 1, 128
        for channel in voice.input_channels:
            yield "input_channels", channel, 0, 15
