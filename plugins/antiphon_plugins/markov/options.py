"""The ways on at one place in the music, weighed: what the player did, and what scores do. None is chosen here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from antiphon import Request
from antiphon_plugins.markov.events import Event, gap_class
from antiphon_plugins.markov.guard import earliest_onset, staleness
from antiphon_plugins.markov.legality import Legality, thin
from antiphon_plugins.markov.manner import Manner, too_low
from antiphon_plugins.markov.model import MAX_ORDER, Match, Memory, Prediction
from antiphon_plugins.markov.table import (
    BEAT_PHASES,
    LINE_ORDER,
    MAX_MOTION,
    MOVE_GAPS,
    MOVE_MOTIONS,
    MOVE_SIZES,
    MOVES,
    Table,
    line_contexts,
    move_of,
)

_TABLE_OPTIONS = 16
"""How many of the table's moves are worth weighing at each step."""
_CIRCLES_EVENTS = 40
"""How far back circles are looked for."""
_SUREST = 0.9
"""However well it knows what comes next, the table keeps a door open: an answer should not only quote."""
_NOTHING = 1e-100
"""A weight below this is none: it could not be scaled up again."""
_HURRIED = 0.3
"""What it costs an option that its time is not its own: it should have come before this phrase, or too soon."""
_UNRESOLVED = 0.1
"""What it costs an option to leave the tonic chord at the very end."""


@dataclass(slots=True)
class Option:
    """One way on. Not frozen: its weight and onset are worked on until one option is drawn."""

    weight: float
    onset_ticks: int
    pitches: tuple[int, ...]
    """From the lowest up; from the table only the highest, its voicing is drawn later."""
    place: int | None = None
    """Index in memory of the event it copies; None if it comes from the table."""
    shift: int = 0
    """Semitones by which that event is moved."""
    size: int = 1
    """Size class of a table option."""


