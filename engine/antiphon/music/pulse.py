"""The pulse that music keeps, if it keeps one: beats, and the places within them.

A pulse is read off the gaps between onsets, so that it is found in free time, at any tempo and from any beginning.
Beats of many lengths are tried, divided in four, in three, or in a long and a short part; the gaps are followed from
place to place, a line is laid through the beats found, and the confidence says how near the onsets lie to it, beyond
what chance would do (cf. Dixon, Automatic Extraction of Tempo and Beat from Expressive Performances, 2001).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from antiphon.notes import TICKS_PER_BEAT, Note

_CHORD_SECONDS: Final = 0.04
"""Onsets closer together than this are one event."""
_EVENTS: Final = 40
"""By how many of the last events the pulse is judged."""
_FEWEST: Final = 4
"""From fewer events no pulse can be told."""
_BREATH_SECONDS: Final = 2.5
"""After a longer gap another phrase begins, whose pulse is its own."""
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.3, 1.25
"""Of a beat."""
_USUAL_SECONDS, _SPREAD_OCTAVES = 0.57, 0.7
"""What a beat lasts mostly, and how far it strays from that."""
_BEATS: Final = 12
"""So many lengths of a beat are tried."""
_GAP_SECONDS: Final = 0.03
"""How far a gap strays from its note value, where a pulse is kept."""
_ONSET_SECONDS: Final = 0.025
"""How far an onset strays from its place."""
_FADE: Final = 0.96
"""What an event counts against the one after it, so that a tempo that gives way a little is followed."""
_PLAIN_ENOUGH, _PLAINER = 0.9, 0.03
"""How plain the note values of a few events must be to be believed, and how much less with each event more."""
_DOUBTFUL, _SURE = 0.4, 0.7
"""Where confidence begins, and where it is full: of what would be a perfect fit, with chance at 0."""
_BENDS: Final = 0.02
"""A place this far from its usual one, in beats, is the player's own, as in swing."""
_FURTHEST: Final = 0.09
"""And it is no further."""
_RATIOS: Final = (1, 2, 4, 0.5, 3, 4 / 3, 1.5, 2 / 3)
"""Beats in a gap, or gaps in a beat, that are thought of."""

_STRAIGHT: Final = (0.0, 0.25, 0.5, 0.75)
_TRIPLET: Final = (0.0, 1 / 3, 2 / 3)
_SWUNG: Final = ((0.0, 0.6), (0.0, 2 / 3))
_PLAIN: Final = {0.25: 0.75, 1 / 3: 0.85, 0.5: 0.95, 2 / 3: 0.8, 1.0: 1.0, 1.5: 0.75, 2.0: 0.95, 3.0: 0.85, 4.0: 0.9}
"""How readily a gap of so many beats is believed."""
_ODD: Final = 0.55
"""How readily all others are."""
_LONG_SHORT: Final = 0.95
"""How readily long and short ones are, in turn."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """Beats of one length, and where within them notes begin."""

    beat_ticks: float
    """Length of a beat, above 0."""
    origin_ticks: float
    """A beat falls here; others lie whole beats before and after."""
    places: tuple[float, ...] = _STRAIGHT
    """Where within a beat notes may begin, 0 <= place < 1, in order; the first is 0, the beat itself."""
    shares: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25)
    """Of the onsets heard, the share that fell on each place."""
    confidence: float = 1.0
    """How sure it is, above 0 and up to 1."""

    def nearest(self, ticks: float) -> float:
        """The place nearest to `ticks`."""
        return min(self.around(ticks, ticks), key=lambda place: abs(place - ticks))

    def around(self, start_ticks: float, end_ticks: float) -> list[float]:
        """All places from the last beat at or before `start_ticks` to the first beat after `end_ticks`, in order."""
        first = math.floor((start_ticks - self.origin_ticks) / self.beat_ticks)
        last = math.floor((end_ticks - self.origin_ticks) / self.beat_ticks) + 1
        beats = range(first, last)
        found = [self.origin_ticks + (beat + place) * self.beat_ticks for beat in beats for place in self.places]
        return [*found, self.origin_ticks + last * self.beat_ticks]

    def beat_at(self, ticks: float) -> float:
        """How many beats `ticks` is from the origin."""
        return (ticks - self.origin_ticks) / self.beat_ticks


@dataclass(frozen=True, slots=True)
class _Reading:
    """Gaps read as ways from place to place of beats of one length."""

    score: float
    plain: float
    """How readily its note values are believed."""
    beat_seconds: float
    places: tuple[float, ...]
    positions: tuple[float, ...]
    """Of each event, in beats."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A straight line through events: seconds over beats."""

    beat_seconds: float
    origin_seconds: float
    errors: tuple[float, ...]
    """How far each event is off, in seconds."""
    confidence: float


