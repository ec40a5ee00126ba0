"""What a model of notes reads and foretells, as numbers: the bag of words of each step, and what comes next.

A step is read as a bag of words, whose vectors are added. Words say what the step is, and what its moment is like:
the place in the bar, how much is left of the phrase, what sounds, when it will have ended. What is foretold is drawn
in turn (time, part, pitch, velocity, length), each given what was drawn before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.note_steps.codec import PARTS, PITCHES, UNTOLD, VELOCITIES, NoteSteps
from antiphon.note_steps.controls import STYLES
from antiphon.note_steps.spans import BEAT_UNITS, CLOCKS, SPAN_CLASSES, Clock, Units, spans_of

LONGEST_BAR: Final = 6 * BEAT_UNITS
"""Of which places are told, in units; longer bars are untold."""
_METRES: Final = LONGEST_BAR // (BEAT_UNITS // 2)
"""Bars are told apart by their length in eighths."""
_INTERVALS: Final = 49
"""From two octaves down to two octaves up."""
_LATES: Final = 12
_LEFTS: Final = 24
ENDS: Final = 6
"""Ends of notes that are told at once, and that a new note may share: those that were told last."""
SOUNDING: Final = 12
"""Notes told to be sounding at once, the newest first."""


class _Words:
    """Numbers of words, given out in turn; 0 is no word."""

    def __init__(self) -> None:
        self.count = 1

    def __call__(self, size: int) -> int:
        first, self.count = self.count, self.count + size
        return first


_words = _Words()
CLOCK: Final = _words(len(CLOCKS))
STYLE: Final = _words(len(STYLES))
ASKED: Final = _words(1)
"""Said where the next note of the machine is asked for, whatever the player does before it."""
PART: Final = _words(PARTS)
PITCH: Final = _words(PITCHES)
INTERVAL: Final = _words(_INTERVALS)
"""From the step before."""
VELOCITY: Final = _words(VELOCITIES)
LENGTH: Final = _words(SPAN_CLASSES + 1)
"""The last one: open."""
ELAPSED: Final = _words(SPAN_CLASSES)
"""Since the latest onset before."""
LATE: Final = _words(_LATES)
"""How long before the latest onset this one was, of which only now is heard."""
PLACE: Final = _words(LONGEST_BAR)
METRE: Final = _words(_METRES)
LEFT: Final = _words(_LEFTS)
OPENED: Final = _words(SOUNDING)
"""How many open notes sound."""
SOUNDS: Final = _words(128)
ENDING: Final = _words(SPAN_CLASSES)
"""How long a note will sound yet."""
READ_WORDS: Final = _words.count

_given = _Words()
GIVEN_TIME: Final = _given(SPAN_CLASSES)
GIVEN_PLACE: Final = _given(LONGEST_BAR)
GIVEN_LEFT: Final = _given(_LEFTS)
GIVEN_PART: Final = _given(PARTS)
GIVEN_PITCH: Final = _given(PITCHES)
GIVEN_VELOCITY: Final = _given(VELOCITIES)
GIVEN_WORDS: Final = _given.count

OPEN: Final = SPAN_CLASSES
"""Length of a note that does not tell its end."""
SHARED: Final = SPAN_CLASSES + 1
"""First of the lengths that say: as long as one that sounds already, by its place among the ends."""
LENGTHS: Final = SHARED + ENDS

BAG: Final = 13 + ENDS + SOUNDING
"""Words of a step, filled up with 0."""
GIVEN_TOLD: Final = 6
"""Words that a head may be given: time, place, how much is left, part, pitch and velocity; filled up with 0."""

Bag = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Moments:
    """What is known of the time around steps, in units of their clock."""

    bar_start: Units | None = None
    """Of each step, where its bar begins; None where there are no bars."""
    bar_length: Units | None = None
    """How long that bar is."""
    phrase_end: Units | None = None
    """Of each step, where the phrase will end; -1 where that is not told."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Steps as a model reads them, and what it should have foretold after each. N steps, M foretold."""

    bags: Bag
    """Words of each step, [N, BAG]."""
    seconds: NDArray[np.float64]
    """When each step happens, in seconds, or in half beats; [N]."""
    asked: NDArray[np.int64]
    """The step that is foretold after each, or -1; [N]."""
    time: NDArray[np.int64]
    """Class of the time from the latest onset, [N]; of this and all below, -1 where nothing is foretold."""
    part: NDArray[np.int64]
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]
    length: NDArray[np.int64]
    given: Bag
    """Words for place and how much is left, once the time is known, [N, 2]."""
    ends: NDArray[np.int64]
    """Classes of how long notes will sound yet when the foretold one begins, [N, ENDS]; -1 for none."""


