"""What a stream of tokens keeps to: the key and pulse of the call, its beginning, its end.

The model's own chances are moved, not replaced. Of what it would strike between two places of the pulse, the share that
the control `stay` asks for goes to the nearer place, so that a stream keeps its density and its chords; notes outside
the key become rarer; before the end less begins, and the last chord is of the tonic, long, and over in time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.generator import Request
from antiphon.music.pulse import Pulse
from antiphon.music.tonality import Key
from antiphon.notes import STEP_TICKS
from antiphon.taste.course import CHORD_PART, counts_of, foreign_nats, last_notes
from antiphon.taste.ending import Ending
from antiphon.tokens.codec import Writer
from antiphon.tokens.kinds import TokenKinds

_OFF_PULSE: Final = 12.0
"""Nats that striking between two places costs where the pulse is sure and `stay` is 1."""
_EARLY_STEPS, _SPREAD_STEPS = 1.01, 3.5
"""So long before and after a place, in steps of the codec, a note is still on it: chords are never quite together."""
_LEAST_STEPS: Final = 6
"""No note is shorter, where a pulse is kept."""
_LIFTS: Final = 0.3
"""Of the waits while keys are down, the share that are for lifting one: that may happen anywhere."""
Logits = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class StreamState:
    """Where a stream stands."""

    now_ticks: int
    begun: bool
    """Whether a key has gone down in the answer."""
    sounding: Mapping[int, int]
    """Of each key that is down its onset, where keys are lifted by tokens."""
    lately: Sequence[int]
    """The pitches struck last."""
    last_pitch: int | None
    """Of the last chord, once it is being struck, the pitch struck last."""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What one request asks a stream to keep to."""

    kinds: TokenKinds
    key: Key | None
    pulse: Pulse | None
    stay: float
    """How firmly both are kept to, 0 to 1."""
    ending: Ending | None
    opens: bool
    """Whether the first note is wanted at once."""
    costs: Logits
    """Nats that each of `kinds.strikes` costs for lying outside the key, or beside the player's chord, shape [P]."""
    tonic: Mask | None
    """Of `kinds.strikes`, shape [P], those that belong to the tonic triad and may be played; None if none does."""

    @classmethod
    def of(cls, request: Request, kinds: TokenKinds, stay: float, playable: Mask) -> Course:
        """`playable`: of `kinds.strikes`, the pitches that the constraints allow."""
        key = request.key
        tonic: Mask | None = None
        classes = np.arange(kinds.low_pitch, kinds.low_pitch + len(playable)) % 12
        costs = foreign_nats(key, request.chord, stay)[classes]
        if key is not None:
            tonic = playable & np.isin(classes, sorted(key.triad))
            tonic = tonic if tonic.any() else None
        # What is written to a grid keeps to that grid.
        pulse = None if kinds.waits_are_places or kinds.lifts is None else request.pulse
        return cls(kinds, key, pulse, stay, Ending.of(request, pulse), request.opens, costs, tonic)

    # ---- the model's chances -------------------------------------------------------------------------------------

    def bend(self, logits: Logits, allowed: Mask, here: StreamState) -> None:
        """Change `logits`, shape [V], in place."""
        if self.costs.any():
            self._tune(logits[self.kinds.strikes], allowed[self.kinds.strikes])
        if self.pulse is None or not self.stay:
            return
        firmness = self.stay * self.pulse.confidence
        if here.begun and not self._is_on_place(here.now_ticks):
            logits[self.kinds.openings] -= _OFF_PULSE * firmness
        if allowed[self.kinds.waits].any():
            self._gather(logits, allowed, here, firmness)

    def _tune(self, strikes: Logits, allowed: Mask) -> None:
        """Make notes rarer by what they cost, in place, and the others likelier: a chord is not thinner for it."""
        if not allowed.any():
            return
        heaviest = float(strikes[allowed].max())
        before = np.exp(strikes[allowed] - heaviest).sum()
        strikes -= self.costs
        after = np.exp(strikes[allowed] - heaviest).sum()
        strikes += np.float32(math.log(before / max(after, 1e-6)))

    def _gather(self, logits: Logits, allowed: Mask, here: StreamState, firmness: float) -> None:
        """Move the chances of waits towards the places of the pulse; all of them together stay as likely as before."""
        assert self.pulse is not None
        kinds, step, now_ticks = self.kinds, float(self.kinds.wait_ticks[0]), here.now_ticks
        waits = logits[kinds.waits]
        heaviest = float(waits.max())
        masses = np.exp(waits.astype(np.float64) - heaviest)
        masses[~allowed[kinds.waits]] = 0.0
        total = masses.sum()
        ends = now_ticks + kinds.wait_ticks
        soon = now_ticks + _SPREAD_STEPS * step
        places = np.array([p for p in self.pulse.around(now_ticks, ends[-1] + self.pulse.beat_ticks) if p > soon])
        targets = np.rint((places - now_ticks) / step).astype(np.int64) - 1
        middles = (places[1:] + places[:-1]) / 2
        nearest = np.searchsorted(middles, ends)
        # The longest wait only says that it is a long one, and another follows; a chord that is being struck goes on.
        moves = targets[nearest] < len(masses)
        moves[-1] = False
        aims = targets[nearest]
        if self._is_on_place(now_ticks):
            place = self.pulse.nearest(now_ticks)
            moves &= ends > place + _SPREAD_STEPS * step
            near = ends <= place + CHORD_PART * (places[0] - place)
            aims[near] = max(0, int((place - now_ticks) / step + _SPREAD_STEPS) - 1)
        share = np.full(len(masses), firmness)
        if here.sounding:
            share[ends >= min(here.sounding.values()) + _LEAST_STEPS * step] *= 1 - _LIFTS
        moved = np.where(moves, masses * share, 0.0)
        masses -= moved
        counts = counts_of(self.pulse, places, self.stay, self.ending)
        np.add.at(masses, aims[moves], moved[moves] * counts[nearest[moves]])
        sums = masses.sum()
        if sums > 0:
            waits[:] = np.log(np.maximum(masses, 1e-30) * total / sums) + heaviest

    def _is_on_place(self, ticks: int) -> bool:
        if self.pulse is None:
            return True
        step = float(self.kinds.wait_ticks[0])
        place = self.pulse.nearest(ticks - step)
        return -_EARLY_STEPS * step <= ticks - place <= _SPREAD_STEPS * step

    # ---- what may come -------------------------------------------------------------------------------------------

    def leaves(self, writer: Writer, token: int) -> bool:
        """Whether time passes with `token`, so that the last chord, if it is being struck, is over."""
        ahead = writer.copy()
        ahead.write(token)
        return ahead.now_ticks > writer.now_ticks

    def narrow(self, allowed: Mask, here: StreamState) -> Mask:
        """Of the tokens `allowed`, shape [V], those that begin and end the answer as it should; never none of them."""
        narrowed = allowed
        if self.opens and not here.begun:
            narrowed = _without(narrowed, self.kinds.waits, self.kinds.openings)
        if self.pulse is not None and self.stay and here.sounding:
            narrowed = self._without_blips(narrowed, here)
        if self.ending is None:
            return narrowed
        if self.ends_at(here.now_ticks):
            return self._ended(narrowed, here)
        return self._not_beyond(narrowed, here.now_ticks)

    def _ended(self, allowed: Mask, here: StreamState) -> Mask:
        """What the last chord may be made of, and how long it is."""
        assert self.ending is not None
        kinds, fewer = self.kinds, allowed.copy()
        if kinds.lengths is not None and allowed[kinds.lengths].any():
            steps = max(1, int(self.ending.rest_ticks - here.now_ticks) // STEP_TICKS)
            fewer[kinds.lengths] = False
            fewer[min(kinds.lengths.stop, kinds.lengths.start + steps) - 1] = True
            return fewer
        tonic = self._tonic_near(here)
        if tonic is not None and here.last_pitch is None and not self._any_left(tonic, allowed):
            tonic = self.tonic
        if tonic is not None:
            fewer[kinds.strikes] &= tonic
        if here.last_pitch is None:
            fewer[kinds.waits] &= kinds.waits_are_places & (kinds.waits_from(allowed) == 0)
        elif tonic is not None and not self._any_left(tonic, allowed):
            fewer[kinds.openings] = False
            fewer[kinds.waits] &= kinds.waits_from(allowed) > 0
        return fewer if fewer.any() else allowed

    def _any_left(self, tonic: Mask, allowed: Mask) -> bool:
        """Whether one more note of `tonic` may be struck, as far as the tokens `allowed` show it."""
        strikes = allowed[self.kinds.strikes]
        return bool((tonic & strikes).any() if strikes.any() else tonic.any())

    def _tonic_near(self, here: StreamState) -> Mask | None:
        """Notes of the tonic triad, near those played last if there are any."""
        if self.tonic is None:
            return None
        pitches = np.arange(len(self.tonic)) + self.kinds.low_pitch
        return last_notes(self.tonic, pitches, here.lately, here.last_pitch)

    def _not_beyond(self, allowed: Mask, now_ticks: int) -> Mask:
        """Without what would miss the moment of the last chord, blur it, or ring on into it."""
        assert self.ending is not None
        kinds, last = self.kinds, self.ending.last_ticks
        if now_ticks >= last:
            return allowed
        if kinds.lengths is not None and allowed[kinds.lengths].any():
            fewer = allowed.copy()
            fewer[kinds.lengths.start + max(1, int(last - now_ticks) // STEP_TICKS) : kinds.lengths.stop] = False
            return fewer
        fewer = allowed.copy()
        ends = now_ticks + kinds.waits_from(allowed)
        near = (kinds.wait_ticks[1] - kinds.wait_ticks[0]) / 2
        fewer[kinds.waits] &= (ends < self.ending.hush_ticks) | (np.abs(ends - last) <= near)
        if now_ticks >= self.ending.hush_ticks and fewer[kinds.waits].any():
            fewer[kinds.openings] = False
        return fewer if fewer.any() else allowed

    def _without_blips(self, allowed: Mask, here: StreamState) -> Mask:
        """Without lifting what has only just been struck."""
        least = _LEAST_STEPS * float(self.kinds.wait_ticks[0])
        young = [pitch for pitch, onset in here.sounding.items() if here.now_ticks - onset < least]
        if not young:
            return allowed
        assert self.kinds.lifts is not None
        fewer = allowed.copy()
        fewer[[int(self.kinds.lifts.start) + pitch - self.kinds.low_pitch for pitch in young]] = False
        return fewer if fewer.any() else allowed

    def ends_at(self, now_ticks: int) -> bool:
        """Whether what is struck now is the last chord."""
        return self.ending is not None and self.ending.is_due(now_ticks) and self._is_on_place(now_ticks)


def _without(allowed: Mask, tokens: slice, unless_none_of: Mask) -> Mask:
    """`allowed` but for `tokens`, if any of the others is open."""
    fewer = allowed.copy()
    fewer[tokens] = False
    return fewer if (fewer & unless_none_of).any() else allowed