def heard_pulse(notes: Sequence[Note], tempo_bpm: float) -> Pulse | None:
    """The pulse that the last of `notes`, in score order, keep; None if they keep none.

    `tempo_bpm`: what the ticks are counted at; it says how long a tick lasts, not what pulse to expect.
    """
    tick_seconds = 60 / (tempo_bpm * TICKS_PER_BEAT)
    events = _events(notes, tick_seconds)
    if len(events) < _FEWEST:
        return None
    seconds = [event[0] * tick_seconds for event in events]
    gaps = [after - before for before, after in pairwise(seconds)]
    readings = (reading for beat in _beats(gaps) for reading in _readings(gaps, beat))
    best = max(readings, key=lambda reading: reading.score, default=None)
    if best is None:
        return None
    if best.plain < _PLAIN_ENOUGH - _PLAINER * (len(events) - _FEWEST):
        return None
    line = _line(seconds, best)
    beat = line.beat_seconds
    if not line.confidence > 0 or not 0.8 * _SHORTEST_SECONDS < beat < 1.2 * _LONGEST_SECONDS:
        return None
    turn = _downbeat(best, events, gaps)
    positions = [position - turn for position in best.positions]
    places, shares = _own_places(best.places, positions, line)
    origin = line.origin_seconds + turn * beat
    return Pulse(beat / tick_seconds, origin / tick_seconds, places, shares, line.confidence)


def _events(notes: Sequence[Note], tick_seconds: float) -> list[tuple[int, int, int]]:
    """The last events: onset, how many notes, lowest pitch; since the last long gap, if they are enough."""
    events: list[tuple[int, int, int]] = []
    for note in reversed(notes):
        if events and (events[-1][0] - note.start_ticks) * tick_seconds <= _CHORD_SECONDS:
            _, size, lowest = events[-1]
            events[-1] = (note.start_ticks, size + 1, min(lowest, note.pitch))
            continue
        long = bool(events) and (events[-1][0] - note.start_ticks) * tick_seconds > _BREATH_SECONDS
        if len(events) == _EVENTS or (long and len(events) >= _FEWEST):
            break
        events.append((note.start_ticks, 1, note.pitch))
    return events[::-1]


def _beats(gaps: Sequence[float]) -> list[float]:
    """Lengths of a beat, in seconds, that the gaps suggest most often."""
    votes: dict[int, tuple[float, int]] = {}
    sums = [before + after for before, after in pairwise(gaps)]
    for ratios, lengths in ((_RATIOS, gaps), ((1.0,), sums)):
        for length in lengths:
            for ratio in ratios:
                beat = length * ratio
                if _SHORTEST_SECONDS <= beat <= _LONGEST_SECONDS:
                    bin_ = round(math.log2(beat) * 24)
                    total, count = votes.get(bin_, (0.0, 0))
                    votes[bin_] = (total + beat, count + 1)
    most = sorted(votes.items(), key=lambda vote: (-vote[1][1], vote[0]))[:_BEATS]
    return [total / count for _, (total, count) in most]


def _readings(gaps: Sequence[float], beat: float) -> Iterator[_Reading]:
    prior = math.exp(-0.5 * (math.log2(beat / _USUAL_SECONDS) / _SPREAD_OCTAVES) ** 2)
    for places in (_STRAIGHT, _TRIPLET, *_SWUNG):
        # Places that are equally far apart are alike to begin from.
        for start in range(1 if places in (_STRAIGHT, _TRIPLET) else len(places)):
            yield _read(gaps, beat, places, start, prior)


def _read(gaps: Sequence[float], beat: float, places: tuple[float, ...], start: int, prior: float) -> _Reading:
    at, position = start, places[start]
    positions, fit, plain = [position], 0.0, 0.0
    ways = [_ways(places, place) for place in range(len(places))]
    swung, off = places in _SWUNG, 0
    lengths = [0.0] * len(places)
    """Time that is filled from each place on, in beats."""
    for gap in gaps:
        length = gap / beat
        whole = math.floor(length)
        lengths[at] += min(1.0, length)
        way, at = min(ways[at], key=lambda way: abs((length - way[0] - whole + 0.5) % 1 - 0.5))
        whole = round(length - way)
        moved = max(0.0, whole + way)
        position += moved
        positions.append(position)
        off += at > 0
        fit += _nearness((length - moved) * beat, _GAP_SECONDS) if moved else 0.0
        plain += _LONG_SHORT if swung and moved < 1 else _PLAIN.get(moved, _ODD)
    chance = min(0.9, len(places) * _GAP_SECONDS * math.sqrt(2 * math.pi) / beat)
    beats = len(positions) - off
    if places != _STRAIGHT and (off < 2 or (swung and beats < 2)):  # What is never short does not swing.
        return _Reading(0.0, 0.0, beat, places, tuple(positions))
    # What is long begins on a beat; where the places are alike, on one of them.
    strong = (lengths[0] if swung else max(lengths)) / sum(lengths)
    score = max(0.0, (fit / len(gaps) - chance) / (1 - chance)) * plain / len(gaps) * prior * (1 + strong) / 2
    return _Reading(score, plain / len(gaps), beat, places, tuple(positions))


