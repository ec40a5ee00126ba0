"""The contract between the host and whatever makes music; it holds no generator of its own.

A generator lives in a process of its own, in one thread, for one voice. It never sees a clock, a port or a
MIDI byte: the host owns time, notes, pedal, constraints, fallback and recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from antiphon.controls import AnyControl, ControlValue, resolve, spelt_out
from antiphon.controls import Control as Control
from antiphon.notes import Note, Phrase
from antiphon.pulse import Pulse
from antiphon.tonality import Key

LatencyClass = Literal["instant", "quick", "heavy"]
Follows = Literal["free", "beat"]
Constraint = Literal["range", "scale", "polyphony"]
Device = Literal["auto", "cpu", "cuda"]


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
    morph: Morph | None = None
    """What to play between; only for a generator that interpolates."""
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

    @property
    def end_ticks(self) -> int:
        """Where the phrase must end."""
        return self.start_ticks + self.length_ticks


@runtime_checkable
class Generator(Protocol):
    """One player: it is told what has been played and asked what comes next."""

    def prime(self, heard: Phrase) -> None:
        """Take in what has been played, by the musician and by this voice.

        `heard` is everything still remembered, in absolute ticks, in score order; a note still held has
        `length_ticks` None. Called at every key press and release, so it must be cheap when `heard` extends
        (or differs only at the end from) what was primed before. What was generated since is forgotten.
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
    """Time for a bar: instant, under 5 ms; quick, under 50 ms; heavy, under 500 ms."""
    follows: Follows = "free"
    """`free`: places notes in free time. `beat`: places them on a grid of beats, so answers shift by whole beats."""
    honours: frozenset[Constraint] = frozenset()
    """Constraints it keeps by itself; the host enforces the others on the way out."""
    models: Path | None = None
    """Folder of the model files (`.onnx`) that come with it, for `antiphon models`."""
    interpolates: bool = False
    """Whether it plays between two pieces of music, as `Request.morph` asks; a preset's mode `morph` needs one."""

    def resolve_controls(self, values: Mapping[str, ControlValue]) -> dict[str, ControlValue]:
        """Defaults overlaid with `values`. Raises ValueError for an unknown control or a value that is not allowed."""
        return resolve(f"generator {self.name!r}", self.controls, values)

    def spelt_controls(self, settings: Iterable[str]) -> dict[str, ControlValue]:
        """What a command line sets by `settings`, NAME=VALUE each. Raises ValueError for what is not that."""
        return spelt_out(self.controls, settings)


@dataclass(frozen=True, slots=True)
class Casting:
    """With what a generator is made."""

    seed: int
    """Randomness is drawn from this seed and the place in the music, never from elsewhere."""
    model: str | None = None
    """Path or name of a model or table, as the preset gives it; `None` for the generator's own."""
    device: Device = "auto"
    """What should compute a model: `auto` takes the fastest there is."""


MakeGenerator = Callable[[Casting], Generator]
"""Makes one player; may take seconds (loading a model), raises ValueError for a model that does not fit."""

RegisterGenerator = Callable[[GeneratorInfo, MakeGenerator], None]
"""What `register_generators` is given to call, once per generator."""


class IllegalPhrase(ValueError):
    """A generator returned something that is not a playable phrase."""


def check_phrase(phrase: object, request: Request) -> Phrase:
    """Return `phrase` if it answers `request` with legal notes.

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
