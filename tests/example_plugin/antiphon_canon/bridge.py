"""A bridge: fills a gap with a line that leads from the last note before it to the first after it, a note a beat."""

from __future__ import annotations

from antiphon import TICKS_PER_BEAT, Casting, Gap, GeneratorInfo, Note, Phrase, Request

INFO = GeneratorInfo(
    name="bridge",
    summary="Fills a gap with a line from what is before it to what comes after it.",
    latency="instant",
    fills=True,
)


class Bridge:
    """What it plays follows from the two notes at the edges. Where there is no gap, it stays on the last one heard."""

    def __init__(self) -> None:
        self._heard = Phrase(0, 0)

    def prime(self, heard: Phrase) -> None:
        self._heard = heard

    def rewind(self, to_ticks: int) -> None:
        notes = tuple(note for note in self._heard.notes if note.start_ticks < to_ticks)
        self._heard = Phrase(min(self._heard.start_ticks, to_ticks), min(self._heard.end_ticks, to_ticks), notes)

    def extend(self, request: Request) -> Phrase:
        here = self._heard.notes[-1] if self._heard.notes else Note(0, 60, TICKS_PER_BEAT, 80)
        there, begin, end = here, request.start_ticks, request.end_ticks
        if isinstance(request.given, Gap):
            # The same line, whether the gap is asked for at once or bar by bar.
            begin, end = request.given.before.end_ticks, request.given.after.start_ticks
            there = request.given.after.notes[0] if request.given.after.notes else here
        notes = []
        for ticks in range(begin, end, TICKS_PER_BEAT):
            if request.start_ticks <= ticks < request.end_ticks:
                share = (ticks + TICKS_PER_BEAT - begin) / (end + TICKS_PER_BEAT - begin)
                pitch = round(here.pitch + share * (there.pitch - here.pitch))
                velocity = round(here.velocity + share * (there.velocity - here.velocity))
                notes.append(Note(ticks, pitch, TICKS_PER_BEAT, velocity))
        return Phrase(request.start_ticks, request.end_ticks, tuple(notes))


def make(casting: Casting) -> Bridge:
    """It needs no model and throws no dice."""
    return Bridge()
