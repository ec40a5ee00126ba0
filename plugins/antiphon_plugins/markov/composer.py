"""Composes one phrase, event by event: options from the player's music and from the table, weighed, then one drawn.

It remembers nothing between phrases: what it needs to know comes in, and events and notes go out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from antiphon.generator import Request
from antiphon.notes import Note, score_order
from antiphon_plugins.markov.draw import choose, uniform
from antiphon_plugins.markov.events import Event, gap_class, make_event
from antiphon_plugins.markov.guard import earliest_onset, staleness
from antiphon_plugins.markov.legality import Legality, silence_overlaps, thin
from antiphon_plugins.markov.manner import Manner
from antiphon_plugins.markov.model import Match, Memory, Prediction
from antiphon_plugins.markov.table import (
    BEAT_PHASES,
    LINE_ORDER,
    MAX_MOTION,
    MOVE_GAPS,
    MOVE_MOTIONS,
    MOVE_SIZES,
    MOVES,
    Table,
    fold_shape,
    line_contexts,
    move_of,
    shape_of,
    voicing_contexts,
)

_TABLE_OPTIONS = 16
"""How many of the table's moves are worth weighing at each step."""
_CIRCLES_EVENTS = 40
"""How far back circles are looked for."""
_LONGEST_NOTE_TICKS = 3840
_SUREST = 0.9
"""However well it knows what comes next, the table keeps a door open: an answer should not only quote."""
_HURRIED = 0.3
"""What it costs an option that its time is not its own: it should have come before this phrase, or too soon."""
_UNRESOLVED = 0.1
"""What it costs an option to leave the tonic chord at the very end."""
_CHOICE, _VOICING, _TOUCH = range(3)
"""What chance is drawn for at one place in the music."""


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


@dataclass(frozen=True, slots=True)
class _Draft:
    event: Event
    holds: tuple[float | None, ...]
    """For each note: its length as a share of the time to the next onset; None if its length is its own."""


