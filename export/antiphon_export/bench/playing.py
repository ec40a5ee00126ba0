"""Figures of a performance that plays: thru, lateness, hand-over, bursts. Each is one scripted performance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from antiphon import messages
from antiphon.cli.setup import load_plans
from antiphon.commands import Decision
from antiphon.journal import Session
from antiphon.plan import Handover, Plan, VoicePlan
from antiphon.schedule import PLAYER, Send
from antiphon.session import answer_latencies, timeline_of
from antiphon_export.bench.figures import Row, Target, figure, milliseconds
from antiphon_export.bench.generators import BUSY, METRONOME, TEMPO_BPM
from antiphon_export.bench.performance import VIRTUAL, Performance, perform
from antiphon_export.bench.witness import Timed

_SIGNAL: Final = 119
"""The controller that hands over."""
_BY_SIGNAL: Final = Handover(by="trigger", trigger_cc=_SIGNAL)

_THRU: Final = Target("p99", 0.5)
_LATENESS: Final = (Target("p50", 0.1), Target("p99", 1.0))
_ANSWER: Final = Target("p95", 5.0)
_NONE_LOST: Final = Target("max", 0)


def thru(folder: Path, backend: str, seconds: float) -> list[Row]:
    """The player's own notes, in chords of four, while Markov listens and guesses."""
    rows = []
    for how, spread_seconds in (("fingers 5 ms apart", 0.005), ("all four in one instant", 0.0)):
        place = folder / f"{1000 * spread_seconds:.0f}"
        played = perform(_plan(_BY_SIGNAL), chords(seconds / 2, spread_seconds), place, backend, tail_seconds=0.5)
        if backend != "jack":
            # JACK tells of a message when the period in which it arrived is over; there the whole way is what counts.
            late = [seconds for send, seconds in _sends(played.session) if send.source == PLAYER]
            rows.append(milliseconds(f"own notes, callback to send, chords with {how}", late, _THRU))
        rows.append(_trip(f"  keyboard to listener, {backend} ports, {how}", played))
    return rows


def lateness(folder: Path, backend: str, seconds: float, generator: str) -> list[Row]:
    """A voice with 50 notes a second, while `generator` works in a process of its own for another."""
    metronome = VoicePlan(METRONOME, mode="continue", handover=_BY_SIGNAL, controls={})
    beside = replace(_plan(_BY_SIGNAL).voices[0], mode="continue", channel=2)
    if generator == BUSY:
        beside = replace(metronome, generator=BUSY, channel=2)
    plan = replace(_plan(_BY_SIGNAL), voices=(metronome, beside))
    played = perform(plan, [*_note(0.0, 60), *_signal(0.2)], folder, backend, tail_seconds=seconds)
    late = [seconds for send, seconds in _sends(played.session) if send.source != PLAYER]
    who = "busy Python" if generator == BUSY else generator
    return [
        milliseconds(f"lateness beside {who}, {backend} ports", late, *_LATENESS),
        milliseconds(f"  as the listener hears it, {backend}", delays(played)),
    ]


def handover(folder: Path, backend: str, lengths: Sequence[tuple[int, int]], by: str) -> list[Row]:
    """Calls of several lengths (notes, how many such calls), each handed over `by` silence or by the last event."""
    plan = _plan(Handover() if by == "silence" else _BY_SIGNAL)
    calls = [notes for notes, times in lengths for _ in range(times)]
    score: Timed = []
    for notes in calls:
        start = score[-1][0] + _ANSWER_SECONDS if score else 0.0
        score += _call(start, notes)
        if by != "silence":
            score += _signal(score[-1][0])
    played = perform(plan, score, folder, backend, tail_seconds=_ANSWER_SECONDS)
    found: dict[int, list[float]] = {notes: [] for notes in calls}
    for notes, latencies in zip(calls, answers(played.session), strict=False):
        found[notes] += latencies
    how = "silence" if by == "silence" else "trigger at the last release"
    return [milliseconds(f"hand-over by {how} to first note, call of {n}", found[n], _ANSWER) for n in found]


