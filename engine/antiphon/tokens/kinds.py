"""What the tokens of a codec do: strike, lift, wait. By this a generator is steered; it judges no music."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.notes import STEP_TICKS
from antiphon.tokens.codec import Codec

_MODERATE: Final = 68
"""Velocity of the first key where nothing has been heard."""


@dataclass(frozen=True, slots=True)
class TokenKinds:
    """Where in a vocabulary the tokens are that strike a key, lift one, or let time pass."""

    strikes: slice
    """Tokens that strike a key, from the lowest pitch up."""
    low_pitch: int
    """MIDI note number that the first of them strikes."""
    lifts: slice | None
    """Tokens that lift the same keys; None if a note is written with its length."""
    waits: slice
    """Tokens that let time pass."""
    wait_ticks: NDArray[np.float64]
    """How long each of them waits, in ticks."""
    waits_are_places: bool
    """Whether they name a place, and so wait from the first that is allowed now, not from nothing."""
    chord_ticks: float
    """Notes that are no further apart are a chord, or an ornament; how close they are is left to the model."""
    openings: NDArray[np.bool_]
    """Tokens, shape [V], after which a key goes down before time passes on."""
    lengths: slice | None = None
    """Tokens that say how long a note is, in sixteenths from 1 up; None if it is lifted by a token."""
    prelude: tuple[int, ...] = ()
    """What a model reads where there is no music: how music begins. Empty: what the codec writes of a rest."""

    def struck(self, token: int) -> int | None:
        """The pitch that `token` strikes."""
        if self.strikes.start <= token < self.strikes.stop:
            return token - int(self.strikes.start) + self.low_pitch
        return None

    def lifted(self, token: int) -> int | None:
        """The pitch that `token` lifts."""
        if self.lifts is not None and self.lifts.start <= token < self.lifts.stop:
            return token - int(self.lifts.start) + self.low_pitch
        return None

    def strike(self, pitch: int) -> int | None:
        """The token that strikes `pitch`; None if none does."""
        token = int(self.strikes.start) + pitch - self.low_pitch
        return token if self.strikes.start <= token < self.strikes.stop else None

    def keys(self, pitches: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Of a mask over MIDI note numbers, shape [128], the part that `strikes` covers, in its order."""
        return pitches[self.low_pitch : self.low_pitch + self.strikes.stop - self.strikes.start]

    def waits_from(self, allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
        """How long each token of `waits` waits where the tokens `allowed` [V] may come next."""
        if not self.waits_are_places:
            return self.wait_ticks
        first = int(allowed[self.waits].argmax())
        ticks: NDArray[np.float64] = self.wait_ticks - self.wait_ticks[first]
        return ticks


def kinds_of(codec: Codec) -> TokenKinds:
    """The kinds of a codec of Antiphon's own.

    Raises:
        AntiphonError: it is another codec, whose kinds nobody knows but its author.
    """
    from antiphon.tokens import grid_tokens as grid
    from antiphon.tokens import performance_tokens as performance
    from antiphon.tokens.grid_codec import GridCodec
    from antiphon.tokens.performance_codec import PerformanceCodec

    openings = np.zeros(codec.vocabulary, dtype=np.bool_)
    if isinstance(codec, PerformanceCodec):
        openings[: performance.NOTE_OFF] = openings[performance.VELOCITY :] = True
        return TokenKinds(
            strikes=slice(performance.NOTE_ON, performance.NOTE_OFF),
            low_pitch=0,
            lifts=slice(performance.NOTE_OFF, performance.TIME_SHIFT),
            waits=slice(performance.TIME_SHIFT, performance.VELOCITY),
            wait_ticks=np.arange(1, performance.LONGEST_SHIFT + 1, dtype=np.float64) * codec.step_ticks,
            waits_are_places=False,
            chord_ticks=30.0,
            openings=openings,
            # Music is learnt from the first key on, so never begins with a rest.
            prelude=(performance.VELOCITY + _MODERATE // performance.VELOCITY_BIN,),
        )
    if isinstance(codec, GridCodec):
        openings[grid.PITCH : grid.DURATION] = True
        return TokenKinds(
            strikes=slice(grid.PITCH, grid.DURATION),
            low_pitch=grid.LOW_PITCH,
            lifts=None,
            waits=slice(grid.OFFSET, grid.PITCH),
            wait_ticks=np.arange(grid.PITCH - grid.OFFSET, dtype=np.float64) * STEP_TICKS,
            waits_are_places=True,
            chord_ticks=80.0,
            openings=openings,
            lengths=slice(grid.DURATION, grid.VOCABULARY),
        )
    raise AntiphonError(f"the codec {codec.name!r} says nothing of its tokens; give its TokenKinds to TokenGenerator")
