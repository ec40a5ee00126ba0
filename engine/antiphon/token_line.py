"""Music on its way out of a model, token by token, and the choice of the next one. It knows no phrases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.codec import Writer
from antiphon.generator import Constraints
from antiphon.notes import Note
from antiphon.pitch_mask import pitch_mask
from antiphon.sampler import sample, uniform
from antiphon.token_controls import Taste
from antiphon.token_course import Course, Standing
from antiphon.token_feed import TokenFeed
from antiphon.token_guard import TokenGuard
from antiphon.token_kinds import TokenKinds
from antiphon.token_pace import TokenPace

_USUAL_WAIT_TICKS: Final = 240.0
_LATELY: Final = 8
"""How many of the last notes say where a line is."""
_BOREDOM: Final = 2.0
"""Nats that each turn too many costs."""


@dataclass(slots=True)
class Line:
    """The state of a drawing: a copy of it goes on with the same tokens."""

    writer: Writer
    guard: TokenGuard
    pace: TokenPace
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
    """Whether a key has gone down since the line began."""
    last_pitch: int | None = None
    """Of the last chord of an answer, once it is being struck, the pitch struck last."""
    closed: bool = False
    """Whether the last chord has been struck: nothing more is to be drawn, and it rings on to the end."""
    place: tuple[int, int] = (-1, 0)
    """The tick of the last draw, and how many draws there were at it."""

    def copy(self) -> Line:
        """Another line in the same state."""
        return replace(
            self,
            writer=self.writer.copy(),
            guard=self.guard.copy(),
            pace=self.pace.copy(),
            notes=self.notes.copy(),
            sounding=self.sounding.copy(),
        )

    def ringing(self, before_ticks: int) -> bool:
        """Whether a note that began before `before_ticks` has no end yet."""
        since = self.writer.ringing_since
        return since is not None and since < before_ticks


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws the tokens of lines. Chance comes from the seed and the place in the music."""

    feed: TokenFeed
    kinds: TokenKinds
    seed: int

    def draw(self, line: Line, taste: Taste, constraints: Constraints, course: Course) -> None:
        """Add one token to `line`; none, if that would be the first after its last chord: then it is closed."""
        logits = self.feed.logits_after(line.pending, line.position)
        token = self._next(line, logits, taste, constraints, course)
        if line.last_pitch is not None and course.leaves(line.writer, token):
            line.closed = True
            return
        ends = course.ends_at(line.writer.now_ticks)
        line.writer.write(token)
        line.position += 1
        line.pending = token
        line.drawn += 1
        struck, lifted = self.kinds.struck(token), self.kinds.lifted(token)
        if struck is not None:
            line.begun = True
            line.last_pitch = struck if ends else None
            line.guard.strike(struck)
            line.pace.strike(line.writer.now_ticks)
            if self.kinds.lifts is not None:
                line.sounding[struck] = line.writer.now_ticks
        elif lifted is not None:
            line.sounding.pop(lifted, None)
        line.notes += line.writer.take()

    def _next(
        self, line: Line, logits: NDArray[np.float32], taste: Taste, constraints: Constraints, course: Course
    ) -> int:
        allowed = line.writer.allowed()
        if not line.decided and line.last_pitch is None and line.sounding and course.ends_at(line.writer.now_ticks):
            line.decided = self._lifting(line, allowed, 0)  # The last chord stands alone.
        if line.decided:
            token, *rest = line.decided
            line.decided = tuple(rest)
            return token
        chances = self._chances(line)
        bent = self._bent(logits, allowed, line, taste)
        here = Standing(line.writer.now_ticks, line.begun, line.sounding, line.guard.latest(_LATELY), line.last_pitch)
        course.bend(bent, allowed, here)
        allowed = self._sensible(course.narrow(allowed, here), line)
        if len(line.sounding) >= constraints.polyphony and not allowed[self.kinds.openings].any():
            # No hand is free: if the model wants to strike a key now, others are lifted, as a pedal would be.
            wished = allowed | self.kinds.openings
            wished[self.kinds.strikes] &= self.kinds.keys(pitch_mask(constraints))
            token = _sample(bent, wished, next(chances), taste)
            if not self.kinds.openings[token]:
                return token
            line.decided = self._lifting(line, allowed, constraints.polyphony // 2)
            if line.decided:
                return self._next(line, logits, taste, constraints, course)
        return _sample(bent, allowed, next(chances), taste)

    def _chances(self, line: Line) -> Iterator[float]:
        """Chance for the draws at this place."""
        while True:
            ticks, count = line.writer.now_ticks, 0
            if ticks == line.place[0]:
                count = line.place[1] + 1
            line.place = (ticks, count)
            yield uniform(self.seed, ticks, count)

    def _bent(
        self, logits: NDArray[np.float32], allowed: NDArray[np.bool_], line: Line, taste: Taste
    ) -> NDArray[np.float32]:
        """The logits, shape [V], with density and the guard against circles."""
        bent = logits.copy()
        patience = line.pace.patience(taste.density)
        if patience and allowed[self.kinds.waits].any():
            waits = np.maximum(self.kinds.waits_from(allowed), self.kinds.chord_ticks)
            bent[self.kinds.waits] += patience * np.log(waits / _USUAL_WAIT_TICKS)
        for pitch, turns in line.guard.excess(taste.repetition).items():
            token = self.kinds.strike(pitch)
            if token is not None:
                bent[token] -= _BOREDOM * turns
        return bent

    def _sensible(self, allowed: NDArray[np.bool_], line: Line) -> NDArray[np.bool_]:
        """Of the tokens `allowed`, shape [V], those that make neither too long a rest nor too dense a crowd."""
        waits = allowed[self.kinds.waits]
        if not waits.any():
            return allowed
        now = line.writer.now_ticks
        ends = now + self.kinds.waits_from(allowed)
        sensible = allowed
        late = ends > line.pace.due_ticks()
        if (waits & late).any():
            fewer = allowed.copy()
            fewer[self.kinds.waits] &= ~late
            # Somebody who may not play must be let wait.
            if fewer[self.kinds.waits].any() or fewer[self.kinds.openings].any():
                sensible = fewer
        open_ticks = line.pace.open_ticks()
        if now < open_ticks:
            fewer = sensible & ~self.kinds.openings
            fewer[self.kinds.waits] &= ends >= open_ticks
            if fewer.any():
                sensible = fewer
        return sensible

    def _lifting(self, line: Line, allowed: NDArray[np.bool_], leave: int) -> tuple[int, ...]:
        """Tokens that lift all but the newest `leave` keys; none if the codec's order does not let them, here."""
        assert self.kinds.lifts is not None
        oldest = sorted(line.sounding, key=lambda pitch: (line.sounding[pitch], pitch))
        lifts = [int(self.kinds.lifts.start) + pitch - self.kinds.low_pitch for pitch in oldest[: len(oldest) - leave]]
        return tuple(sorted(token for token in lifts if allowed[token]))


def _sample(logits: NDArray[np.float32], allowed: NDArray[np.bool_], chance: float, taste: Taste) -> int:
    return sample(logits, allowed, chance, temperature=taste.temperature, top_k=taste.top_k, top_p=taste.top_p)