class Composer:
    """Composes the phrase that one request asks for."""

    def __init__(
        self, memory: Memory, table: Table, manner: Manner, seed: int, request: Request, origin_ticks: int
    ) -> None:
        """`origin_ticks`: where a beat begins."""
        self._memory = memory
        self._table = table
        self._manner = manner
        self._seed = seed
        self._request = request
        self._origin_ticks = origin_ticks
        self._order = round(request.controls.get("order", 8))
        self._trust = request.controls.get("trust", 0.7)
        self._temperature = request.controls.get("temperature", 1.0)
        self._legality = Legality(request.constraints)
        # A voice in another range than the player's keeps their register, octaves away.
        lead_weights = np.roll(manner.lead_weights, self._legality.octaves(manner.register_pitch))
        self._lead_weights = np.pad(lead_weights * self._legality.mask, MAX_MOTION)
        """By pitch + MAX_MOTION: no move from a pitch leads beyond the array."""
        self._move_weights = (
            manner.leap_weights[abs(MOVE_MOTIONS)]
            * manner.gap_weights[MOVE_GAPS]
            * manner.size_weights[MOVE_SIZES - 1]
        )

    def compose(self, past: Sequence[Event], *, launch: bool) -> tuple[list[Event], list[Note]]:
        """The events and notes that follow `past` (which may be empty).

        `launch`: this is the start of an answer, so the first note falls at `request.start_ticks`.
        """
        past = list(past)
        matches = self._memory.recall(past)
        drafts: list[_Draft] = []
        while self._legality.pitches:
            draft = self._next(past, matches, launch=launch and not drafts)
            if draft is None:
                break
            drafts.append(draft)
            past.append(draft.event)
            matches = self._memory.follow(matches, draft.event)
        return [draft.event for draft in drafts], self._finish(drafts)

    def _next(self, past: list[Event], matches: tuple[Match, ...], *, launch: bool) -> _Draft | None:
        """The next event, or None if it lies beyond the phrase."""
        start, end = self._request.start_ticks, self._request.end_ticks
        here = past[-1].onset_ticks if past else start
        earliest = start if launch else max(start, earliest_onset(past))
        options = self._options(past, matches, here, earliest, start if launch else None)
        if self._request.final and not launch:
            self._close(options)
        if not options:
            return None
        chance = uniform(self._seed, start if launch else here, _CHOICE)
        option = options[choose([option.weight for option in options], self._temperature, chance)]
        if option.onset_ticks >= end:
            return None
        return self._realise(option, past)

    # ---- options -------------------------------------------------------------------------------------------------

    def _options(
        self, past: list[Event], matches: tuple[Match, ...], here: int, earliest: int, launch_ticks: int | None
    ) -> list[Option]:
        """Ways on from `here`, with weights; none starts before `earliest`, all at `launch_ticks` if that is given."""
        predictions = self._memory.predict(matches, past[-1].lead, self._order) if past and self._trust > 0 else []
        own = self._own_options(predictions, here)
        learnt = [] if own and self._trust == 1 else self._table_options(past, here)
        if own and learnt:
            sure = sum(prediction.share for prediction in predictions)
            fitting = sum(option.weight for option in own) / sure
            # Of the chance s that the player goes on as they did before: 0 at trust 0, s at 1/2, 1 at 1.
            share = min(sure, _SUREST) ** ((1 - self._trust) / self._trust)
            _scale(own, share * fitting)
            _scale(learnt, 1 - share * fitting)
        options = [*own, *learnt] or self._nearest_options(past, here)
        patience = self._manner.patience
        stale_chords = staleness([event.pitches for event in past[-_CIRCLES_EVENTS:]], patience)
        stale_leads = staleness([event.lead for event in past[-_CIRCLES_EVENTS:]], patience)
        for option in options:
            option.weight *= stale_chords.get(option.pitches, 1.0) * stale_leads.get(option.pitches[-1], 1.0)
            if launch_ticks is not None:
                option.onset_ticks = launch_ticks
            elif option.onset_ticks < earliest:
                option.onset_ticks = earliest
                option.weight *= _HURRIED
        return [option for option in options if option.weight > 0]

    def _own_options(self, predictions: Sequence[Prediction], here: int) -> list[Option]:
        """What the player did in such a place, moved to where we are; weighing less than predicted where it fits badly."""
        options: list[Option] = []
        manner = self._manner
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
            gap = event.gap_ticks if event.gap_ticks <= manner.longest_gap_ticks else manner.typical_gap_ticks
            options.append(Option(weight, here + gap, pitches, prediction.place, shift))
        return options

    def _table_options(self, past: list[Event], here: int) -> list[Option]:
        """What scores do in such a place, as far as it suits the player."""
        manner = self._manner
        lead = past[-1].lead if past else self._first_lead()
        lead += self._legality.octaves(lead)
        context = past[-LINE_ORDER - 1 :]
        moves = [
            move_of(event.lead - before.lead, gap_class(event.gap_ticks, manner.sixteenth_ticks), len(event.pitches))
            for before, event in zip(context, context[1:], strict=False)
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
            if weight > 0
        ]

    def _nearest_options(self, past: list[Event], here: int) -> list[Option]:
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

    # ---- notes ---------------------------------------------------------------------------------------------------

    def _realise(self, option: Option, past: list[Event]) -> _Draft:
        before = past[-1] if past else None
        notes, holds = self._copied(option) if option.place is not None else self._voiced(option, before)
        return _Draft(make_event(notes, before), tuple(holds))

    def _copied(self, option: Option) -> tuple[list[Note], list[float | None]]:
        """The player's own event, with their spread, touch and lengths."""
        assert option.place is not None
        events = self._memory.events
        event = events[option.place]
        gap_after = events[option.place + 1].gap_ticks if option.place + 1 < len(events) else None
        wanted = set(option.pitches)
        notes: list[Note] = []
        holds: list[float | None] = []
        last = self._request.end_ticks - 1
        for note in event.notes:
            pitch = note.pitch + option.shift
            if pitch not in wanted:
                continue
            wanted.remove(pitch)  # Two channels may have struck the same key.
            start = min(last, option.onset_ticks + note.start_ticks - event.onset_ticks)
            length = note.length_ticks or gap_after or self._manner.typical_gap_ticks
            notes.append(Note(start, pitch, min(length, _LONGEST_NOTE_TICKS), note.velocity))
            # Released before the next came, it is released before the next comes; held over, it keeps its length.
            holds.append(length / gap_after if gap_after is not None and length <= 1.15 * gap_after else None)
        first = notes[0].start_ticks - option.onset_ticks
        if first > 0:  # What stood first in the chord could not be played: the rest is not late for that.
            notes = [note.shifted(-first) for note in notes]
        return notes, holds

    def _voiced(self, option: Option, before: Event | None) -> tuple[list[Note], list[float | None]]:
        """A table's move, with notes below it, played with the touch of one of the player's recent events."""
        lead = option.pitches[-1]
        ticks = option.onset_ticks
        pitches = option.pitches
        if option.size > 1:
            pitches = self._voicing(lead, option.size, before, ticks)
        alike = [touch for touch in self._manner.touches if touch.size == len(pitches)] or self._manner.touches
        touch = alike[int(uniform(self._seed, ticks, _TOUCH) * len(alike))]
        # The lower notes of a chord a little softer, so that the line is heard.
        notes = [
            Note(ticks, pitch, self._manner.typical_gap_ticks, max(1, touch.velocity - (0 if pitch == lead else 6)))
            for pitch in pitches
        ]
        return notes, [touch.hold] * len(notes)

    def _voicing(self, lead: int, size: int, before: Event | None, ticks: int) -> tuple[int, ...]:
        """Notes for a chord below `lead`, such as scores put there, of those that fit the key and the constraints."""
        home = self._manner.key.home
        before_shape = fold_shape(shape_of(before.pitches)) if before is not None else 0
        weights = self._table.voicing.mixture(list(voicing_contexts(size, (lead - home) % 12, before_shape)), len(self._table.shapes))
        best = np.argsort(-weights, kind="stable")[:12]
        chords: list[tuple[int, ...]] = []
        chances: list[float] = []
        for index in best:
            shape = int(self._table.shapes[index])
            pitches = self._legality.fit([lead - n for n in range(min(lead, 63), -1, -1) if shape >> n & 1])
            chance = float(weights[index])
            for pitch in pitches:
                chance *= self._manner.affinity[pitch % 12]
            if pitches and chance > 0:
                chords.append(pitches)
                chances.append(chance)
        if not chords:
            return (lead,)
        return chords[choose(chances, self._temperature, uniform(self._seed, ticks, _VOICING))]

    def _finish(self, drafts: list[_Draft]) -> list[Note]:
        """The notes of the phrase, in score order, with their final lengths."""
        end = self._request.end_ticks
        notes: list[Note] = []
        for index, draft in enumerate(drafts):
            is_last = index == len(drafts) - 1
            onset = draft.event.onset_ticks
            after = end if is_last else drafts[index + 1].event.onset_ticks
            for note, hold in zip(draft.event.notes, draft.holds, strict=True):
                if is_last and self._request.final:
                    note = replace(note, length_ticks=max(1, end - note.start_ticks))
                elif hold is not None:
                    note = replace(note, length_ticks=max(1, round(hold * (after - onset))))
                if self._legality.limits_polyphony:
                    note = note.clipped(end)  # The next phrase may need the voice.
                notes.append(note)
        return silence_overlaps(sorted(notes, key=score_order), self._legality.polyphony)


def _scale(options: list[Option], total: float) -> None:
    """Make the weights of `options` sum to `total`."""
    factor = total / sum(option.weight for option in options)
    for option in options:
        option.weight *= factor
