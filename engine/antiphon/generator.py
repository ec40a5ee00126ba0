"""The contract between the host and whatever makes music; it holds no generator of its own.

A generator lives in a process of its own, in one thread, for one voice. It never sees a clock, a port or a
MIDI byte: the host owns time, notes, pedal, constraints, fallback and recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, Protocol, runtime_checkable

from antiphon.controls import AnyControl, ControlValue, resolve, spelt_out
from antiphon.controls import Control as Control
from antiphon.music.pulse import Pulse
from antiphon.music.tonality import Key
from antiphon.notes import Note, Phrase

LatencyClass = Literal["instant", "quick", "heavy"]
Follows = Literal["free", "beat"]
Constraint = Literal["range", "scale", "polyphony"]
Device = Literal["auto", "cpu", "cuda"]
SILENT_SECONDS: Final = 1.5
"""A generator that computes for so long without a beat (`Casting.beat`) is taken for hung, and replaced."""
MOST_PARTS: Final = 16
"""Most parts that one generator plays: as many as there are channels."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a generator of a latency class takes, and how long it is believed to be at work."""

    bar_seconds: float
    """Time that it needs for a bar."""
    call_seconds: float
    """Time in one call, a `prime` and the `extend` after it, during which its beats count."""


LIMITS: Final[Mapping[LatencyClass, Limits]] = {
    "instant": Limits(0.005, 1.5),
    "quick": Limits(0.05, 5.0),
    "heavy": Limits(0.5, 30.0),
}


@dataclass(frozen=True, slots=True)
class Constraints:
    """Limits that a voice sets to what is generated. The host enforces those a generator does not honour."""

    low_pitch: int = 0
    """Lowest MIDI note number, inclusive."""
    high_pitch: int = 127
    """Highest MIDI note number, inclusive."""
    scale: frozenset[int] | None = None
    """Pitch classes allowed (0 is C); `None` allows all twelve."""
    polyphony: int = 16
    """Most notes that may sound at once, at least 1."""


@dataclass(frozen=True, slots=True)
class Morph:
    """Two pieces of music to play between: what is asked of a generator that interpolates.

    Each is a loop of whole bars, the first of which begins where the phrase does. Its ticks say when it was played,
    not when it is to sound: the loop begins anew where the answer begins.
    """

    a: Phrase | None
    """One end; None: whatever the generator holds likely, drawn from the seed and the place in the music."""
    b: Phrase | None
    """The other end, likewise."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Music around a gap: what is asked of a generator that fills gaps.

    The gap lies where the one phrase ends and the other begins, in the request's own ticks, and is asked for in one
    request or several that follow one another. Both phrases hold closed notes only, and either may hold none.
    """

    before: Phrase
    """What is played before the gap; it ends where the gap begins, and has been primed."""
    after: Phrase
    """What is played after the gap; it begins where the gap ends."""


Given = Morph | Gap
"""What a request may bring with it, for those who declare that they can use it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the host asks of `Generator.extend`. One object, so that fields can be added without breaking anyone."""

    start_ticks: int
    """Where the phrase must start: where the last phrase, heard or generated, ended."""
    length_ticks: int
    """How long the phrase must be, rests included; at least 1."""
    controls: Mapping[str, Any] = field(default_factory=dict)
    """Value of every control the generator declared: a float, or, of a choice or a text, a str."""
    constraints: Constraints = Constraints()
    """Limits on what may be played."""
    deadline_seconds: float = 1.0
    """Time until the host stops waiting and lets the fallback play."""
    final: bool = False
    """Whether the answer ends with this phrase, so that it may come to a close."""
    bar_ticks: int = 1920
    """Length of a bar; bars begin at multiples of it."""
    tempo_bpm: float = 120.0
    """Quarter notes a minute, for those who must tell ticks from seconds."""
    given: Given | None = None
    """What to play between: two pieces of music, for a generator that interpolates; the music around a gap, for one
    that fills gaps; or nothing, where it simply goes on."""
    key: Key | None = None
    """The key of what was heard, as the host hears it; None if it hears none, or does not say."""
    pulse: Pulse | None = None
    """The pulse of what was heard, in ticks, so that it may be any tempo; None if there is none, as in free time."""
    left_ticks: int | None = None
    """How much of the answer is left from `start_ticks` on, this phrase included; None if that is not known."""
    opens: bool = False
    """Whether this phrase opens an answer whose first note is wanted at `start_ticks`, on a place of the pulse."""
    call_ticks: int | None = None
    """Where the call that is answered began; None if nobody says."""
    answer_ticks: int | None = None
    """Where the answer begins that this phrase is of; None if nobody says."""
    beside: bool = False
    """Whether the player plays on meanwhile, as where they are accompanied."""
    chord: frozenset[int] | None = None
    """Where the player plays on: pitch classes of the triad that goes with it, as the host hears it; or None."""

    @property
    def end_ticks(self) -> int:
        """Where the phrase must end."""
        return self.start_ticks + self.length_ticks

    def shortened(self, to_ticks: int) -> Request:
        """The same request up to `to_ticks`, on its way to the same end as before."""
        left_ticks = self.length_ticks if self.final and self.left_ticks is None else self.left_ticks
        return replace(self, length_ticks=to_ticks - self.start_ticks, final=False, left_ticks=left_ticks)


