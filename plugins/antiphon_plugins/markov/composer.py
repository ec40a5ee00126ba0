"""Composes one phrase, event by event: of the ways on, one is drawn and becomes notes.

It remembers nothing between phrases: what it needs to know comes in, and events and notes go out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from antiphon import Note, Request, score_order
from antiphon_plugins.markov.draw import choose, uniform
from antiphon_plugins.markov.events import Event, make_event
from antiphon_plugins.markov.legality import Legality, is_muddy, silence_overlaps
from antiphon_plugins.markov.manner import BREATH_GAPS, Manner, too_low
from antiphon_plugins.markov.model import Memory
from antiphon_plugins.markov.options import Option, Options
from antiphon_plugins.markov.table import Table, fold_shape, shape_of, voicing_contexts

_VOICINGS = 12
"""How many of the table's chords are worth weighing below a note."""
_LONGEST_NOTE_TICKS = 3840
"""A note that the player held for longer is copied as two bars."""
_MUDDY = 0.05
"""What it costs a chord of the table to be muddy; what the player does is their own affair."""
_CHOICE, _VOICING, _TOUCH, _PACE = range(4)
"""What chance is drawn for at one place in the music."""


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
        self._temperature = request.controls.get("temperature", 1.0)
        self._legality = Legality(request.constraints)
        self._options = Options(memory, table, manner, self._legality, request, origin_ticks)

    def compose(self, past: Sequence[Event], *, launch: bool) -> tuple[list[Event], list[Note]]:
        """The events and notes that follow `past` (which may be empty).

        `launch`: this is the start of an answer, so the first note falls at `request.start_ticks`.
        """
        past = list(past)
        matches = self._memory.recall(past)
        drafts: list[_Draft] = []
        # Where the constraints leave no pitch at all, silence is the answer.
        while self._legality.pitches:
            here = past[-1].onset_ticks if past and (drafts or not launch) else self._request.start_ticks
            pace = uniform(self._seed, here, _PACE)
            options = self._options.after(past, matches, pace, launch=launch and not drafts)
            chance = uniform(self._seed, here, _CHOICE)
            option = options[choose([option.weight for option in options], self._temperature, chance)]
            if option.onset_ticks >= self._request.end_ticks:
                break
            draft = self._realise(option, past[-1] if past else None)
            drafts.append(draft)
            past.append(draft.event)
            matches = self._memory.follow(matches, draft.event)
        return [draft.event for draft in drafts], self._finish(drafts)

    def _realise(self, option: Option, before: Event | None) -> _Draft:
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
            # Released before the next came, it is released before the next comes; held over, or followed by a breath,
            # it keeps its length: a chord that closed a phrase must not be cut to a blip in the middle of one.
            joined = gap_after is not None and gap_after <= BREATH_GAPS * self._manner.typical_gap_ticks
            holds.append(length / gap_after if gap_after and joined and length <= 1.15 * gap_after else None)
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
        length = self._manner.typical_gap_ticks
        notes = [
            Note(ticks, pitch, length, touch.velocity if pitch == lead else touch.under_velocity) for pitch in pitches
        ]
        return notes, [touch.hold] * len(notes)

    def _voicing(self, lead: int, size: int, before: Event | None, ticks: int) -> tuple[int, ...]:
        """Notes for a chord below `lead`, such as scores put there, of those that fit the key and the constraints."""
        home = self._manner.key.home
        before_shape = fold_shape(shape_of(before.pitches)) if before is not None else 0
        weights = self._table.voicing.mixture(
            list(voicing_contexts(size, (lead - home) % 12, before_shape)), len(self._table.shapes)
        )
        best = np.argsort(-weights, kind="stable")[:_VOICINGS]
        floor = self._manner.lowest_pitch + self._legality.octaves(self._manner.register_pitch)
        chords: list[tuple[int, ...]] = []
        chances: list[float] = []
        for index in best:
            shape = int(self._table.shapes[index])
            pitches = self._legality.fit([lead - n for n in range(min(lead, 63), -1, -1) if shape >> n & 1])
            chance = float(weights[index])
            for pitch in pitches:
                chance *= self._manner.affinity[pitch % 12]
            if pitches:
                chance *= too_low(pitches[0], floor) * (_MUDDY if is_muddy(pitches) else 1)
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
            # What comes after the phrase is not known yet: the last event lasts at least as long as usual.
            usual = onset + self._manner.typical_gap_ticks
            after = max(end, usual) if is_last else drafts[index + 1].event.onset_ticks
            for note, hold in zip(draft.event.notes, draft.holds, strict=True):
                if is_last and self._request.final:
                    note = replace(note, length_ticks=max(1, end - note.start_ticks))
                elif hold is not None:
                    note = replace(note, length_ticks=max(1, round(hold * (after - onset))))
                if self._legality.limits_polyphony:
                    note = note.clipped(end)  # The next phrase may need the voice.
                notes.append(note)
        return silence_overlaps(sorted(notes, key=score_order), self._legality.polyphony)
