"""A generator made of a codec and a model that reads tokens."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from antiphon.generator import Constraints, Request
from antiphon.models.step_model import StepModel
from antiphon.music.note_rows import rows_of
from antiphon.music.timing import seconds_to_ticks
from antiphon.notes import Note, Phrase, score_order
from antiphon.taste.hearing import recent
from antiphon.tokens.codec import Codec, Tokens
from antiphon.tokens.controls import SamplingSettings
from antiphon.tokens.course import Course
from antiphon.tokens.density import DensityControl
from antiphon.tokens.drawing import TokenSampler, TokenStream
from antiphon.tokens.dynamics import Dynamics
from antiphon.tokens.feed import TokenFeed
from antiphon.tokens.kinds import TokenKinds, kinds_of
from antiphon.tokens.pitch_mask import pitch_mask
from antiphon.tokens.repetition import RepetitionPenalty

_CONTEXT_NOTES: Final = 128
"""The model knows at least so many of the last notes, which about fill its window."""
_AHEAD_TICKS: Final = 1920
"""How far a phrase is drawn beyond its end, to learn the lengths of its notes: at most so long."""
_AHEAD_TOKENS: Final = (12, 32)
"""And at most so many tokens: after a beat, which is wanted soon, and after a bar, for which there is time."""
_TICKS_PER_TOKEN: Final = 60
"""In between, a token more for so much more of a phrase."""
_CLOSE_TICKS: Final = 240
"""Nothing begins so shortly before the end of an answer: its last notes are left to ring."""
_PASSAGE_TOKENS: Final = 1024
"""After so many tokens of its own the model reads the last notes anew, so that its context has no end."""
_PASSAGES: Final = 16
"""How many such passages back it can be rewound exactly: about ten minutes."""
_BOUNDARIES: Final = 16
"""How many phrases back it can be rewound without drawing anything again."""
_LONGEST_REST_SECONDS: Final = 4.0
_LONGEST_REST_BARS: Final = 2
"""Rests within an answer are no longer than either, and shorter if the music heard is quick."""


class CodecFor(Protocol):
    """The codec for music of a tempo and a length of bar."""

    def __call__(self, *, tempo_bpm: float, bar_ticks: int) -> Codec:
        """Of one name and vocabulary, whatever the tempo and the bar."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Tempo:
    """What follows from tempo and metre."""

    tempo_bpm: float
    bar_ticks: int
    codec: Codec
    sampler: TokenSampler

    def suits(self, request: Request) -> bool:
        """Whether `request` has this tempo and metre."""
        return (self.tempo_bpm, self.bar_ticks) == (request.tempo_bpm, request.bar_ticks)

    @property
    def longest_rest_ticks(self) -> int:
        seconds = seconds_to_ticks(_LONGEST_REST_SECONDS, self.tempo_bpm)
        return min(seconds, _LONGEST_REST_BARS * self.bar_ticks)


@dataclass(slots=True)
class _Passage:
    """What was drawn after one reading of the last notes; drawn again from these, it is the same."""

    known: tuple[Note, ...]
    """The notes the model has read, in score order."""
    start_ticks: int
    constraints: Constraints
    tempo: _Tempo
    requests: list[Request] = field(default_factory=list)
    """Phrases drawn, one after the other."""
    notes: list[Note] = field(default_factory=list)
    """Their notes."""
    stream: TokenStream | None = None
    """The state after them; None: they must be drawn again."""
    boundaries: deque[tuple[int, TokenStream]] = field(default_factory=lambda: deque(maxlen=_BOUNDARIES))
    """Where the last phrases ended, and the state there."""