def _ways(places: tuple[float, ...], place: int) -> list[tuple[float, int]]:
    """From one place on to each: the part of a beat, and the place; rounded, so that note values are known again."""
    ways = []
    for there, fraction in enumerate(places):
        way = (fraction - places[place]) % 1
        third = round(way * 3) / 3
        ways.append((third if abs(way - third) < 1e-9 else round(way, 9), there))
    return ways


def _nearness(error: float, tolerance: float) -> float:
    return math.exp(-0.5 * (error / tolerance) ** 2)


def _line(seconds: Sequence[float], reading: _Reading) -> _Line:
    """The line through the events, the last ones counting most."""
    positions = reading.positions
    weights = [_FADE ** (len(seconds) - 1 - index) for index in range(len(seconds))]
    total = sum(weights)
    mean_position = sum(w * p for w, p in zip(weights, positions, strict=True)) / total
    mean_seconds = sum(w * s for w, s in zip(weights, seconds, strict=True)) / total
    spread = sum(w * (p - mean_position) ** 2 for w, p in zip(weights, positions, strict=True))
    if not spread:
        return _Line(0.0, mean_seconds, (), 0.0)
    events = zip(weights, positions, seconds, strict=True)
    beat = sum(w * (p - mean_position) * (s - mean_seconds) for w, p, s in events) / spread
    origin = mean_seconds - beat * mean_position
    errors = tuple(s - origin - beat * p for p, s in zip(positions, seconds, strict=True))
    fit = sum(w * _nearness(e, _ONSET_SECONDS) for e, w in zip(errors, weights, strict=True)) / total
    chance = min(0.9, len(reading.places) * _ONSET_SECONDS * math.sqrt(2 * math.pi) / max(beat, 0.01))
    confidence = ((fit - chance) / (1 - chance) - _DOUBTFUL) / (_SURE - _DOUBTFUL)
    return _Line(beat, origin, errors, min(1.0, confidence))


def _downbeat(reading: _Reading, events: Sequence[tuple[int, int, int]], gaps: Sequence[float]) -> float:
    """Which place of the reading is the beat, as a part of a beat: where the long notes, chords and basses are."""
    if reading.places not in (_STRAIGHT, _TRIPLET):
        return 0.0
    count = len(reading.places)
    weights = [0.0] * count
    bass = sorted(event[2] for event in events)[len(events) // 4]
    for index, (position, event) in enumerate(zip(reading.positions, events, strict=True)):
        long = min(1.0, gaps[index] / reading.beat_seconds) if index < len(gaps) else 1.0
        # A phrase mostly begins on a beat, unless what is long and low says otherwise.
        strong = long + 0.25 * min(3, event[1] - 1) + 0.25 * (event[2] <= bass) + 0.75 * (index == 0)
        weights[round(position * count) % count] += strong
    scores = [weights[place] + (0.4 * weights[(place + 2) % 4] if count == 4 else 0.0) for place in range(count)]
    return max(range(count), key=lambda place: (scores[place], -place)) / count


def _own_places(
    places: tuple[float, ...], positions: Sequence[float], line: _Line
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The places as the player has them, and the share of the events on each."""
    found: list[list[float]] = [[] for _ in places]
    for position, error in zip(positions, line.errors, strict=True):
        part = position % 1
        index = min(range(len(places)), key=lambda place: abs((part - places[place] + 0.5) % 1 - 0.5))
        found[index].append(error / line.beat_seconds)
    home = _mean(found[0])
    own = [0.0]
    for place, strays in zip(places[1:], found[1:], strict=True):
        bend = _mean(strays) - home if len(strays) > 1 else 0.0
        swings = abs(bend) > _BENDS or places not in (_STRAIGHT, _TRIPLET)
        own.append(place + min(_FURTHEST, max(-_FURTHEST, bend)) if swings else place)
    return tuple(own), tuple(len(strays) / len(positions) for strays in found)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
