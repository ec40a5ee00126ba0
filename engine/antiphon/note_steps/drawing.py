"""Music on its way out of a model of notes: the choice of the next step, an attribute at a time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.note_steps.codec import LIFT, PITCHES, UNTOLD
from antiphon.note_steps.course import NoteCourse, Pitches
from antiphon.note_steps.feed import NoteFeed
from antiphon.note_steps.manner import HELD, Manner, Read, Step, lively, told_ends
from antiphon.note_steps.model import Attribute
from antiphon.note_steps.words import ENDS, LENGTHS, OPEN, SHARED, Bag, given_words
from antiphon.taste.motif import Event
from antiphon.tokens.density import DensityControl
from antiphon.tokens.repetition import RepetitionPenalty
from antiphon.tokens.sampler import sample, uniform

_USUAL_WAIT_TICKS: Final = 240.0
_CHORD_TICKS: Final = 30.0
"""Notes that are no further apart are a chord; how close they are is left to the model."""
_BEYOND: Final = 24
"""Units in the longest stretch of time that is told."""
_SOON_TICKS: Final = 360
"""What comes after too long a rest comes within this: within a beat, which may be all that is asked for."""
LATELY: Final = 8
"""How many of the last notes say where a line is."""
_BOREDOM: Final = 2.0
"""Nats that each turn too many of a figure costs."""


@dataclass(slots=True)
class NoteStream:
    """The state of a drawing: a copy of it goes on with the same notes."""

    manner: Manner
    context: Read
    """What was heard before it, as the model reads it; at least one step."""
    steps: list[Step]
    """Of what was heard and drawn, what still matters."""
    guard: RepetitionPenalty
    pace: DensityControl
    tune: list[Event]
    """The highest of what was drawn together, one after the other, of late."""
    drawn: list[Read] = field(default_factory=list)
    """The steps drawn, as the model reads them."""
    kept: list[Step] = field(default_factory=list)
    """Notes drawn and not given out yet: these may still be cut."""
    due: int | None = None
    """When the next step is, once that is drawn."""
    begun: bool = False
    """Whether a note was drawn since the line began."""
    last_pitch: int | None = None
    """Of the last chord of an answer, once it is being struck, the pitch struck last."""
    closed: bool = False
    """Whether nothing more is to be drawn."""
    place: tuple[int, int] = (-1, 0)
    """The tick of the last draw, and how many draws there were at it."""

    def copy(self) -> NoteStream:
        """Another line in the same state."""
        return replace(
            self,
            guard=self.guard.copy(),
            pace=self.pace.copy(),
            drawn=self.drawn.copy(),
            kept=self.kept.copy(),
        )

    @property
    def now(self) -> int:
        """The latest onset, in units."""
        return max(step.onset for step in self.steps)

    @property
    def position(self) -> int:
        """Steps that the model has read before the last one."""
        return len(self.context) - 1 + len(self.drawn)

    @property
    def pending(self) -> Read:
        """The last step, which the model reads when the next is to be drawn."""
        return self.drawn[-1] if self.drawn else self.context.take(slice(-1, None))

    def ticks(self, units: int) -> int:
        """The tick of a time in units."""
        return round(units * self.manner.unit_ticks)

    def tune_before(self, onset: int) -> list[Event]:
        """The tune without what was struck with a note at `onset`: the highest, which is struck last, goes on."""
        together = self.tune[-1:] and self.ticks(onset) - self.tune[-1][0] <= _CHORD_TICKS
        return self.tune[:-1] if together else self.tune

    def sounding(self, at: int) -> list[Step]:
        """Notes of its own that sound at `at`, in units, the oldest first."""
        return [step for step in self.steps if step.part == self.manner.part and step.sounds and step.end > at]

    def end(self, note: Step, at: int) -> None:
        """Let a note of `kept` end at `at`, in units."""
        ended = note._replace(end=at, open=False)
        self.steps = [ended if step == note else step for step in self.steps]
        self.kept = [ended if step == note else step for step in self.kept]


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What is known of a step before its heads speak."""

    onset: int
    part: int
    ends: list[int]
    """Ends that were told, of what will sound then."""
    time: NDArray[np.int64]
    """Class of the time from the latest onset, [1]."""
    moment: Bag
    """Words of its place and of how much is left, [1, 2]."""
    classes: NDArray[np.int64]
    """Classes of how long until each of `ends`, -1 for none; [ENDS]."""

    @classmethod
    def of(cls, line: NoteStream, course: NoteCourse, onset: int) -> _Asked:
        spans, ends = line.manner.spans, told_ends(line.steps, onset)
        classes = np.full(ENDS, -1, dtype=np.int64)
        classes[: len(ends)] = spans.classes_of(np.array(ends, dtype=np.int64) - onset)
        time = spans.classes_of(np.array([onset - line.now]))
        return cls(onset, line.manner.part, ends, time, line.manner.moment(onset, course.rest)[None], classes)


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws the steps of lines. Chance comes from the seed and the place in the music."""

    feed: NoteFeed
    seed: int

    def resume(self, line: NoteStream) -> None:
        """Let the model know all that `line` has read but its last step, and speak of what follows if that is due."""
        if not line.drawn or not self.feed.reaches(line.position):
            self.feed.listen(line.context)
            before = [line.context.take(slice(-1, None)), *line.drawn]
            for place, step in enumerate(before[:-1]):
                self.feed.after(step, len(line.context) - 1 + place)
        if line.due is not None:
            self.feed.after(line.pending, line.position)

    def due_ticks(self, line: NoteStream, course: NoteCourse) -> int | None:
        """When the next step is, in ticks; None, and the line is closed, if there is none."""
        if line.due is None and not line.closed:
            line.due = self._time(line, course)
            line.closed = line.due is None
        return None if line.due is None else line.ticks(line.due)

    def draw(self, line: NoteStream, course: NoteCourse) -> None:
        """Add the step that is due to `line`; none, if the last chord is whole: then it is closed; or if what was given
        out in the meantime leaves no room: then another is due, later.
        """
        onset = line.due
        assert onset is not None
        line.due = None
        ends = course.ends_at(onset)
        if ends and line.last_pitch is None:
            for note in [note for note in line.kept if note.end > onset]:  # The last chord stands alone.
                line.end(note, onset)
        asked = _Asked.of(line, course, onset)
        pitch = self._pitch(line, course, asked, ends=ends)
        if pitch is None:
            line.closed = ends
            return
        velocity, end = UNTOLD, onset
        if pitch == LIFT:
            for note in [note for note in line.kept if note.open]:
                line.end(note, onset)
        else:
            self._make_room(line, course, onset, pitch)
            velocity = self._velocity(line, course, asked, pitch)
            end = course.rest if ends else self._end(line, course, asked, pitch, velocity)
            end = max(onset + 1, end)
        step = Step(onset, line.manner.part, pitch, velocity, end, end == HELD)
        line.drawn.append(line.manner.told(line.steps, step, course.rest))
        line.steps = lively([*line.steps, step])
        if pitch != LIFT:
            line.kept.append(step)
            line.begun = True
            line.last_pitch = pitch if ends else None
            line.guard.strike(pitch)
            line.pace.strike(line.ticks(onset))
            line.tune = [*line.tune_before(onset), (line.ticks(onset), pitch)][-LATELY:]

    # ---- time ----------------------------------------------------------------------------------------------------

    def _time(self, line: NoteStream, course: NoteCourse) -> int | None:
        """When the next step is; None if none may come."""
        logits = self.feed.after(line.pending, line.position)
        now, earliest = line.now, self._earliest(line, course)
        if earliest is None:
            return None
        if course.opens and not line.begun:
            return earliest
        spans, unit = line.manner.spans, line.manner.unit_ticks
        first = np.maximum(now + spans.lows, earliest)
        # The longest stretch has no end.
        last = np.append(now + spans.lows[1:] - 1, max(now + int(spans.lows[-1]), earliest) + _BEYOND)
        allowed = last >= earliest
        onsets = np.where(allowed, first, last)
        bent = logits[spans.classes].astype(np.float64) + course.time_nats(onsets, line.tune)
        if line.begun:
            sounding = [note.pitch for note in line.sounding(now)]
            bent[onsets - now <= course.spread] += course.further_nats(sounding)
        patience = line.pace.patience(course.settings.density)
        bent += patience * np.log(np.maximum((onsets - now) * unit, _CHORD_TICKS) / _USUAL_WAIT_TICKS)
        due_ticks = max(line.pace.due_ticks(), earliest * unit + _SOON_TICKS)
        for sensible in (onsets * unit <= due_ticks, onsets * unit >= line.pace.open_ticks()):
            if (allowed & sensible).any():
                allowed &= sensible
        ticks = line.ticks(max(now, course.start))
        place = self._sample(line, bent, allowed, course, ticks)
        within = int(self._chance(line, ticks) * (last[place] - first[place] + 1))
        settled = course.settled(int(first[place]) + within, now, line.begun, self._chance(line, ticks))
        onset = max(earliest, settled)
        if line.last_pitch is not None:
            return onset if onset - now <= course.spread else None
        return onset

    def _earliest(self, line: NoteStream, course: NoteCourse) -> int | None:
        """The first moment at which a note may be struck."""
        now = max(line.now, course.start)
        ends = (note.end for note in line.sounding(now) if note.end < HELD)
        return next((at for at in sorted({now, now + 1, *ends}) if self._free(line, course, at).any()), None)

    def _free(self, line: NoteStream, course: NoteCourse, onset: int) -> Pitches:
        """Which pitches may be struck at `onset`: from the lowest up, and none that cannot be made room for."""
        fixed = [note for note in line.sounding(onset) if note.onset == onset or note not in line.kept]
        if len(fixed) >= course.polyphony:
            return np.zeros(128, dtype=np.bool_)
        free = course.playable.copy()
        free[[note.pitch for note in fixed]] = False
        before = line.steps[-1]
        if before.onset == onset and before.sounds:
            free[: before.pitch + 1] = False
        return free

    # ---- what is struck ------------------------------------------------------------------------------------------

    def _pitch(self, line: NoteStream, course: NoteCourse, asked: _Asked, *, ends: bool) -> int | None:
        """The pitch, or `LIFT`; None if the last chord has all it may have."""
        onset = asked.onset
        free = self._free(line, course, onset)
        if ends:
            struck = sum(note.onset >= onset for note in line.kept)
            lately = list(line.guard.latest(LATELY + struck))
            free = course.last_pitches(free, lately[: len(lately) - struck], line.last_pitch)
        allowed = np.zeros(PITCHES, dtype=np.bool_)
        allowed[:128] = free
        allowed[LIFT] = not ends and self._may_lift(line, course, onset)
        if not allowed.any():
            return None
        bent = self._speak("pitch", asked).copy()
        bent[:128] += course.motif_nats(line.tune_before(onset)) - course.costs
        bent[:128] += course.missing_nats([note.pitch for note in line.sounding(onset)])
        for pitch, turns in line.guard.excess(course.settings.repetition).items():
            bent[pitch] -= _BOREDOM * turns
        return self._sample(line, bent, allowed, course, line.ticks(onset))

    def _may_lift(self, line: NoteStream, course: NoteCourse, onset: int) -> bool:
        """Whether there is something to lift that has sounded for long enough."""
        opened = [note.onset for note in line.kept if note.open]
        before = line.steps[-1]
        return bool(opened) and onset - max(opened) >= course.least and not (before.onset == onset and before.sounds)

    def _make_room(self, line: NoteStream, course: NoteCourse, onset: int, pitch: int) -> None:
        """End what `pitch` strikes anew, and the oldest notes where too many sound."""
        sounding = line.sounding(onset)
        mine = [note for note in sounding if note in line.kept and note.onset < onset]
        for note in mine:
            if note.pitch == pitch or len(sounding) >= course.polyphony:
                line.end(note, onset)
                sounding.remove(note)

    def _velocity(self, line: NoteStream, course: NoteCourse, asked: _Asked, pitch: int) -> int:
        if line.manner.clock == "beat":
            return UNTOLD
        logits = self._speak("velocity", asked, pitch)
        # What is unlikely is left out of a tune for being wrong; no loudness is wrong.
        chance = self._chance(line, line.ticks(asked.onset))
        return sample(logits, np.ones(len(logits), dtype=np.bool_), chance, temperature=course.settings.temperature)

    def _end(self, line: NoteStream, course: NoteCourse, asked: _Asked, pitch: int, velocity: int) -> int:
        """When the note ends; `HELD` if a lift is to end it."""
        onset, ends = asked.onset, asked.ends
        spans, least, ticks = line.manner.spans, course.least, line.ticks(onset)
        lasts = np.append(spans.lows[1:] - 1, spans.lows[-1])
        allowed = np.zeros(LENGTHS, dtype=np.bool_)
        allowed[spans.classes] = lasts >= least
        allowed[OPEN] = line.manner.clock == "free"
        allowed[[SHARED + place for place, end in enumerate(ends) if end - onset >= least]] = True
        logits = self._speak("length", asked, pitch, velocity)
        choice = self._sample(line, logits, allowed, course, ticks)
        if choice == OPEN:
            if course.longest is None:
                return HELD
            end = onset + course.longest
        elif choice >= SHARED:
            end = ends[choice - SHARED]
        else:
            low, last = int(spans.lows[choice - spans.first]), int(lasts[choice - spans.first])
            end = onset + max(least, low + int(self._chance(line, ticks) * (last - low + 1)))
        if course.longest is not None:
            end = min(end, onset + course.longest)
        return end if course.last is None else min(end, course.last)

    def _speak(self, attribute: Attribute, asked: _Asked, *known: int) -> NDArray[np.float32]:
        """Logits of `attribute` of the step that is asked for, given what else is `known` of it: pitch, velocity."""
        part, pitch, velocity = (np.array([value]) for value in (asked.part, *known, -1, -1)[:3])
        given = given_words(1 + len(known), asked.time, asked.moment, part, pitch, velocity)
        return self.feed.model.speak(attribute, given[0], asked.classes)

    # ---- chance --------------------------------------------------------------------------------------------------

    def _sample(
        self, line: NoteStream, logits: NDArray[np.floating], allowed: NDArray[np.bool_], course: NoteCourse, ticks: int
    ) -> int:
        settings = course.settings
        chance = self._chance(line, ticks)
        return sample(
            logits, allowed, chance, temperature=settings.temperature, top_k=settings.top_k, top_p=settings.top_p
        )

    def _chance(self, line: NoteStream, ticks: int) -> float:
        """Chance for the next draw at this tick."""
        line.place = (ticks, line.place[1] + 1 if ticks == line.place[0] else 0)
        return uniform(self.seed, *line.place)
