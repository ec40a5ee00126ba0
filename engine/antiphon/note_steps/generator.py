"""A generator that plays a model of notes: it keeps the contract. How a note is drawn is `note_line`'s."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import replace
from typing import Final, NamedTuple

from antiphon.generator import Request
from antiphon.music.timing import seconds_to_ticks
from antiphon.note_steps.codec import UNTOLD, VELOCITY_BIN
from antiphon.note_steps.controls import style_of
from antiphon.note_steps.course import NoteCourse
from antiphon.note_steps.drawing import LATELY, NoteStream, Pen
from antiphon.note_steps.feed import NoteFeed
from antiphon.note_steps.manner import Manner, Step
from antiphon.note_steps.model import NoteModel
from antiphon.note_steps.spans import Clock
from antiphon.notes import Note, Phrase, score_order
from antiphon.taste.hearing import recent, since
from antiphon.taste.motif import tune_of
from antiphon.tokens.density import DensityControl
from antiphon.tokens.dynamics import Dynamics
from antiphon.tokens.repetition import RepetitionPenalty

_CONTEXT_NOTES: Final = 160
"""The model knows at least so many of the last notes, and at most twice as many and a call: its window."""
_LINE_STEPS: Final = 512
"""After so many steps of its own the model reads the last notes anew, so that its line has no end."""
_PHRASES: Final = 64
"""How many phrases back it can be rewound exactly."""
_AHEAD_STEPS: Final = (6, 24)
"""A phrase is drawn so far beyond its end, to learn when its open notes are lifted: after a beat, and after a bar."""
_TICKS_PER_STEP: Final = 80
"""In between, a step more for so much more of a phrase."""
_AHEAD_TICKS: Final = 1920
"""And no further than this."""
_LONGEST_REST_SECONDS: Final = 4.0
_LONGEST_REST_BARS: Final = 2
"""Rests within an answer are no longer than either, and shorter if the music heard is quick."""
_MODERATE: Final = 68
"""Velocity of a note that tells none."""
_OWN_NOTES: Final = 4096
"""Of its own it remembers so many: more than the phrases it can be rewound by, and the context before them."""


class _Played(NamedTuple):
    """A phrase that was given out."""

    request: Request
    before: NoteStream | None
    """The line before it; None: there was none."""


class NoteGenerator:
    """One player. What it plays is a function of the seed, of what was last primed, and of the requests since.

    Phrases are cut from one line. When the next note begins is drawn before it is known whether it belongs to the
    phrase; so where the line is cut changes no note.
    """

    def __init__(self, seed: int, model: NoteModel, clock: Clock) -> None:
        """`clock`: whether it plays in free time or to the beat."""
        self._seed = seed
        self._model = model
        self._pen = Pen(NoteFeed(model), seed)
        self._manner = Manner(clock)
        self._heard: tuple[Note, ...] = ()
        self._own: list[Note] = []
        """Given out since the last prime."""
        self._line: NoteStream | None = None
        self._played: deque[_Played] = deque(maxlen=_PHRASES)

    @property
    def runs_on(self) -> str:
        """What really computes its model, for a person to read."""
        card = self._model.card
        return f"{self._model.runs_on} (model {card.name}, {card.precision})"

    def prime(self, heard: Phrase) -> None:
        """Take in what is new in `heard`; what was drawn since the last prime is forgotten."""
        self._forget_own()
        self._heard = heard.notes
        # In the manner of the last request: if the next has another, all is read again.
        context, _ = self._manner.heard(recent(heard.notes, _CONTEXT_NOTES), heard.end_ticks)
        self._pen.feed.listen(context)

    def rewind(self, to_ticks: int) -> None:
        """Forget what was drawn, then what was heard, at or after `to_ticks`."""
        if not self._played or to_ticks <= self._played[0].request.start_ticks:
            self._forget_own()
            self._heard = self._heard[: bisect_left(self._heard, to_ticks, key=lambda note: note.start_ticks)]
            return
        while self._played and self._played[-1].request.end_ticks > to_ticks:
            last = self._played.pop()
            start = last.request.start_ticks
            self._line = None if last.before is None else last.before.copy()
            self._own = [note for note in self._own if note.start_ticks < start]
            if start < to_ticks:
                self.extend(last.request.shortened(to_ticks))

    def extend(self, request: Request) -> Phrase:
        """Draw on to the end of `request`. Its deadline shapes nothing: it takes the time it takes."""
        if self._played and request.start_ticks != self._played[-1].request.end_ticks:
            self._forget_own()
        before, self._line = self._line, None  # If the model fails on the way, there is no state to go on from.
        line = self._line_for(before, request)
        call = [note for note in since(self._heard, request.call_ticks) if not note.own]
        course = NoteCourse.of(request, line.manner, call)
        self._pen.resume(line)
        self._draw(line, course, request)
        notes = self._give_out(line, request)
        self._played.append(_Played(request, before))
        self._line = line
        return Phrase(request.start_ticks, request.end_ticks, tuple(notes))

    def _forget_own(self) -> None:
        self._own.clear()
        self._played.clear()
        self._line = None

    def _line_for(self, line: NoteStream | None, request: Request) -> NoteStream:
        """A line that goes on as `line` does, or a new one where that has come to its end, or other music is wanted."""
        manner = self._manner = self._manner.of(request, style_of(request.controls))
        goes_on = self._played and self._played[-1].request.constraints == request.constraints
        if line is not None and goes_on and line.manner == manner and len(line.drawn) < _LINE_STEPS:
            return line.copy()
        known = recent(sorted((*self._heard, *self._own), key=score_order), _CONTEXT_NOTES)
        context, steps = manner.heard(known, request.start_ticks)
        seconds = seconds_to_ticks(_LONGEST_REST_SECONDS, request.tempo_bpm)
        longest_rest_ticks = min(seconds, _LONGEST_REST_BARS * request.bar_ticks)
        theirs, mine, since_ticks = self._heard, known, request.start_ticks
        if request.beside:  # What the player does at the same time is no figure of its own, and sets the pace.
            theirs = tuple(note for note in self._heard if not note.own)
            mine = tuple(note for note in known if note.own)
            since_ticks = next((note.start_ticks for note in (*mine[-1:], *theirs[:1])), since_ticks)
        pace = DensityControl(theirs, mine, since_ticks, longest_rest_ticks)
        tune = tune_of(mine if request.beside else self._own)
        return NoteStream(manner, context, steps, RepetitionPenalty(mine), pace, tune[-LATELY:])

    def _draw(self, line: NoteStream, course: NoteCourse, request: Request) -> None:
        """Draw to the end of `request`; and beyond, within limits, until what began before it has come to its end."""
        pen, end = self._pen, request.end_ticks
        while (due := pen.due_ticks(line, course)) is not None and due < end:
            pen.draw(line, course)
        least, most = _AHEAD_STEPS
        for _ in range(min(most, max(least, request.length_ticks // _TICKS_PER_STEP))):
            due = pen.due_ticks(line, course)
            if due is None or due > end + _AHEAD_TICKS or not any(_opens_before(end, note, line) for note in line.kept):
                return
            pen.draw(line, course)

    def _give_out(self, line: NoteStream, request: Request) -> list[Note]:
        """The notes of `line` in `request`, in score order; from now on they are as they are."""
        end = request.end_ticks
        for note in [note for note in line.kept if _opens_before(end, note, line)]:
            line.end(note, max(note.onset + 1, line.now if line.due is None else line.due))
        given = [note for note in line.kept if line.ticks(note.onset) < end]
        line.kept = line.kept[len(given) :]
        notes = sorted((_note(step, line) for step in given), key=score_order)
        if line.manner.clock == "beat":
            notes = Dynamics.heard_in(self._heard, request.bar_ticks, self._seed).apply(notes)
        self._own += [replace(note, own=True) for note in notes]
        del self._own[:-_OWN_NOTES]
        return notes


def _opens_before(end_ticks: int, note: Step, line: NoteStream) -> bool:
    """Whether `note` begins before that tick, and nobody knows yet when it ends."""
    return note.open and line.ticks(note.onset) < end_ticks


def _note(step: Step, line: NoteStream) -> Note:
    start, end = line.ticks(step.onset), line.ticks(step.end)
    velocity = _MODERATE if step.velocity == UNTOLD else step.velocity * VELOCITY_BIN + VELOCITY_BIN // 2
    return Note(start, step.pitch, max(1, end - start), velocity)
