"""What a scripted musician plays: chords, calls, a signal. It neither sends nor judges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from antiphon.duet.plan import Handover
from antiphon.music import messages
from antiphon_export.bench.witness import Timed

_SIGNAL: Final = 119
"""The controller that hands over."""
BY_SIGNAL: Final = Handover(by="trigger", trigger_cc=_SIGNAL)
"""The rule by which `signal` ends a call."""

_FAST_SECONDS, _HUMAN_SECONDS = 0.004, 0.1
"""Between the notes of a long call, and between the last of them."""
_HUMAN_NOTES: Final = 8


def chords(seconds: float, spread_seconds: float = 0.0) -> Timed:
    """Four notes at a time, ten times a second; `spread_seconds` between the fingers of a hand."""
    score: Timed = []
    for number in range(round(10 * seconds)):
        pitches = [48 + (number * 5 + step) % 36 for step in (0, 4, 7, 11)]
        for moment, message in ((0.0, messages.note_on), (0.05, messages.note_off)):
            start = 0.1 * number + moment
            score += [(start + spread_seconds * finger, message(0, pitch, 80)) for finger, pitch in enumerate(pitches)]
    return score


def call(start_seconds: float, notes: int) -> Timed:
    """A melody: fast, so that a long one does not take minutes, but its end as a person plays."""
    human = min(notes, _HUMAN_NOTES)
    fast = notes - human
    return [
        *melody(start_seconds, range(fast), _FAST_SECONDS),
        *melody(start_seconds + fast * _FAST_SECONDS, range(fast, notes), _HUMAN_SECONDS),
    ]


def melody(start_seconds: float, numbers: Sequence[int], gap_seconds: float) -> Timed:
    """The notes of these numbers, of a tune without end, `gap_seconds` from one to the next."""
    score: Timed = []
    for place, number in enumerate(numbers):
        pitch = 60 + (0, 2, 4, 7, 9, 12, 7, 4)[number % 8] + number // 8 % 5
        score += note(start_seconds + place * gap_seconds, pitch, 0.8 * gap_seconds)
    return score


def dialogue(calls: Sequence[int], by: str, answer_seconds: float) -> Timed:
    """Calls of so many notes, `answer_seconds` apart; each has a signal at its last release, unless `by` silence."""
    score: Timed = []
    for notes in calls:
        score += call(score[-1][0] + answer_seconds if score else 0.0, notes)
        if by != "silence":
            score += signal(score[-1][0])
    return score


def note(start_seconds: float, pitch: int, length_seconds: float = 0.1) -> Timed:
    """A key, pressed and released."""
    on, off = messages.note_on(0, pitch, 80), messages.note_off(0, pitch)
    return [(start_seconds, on), (start_seconds + length_seconds, off)]


def signal(seconds: float) -> Timed:
    """What hands over where the rule is `BY_SIGNAL`."""
    return [(seconds, messages.control_change(0, _SIGNAL, value)) for value in (127, 0)]


def numbered(number: int) -> tuple[bytes, bytes]:
    """A note that differs from the 200,000 before it."""
    channel, pitch, velocity = number % 16, number // 16 % 128, 1 + number // 2048 % 127
    return messages.note_on(channel, pitch, velocity), messages.note_off(channel, pitch, velocity)
