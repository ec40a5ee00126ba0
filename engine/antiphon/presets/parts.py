"""What a preset says of a generator's parts becomes channels, sounds and outputs, or mistakes."""

from __future__ import annotations

from collections.abc import Collection

from antiphon.duet.plan import PartPlan
from antiphon.generator import GeneratorInfo
from antiphon.presets.document import Document
from antiphon.presets.lines import KeyPath
from antiphon.presets.schema import PartTable, VoiceTable


def read_parts(
    document: Document, key: KeyPath, voice: VoiceTable, info: GeneratorInfo | None, outputs: Collection[str]
) -> tuple[PartPlan, ...]:
    """The parts that the voice's generator has, each where the preset puts it; none if it has but one.

    `info`: of the generator; None, if there is no such. `outputs`: those of the preset.
    """
    if info is None:
        return ()
    for name, table in voice.parts.items():
        here = (*key, "parts", name)
        if name not in info.parts:
            lacking = f": generator '{info.name}' has no such part"
            document.refuse_name(here, name, info.parts, lacking=lacking, given=[(*key, "generator")])
        if table.output is not None and table.output not in outputs:
            document.refuse_name((*here, "output"), table.output, outputs, given=[("outputs",)])
        if table.bank is not None and table.program is None and voice.program is None:
            text = " has no effect without a program, for a synth takes the two together; add program, or remove it"
            document.refuse((*here, "bank"), text)
    parts = tuple(_part(name, voice.parts.get(name, PartTable()), voice) for name in info.parts)
    for index, part in enumerate(parts):
        for other in parts[:index]:
            apart = None not in (part.output, other.output) and part.output != other.output
            same = (part.program, part.bank) == (other.program, other.bank)
            if part.channel == other.channel and not apart and not same:
                where = (*key, "parts", part.name if part.name in voice.parts else other.name)
                text = f": parts '{other.name}' and '{part.name}' have two sounds on channel {part.channel + 1}"
                document.refuse(where, f"{text}; give each a channel of its own", given=[(*key, "channel")])
    return parts


def _part(name: str, table: PartTable, voice: VoiceTable) -> PartPlan:
    program = voice.program if table.program is None else table.program
    inherited = voice.bank if table.program is None else None
    return PartPlan(
        name,
        (voice.channel if table.channel is None else table.channel) - 1,
        voice.output if table.output is None else table.output,
        None if program is None else program - 1,
        inherited if table.bank is None else table.bank,
    )
