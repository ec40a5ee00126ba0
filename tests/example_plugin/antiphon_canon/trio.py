"""A canon of three: what you played enters high, then as it was, then low. It is Canon with parts."""

from __future__ import annotations

from dataclasses import replace

from antiphon import Casting, Control, GeneratorInfo, Phrase, Request
from antiphon_canon.canon import Canon, into_range, latest, rounds

INFO = GeneratorInfo(
    name="canon-trio",
    summary="Your call as a canon of three, each with a channel of its own.",
    controls=(
        Control("entry", 1, 8, 2, "beats until the next one enters"),
        Control("bars", 1, 8, 2, "bars of the latest music that are the call"),
    ),
    latency="instant",
    honours=frozenset({"range"}),
    parts=("high", "middle", "low"),
)
_OCTAVES = (12, 0, -12)


class Trio(Canon):
    """Three parts, numbered as `INFO.parts` names them; each note says whose it is."""

    def extend(self, request: Request) -> Phrase:
        call = latest(self._heard, round(request.controls["bars"]) * request.bar_ticks)
        entry_ticks = round(request.controls["entry"] * 480)
        notes = [
            replace(note, pitch=into_range(note.pitch + semitones, request.constraints), part=part)
            for part, semitones in enumerate(_OCTAVES)
            for note in rounds(call, self._heard.end_ticks, request, part * entry_ticks)
        ]
        return Phrase.of(notes, request.start_ticks, request.end_ticks)


def make(casting: Casting) -> Trio:
    """It needs no model and throws no dice."""
    return Trio()
