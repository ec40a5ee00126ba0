"""What a preset or setlist says of commands from the keyboard becomes a part of a plan, or mistakes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final

from antiphon.duet.plan import Plan, RemotePlan
from antiphon.music.messages import PEDALS
from antiphon.music.note_names import pitch_name
from antiphon.presets.document import Document
from antiphon.presets.keys import plan_values
from antiphon.presets.schema import RemoteTable

NOTES: Final = ("panic_note", "next_note", "previous_note")
CONTROLLERS: Final = ("panic_cc", "next_cc", "previous_cc")


def read_remote(document: Document, table: RemoteTable, inputs: Collection[str]) -> RemotePlan:
    """The commands; of no use after a mistake. `inputs`: the ports there are."""
    for names in (NOTES, CONTROLLERS):
        given = [(name, number) for name in names if (number := getattr(table, name)) is not None]
        counts = Counter(number for _, number in given)
        for index, (name, number) in enumerate(given):
            if counts[number] > 1 and number in [other for _, other in given[:index]]:
                document.refuse(
                    ("remote", name), f" is {_shown(name, number)}, which is a command already; choose another"
                )
    for name in table.program_inputs or ():
        if name not in inputs:
            document.refuse_name(("remote", "program_inputs"), name, inputs, given=[("inputs",)])
    return RemotePlan(**plan_values(table, RemotePlan))


def refuse_clashes(document: Document, remote: RemotePlan, plans: Iterable[Plan]) -> None:
    """Note every key and controller of `remote` that means something else in one of the plans."""
    for plan in plans:
        notes, controllers = _meant(plan)
        for names, meant in ((NOTES, notes), (CONTROLLERS, controllers)):
            for name in names:
                number = getattr(remote, name)
                if number in meant:
                    what = f"{meant[number]} in preset '{plan.name}'"
                    document.refuse(("remote", name), f" is {_shown(name, number)}, which {what}; choose another")


def _meant(plan: Plan) -> tuple[dict[int | None, str], dict[int | None, str]]:
    """The keys and the controllers that mean something, and what."""
    notes: dict[int | None, str] = {plan.tempo_control.tap_note: "taps the beat"}
    controllers: dict[int | None, str] = {
        plan.tempo_control.tap_cc: "taps the beat",
        plan.tempo_control.cc: "turns the tempo",
        **{mapping.controller: "turns a control" for mapping in plan.controllers},
    }
    for voice in plan.voices:
        notes[voice.handover.trigger_note] = controllers[voice.handover.trigger_cc] = "hands over"
        if voice.handover.by == "pedal":
            controllers[PEDALS[voice.handover.pedal]] = "hands over"
        if voice.morph is not None:
            notes[voice.morph.capture_note] = controllers[voice.morph.capture_cc] = "captures"
    notes.pop(None, None)
    controllers.pop(None, None)
    return notes, controllers


def _shown(name: str, number: int) -> str:
    return pitch_name(number) if name in NOTES else str(number)