def burst(folder: Path, backend: str, notes: int) -> list[Row]:
    """So many notes at once, through the engine: what is lost or out of place, and how long the last one takes."""
    score = [(0.0, message) for n in range(notes) for message in numbered(n)]
    played = perform(_plan(_BY_SIGNAL), score, folder, backend, tail_seconds=5 + notes / 1000)
    first = played.sent[0][0] if played.sent else 0.0
    return [
        figure(
            f"burst of {notes} notes, {backend} ports: lost or out of order", "notes", [misplaced(played)], _NONE_LOST
        ),
        milliseconds("  until the last has arrived", [played.heard[-1][0] - first] if played.heard else []),
    ]


# ---- plans -----------------------------------------------------------------------------------------------------------


def _plan(rule: Handover) -> Plan:
    """The preset `answer` as it is shipped, but for its ports, its tempo and the rule by which a call ends."""
    (plan, *_), _ = load_plans("answer")
    voices = tuple(replace(voice, handover=rule) for voice in plan.voices)
    return replace(plan, voices=voices, tempo_bpm=TEMPO_BPM, inputs=VIRTUAL, outputs=VIRTUAL)


# ---- scores ----------------------------------------------------------------------------------------------------------

_ANSWER_SECONDS: Final = 1.2
"""After a call: longer than the longest silence that ends one at this pace, and the first notes of the answer."""
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


def _call(start_seconds: float, notes: int) -> Timed:
    """A melody: fast, so that a long one does not take minutes, but its end as a person plays."""
    score: Timed = []
    seconds = start_seconds
    for number in range(notes):
        gap = _HUMAN_SECONDS if number >= notes - _HUMAN_NOTES else _FAST_SECONDS
        pitch = 60 + (0, 2, 4, 7, 9, 12, 7, 4)[number % 8] + number // 8 % 5
        score += _note(seconds, pitch, 0.8 * gap)
        seconds += gap
    return score


def _note(start_seconds: float, pitch: int, length_seconds: float = 0.1) -> Timed:
    on, off = messages.note_on(0, pitch, 80), messages.note_off(0, pitch)
    return [(start_seconds, on), (start_seconds + length_seconds, off)]


def _signal(seconds: float) -> Timed:
    return [(seconds, messages.control_change(0, _SIGNAL, value)) for value in (127, 0)]


def numbered(number: int) -> tuple[bytes, bytes]:
    """A note that differs from the 200,000 before it."""
    channel, pitch, velocity = number % 16, number // 16 % 128, 1 + number // 2048 % 127
    return messages.note_on(channel, pitch, velocity), messages.note_off(channel, pitch, velocity)


# ---- what became of them ---------------------------------------------------------------------------------------------


def misplaced(played: Performance) -> int:
    """How many messages of the musician did not arrive, or not in their place."""
    expected = [message for _, message in played.sent]
    arrived = [message for _, message in played.heard][: len(expected)]
    return len(expected) - sum(one == other for one, other in zip(expected, arrived, strict=False))


def _sends(session: Session) -> list[tuple[Send, float]]:
    """All messages that were sent, in order, with the seconds each was late."""
    return [
        (record.what, record.late_seconds)
        for record in session.records
        if isinstance(record.what, Send) and record.late_seconds is not None
    ]


def _trip(what: str, played: Performance) -> Row:
    pairs = zip(played.sent, played.heard, strict=False)
    return milliseconds(what, [arrived - left for (left, sent), (arrived, heard) in pairs if sent == heard])


def delays(played: Performance) -> list[float]:
    """For each message of the voices: seconds from its moment to its arrival at the listener."""
    timeline = timeline_of(played.session.header, played.session.records)
    return [
        arrived - played.origin_seconds - timeline.seconds_at(send.due_ticks)
        for (send, _), (arrived, message) in zip(_sends(played.session), played.heard, strict=False)
        if send.source != PLAYER and send.message == message
    ]


def answers(session: Session) -> list[list[float]]:
    """For each hand-over, the latency of the answer's first note; none if it was not played."""
    starts = [
        index
        for index, record in enumerate(session.records)
        if isinstance(record.what, Decision) and record.what.kind == "handover"
    ]
    spans = zip(starts, [*starts[1:], None], strict=True)
    return [answer_latencies(session.header, session.records[start:end]) for start, end in spans]
