"""Toy generators: what they play is plain from what they heard. None of them is musical."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from antiphon.duet.plan import Handover, VoicePlan
from antiphon.duet.player import Player
from antiphon.generator import Generator, GeneratorInfo, Morph, Request
from antiphon.notes import Note, Phrase, score_order

Compose = Callable[[Phrase, Request], Iterable[Note]]
"""From all that was heard and composed so far, and the request, to notes."""


@dataclass(slots=True)
class Toy:
    """A generator of one function. It checks that the host keeps its side of the contract."""

    compose: Compose
    heard: Phrase | None = None
    composed: list[Note] = field(default_factory=list)
    end_ticks: int = 0
    primed: list[Phrase] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def prime(self, heard: Phrase) -> None:
        assert list(heard.notes) == sorted(heard.notes, key=score_order), "heard out of order"
        assert all(heard.start_ticks <= note.start_ticks < heard.end_ticks for note in heard.notes), "heard outside"
        self.heard, self.composed, self.end_ticks = heard, [], heard.end_ticks
        self.primed.append(heard)

    def extend(self, request: Request) -> Phrase:
        assert self.heard is not None, "extended before it was primed"
        assert request.start_ticks == self.end_ticks, "asked to go on from elsewhere"
        self.requests.append(request)
        known = Phrase(self.heard.start_ticks, self.end_ticks, (*self.heard.notes, *self.composed))
        notes = tuple(sorted(self.compose(known, request), key=score_order))
        self.composed += notes
        self.end_ticks = request.end_ticks
        return Phrase(request.start_ticks, request.end_ticks, notes)

    def rewind(self, to_ticks: int) -> None:
        self.composed = [note for note in self.composed if note.start_ticks < to_ticks]
        self.end_ticks = min(self.end_ticks, to_ticks)


def _mark(known: Phrase) -> int:
    """A number that gives away any difference in what was heard."""
    return sum((n.start_ticks * 7 + n.pitch * 13 + (n.length_ticks or 5) * 3 + n.velocity) for n in known.notes) % 12


def regular(known: Phrase, request: Request) -> list[Note]:
    """Quarter notes from the start on, at a pitch that depends on all that is known."""
    pitch = 60 + _mark(known)
    return [Note(t, pitch, 400, 80) for t in range(request.start_ticks, request.end_ticks, 480)]


def chords(known: Phrase, request: Request) -> list[Note]:
    """Half-note triads, a little after the start."""
    root = 48 + _mark(known)
    first = min(request.start_ticks + 30, request.end_ticks - 1)
    return [Note(t, root + i, 900, 70) for t in range(first, request.end_ticks, 960) for i in (0, 4, 7)]


def overlapping(known: Phrase, request: Request) -> list[Note]:
    """Long notes of two pitches that run into one another and beyond the end."""
    pitch = 62 + _mark(known) % 2
    return [Note(t, pitch, 1500, 90) for t in range(request.start_ticks, request.end_ticks, 240)]


def dense(known: Phrase, request: Request) -> list[Note]:
    """More notes at once than any voice may play."""
    return [
        Note(t, 40 + (i * 5 + _mark(known)) % 48, 700, 60)
        for t in range(request.start_ticks, request.end_ticks, 320)
        for i in range(9)
    ]


def resting(known: Phrase, request: Request) -> list[Note]:
    """Nothing at all."""
    return []


def hesitant(known: Phrase, request: Request) -> list[Note]:
    """A bar of rest to begin with, then the end of a bar."""
    begun = (request.start_ticks - (known.end_ticks if not known.notes else known.notes[-1].start_ticks)) > 1000
    return [Note(request.end_ticks - 1, 70 + _mark(known), 5000, 1)] if begun or _mark(known) % 2 else []


def moody(known: Phrase, request: Request) -> list[Note]:
    """Raises now and then, depending on what was heard."""
    if _mark(known) % 3 == 0:
        raise RuntimeError("not in the mood")
    return regular(known, request)


def broken(known: Phrase, request: Request) -> list[Note]:
    """Notes that no keyboard has."""
    return [Note(request.start_ticks, 300, 10, 80)]


@dataclass(slots=True)
class Deaf:
    """A generator that cannot even listen."""

    def prime(self, heard: Phrase) -> None:
        raise ValueError("no ears")

    def extend(self, request: Request) -> Phrase:
        raise AssertionError("it is never asked to go on")

    def rewind(self, to_ticks: int) -> None:
        raise AssertionError("it has nothing to forget")


def echo(known: Phrase, request: Request) -> list[Note]:
    """A note of a sixteenth on every quarter, at pitch 72: easy to read."""
    return [Note(t, 72, 120, 80) for t in range(request.start_ticks, request.end_ticks, 480)]


def pickup(known: Phrase, request: Request) -> list[Note]:
    """A note of a sixteenth half a beat after the start, and every beat from there."""
    return [Note(t, 76, 120, 80) for t in range(request.start_ticks + 240, request.end_ticks, 480)]


def upbeat(known: Phrase, request: Request) -> list[Note]:
    """One note, on the very last tick."""
    return [Note(request.end_ticks - 1, 74, 100, 80)]


def low(known: Phrase, request: Request) -> list[Note]:
    """Like `echo`, two octaves below: who hears it knows the fallback plays."""
    return [Note(t, 48, 120, 80) for t in range(request.start_ticks, request.end_ticks, 480)]


def failing(known: Phrase, request: Request) -> list[Note]:
    """Cannot compose."""
    raise RuntimeError("out of ideas")


def failing_later(known: Phrase, request: Request) -> list[Note]:
    """Composes a beat and a bar, then cannot."""
    if not request.final and [note.pitch for note in known.notes[-5:]] == [72] * 5:
        raise RuntimeError("out of ideas")
    return echo(known, request)


def sleepy(known: Phrase, request: Request) -> list[Note]:
    """Two beats of rest after the call, then quarter notes."""
    call_end = max((note.start_ticks for note in known.notes if note.pitch != 77), default=0)
    return [Note(t, 77, 120, 80) for t in range(request.start_ticks, request.end_ticks, 480) if t - call_end >= 960]


def blend(known: Phrase, request: Request) -> list[Note]:
    """Quarter notes, at the first pitches of the two ends in turn; where there is no end, C."""
    ends = (request.given.a, request.given.b) if isinstance(request.given, Morph) else (None, None)
    pitches = [end.notes[0].pitch if end is not None and end.notes else 60 for end in ends]
    quarters = range(request.start_ticks, request.end_ticks, 480)
    return [
        Note(t, pitches[i % 2], 240, 40 + round(40 * request.controls.get("position", 0)))
        for i, t in enumerate(quarters)
    ]


def trio(known: Phrase, request: Request) -> list[Note]:
    """Three quarter notes at once on every beat, one a part, all of them C4 but the last."""
    quarters = range(request.start_ticks, request.end_ticks, 480)
    return [Note(t, (60, 60, 36)[part], 240, 80, part=part) for t in quarters for part in range(3)]


_PARTS = {"trio": ("lead", "echo", "bass")}

_COMPOSERS: dict[str, Compose] = {
    compose.__name__.replace("_", "-"): compose
    for compose in (
        *(regular, chords, overlapping, dense, resting, hesitant, moody, broken),
        *(echo, pickup, upbeat, low, failing, failing_later, sleepy, blend, trio),
    )
}
TOYS = (*_COMPOSERS, "deaf")


def make_toy(name: str) -> Generator:
    """A new toy by its name."""
    return Deaf() if name == "deaf" else Toy(_COMPOSERS[name])


def toy_info(name: str) -> GeneratorInfo:
    """What a toy declares."""
    return GeneratorInfo(name, f"the toy {name}", parts=_PARTS.get(name, ()))


def toy_player(name: str) -> Player:
    """A player with a new toy."""
    return Player(toy_info(name), make_toy(name))


def sound(voice: VoicePlan) -> VoicePlan:
    """`voice`, as a preset may ask for it."""
    counted = {"accompany": ("bars", "turns"), "answer": ()}.get(voice.mode, ("turns",))
    return replace(voice, handover=Handover()) if voice.handover.by in counted else voice
