"""Grid tokens read one by one into notes: which may come next, and what they say."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.generator import Constraints
from antiphon.notes import STEP_TICKS, Note
from antiphon.tokens.codec import Tokens
from antiphon.tokens.grid_tokens import (
    BAR,
    DURATION,
    HIGH_PITCH,
    LONGEST_BAR,
    LOW_PITCH,
    OFFSET,
    PITCH,
    VOCABULARY,
    barlines,
    step_from,
)
from antiphon.tokens.pitch_mask import bits_of, pitch_mask

_Mask = NDArray[np.bool_]


def _mask_of(first: int, last: int) -> _Mask:
    """Tokens `first` to `last`; shape [153], read only."""
    mask = np.zeros(VOCABULARY, dtype=np.bool_)
    mask[first : last + 1] = True
    mask.flags.writeable = False
    return mask


_ONLY_BAR: Final = _mask_of(BAR, BAR)
_DURATIONS: Final = _mask_of(DURATION, VOCABULARY - 1)
_OFFSETS: Final = [
    [_mask_of(OFFSET + first, OFFSET + last) for last in range(LONGEST_BAR + 1)] for first in range(LONGEST_BAR + 1)
]
"""Masks of the offsets from one to another."""


class GridWriter:
    """See `Writer`. Events come in the order of the encoding: offsets never fall within a bar, and
    at one offset each pitch is above the last. The offset of the next barline is always open, all others only if
    a pitch may follow, so that no choice leads nowhere.
    """

    __slots__ = (
        "_allowed",
        "_at",
        "_bar",
        "_bar_ticks",
        "_ends",
        "_finished",
        "_last_pitch",
        "_legal",
        "_legal_bits",
        "_next_bar",
        "_now",
        "_pitch",
        "_polyphony",
        "_velocity",
    )

    def __init__(
        self,
        bar_ticks: int,
        velocity: int,
        start_ticks: int,
        constraints: Constraints,
        context: Tokens | None = None,
    ) -> None:
        """Begin at the first sixteenth not before `start_ticks`, after the tokens of `context`.

        Raises:
            ValueError: `context` breaks off within an event.
        """
        self._bar_ticks = bar_ticks
        self._velocity = velocity
        self._polyphony = constraints.polyphony
        pitches = pitch_mask(constraints, LOW_PITCH, HIGH_PITCH)
        self._legal: _Mask = np.zeros(VOCABULARY, dtype=np.bool_)
        self._legal[PITCH:DURATION] = pitches[LOW_PITCH : HIGH_PITCH + 1]
        self._legal_bits = bits_of(pitches)
        self._now = step_from(start_ticks)
        self._bar, self._next_bar = _bar_around(bar_ticks, self._now)
        self._last_pitch = self._heard_pitch(context) if context is not None and len(context) else -1
        self._at: int | None = None
        self._pitch: int | None = None
        self._ends: dict[int, int] = {}
        self._finished: list[Note] = []
        self._allowed: _Mask | None = None

    @property
    def now_ticks(self) -> int:
        """See `Writer.now_ticks`."""
        return (self._now if self._at is None else self._at) * STEP_TICKS

    @property
    def ringing_since(self) -> int | None:
        """See `Writer.ringing_since`: None, for a note is written with its length."""
        return None

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
        if token == BAR:
            self._now, self._last_pitch, self._at = self._next_bar, -1, None
            self._bar, self._next_bar = _bar_around(self._bar_ticks, self._now)
            self._ends = {pitch: end for pitch, end in self._ends.items() if end > self._now}
        elif token < PITCH:
            self._at = self._bar + token - OFFSET
        elif token < DURATION:
            self._pitch = token - PITCH + LOW_PITCH
        elif self._at is not None and self._pitch is not None:
            length = token - DURATION + 1
            self._finished.append(Note(self._at * STEP_TICKS, self._pitch, length * STEP_TICKS, self._velocity))
            self._ends[self._pitch] = self._at + length
            self._now, self._last_pitch = self._at, self._pitch
            self._at = self._pitch = None

    def take(self) -> list[Note]:
        """See `Writer.take`."""
        finished, self._finished = self._finished, []
        return finished

    def close(self, at_ticks: int) -> list[Note]:
        """See `Writer.close`: nothing, for a note is written with its length."""
        return []

    def copy(self) -> GridWriter:
        """See `Writer.copy`."""
        twin = GridWriter.__new__(GridWriter)
        for name in GridWriter.__slots__:
            setattr(twin, name, getattr(self, name))
        twin._ends = self._ends.copy()
        twin._finished = self._finished.copy()
        return twin

    def _next(self) -> _Mask:
        if self._pitch is not None:
            return _DURATIONS
        if self._at is None:
            return _OFFSETS[self._first_open() - self._bar][self._next_bar - self._bar]
        if self._at == self._next_bar:
            return _ONLY_BAR
        mask = self._legal.copy()
        for pitch, end in self._ends.items():
            if end > self._at:
                mask[PITCH + pitch - LOW_PITCH] = False
        if self._at == self._now and self._last_pitch >= LOW_PITCH:
            mask[PITCH : PITCH + self._last_pitch - LOW_PITCH + 1] = False
        return mask

    def _first_open(self) -> int:
        """The first step at which something may come next. All later ones are open, too: notes only end."""
        if self._is_open(self._now, above=self._last_pitch):
            return self._now
        step = self._now + 1
        while step < self._next_bar and not self._is_open(step, above=-1):
            step += 1
        return min(step, self._next_bar)

    def _is_open(self, step: int, above: int) -> bool:
        """Whether a pitch higher than `above` may begin at `step`."""
        sounding = 0
        free = self._legal_bits
        for pitch, end in self._ends.items():
            if end > step:
                sounding += 1
                free &= ~(1 << pitch)
        return sounding < self._polyphony and free >> (above + 1) != 0

    def _heard_pitch(self, context: Tokens) -> int:
        """Pitch of the last event of `context`, if it is a note right where this writer begins; -1 otherwise."""
        if context[-1] == BAR:
            return -1
        if context[-1] < DURATION or len(context) < 3:
            raise ValueError(f"context ends with token {int(context[-1])}; it must end with a whole note or barline")
        offset, pitch = int(context[-3]) - OFFSET, int(context[-2]) - PITCH + LOW_PITCH
        return pitch if self._bar + offset == self._now else -1


def _bar_around(bar_ticks: int, step: int) -> tuple[int, int]:
    """The barline at or before `step`, and the one after it."""
    bar, next_bar = barlines(bar_ticks, step, step + LONGEST_BAR)[:2].tolist()
    return bar, next_bar
