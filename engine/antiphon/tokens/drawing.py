"""Music on its way out of a model, token by token, and the choice of the next one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.generator import Constraints
from antiphon.notes import Note
from antiphon.tokens.codec import Writer
from antiphon.tokens.controls import SamplingSettings
from antiphon.tokens.course import Course, StreamState
from antiphon.tokens.density import DensityControl
from antiphon.tokens.feed import TokenFeed
from antiphon.tokens.kinds import TokenKinds
from antiphon.tokens.pitch_mask import pitch_mask
from antiphon.tokens.repetition import RepetitionPenalty
from antiphon.tokens.sampler import sample, uniform

_USUAL_WAIT_TICKS: Final = 240.0
_LATELY: Final = 8
"""How many of the last notes say where a stream is."""
_BOREDOM: Final = 2.0
"""Nats that each turn too many costs."""


@dataclass(slots=True)
class TokenStream:
    """The state of a drawing: a copy of it goes on with the same tokens."""

    writer: Writer
    penalty: RepetitionPenalty
    pace: DensityControl
    position: int
    """Tokens the model has read before `pending`."""
    pending: int
    """The last token, which the model reads next."""
    notes: list[Note] = field(default_factory=list)
    """Notes finished and not yet given out."""
    drawn: int = 0
    """How many tokens were drawn."""
    sounding: dict[int, int] = field(default_factory=dict)
    """Keys that were struck and not lifted, where they are lifted by tokens: of each pitch its onset."""
    decided: tuple[int, ...] = ()
    """Tokens that come next, whatever the model says."""
    begun: bool = False
    """Whether a key has gone down since the stream began."""
    last_pitch: int | None = None
    """Of the last chord of an answer, once it is being struck, the pitch struck last."""
    closed: bool = False
    """Whether the last chord has been struck: nothing more is to be drawn, and it rings on to the end."""
    place: tuple[int, int] = (-1, 0)
    """The tick of the last draw, and how many draws there were at it."""

    def copy(self) -> TokenStream:
        """Another stream in the same state."""
        return replace(
            self,
            writer=self.writer.copy(),
            penalty=self.penalty.copy(),
            pace=self.pace.copy(),
            notes=self.notes.copy(),
            sounding=self.sounding.copy(),
        )

    def ringing(self, before_ticks: int) -> bool:
        """Whether a note that began before `before_ticks` has no end yet."""
        since = self.writer.ringing_since
        return since is not None and since < before_ticks


@dataclass(frozen=True, slots=True)
class TokenSampler:
    """Draws the tokens of lines. Chance comes from the seed and the place in the music."""

    feed: TokenFeed
    kinds: TokenKinds
    seed: int

    def draw(self, stream: TokenStream, settings: SamplingSettings, constraints: Constraints, course: Course) -> None:
        """Add one token to `stream`; none, if that would be the first after its last chord: then it is closed."""
        logits = self.feed.logits_after(stream.pending, stream.position)
        token = self._next(stream, logits, settings, constraints, course)
        if stream.last_pitch is not None and course.leaves(stream.writer, token):
            stream.closed = True
            return
        ends = course.ends_at(stream.writer.now_ticks)
        stream.writer.write(token)
        stream.position += 1
        stream.pending = token
        stream.drawn += 1
        struck, lifted = self.kinds.struck(token), self.kinds.lifted(token)
        if struck is not None:
            stream.begun = True
            stream.last_pitch = struck if ends else None
            stream.penalty.strike(struck)
            stream.pace.strike(stream.writer.now_ticks)
            if self.kinds.lifts is not None:
                stream.sounding[struck] = stream.writer.now_ticks
        elif lifted is not None:
            stream.sounding.pop(lifted, None)
        stream.notes += stream.writer.take()

    def _next(
        self,
        stream: TokenStream,
        logits: NDArray[np.float32],
        settings: SamplingSettings,
        constraints: Constraints,
        course: Course,
    ) -> int:
        allowed = stream.writer.allowed()
        if (
            not stream.decided
            and stream.last_pitch is None
            and stream.sounding
            and course.ends_at(stream.writer.now_ticks)
        ):
            stream.decided = self._lifting(stream, allowed, 0)  # The last chord stands alone.
        if stream.decided:
            token, *rest = stream.decided
            stream.decided = tuple(rest)
            return token
        chances = self._chances(stream)
        adjusted = self._adjusted_logits(logits, allowed, stream, settings)
        here = StreamState(
            stream.writer.now_ticks, stream.begun, stream.sounding, stream.penalty.latest(_LATELY), stream.last_pitch
        )
        course.bend(adjusted, allowed, here)
        allowed = self._playable(course.narrow(allowed, here), stream)
        if len(stream.sounding) >= constraints.polyphony and not allowed[self.kinds.openings].any():
            # No hand is free: if the model wants to strike a key now, others are lifted, as a pedal would be.
            wished = allowed | self.kinds.openings
            wished[self.kinds.strikes] &= self.kinds.keys(pitch_mask(constraints))
            token = _sample(adjusted, wished, next(chances), settings)
            if not self.kinds.openings[token]:
                return token
            stream.decided = self._lifting(stream, allowed, constraints.polyphony // 2)
            if stream.decided:
                return self._next(stream, logits, settings, constraints, course)
        return _sample(adjusted, allowed, next(chances), settings)

    def _chances(self, stream: TokenStream) -> Iterator[float]:
        """Chance for the draws at this place."""
        while True:
            ticks, count = stream.writer.now_ticks, 0
            if ticks == stream.place[0]:
                count = stream.place[1] + 1
            stream.place = (ticks, count)
            yield uniform(self.seed, ticks, count)

    def _adjusted_logits(
        self, logits: NDArray[np.float32], allowed: NDArray[np.bool_], stream: TokenStream, settings: SamplingSettings
    ) -> NDArray[np.float32]:
        """The logits, shape [V], with density and the penalty against circles."""
        adjusted = logits.copy()
        patience = stream.pace.patience(settings.density)
        if patience and allowed[self.kinds.waits].any():
            waits = np.maximum(self.kinds.waits_from(allowed), self.kinds.chord_ticks)
            adjusted[self.kinds.waits] += patience * np.log(waits / _USUAL_WAIT_TICKS)
        for pitch, turns in stream.penalty.excess(settings.repetition).items():
            token = self.kinds.strike(pitch)
            if token is not None:
                adjusted[token] -= _BOREDOM * turns
        return adjusted

    def _playable(self, allowed: NDArray[np.bool_], stream: TokenStream) -> NDArray[np.bool_]:
        """Of the tokens `allowed`, shape [V], those that make neither too long a rest nor too dense a crowd."""
        waits = allowed[self.kinds.waits]
        if not waits.any():
            return allowed
        now = stream.writer.now_ticks
        ends = now + self.kinds.waits_from(allowed)
        sensible = allowed
        late = ends > stream.pace.due_ticks()
        if (waits & late).any():
            fewer = allowed.copy()
            fewer[self.kinds.waits] &= ~late
            # Somebody who may not play must be let wait.
            if fewer[self.kinds.waits].any() or fewer[self.kinds.openings].any():
                sensible = fewer
        open_ticks = stream.pace.open_ticks()
        if now < open_ticks:
            fewer = sensible & ~self.kinds.openings
            fewer[self.kinds.waits] &= ends >= open_ticks
            if fewer.any():
                sensible = fewer
        return sensible

    def _lifting(self, stream: TokenStream, allowed: NDArray[np.bool_], leave: int) -> tuple[int, ...]:
        """Tokens that lift all but the newest `leave` keys; none if the codec's order does not let them, here."""
        assert self.kinds.lifts is not None
        oldest = sorted(stream.sounding, key=lambda pitch: (stream.sounding[pitch], pitch))
        lifts = [int(self.kinds.lifts.start) + pitch - self.kinds.low_pitch for pitch in oldest[: len(oldest) - leave]]
        return tuple(sorted(token for token in lifts if allowed[token]))


def _sample(logits: NDArray[np.float32], allowed: NDArray[np.bool_], chance: float, settings: SamplingSettings) -> int:
    return sample(logits, allowed, chance, temperature=settings.temperature, top_k=settings.top_k, top_p=settings.top_p)
