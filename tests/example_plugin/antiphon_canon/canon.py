"""A canon: the call comes back at an interval, upright or mirrored, round and round. It composes nothing of its own."""

from __future__ import annotations

from antiphon import Casting, Control, GeneratorInfo, Note, Phrase, Request

INFO = GeneratorInfo(
    name="canon",
    summary="Answers with your own call, at an interval, upright or upside down.",
    controls=(
        Control("interval", -12, 12, 7, "semitones above the call"),
        Control("mirror", 0, 1, 0, "from 0.5 on, what rose falls"),
        Control("bars", 1, 8, 2, "bars of the latest music that are the call"),
    ),
    latency="instant",
    honours=frozenset({"range"}),
)


class Canon:
    """All it knows is what was heard: an answer follows from that and from its place in time alone."""

    def __init__(self) -> None:
        self._heard = Phrase(0, 0)

    def prime(self, heard: Phrase) -> None:
        self._heard = heard

    def rewind(self, to_ticks: int) -> None:
        if to_ticks < self._heard.end_ticks:
            notes = tuple(note for note in self._heard.notes if note.start_ticks < to_ticks)
            self._heard = Phrase(min(self._heard.start_ticks, to_ticks), to_ticks, notes)

    def extend(self, request: Request) -> Phrase:
        call_end = self._heard.end_ticks
        call_start = call_end - round(request.controls["bars"]) * request.bar_ticks
        call = [note.closed(call_end) for note in self._heard.notes if note.start_ticks >= call_start]
        if not call:
            return Phrase(request.start_ticks, request.end_ticks)
        # A call shorter than its bars comes round as soon as it is over.
        call_start = call[0].start_ticks
        call_ticks = call_end - call_start
        notes = []
        first_round = (request.start_ticks - call_end) // call_ticks
        last_round = (request.end_ticks - 1 - call_end) // call_ticks
        for round_ in range(first_round, last_round + 1):
            delay_ticks = call_ticks * (round_ + 1)
            for note in call:
                if request.start_ticks <= note.start_ticks + delay_ticks < request.end_ticks:
                    notes.append(_answer(note.shifted(delay_ticks), call[0].pitch, request))
        return Phrase.of(notes, request.start_ticks, request.end_ticks)


def _answer(note: Note, axis: int, request: Request) -> Note:
    """`note` at the interval, mirrored about `axis` if asked, and octaves away if it would leave the range."""
    pitch = 2 * axis - note.pitch if request.controls["mirror"] >= 0.5 else note.pitch
    pitch += round(request.controls["interval"])
    low, high = request.constraints.low_pitch, request.constraints.high_pitch
    if pitch < low:
        pitch += -(-(low - pitch) // 12) * 12
    if pitch > high:
        pitch -= -(-(pitch - high) // 12) * 12
    # A range narrower than an octave may have no room for this pitch class.
    return Note(note.start_ticks, min(high, max(low, pitch)), note.length_ticks, note.velocity)


def make(casting: Casting) -> Canon:
    """A canon needs no model and throws no dice."""
    return Canon()