class TokenGenerator:
    """One player. What it plays is a function of the seed, of what was last primed, and of the requests since.

    Phrases are cut from one stream of tokens: what is drawn beyond the end of a phrase, to learn how long its notes
    are, is kept for the next. So where it is cut changes no token; only a note that is still ringing when no more is
    drawn gets its length there.
    """

    def __init__(
        self,
        seed: int,
        codec_for: CodecFor,
        model: StepModel,
        *,
        tells_velocity: bool = True,
        kinds_for: Callable[[Codec], TokenKinds] = kinds_of,
    ) -> None:
        """`tells_velocity`: whether notes come out of the codec with velocities of their own; if not, they are given
        some. `kinds_for`: what the tokens do; only needed for a codec that is not Antiphon's own.
        """
        self._seed = seed
        self._codec_for = codec_for
        self._model = model
        self._feed = TokenFeed(model)
        self._tells_velocity = tells_velocity
        self._kinds_for = kinds_for
        self._tempo = self._tempo_of(Request(0, 1))
        self._heard: tuple[Note, ...] = ()
        self._passages: deque[_Passage] = deque(maxlen=_PASSAGES)
        self._encoded: tuple[tuple[Note, ...], int, _Tempo, Tokens] | None = None
        """What was encoded last, up to when, how, and its tokens: a phrase goes on from what was primed."""
        self._end_ticks: int | None = None
        """Where the last phrase given out ends; None: there is none."""

    @property
    def runs_on(self) -> str:
        """What really computes its model, for a person to read."""
        card = self._model.card
        return f"{self._model.runs_on} (model {card.name}, {card.precision})"

    def prime(self, heard: Phrase) -> None:
        """Take in what is new in `heard`; what was drawn since the last prime is forgotten."""
        self._forget_own()
        self._heard = heard.notes
        # At the tempo of the last request: if the next has another, all is read again.
        self._read(recent(heard.notes, _CONTEXT_NOTES), heard.end_ticks, self._tempo)

    def rewind(self, to_ticks: int) -> None:
        """Forget what was drawn, then what was heard, at or after `to_ticks`."""
        if self._passages and to_ticks > self._passages[0].start_ticks:
            self._rewind_own(to_ticks)
            return
        self._forget_own()
        self._heard = self._heard[: bisect_left(self._heard, to_ticks, key=lambda note: note.start_ticks)]

    def extend(self, request: Request) -> Phrase:
        """Draw on to the end of `request`. Its deadline shapes nothing: it takes the time it takes."""
        passage = self._passage(request)
        notes = self._draw_phrase(passage, request)
        assert passage.stream is not None
        passage.requests.append(request)
        passage.boundaries.append((request.end_ticks, passage.stream.copy()))
        self._end_ticks = request.end_ticks
        return Phrase(request.start_ticks, request.end_ticks, tuple(notes))

    # ---- passages ------------------------------------------------------------------------------------------------

    def _passage(self, request: Request) -> _Passage:
        """The passage that `request` goes on with, in the state after its last phrase."""
        if request.start_ticks != self._end_ticks:
            self._forget_own()
            self._begin(recent(self._heard, _CONTEXT_NOTES), request)
        passage = self._passages[-1]
        stream = self._resume(passage)
        as_before = request.constraints == passage.constraints and passage.tempo.suits(request)
        if stream.drawn >= _PASSAGE_TOKENS or not as_before:
            known = sorted((*passage.known, *passage.notes), key=score_order)[-_CONTEXT_NOTES:]
            passage = self._begin(tuple(known), request)
            self._resume(passage)
        return passage

    def _begin(self, known: tuple[Note, ...], request: Request) -> _Passage:
        if not self._tempo.suits(request):
            self._tempo = self._tempo_of(request)
        passage = _Passage(known, request.start_ticks, request.constraints, self._tempo)
        self._passages.append(passage)
        return passage

    def _tempo_of(self, request: Request) -> _Tempo:
        codec = self._codec_for(tempo_bpm=request.tempo_bpm, bar_ticks=request.bar_ticks)
        sampler = TokenSampler(self._feed, self._kinds_for(codec), self._seed)
        return _Tempo(request.tempo_bpm, request.bar_ticks, codec, sampler)

    def _resume(self, passage: _Passage) -> TokenStream:
        """The stream of `passage`; if the model has left it too far behind, its phrases are drawn again."""
        if passage.stream is None or not self._feed.reaches(passage.stream.position):
            tempo = passage.tempo
            tokens = self._read(passage.known, passage.start_ticks, tempo)
            writer = tempo.codec.writer(passage.start_ticks, passage.constraints, tokens)
            pace = DensityControl(self._heard, passage.known, passage.start_ticks, tempo.longest_rest_ticks)
            penalty = RepetitionPenalty(passage.known)
            passage.stream = TokenStream(writer, penalty, pace, position=len(tokens) - 1, pending=int(tokens[-1]))
            passage.notes.clear()
            for request in passage.requests:
                self._draw_phrase(passage, request)
        return passage.stream

    def _read(self, notes: tuple[Note, ...], now_ticks: int, tempo: _Tempo) -> Tokens:
        """Let the model read `notes` up to now; returns them as tokens."""
        if self._encoded is None or self._encoded[:3] != (notes, now_ticks, tempo):
            prelude = tempo.sampler.kinds.prelude
            if notes or not prelude:
                tokens = tempo.codec.encode(rows_of(notes), now_ticks)
            else:
                tokens = np.array(prelude, dtype=np.int64)
            self._encoded = (notes, now_ticks, tempo, tokens)
        self._feed.listen(self._encoded[3])
        return self._encoded[3]

    def _rewind_own(self, to_ticks: int) -> None:
        if self._end_ticks is None or to_ticks >= self._end_ticks:
            return
        self._end_ticks = to_ticks
        while self._passages[-1].start_ticks >= to_ticks:
            self._passages.pop()
            self._passages[-1].stream = None
            self._passages[-1].boundaries.clear()
        passage = self._passages[-1]
        passage.notes = [note for note in passage.notes if note.start_ticks < to_ticks]
        passage.requests = [
            request if request.end_ticks <= to_ticks else request.shortened(to_ticks)
            for request in passage.requests
            if request.start_ticks < to_ticks
        ]
        while passage.boundaries and passage.boundaries[-1][0] > to_ticks:
            passage.boundaries.pop()
        at_boundary = bool(passage.boundaries) and passage.boundaries[-1][0] == to_ticks
        passage.stream = passage.boundaries[-1][1].copy() if at_boundary else None

    def _forget_own(self) -> None:
        self._passages.clear()
        self._end_ticks = None

    # ---- phrases -------------------------------------------------------------------------------------------------

    def _draw_phrase(self, passage: _Passage, request: Request) -> list[Note]:
        """The notes of `request`, in score order; the stream of `passage` goes on to its end, and beyond."""
        stream = passage.stream
        assert stream is not None
        start, end = request.start_ticks, request.end_ticks
        last = max(start + 1, end - _CLOSE_TICKS) if request.final else end
        passage.stream = None  # If the model fails on the way, this is no state to go on from.
        sampler = passage.tempo.sampler
        settings = SamplingSettings.of(request.controls)
        playable = sampler.kinds.keys(pitch_mask(request.constraints))
        course = Course.of(request, sampler.kinds, settings.stay, playable)
        _draw_until(sampler, stream, last, request, settings, course)
        if not request.final:
            _draw_ahead(sampler, stream, end, request, settings, course)
        closes_at = end if request.final else stream.writer.now_ticks
        if stream.closed and course.ending is not None:
            closes_at = course.ending.rest_ticks
        # A note that began in an earlier phrase was given out with it, whether it had come to its end or not.
        ringing = stream.writer.copy().close(closes_at)
        notes = [note for note in (*stream.notes, *ringing) if start <= note.start_ticks < last]
        notes.sort(key=score_order)
        if not self._tells_velocity:
            notes = Dynamics.heard_in(self._heard, request.bar_ticks, self._seed).apply(notes)
        stream.notes = [note for note in stream.notes if note.start_ticks >= end]
        passage.notes += notes
        passage.stream = stream
        return notes


def _draw_until(
    sampler: TokenSampler, stream: TokenStream, ticks: int, request: Request, settings: SamplingSettings, course: Course
) -> None:
    while stream.writer.now_ticks < ticks and not stream.closed:
        sampler.draw(stream, settings, request.constraints, course)


def _draw_ahead(
    sampler: TokenSampler,
    stream: TokenStream,
    end_ticks: int,
    request: Request,
    settings: SamplingSettings,
    course: Course,
) -> None:
    """Draw on, within limits, until every note that began before the end has come to its own."""
    least, most = _AHEAD_TOKENS
    enough = stream.drawn + min(most, max(least, request.length_ticks // _TICKS_PER_TOKEN))
    while stream.ringing(end_ticks) and stream.drawn < enough and stream.writer.now_ticks < end_ticks + _AHEAD_TICKS:
        if stream.closed:
            return
        sampler.draw(stream, settings, request.constraints, course)
