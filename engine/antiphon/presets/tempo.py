"""What a preset says of tempo controls and click becomes a part of its plan, or mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from antiphon.duet.plan import MetronomePlan, Plan, TempoPlan
from antiphon.duet.routing import output_names
from antiphon.music import messages
from antiphon.music.note_names import pitch_name
from antiphon.presets.document import Document
from antiphon.presets.keys import plan_values
from antiphon.presets.schema import PresetFile

_NO_EFFECT: Final = " has no effect while sync is 'midi'; remove it, or set sync = \"internal\""


def read_tempo_control(document: Document, file: PresetFile) -> TempoPlan:
    """What moves the tempo; nothing of it is of use after a mistake."""
    table, key = file.tempo_control, "tempo_control"
    if file.sync == "midi":
        for name in sorted(table.model_fields_set):
            document.refuse((key, name), _NO_EFFECT, given=[("sync",)])
        return TempoPlan()
    if table.cc is None:
        for name in sorted(table.model_fields_set & {"low_bpm", "high_bpm"}):
            document.refuse((key, name), " has no effect without cc; add cc, or remove it", given=[(key, "cc")])
    turning: dict[int, str] = {mapping.cc: "turns a control" for mapping in file.controller if mapping.cc is not None}
    controllers, notes = turning | controllers_in_use(file), _known(_notes(file))
    if table.tap_note is not None and table.tap_note in notes:
        text = f" is {pitch_name(table.tap_note)}, which {notes[table.tap_note]} already; choose another"
        document.refuse((key, "tap_note"), text)
    for name, number in (("tap_cc", table.tap_cc), ("cc", table.cc)):
        if number is not None and number in controllers:
            document.refuse((key, name), f" is {number}, which {controllers[number]} already; choose another")
        elif number is not None:
            controllers[number] = "taps the beat"
    return TempoPlan(**plan_values(table, TempoPlan))


def read_metronome(document: Document, file: PresetFile) -> MetronomePlan:
    """The click; of no use after a mistake."""
    table, key = file.metronome, "metronome"
    outputs = output_names([Plan(outputs=tuple(file.outputs))])
    if table.output is not None and table.output not in outputs:
        document.refuse_name((key, "output"), table.output, outputs, given=[("outputs",)])
    if file.sync == "midi" and table.count_in_bars:
        document.refuse((key, "count_in_bars"), _NO_EFFECT, given=[("sync",)])
    return MetronomePlan(**plan_values(table, MetronomePlan))


def controllers_in_use(file: PresetFile) -> dict[int, str]:
    """The controllers that a voice listens to as commands, and what each of them does."""
    return _known(_controllers(file))


def _controllers(file: PresetFile) -> Iterator[tuple[int | None, str]]:
    for voice in file.voice:
        yield voice.morph.capture_cc, "captures"
        if voice.handover.by == "trigger":
            yield voice.handover.trigger_cc, "hands over"
        elif voice.handover.by == "pedal":
            yield messages.PEDALS[voice.handover.pedal], "hands over"


def _notes(file: PresetFile) -> Iterator[tuple[int | None, str]]:
    """The keys that do, and what each of them does."""
    for voice in file.voice:
        yield voice.morph.capture_note, "captures"
        if voice.handover.by == "trigger":
            yield voice.handover.trigger_note, "hands over"


def _known(found: Iterable[tuple[int | None, str]]) -> dict[int, str]:
    return {number: what for number, what in found if number is not None}
