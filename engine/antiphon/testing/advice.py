"""What is usually behind a broken rule, and what mends it. It looks at no generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_DRAW = 'draw from the place in the music, as in random.Random(f"{casting.seed} {note_start_ticks}")'
_SNAPSHOTS = "or derive from antiphon.StatefulGenerator, which keeps snapshots of your state and goes back to them"


@dataclass(frozen=True, slots=True)
class Advice:
    """For a person whose generator breaks a rule."""

    likely_cause: str
    mend: str


RAISED: Final = Advice(
    "an exception in your own code; the traceback that ends there is printed above this one",
    "music may be empty, a single note, all at once, or have keys still down (length_ticks None): begin with that",
)
"""Where the generator raised, whatever rule was being tried."""

ADVICE: Final = {
    "the declaration is valid": Advice(
        "a value of GeneratorInfo, or of one of its controls, that is not allowed",
        "set it to what is named as allowed",
    ),
    "phrases are legal": Advice(
        "notes that are out of order, outside the phrase that was asked for, or not of plain int, as numpy's are not",
        "leave out what lies outside, wrap numbers in int(), and return "
        "Phrase.of(notes, request.start_ticks, request.end_ticks), which sorts",
    ),
    "the seed decides, and instances share nothing": Advice(
        "chance from elsewhere than the seed (the module random itself, numpy.random, the clock, hash() of a text), or "
        "a list or dict of the class or the module, which all instances share",
        f"{_DRAW}; make what an instance keeps in its __init__",
    ),
    "streamed equals whole": Advice(
        "prime that adds to what is known already: a key still down is heard again when it is released, a late note of "
        "a chord goes in between, and the oldest notes are left out one day",
        f"let what you know follow from `heard` alone: take back all from the first note that differs, {_SNAPSHOTS}",
    ),
    "rewind then extend repeats exactly": Advice(
        "a random stream or state that runs on",
        f"{_DRAW}, and let rewind take back all that extend and prime changed; {_SNAPSHOTS}",
    ),
    "a guess thrown away leaves no trace": Advice(
        "a random stream or state that runs on: prime does not forget what extend did meanwhile",
        f"{_DRAW}, and let prime forget whatever was generated; {_SNAPSHOTS}",
    ),
    "controls work at their extremes": Advice(
        "a value of the control that the code did not expect, as 0 or an empty text",
        "narrow the control, or allow for the value",
    ),
    "constraints it claims are kept": Advice(
        "`honours` says more than the code keeps, often in the notes of the phrase before, which still sound",
        "leave the constraint out of `honours`, and the host enforces it; or keep it, also across phrases",
    ),
    "it plays": Advice(
        "extend returns an empty phrase whatever was heard",
        "let it play something after silence, a melody or chords",
    ),
    "a bar is ready in time": Advice(
        "work in extend that belongs into make or prime, or a latency class that is too quick",
        'load what is slow in make, or declare a slower class, as in latency="heavy"',
    ),
    "it plays between two pieces of music": Advice(
        "chance or a state that runs on from one place between the two to the next",
        f"let what is played follow from the two, the place and the seed; {_DRAW}",
    ),
    "it fills a gap": Advice(
        "what comes after the gap is not read, or chance runs on",
        f"read Request.given.after as well as before, and leave `fills` out where it makes no difference; {_DRAW}",
    ),
    "it is not taken for hung": Advice(
        "a long computation in one piece",
        "call Casting.beat() between its steps, or declare a slower latency class",
    ),
    "it opens": Advice("an attribute or a method of OutputPort that is missing", "have all of `antiphon.OutputPort`"),
    "it takes every message": Advice(
        "a kind of message that the code does not expect, as system exclusive", "pass on, or leave out, what is foreign"
    ),
    "sending does not wait": Advice(
        "send waits for a network, a disk or a device", "let a thread of your own send, from a bounded queue"
    ),
    "it closes": Advice("close waits, or fails when called twice", "close at once, and do nothing the second time"),
    "what is closed says so": Advice("send goes on after close, or raises another error", "raise antiphon.PortGone"),
    "a key press is taken in": RAISED,
}
"""By rule."""
