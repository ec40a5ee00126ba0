"""How music is told to a model of notes: what was heard at once, then a step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from antiphon.generator import Request
from antiphon.music.timing import seconds_to_ticks
from antiphon.note_steps.codec import DRUMS, LIFT, MACHINE, PLAYER, NoteSteps, edge, encode, unit_ticks
from antiphon.note_steps.spans import BEAT_UNIT_TICKS, BEAT_UNITS, Clock, Spans, Units, spans_of
from antiphon.note_steps.words import ENDS, Bag, Moments, given_moment, read
from antiphon.notes import STEP_TICKS, TICKS_PER_BEAT, Note

HELD: Final = 1 << 40
"""End, in units or ticks, of a note whose end nobody knows: later than any other."""
_LATE_SECONDS: Final = 0.4
"""What the player does beside the machine is known so late, when what is played next was settled a while ago."""
LATTICE: Final[NDArray[np.bool_]] = np.isin(np.arange(BEAT_UNITS), [0, 6, 8, 12, 16, 18])
"""Which units of a beat notes begin on: those of sixteenths and of triplets, shape [BEAT_UNITS]."""


class Step(NamedTuple):
    """A step by itself; see `NoteSteps`."""

    onset: int
    part: int
    pitch: int
    velocity: int
    end: int
    open: bool

    @property
    def sounds(self) -> bool:
        """Whether it is a note."""
        return self.pitch < LIFT


@dataclass(frozen=True, slots=True)
class Read:
    """Steps as a model reads them."""

    bags: Bag
    """Words of each, [N, BAG]."""
    seconds: NDArray[np.float64]
    """When each happens, [N]."""

    def __len__(self) -> int:
        return len(self.bags)

    def take(self, places: slice) -> Read:
        """The steps at `places`."""
        return Read(self.bags[places], self.seconds[places])

    def shared(self, other: Read) -> int:
        """How many steps both begin with alike."""
        shorter = min(len(self), len(other))
        same = (self.bags[:shorter] == other.bags[:shorter]).all(axis=1)
        same &= self.seconds[:shorter] == other.seconds[:shorter]
        return shorter if same.all() else int(same.argmin())


@dataclass(frozen=True, slots=True)
class Manner:
    """All that is told of music beside its notes. Music that is told in another manner is read anew."""

    clock: Clock
    tempo_bpm: float = 120.0
    bar_ticks: int = 1920
    style: str | None = None
    beside: bool = False
    """Whether the player plays on meanwhile, so that the machine's next note is asked for whatever they do."""

    def of(self, request: Request, style: str | None) -> Manner:
        """The manner that `request` asks for, with the same clock."""
        return Manner(self.clock, request.tempo_bpm, request.bar_ticks, style, request.beside)

    @property
    def unit_ticks(self) -> float:
        """Ticks of a unit of its clock."""
        return unit_ticks(self.clock, self.tempo_bpm)

    @property
    def spans(self) -> Spans:
        """The classes of its clock."""
        return spans_of(self.clock)

    @property
    def part(self) -> int:
        """The part that is the machine's own."""
        return DRUMS if self.style == "drums" else MACHINE

    def heard(self, notes: Sequence[Note], now_ticks: int) -> tuple[Read, list[Step]]:
        """What is read of `notes`, in score order, as things stand at `now_ticks`; and the steps that still matter.

        A note that sounds under a key or pedal is open, so that most of what is heard later only appends.
        """
        steps = self.steps(notes, now_ticks)
        reading = read(
            steps, self.clock, moments=self._moments(steps.onset), style=self.style, machine_only=self.beside
        )
        columns = (steps.onset, steps.part, steps.pitch, steps.velocity, steps.end, steps.open)
        return Read(reading.bags, reading.seconds), lively(
            [Step(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
        )

    def steps(self, notes: Sequence[Note], now_ticks: int) -> NoteSteps:
        """`notes` as steps, in the order in which they become known."""
        now = round(now_ticks / self.unit_ticks)
        steps = self._encoded(notes) if notes else edge(now, self.part)
        # What is known to end later tells its end; what nobody has lifted yet is held.
        known_to_end = (steps.end > now) & (steps.end < HELD)
        steps = replace(steps, open=(steps.open & ~known_to_end) | (steps.end >= HELD))
        steps = steps.take((steps.onset <= now) | (steps.pitch != LIFT))
        if self.beside:
            late = seconds_to_ticks(_LATE_SECONDS, self.tempo_bpm) / self.unit_ticks
            steps = steps.take(np.argsort(steps.onset + late * (steps.part == PLAYER), kind="stable"))
        return steps

    def told(self, before: Sequence[Step], step: Step, phrase_end: int) -> Read:
        """What is read of `step`, which follows `before`; `phrase_end` in units, -1 if it is not told."""
        columns = zip(*before, step, strict=True)
        steps = NoteSteps(*(np.array(column) for column in columns))
        moments = self._moments(steps.onset, phrase_end)
        reading = read(steps, self.clock, moments=moments, style=self.style, machine_only=self.beside)
        return Read(reading.bags[-1:], reading.seconds[-1:])

    def moment(self, onset: int, phrase_end: int) -> Bag:
        """Words for place and how much is left, [2], of a step at `onset`."""
        return given_moment(onset, self._moments(np.array([onset]), phrase_end))

    def _moments(self, onsets: Units, phrase_end: int = -1) -> Moments:
        end = np.full(len(onsets), phrase_end)
        bar, odd = divmod(self.bar_ticks, BEAT_UNIT_TICKS)
        if self.clock == "free" or odd:
            return Moments(phrase_end=end)
        return Moments(onsets // bar * bar, np.full(len(onsets), bar), end)

    def _encoded(self, notes: Sequence[Note]) -> NoteSteps:
        columns = [(n.start_ticks, n.pitch, n.length_ticks or HELD, n.velocity, n.own) for n in notes]
        rows = np.array(columns, dtype=np.int64)
        rows, own = rows[:, :4], rows[:, 4].astype(np.bool_)
        if self.clock == "beat":
            rows[:, 3] = 0  # The grid tells no loudness; it is given its own.
            rows[~own, 0] = _on_lattice(rows[~own, 0])
            rows[~own, 2] = np.maximum(1, (rows[~own, 2] + STEP_TICKS // 2) // STEP_TICKS) * STEP_TICKS
        steps = encode(rows, np.where(own, self.part, PLAYER), self.clock, tempo_bpm=self.tempo_bpm)
        return replace(steps, end=np.where(steps.end > HELD // BEAT_UNITS, HELD, steps.end))


def lively(steps: Sequence[Step]) -> list[Step]:
    """Of `steps`, those that still matter to the ones that follow: what sounds, the latest onset, and the last."""
    now = max(step.onset for step in steps)
    last = len(steps) - 1
    return [s for place, s in enumerate(steps) if place == last or s.onset == now or (s.sounds and s.end > now)]


def told_ends(steps: Sequence[Step], at: int) -> list[int]:
    """Ends that `steps` have told, those told last first, of what will sound at `at`; at most `ENDS`."""
    told = dict.fromkeys(step.end for step in reversed(steps) if step.sounds and not step.open and step.end > at)
    return list(told)[:ENDS]


def _on_lattice(ticks: NDArray[np.int64]) -> NDArray[np.int64]:
    """The nearest place of `LATTICE` to each onset."""
    places = np.append(np.flatnonzero(LATTICE), BEAT_UNITS) * BEAT_UNIT_TICKS
    middles = (places[1:] + places[:-1]) / 2
    nearest: NDArray[np.int64] = places[np.searchsorted(middles, ticks % TICKS_PER_BEAT)]
    return ticks // TICKS_PER_BEAT * TICKS_PER_BEAT + nearest