def read(
    steps: NoteSteps,
    clock: Clock,
    *,
    moments: Moments = Moments(),
    style: str | None = None,
    machine_only: bool = False,
    hidden: NDArray[np.bool_] | None = None,
) -> Reading:
    """`steps`, in the order in which they become known, as a model reads them.

    `machine_only`: after each step the machine's next is foretold, whatever the player does before it. `hidden`
    [N]: notes that are read as open although their end is known: keys that were down when somebody asked.
    """
    spans = spans_of(clock)
    count = len(steps)
    now = np.maximum.accumulate(steps.onset)  # [N]: the latest onset known
    untold = steps.open if hidden is None else steps.open | hidden
    bags = np.zeros((count, BAG), dtype=np.int64)
    bags[:, 0] = CLOCK + CLOCKS.index(clock)
    bags[:, 1] = STYLE + STYLES.index(style) if style else 0
    bags[:, 2] = ASKED if machine_only else 0
    bags[:, 3] = PART + steps.part
    bags[:, 4] = PITCH + steps.pitch
    both = steps.sounds[1:] & steps.sounds[:-1]
    interval = np.diff(steps.pitch).clip(-(_INTERVALS // 2), _INTERVALS // 2)
    bags[1:, 5] = np.where(both, INTERVAL + _INTERVALS // 2 + interval, 0)
    bags[:, 6] = np.where(steps.velocity != UNTOLD, VELOCITY + steps.velocity, 0)
    lengths = np.where(untold, OPEN, spans.classes_of(np.maximum(0, steps.end - steps.onset)))
    bags[:, 7] = np.where(steps.sounds, LENGTH + lengths, 0)
    elapsed = steps.onset[1:] - now[:-1]
    bags[1:, 8] = np.where(elapsed >= 0, ELAPSED + spans.classes_of(elapsed.clip(0)), LATE + _late(-elapsed))
    every = np.arange(count)
    bags[:, 9:11] = _place_words(moments, every, steps.onset, PLACE, METRE)
    bags[:, 11] = _left_words(moments, every, now, LEFT)

    asked = _asked(steps, machine_only)
    foretold = np.flatnonzero(asked >= 0)
    following = asked[foretold]
    onset = steps.onset[following]
    sounding_ends, ends_then = _ends(steps, untold, now, np.where(asked >= 0, steps.onset[asked], now))
    bags[:, 12], bags[:, 13 + ENDS :] = _sounding_words(steps, untold, now)
    bags[:, 13 : 13 + ENDS] = _classes_or(sounding_ends - now[:, None], sounding_ends >= 0, clock, ENDING, 0)

    blank = np.full(count, -1, dtype=np.int64)
    time, part, pitch, velocity, length = (blank.copy() for _ in range(5))
    time[foretold] = spans.classes_of(onset - now[foretold])
    part[foretold] = steps.part[following]
    pitch[foretold] = steps.pitch[following]
    velocity[foretold] = steps.velocity[following]
    ends = _classes_or(ends_then - steps.onset[asked][:, None], ends_then >= 0, clock, 0, -1)
    told = np.where(steps.open[following], OPEN, spans.classes_of(np.maximum(0, steps.end - steps.onset))[following])
    shared = (ends_then[foretold] == steps.end[following, None]) & ~steps.open[following, None]  # [M, ENDS]
    told = np.where(shared.any(1), SHARED + shared.argmax(1), told)
    length[foretold] = np.where(steps.sounds[following], told, -1)
    given = np.zeros((count, 2), dtype=np.int64)
    given[foretold, :1] = _place_words(moments, following, onset, GIVEN_PLACE, None)
    given[foretold, 1] = _left_words(moments, foretold, onset, GIVEN_LEFT)
    seconds = steps.onset / 100 if clock == "free" else steps.onset / (2 * BEAT_UNITS)
    return Reading(bags, seconds, asked, time, part, pitch, velocity, length, given, ends)


def given_moment(onset: int, moments: Moments) -> Bag:
    """Words for place and how much is left, [2], of one step at `onset`, whose `moments` have shape [1]."""
    one, when = np.zeros(1, dtype=np.int64), np.array([onset])
    place = _place_words(moments, one, when, GIVEN_PLACE, None)[0]
    return np.append(place, _left_words(moments, one, when, GIVEN_LEFT))


def given_words(
    known: int,
    time: NDArray[np.int64],
    moment: NDArray[np.int64],
    part: NDArray[np.int64],
    pitch: NDArray[np.int64],
    velocity: NDArray[np.int64],
) -> Bag:
    """What a head is given of each of N steps, [N, GIVEN_TOLD]: the class of its time, the words of its `moment` [N, 2]
    (place, and how much is left), and the first `known` of part, pitch and velocity. All but `moment` are [N], -1
    for none.
    """
    words = np.zeros((len(time), GIVEN_TOLD), dtype=np.int64)
    words[:, 0] = np.where(time >= 0, GIVEN_TIME + time, 0)
    words[:, 1:3] = moment
    firsts = (GIVEN_PART, GIVEN_PITCH, GIVEN_VELOCITY)
    for column, (first, classes) in enumerate(zip(firsts[:known], (part, pitch, velocity), strict=False)):
        words[:, 3 + column] = np.where(classes >= 0, first + classes, 0)
    return words


def _late(units: Units) -> Units:
    """Classes of how late, each twice the one before."""
    return np.log2(np.maximum(1, units)).astype(np.int64).clip(0, _LATES - 1)


def _asked(steps: NoteSteps, machine_only: bool) -> NDArray[np.int64]:
    """Of each step the one that is foretold after it, or -1."""
    count = len(steps)
    following = np.arange(1, count + 1)
    following[-1:] = -1
    if not machine_only:
        return following
    own = np.flatnonzero(steps.part != 0)
    place = np.searchsorted(own, np.arange(count), side="right")
    return np.append(own, -1)[place]


def _place_words(
    moments: Moments, places: NDArray[np.int64], onset: Units, place: int, metre: int | None
) -> NDArray[np.int64]:
    """Words of the place in the bar, and of its length unless `metre` is None; shape [len(places), 1 or 2]."""
    width = 1 if metre is None else 2
    words = np.zeros((len(places), width), dtype=np.int64)
    if moments.bar_start is None or moments.bar_length is None:
        return words
    start, length = moments.bar_start[places], moments.bar_length[places]
    told = (start >= 0) & (length > 0) & (length <= LONGEST_BAR)
    words[:, 0] = np.where(told, place + (onset - start).clip(0, LONGEST_BAR - 1), 0)
    if metre is not None:
        words[:, 1] = np.where(told, metre + (length // (BEAT_UNITS // 2)).clip(1, _METRES) - 1, 0)
    return words


def _left_words(moments: Moments, places: NDArray[np.int64], now: Units, left: int) -> NDArray[np.int64]:
    if moments.phrase_end is None:
        return np.zeros(len(places), dtype=np.int64)
    end = moments.phrase_end[places]
    # Halves of octaves: from 0.04 s, or a sixth of a beat, to a minute.
    classes = np.round(2 * np.log2(np.maximum(4, end - now) / 4)).astype(np.int64).clip(0, _LEFTS - 1)
    return np.where(end >= 0, left + classes, 0)


def _classes_or(units: Units, known: NDArray[np.bool_], clock: Clock, first: int, otherwise: int) -> NDArray[np.int64]:
    return np.where(known, first + spans_of(clock).classes_of(units.clip(0)), otherwise)


def _ends(
    steps: NoteSteps, untold: NDArray[np.bool_], now: Units, then: Units
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ends that were told, those told last first, no two the same: of what sounds at `now`, and of what will at `then`.

    Both have shape [N, ENDS], -1 for none.
    """
    count = len(steps)
    at_now = np.full((count, ENDS), -1, dtype=np.int64)
    at_then = np.full((count, ENDS), -1, dtype=np.int64)
    told: list[int] = []
    ends, silent = steps.end.tolist(), (untold | ~steps.sounds).tolist()
    for place, (present, coming) in enumerate(zip(now.tolist(), then.tolist(), strict=True)):
        if not silent[place]:
            end = ends[place]
            if end in told:
                told.remove(end)
            told.insert(0, end)
        told = [end for end in told if end > present]
        at_now[place, : len(told[:ENDS])] = told[:ENDS]
        later = [end for end in told if end > coming][:ENDS]
        at_then[place, : len(later)] = later
    return at_now, at_then


def _sounding_words(
    steps: NoteSteps, untold: NDArray[np.bool_], now: Units
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """After each step, the word for how many open notes sound, [N], and words of all that do, the newest first;
    [N, SOUNDING].
    """
    count = len(steps)
    words = np.zeros((count, SOUNDING), dtype=np.int64)
    known = np.tri(count, dtype=np.bool_)
    sounding = known & steps.sounds & (steps.onset <= now[:, None]) & (steps.end > now[:, None])  # [N, N]
    opened = (sounding & untold).sum(axis=1)
    row, column = np.nonzero(sounding[:, ::-1])
    first = np.searchsorted(row, np.arange(count))
    rank = np.arange(len(row)) - first[row]
    told = rank < SOUNDING
    words[row[told], rank[told]] = SOUNDS + steps.pitch[count - 1 - column[told]]
    return np.where(opened > 0, OPENED + opened.clip(1, SOUNDING) - 1, 0), words