@runtime_checkable
class Generator(Protocol):
    """One player: it is told what has been played and asked what comes next."""

    def prime(self, heard: Phrase) -> None:
        """Take in what has been played, by the musician and by this voice.

        `heard` is everything still remembered, in absolute ticks, in score order; a note still held has
        `length_ticks` None, and what this voice played is `own`. Called at every key press and release, so it must be
        cheap when `heard` extends (or differs only at the end from) what was primed before. What was generated since
        is forgotten.
        """
        ...

    def extend(self, request: Request) -> Phrase:
        """Continue from `request.start_ticks` for `request.length_ticks` ticks.

        Every note starts inside the phrase, in score order, with a closed length of at least 1 tick, pitch 0 to
        127 and velocity 1 to 127. The same seed, the same heard music and the same requests give the same phrase.
        """
        ...

    def rewind(self, to_ticks: int) -> None:
        """Forget what was played or generated at or after `to_ticks`, randomness included."""
        ...


@dataclass(frozen=True, slots=True)
class GeneratorInfo:
    """What the host knows of a generator before making one."""

    name: str
    """What presets call it; lower-case letters, digits and hyphens."""
    summary: str
    """One line for `antiphon plugins`."""
    controls: tuple[AnyControl, ...] = ()
    """Its knobs, switches and texts."""
    latency: LatencyClass = "quick"
    """Time for a bar: instant, under 5 ms; quick, under 50 ms; heavy, under 500 ms; see `LIMITS`."""
    follows: Follows = "free"
    """`free`: places notes in free time. `beat`: places them on a grid of beats, so answers shift by whole beats."""
    honours: frozenset[Constraint] = frozenset()
    """Constraints it keeps by itself; the host enforces the others on the way out."""
    models: Path | None = None
    """Folder of the model files (`.onnx`) that come with it, for `antiphon models`."""
    interpolates: bool = False
    """Whether it plays between two pieces of music, as a `Morph` asks; a preset's mode `morph` needs one."""
    fills: bool = False
    """Whether it fills gaps, as a `Gap` asks, with what leads on to the music after them."""
    parts: tuple[str, ...] = ()
    """Names of its parts, in the order of `Note.part`, if it plays several at once, as a choir or a band does; at most
    `MOST_PARTS`. Lower-case letters, digits and hyphens. A preset gives each a channel, a sound and an output."""

    @property
    def part_count(self) -> int:
        """How many parts it plays, at least 1."""
        return max(1, len(self.parts))

    def resolve_controls(self, values: Mapping[str, ControlValue]) -> dict[str, ControlValue]:
        """Defaults overlaid with `values`. Raises ValueError for an unknown control or a value that is not allowed."""
        return resolve(f"generator {self.name!r}", self.controls, values)

    def spelt_controls(self, settings: Iterable[str]) -> dict[str, ControlValue]:
        """What a command line sets by `settings`, NAME=VALUE each. Raises ValueError for what is not that."""
        return spelt_out(self.controls, settings)


def _unheard() -> None:
    """The beat of a generator that nobody watches."""


@dataclass(frozen=True, slots=True)
class Casting:
    """With what a generator is made."""

    seed: int
    """Randomness is drawn from this seed and the place in the music, never from elsewhere."""
    model: str | None = None
    """Path of a model or table; `None` for the generator's own. Where the generator brings models, the preset may name
    one of the library's: the host has found its file."""
    device: Device = "auto"
    """What should compute a model: `auto` takes the fastest there is."""
    beat: Callable[[], None] = field(default=_unheard, compare=False, repr=False)
    """Says that the generator is at work and not stuck. To be called at least once a second, in the thread that
    called it, during a `prime` or `extend` that may take longer; it costs a microsecond. `LIMITS` says how long beats
    count. While it is made, a generator has a minute, and need not beat."""


MakeGenerator = Callable[[Casting], Generator]
"""Makes one player; may take seconds (loading a model), raises ValueError for a model that does not fit."""

RegisterGenerator = Callable[[GeneratorInfo, MakeGenerator], None]
"""What `register_generators` is given to call, once per generator."""


class IllegalPhrase(ValueError):
    """A generator returned something that is not a playable phrase."""


def check_phrase(phrase: object, request: Request, parts: int = 1) -> Phrase:
    """Return `phrase` if it answers `request` with legal notes, of a generator that plays so many `parts`.

    Raises:
        IllegalPhrase: naming the first value that is wrong and what is allowed.
    """
    if not isinstance(phrase, Phrase):
        raise IllegalPhrase(f"extend returned {type(phrase).__name__}; it must return a Phrase")
    if (phrase.start_ticks, phrase.end_ticks) != (request.start_ticks, request.end_ticks):
        raise IllegalPhrase(
            f"phrase spans ticks {phrase.start_ticks} to {phrase.end_ticks}; "
            f"asked for {request.start_ticks} to {request.end_ticks}"
        )
    before = (request.start_ticks, -1)
    for index, note in enumerate(phrase.notes):
        if not isinstance(note, Note):
            raise IllegalPhrase(f"notes[{index}] is {type(note).__name__}; it must be a Note")
        _check_integer(index, "start_ticks", note.start_ticks, request.start_ticks, request.end_ticks - 1)
        _check_integer(index, "pitch", note.pitch, 0, 127)
        _check_integer(index, "velocity", note.velocity, 1, 127)
        _check_integer(index, "length_ticks", note.length_ticks, 1, None)
        _check_integer(index, "part", note.part, 0, parts - 1)
        here = (note.start_ticks, note.pitch)
        if here < before:
            raise IllegalPhrase(f"notes[{index}] at tick {note.start_ticks} is out of order; sort by onset, then pitch")
        before = here
    return phrase


def _check_integer(index: int, name: str, value: object, low: int, high: int | None) -> None:
    allowed = f"at least {low}" if high is None else f"{low} to {high}"
    # bool is an int to isinstance; numpy integers are not, and would not survive the journal.
    if type(value) is not int or value < low or (high is not None and value > high):
        raise IllegalPhrase(f"notes[{index}].{name} is {value!r}; allowed: a whole number, {allowed}")
