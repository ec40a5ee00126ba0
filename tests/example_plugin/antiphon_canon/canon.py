"""A canon: the call comes back at an interval, upright or mirrored, round and round. It composes nothing of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from antiphon import Casting, Constraints, Control, GeneratorInfo, Note, Phrase, Request

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
        call = latest(self._heard, round(request.controls["bars"]) * request.bar_ticks)
        notes = [_answer(note, call[0].pitch, request) for note in rounds(call, self._heard.end_ticks, request)]
        return Phrase.of(notes, request.start_ticks, request.end_ticks)


def latest(heard: Phrase, ticks: int) -> list[Note]:
    """The notes of the last so many ticks of `heard`, all of them released at its end."""
    return [note.closed(heard.end_ticks) for note in heard.notes if note.start_ticks >= heard.end_ticks - ticks]


def rounds(call: list[Note], call_end_ticks: int, request: Request, delay_ticks: int = 0) -> Iterator[Note]:
    """The notes of `call` that fall into the request, as it comes round and round after `call_end_ticks`.

    A call shorter than its bars comes round as soon as it is over. `delay_ticks`: how much later it comes in.
    """
    if not call:
        return
    call_ticks = call_end_ticks - call[0].start_ticks
    entry_ticks = call_end_ticks + delay_ticks
    first_round = max(0, (request.start_ticks - entry_ticks) // call_ticks)
    last_round = (request.end_ticks - 1 - entry_ticks) // call_ticks
    for round_ in range(first_round, last_round + 1):
        for note in call:
            later = note.shifted(call_ticks * (round_ + 1) + delay_ticks)
            if request.start_ticks <= later.start_ticks < request.end_ticks:
                yield later


def into_range(pitch: int, limits: Constraints) -> int:
    """`pitch`, octaves away if it would leave the range."""
    low, high = limits.low_pitch, limits.high_pitch
    if pitch < low:
        pitch += -(-(low - pitch) // 12) * 12
    if pitch > high:
        pitch -= -(-(pitch - high) // 12) * 12
    return min(high, max(low, pitch))  # A range narrower than an octave may have no room for this pitch class.


def _answer(note: Note, axis: int, request: Request) -> Note:
    """`note` at the interval, mirrored about `axis` if asked."""
    pitch = 2 * axis - note.pitch if request.controls["mirror"] >= 0.5 else note.pitch
    return replace(note, pitch=into_range(pitch + round(request.controls["interval"]), request.constraints))


def make(casting: Casting) -> Canon:
    """A canon needs no model and throws no dice."""
    return Canon()