class Options:
    """Finds and weighs the ways on for one request."""

    def __init__(
        self, memory: Memory, table: Table, manner: Manner, legality: Legality, request: Request, origin_ticks: int
    ) -> None:
        """`origin_ticks`: where a beat begins."""
        self._memory = memory
        self._table = table
        self._manner = manner
        self._legality = legality
        self._request = request
        self._origin_ticks = origin_ticks
        self._order = round(request.controls.get("order", MAX_ORDER))
        self._trust = request.controls.get("trust", 0.7)
        self._density = request.controls.get("density", 0.5)
        # A voice in another range than the player's keeps their register, octaves away.
        lead_weights = np.roll(manner.lead_weights, legality.octaves(manner.register_pitch))
        # By pitch + MAX_MOTION: so no move from a pitch leads beyond the array.
        self._lead_weights = np.pad(lead_weights * legality.mask, MAX_MOTION)
        self._move_weights = (
            manner.leap_weights[abs(MOVE_MOTIONS)] * manner.gap_weights[MOVE_GAPS] * manner.size_weights[MOVE_SIZES - 1]
        )

    def after(self, past: Sequence[Event], matches: tuple[Match, ...], pace: float, *, launch: bool) -> list[Option]:
        """Ways on from `past` (which may be empty), of which `matches` tells where it occurs in memory.

        `pace`, drawn from 0 <= x < 1, says whether the density makes the time to the next event another.
        Each starts where the request does if this is the `launch` of an answer, otherwise no earlier.
        """
        start = self._request.start_ticks
        here = past[-1].onset_ticks if past else start
        predictions = self._memory.predict(matches, past[-1].lead, self._order) if past and self._trust > 0 else []
        own = self._own_options(predictions, here)
        learnt = [] if own and self._trust == 1 else self._table_options(past, here)
        self._guard([*own, *learnt], past)
        if own and learnt:
            sure = sum(prediction.share for prediction in predictions)
            fitting = sum(option.weight for option in own) / sure
            # Of the chance s that the player goes on as they did before: 0 at trust 0, s at 1/2, 1 at 1.
            share = min(sure, _SUREST) ** ((1 - self._trust) / self._trust)
            _scale(own, share * fitting)
            _scale(learnt, 1 - share * fitting)
        options = [*own, *learnt] or self._nearest_options(past, here)
        if launch:
            for option in options:
                option.onset_ticks = start
            return options
        earliest = max(start, earliest_onset(past))
        for option in options:
            option.onset_ticks = here + self._paced(option.onset_ticks - here, pace)
            if option.onset_ticks < earliest:
                option.onset_ticks = earliest
                option.weight *= _HURRIED
        if self._request.final:
            self._close(options)
        return options

    def _paced(self, gap_ticks: int, pace: float) -> int:
        """A gap as it is, or, all the more often the further the density is from the middle, twice or half of it."""
        wanted = 2 * self._density - 1
        if pace >= abs(wanted):
            return gap_ticks
        if wanted < 0:
            return 2 * gap_ticks if 2 * gap_ticks <= self._manner.longest_gap_ticks else gap_ticks
        return gap_ticks // 2 if gap_ticks // 2 >= self._manner.sixteenth_ticks else gap_ticks

    def _guard(self, options: list[Option], past: Sequence[Event]) -> None:
        """Let what goes round in circles weigh less."""
        recent = past[-_CIRCLES_EVENTS:]
        patience = self._manner.patience
        stale_chords = staleness([event.pitches for event in recent], patience, loops=True)
        stale_leads = staleness([event.lead for event in recent], patience, loops=False)
        for option in options:
            if option.place is None:  # Its chord is not known yet.
                option.weight *= stale_leads.get(option.pitches[-1], 1.0)
            else:
                option.weight *= stale_chords.get(option.pitches, 1.0)

    def _own_options(self, predictions: Sequence[Prediction], here: int) -> list[Option]:
        """What the player did in such a place, moved to where we are; it weighs less where it fits badly."""
        options: list[Option] = []
        manner = self._manner
        floor = manner.lowest_pitch + self._legality.octaves(manner.register_pitch)
        for prediction in predictions:
            event = self._memory.events[prediction.place]
            shift = prediction.shift + self._legality.octaves(event.lead + prediction.shift)
            if not 0 <= event.lead + shift <= 127:
                continue
            pitches = self._legality.fit([pitch + shift for pitch in thin(event.pitches)])
            if not pitches:
                continue
            weight = prediction.share
            if shift % 12:
                for pitch in pitches:
                    weight *= manner.affinity[pitch % 12]
            if shift:
                weight *= float(self._lead_weights[pitches[-1] + MAX_MOTION]) / manner.affinity[pitches[-1] % 12]
                weight *= too_low(pitches[0], floor)
            gap = event.gap_ticks if event.gap_ticks <= manner.longest_gap_ticks else manner.typical_gap_ticks
            if weight > _NOTHING:
                options.append(Option(weight, here + gap, pitches, prediction.place, shift))
        return options

    def _table_options(self, past: Sequence[Event], here: int) -> list[Option]:
        """What scores do in such a place, as far as it suits the player."""
        manner = self._manner
        lead = past[-1].lead if past else self._first_lead()
        lead += self._legality.octaves(lead)
        context = past[-LINE_ORDER - 1 :]
        moves = [
            move_of(event.lead - before.lead, gap_class(event.gap_ticks, manner.sixteenth_ticks), len(event.pitches))
            for before, event in pairwise(context)
        ]
        contexts = list(line_contexts((lead - manner.key.home) % 12, moves[::-1][: self._order]))
        mixture = self._table.line.mixture(contexts, MOVES)
        known = np.flatnonzero(mixture)
        weights = mixture[known] * self._move_weights[known]
        weights *= self._lead_weights[MOVE_MOTIONS[known] + (lead + MAX_MOTION)]
        weights *= self._table.metre[self._phase(here)][MOVE_GAPS[known]]
        best = np.argsort(-weights, kind="stable")[:_TABLE_OPTIONS]
        chosen = known[best]
        return [
            Option(weight, here + manner.gap_ticks[gap], (lead + motion,), size=size)
            for weight, gap, motion, size in zip(
                weights[best].tolist(),
                MOVE_GAPS[chosen].tolist(),
                MOVE_MOTIONS[chosen].tolist(),
                MOVE_SIZES[chosen].tolist(),
                strict=True,
            )
            if weight > _NOTHING
        ]

    def _nearest_options(self, past: Sequence[Event], here: int) -> list[Option]:
        """The legal pitches nearest to the last: when nothing else can be played in so narrow a range or scale."""
        lead = past[-1].lead if past else self._first_lead()
        nearest = sorted(self._legality.pitches, key=lambda pitch: (abs(pitch - lead), pitch))[:4]
        onset = here + self._manner.typical_gap_ticks
        return [Option(0.5**rank, onset, (pitch,)) for rank, pitch in enumerate(nearest)]

    def _close(self, options: list[Option]) -> None:
        """Towards a close: the last notes of an answer lean to the tonic chord, and none comes just before the end."""
        manner, end = self._manner, self._request.end_ticks
        for option in options:
            left = end - option.onset_ticks
            if 0 < left < manner.typical_gap_ticks // 2:
                option.onset_ticks = end
            elif left < 2 * manner.typical_gap_ticks and option.pitches[-1] % 12 not in manner.key.triad:
                option.weight *= _UNRESOLVED

    def _first_lead(self) -> int:
        """A note to begin from when nothing has been heard: the tonic at the heart of the register."""
        weights = self._manner.lead_weights.copy()
        weights[np.arange(128) % 12 != self._manner.key.tonic] = 0
        return int(weights.argmax())

    def _phase(self, ticks: int) -> int:
        """Which sixteenth of the beat `ticks` is, 0 to 3; 4 if none."""
        sixteenths = (ticks - self._origin_ticks) / self._manner.sixteenth_ticks
        nearest = round(sixteenths)
        return nearest % 4 if abs(sixteenths - nearest) < 0.15 else BEAT_PHASES - 1


def _scale(options: list[Option], total: float) -> None:
    """Make the weights of `options` sum to `total`."""
    factor = total / sum(option.weight for option in options)
    for option in options:
        option.weight *= factor
