"""Performance tokens read one by one into notes: which may come next, and what they say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from antiphon.generator import Constraints
from antiphon.notes import Note
from antiphon.tokens.codec import Tokens
from antiphon.tokens.performance_tokens import (
    LONGEST_SHIFT,
    NOTE_OFF,
    TIME_SHIFT,
    VELOCITY,
    VELOCITY_BIN,
    VOCABULARY,
    step_from,
    ticks_of,
)
from antiphon.tokens.pitch_mask import bits_of, pitch_mask

_Mask = NDArray[np.bool_]


class PerformanceWriter:
    """See `antiphon.tokens.codec.Writer`. Tokens come as the encoding writes them, so that music written here and heard
    again later is the same tokens: within a step keys come up, then go down, each from the lowest up; a velocity
    is told when it changes, right before a key; a shift under a second is the last before another event.

    What may come up are the keys that are down, those of the context too; only the writer's own are its notes and
    count as polyphony.
    """

    __slots__ = (
        "_allowed",
        "_down",
        "_finished",
        "_free",
        "_legal",
        "_mask",
        "_notes",
        "_place",
        "_polyphony",
        "_shifted",
        "_step",
        "_step_ticks",
        "_told",
        "_velocity_token",
    )

    def __init__(
        self, step_ticks: float, start_ticks: int, constraints: Constraints, context: Tokens | None = None
    ) -> None:
        """Begin at the first step not before `start_ticks`, after the tokens of `context`."""
        self._step_ticks = step_ticks
        self._step = step_from(start_ticks, step_ticks)
        self._polyphony = constraints.polyphony
        self._legal = pitch_mask(constraints)
        self._mask: _Mask = np.ones(VOCABULARY, dtype=np.bool_)
        """What may come but for the order of events and the polyphony."""
        self._mask[:NOTE_OFF] = self._legal
        self._mask[NOTE_OFF:TIME_SHIFT] = False
        self._velocity_token: int | None = None
        self._place = 0
        """How much of this step is behind: keys up below this number, keys down below this number less 128."""
        if context is not None and len(context):
            self._hear(context)
        self._free = bits_of(self._mask[:NOTE_OFF])
        """The keys that may go down, as bits: they tell fast whether there are any."""
        self._down = int(self._mask[NOTE_OFF:TIME_SHIFT].sum())
        """How many keys are down."""
        self._notes: dict[int, tuple[int, int]] = {}
        """Its notes that sound: of each pitch onset, in ticks, and velocity."""
        self._told = False
        """Whether a velocity came last, so that a key must follow."""
        self._shifted = False
        """Whether a shift under a second came last, so that something else should follow."""
        self._finished: list[Note] = []
        self._allowed: _Mask | None = None

    @property
    def now_ticks(self) -> int:
        """See `Writer.now_ticks`."""
        return ticks_of(self._step, self._step_ticks)

    @property
    def ringing_since(self) -> int | None:
        """See `Writer.ringing_since`."""
        return min((onset for onset, _ in self._notes.values()), default=None)

    def allowed(self) -> _Mask:
        """See `Writer.allowed`."""
        if self._allowed is None:
            self._allowed = self._next()
        return self._allowed

    def write(self, token: int) -> None:
        """See `Writer.write`."""
        if not (0 <= token < VOCABULARY and self.allowed()[token]):
            raise ValueError(f"token {token} cannot come here; allowed: {np.flatnonzero(self.allowed()).tolist()}")
        self._allowed = None
        self._told = token >= VELOCITY
        self._shifted = TIME_SHIFT <= token < TIME_SHIFT + LONGEST_SHIFT - 1
        if self._told:
            if self._velocity_token is not None:
                self._mask[self._velocity_token] = True
            self._mask[token] = False
            self._velocity_token = token
        elif token >= TIME_SHIFT:
            self._step += token - TIME_SHIFT + 1
            self._place = 0
        elif token >= NOTE_OFF:
            self._key_up(token - NOTE_OFF)
        else:
            self._key_down(token)

    def take(self) -> list[Note]:
        """See `Writer.take`."""
        finished, self._finished = self._finished, []
        return finished

    def close(self, at_ticks: int) -> list[Note]:
        """See `Writer.close`. To the grammar these keys stay down, until the token comes that lifts them."""
        closed = [
            Note(onset, pitch, max(1, at_ticks - onset), velocity)
            for pitch, (onset, velocity) in sorted(self._notes.items())
        ]
        self._notes.clear()
        self._allowed = None
        return closed

    def copy(self) -> PerformanceWriter:
        """See `Writer.copy`."""
        twin = PerformanceWriter.__new__(PerformanceWriter)
        for name in PerformanceWriter.__slots__:
            setattr(twin, name, getattr(self, name))
        twin._mask = self._mask.copy()
        twin._notes = self._notes.copy()
        twin._finished = self._finished.copy()
        return twin

    def _hear(self, context: Tokens) -> None:
        """Take over the velocity, the keys that are down and how far the last step has come."""
        told = context[context >= VELOCITY]
        if len(told):
            self._velocity_token = int(told[-1])
            self._mask[self._velocity_token] = False
        keys = context[context < TIME_SHIFT]
        down = np.zeros(NOTE_OFF, dtype=np.bool_)
        down[keys % NOTE_OFF] = keys < NOTE_OFF  # Of several events of a key the last one stays.
        self._mask[NOTE_OFF:TIME_SHIFT] = down
        self._mask[:NOTE_OFF] &= ~down
        last = int(context[-1])
        if last < NOTE_OFF:
            self._place = NOTE_OFF + last + 1
        elif last < TIME_SHIFT:
            self._place = last - NOTE_OFF + 1

    def _key_down(self, pitch: int) -> None:
        self._mask[pitch] = False
        self._mask[NOTE_OFF + pitch] = True
        self._free &= ~(1 << pitch)
        self._down += 1
        self._place = NOTE_OFF + pitch + 1
        assert self._velocity_token is not None, "no key goes down before a velocity is told"
        velocity = (self._velocity_token - VELOCITY) * VELOCITY_BIN + VELOCITY_BIN // 2
        self._notes[pitch] = (self.now_ticks, velocity)

    def _key_up(self, pitch: int) -> None:
        self._mask[NOTE_OFF + pitch] = False
        if self._legal[pitch]:
            self._mask[pitch] = True
            self._free |= 1 << pitch
        self._down -= 1
        self._place = pitch + 1
        if pitch in self._notes:
            onset, velocity = self._notes.pop(pitch)
            self._finished.append(Note(onset, pitch, self.now_ticks - onset, velocity))

    def _next(self) -> _Mask:
        mask = self._mask.copy()
        behind = max(0, self._place - NOTE_OFF)
        playable = len(self._notes) < self._polyphony and self._free >> behind != 0
        if self._told:
            mask[:behind] = False
            mask[NOTE_OFF:] = False
            return mask
        if playable and self._velocity_token is not None:
            mask[:behind] = False
        else:
            mask[:NOTE_OFF] = False
        if not playable:
            mask[VELOCITY:] = False
        mask[NOTE_OFF : NOTE_OFF + min(self._place, NOTE_OFF)] = False
        if self._shifted and (playable or self._down):
            mask[TIME_SHIFT:VELOCITY] = False
        return mask
