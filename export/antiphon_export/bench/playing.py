"""Figures of a performance that plays: thru, lateness, hand-over, bursts. Each is one scripted performance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from antiphon.cli.setup import load_plans
from antiphon.duet.commands import Decision
from antiphon.duet.plan import Handover, Plan, VoicePlan
from antiphon.duet.schedule import PLAYER, Send
from antiphon.music.messages import CLOCK
from antiphon.session.journal import Session
from antiphon.session.summary import answer_latencies, timeline_of
from antiphon.sync.midi_clock import PULSE_TICKS
from antiphon_export.bench.figures import Row, Target, figure, milliseconds
from antiphon_export.bench.generators import BUSY, METRONOME, TEMPO_BPM
from antiphon_export.bench.performance import VIRTUAL, Performance, perform
from antiphon_export.bench.scores import BY_SIGNAL, chords, dialogue, note, numbered, signal

_ANSWER_SECONDS: Final = 1.2
"""After a call: longer than the longest silence that ends one at this pace, and the first notes of the answer."""

_THRU: Final = Target("p99", 0.5)
_LATENESS: Final = (Target("p50", 0.1), Target("p99", 1.0))
_CLOCK: Final = Target("p99", 1.0)
_ANSWER: Final = Target("p95", 5.0)
_NONE_LOST: Final = Target("max", 0)


def thru(folder: Path, backend: str, seconds: float) -> list[Row]:
    """The player's own notes, in chords of four, while Markov listens and guesses."""
    rows = []
    for how, spread_seconds in (("fingers 5 ms apart", 0.005), ("all four in one instant", 0.0)):
        place = folder / f"{1000 * spread_seconds:.0f}"
        played = perform(_plan(BY_SIGNAL), chords(seconds / 2, spread_seconds), place, backend, tail_seconds=0.5)
        if backend != "jack":
            # JACK tells of a message when the period in which it arrived is over; there the whole way is what counts.
            late = [seconds for send, seconds in sends(played.session) if send.source == PLAYER]
            rows.append(milliseconds(f"own notes, callback to send, chords with {how}", late, _THRU))
        rows.append(_trip(f"  keyboard to listener, {backend} ports, {how}", played))
    return rows


def lateness(folder: Path, backend: str, seconds: float, generator: str) -> list[Row]:
    """A voice with 50 notes a second, while `generator` works in a process of its own for another."""
    if generator == BUSY:
        beside, who = VoicePlan(BUSY, mode="continue", handover=BY_SIGNAL, controls={}), "busy Python"
    else:
        beside, who = replace(_plan(BY_SIGNAL).voices[0], mode="continue"), generator
    return lateness_rows(metronome_beside(beside, folder, backend, seconds), who, backend, _LATENESS)


def metronome_beside(voice: VoicePlan, folder: Path, backend: str, seconds: float) -> Performance:
    """A voice with 50 notes a second for so long, beside `voice`, which is to begin `BY_SIGNAL`."""
    metronome = VoicePlan(METRONOME, mode="continue", handover=BY_SIGNAL, controls={})
    plan = virtual_plan(metronome, replace(voice, channel=2))
    return perform(plan, [*note(0.0, 60), *signal(0.5)], folder, backend, tail_seconds=seconds)


def lateness_rows(played: Performance, who: str, backend: str, targets: Sequence[Target]) -> list[Row]:
    """How late the voices were while `who` worked, by the engine's record and by the listener."""
    late = [seconds for send, seconds in sends(played.session) if send.source != PLAYER]
    return [
        milliseconds(f"lateness beside {who}, {backend} ports", late, *targets),
        milliseconds(f"  as the listener hears it, {backend}", delays(played)),
    ]


def clock(folder: Path, backend: str, seconds: float) -> list[Row]:
    """A MIDI clock that is sent while busy Python works for a voice."""
    beside = VoicePlan(BUSY, mode="continue", handover=BY_SIGNAL, controls={})
    plan = replace(virtual_plan(beside), clock_out=True)
    played = perform(plan, [*note(0.0, 60), *signal(0.5)], folder, backend, tail_seconds=seconds)
    # Through sockets it also counts how long the listener took to wake; JACK stamps what leaves and what arrives.
    targets = (_CLOCK,) if backend == "jack" else ()
    return [
        milliseconds(f"MIDI clock beside busy Python, as the listener hears it, {backend}", pulses(played), *targets)
    ]


def handover(folder: Path, backend: str, lengths: Sequence[tuple[int, int]], by: str) -> list[Row]:
    """Calls of several lengths (notes, how many such calls), each handed over `by` silence or by the last event."""
    plan = _plan(Handover() if by == "silence" else BY_SIGNAL)
    calls = [notes for notes, times in lengths for _ in range(times)]
    found = by_length(calls, perform(plan, dialogue(calls, by, _ANSWER_SECONDS), folder, backend, _ANSWER_SECONDS))
    how = "silence" if by == "silence" else "trigger at the last release"
    return [milliseconds(f"hand-over by {how} to first note, call of {n}", found[n], _ANSWER) for n in found]


def burst(folder: Path, backend: str, notes: int) -> list[Row]:
    """So many notes at once, through the engine: what is lost or out of place, and how long the last one takes."""
    score = [(0.0, message) for n in range(notes) for message in numbered(n)]
    played = perform(_plan(BY_SIGNAL), score, folder, backend, tail_seconds=5 + notes / 1000)
    first = played.sent[0][0] if played.sent else 0.0
    return [
        figure(
            f"burst of {notes} notes, {backend} ports: lost or out of order", "notes", [misplaced(played)], _NONE_LOST
        ),
        milliseconds("  until the last has arrived", [played.heard[-1][0] - first] if played.heard else []),
    ]


# ---- plans -----------------------------------------------------------------------------------------------------------


def _plan(rule: Handover) -> Plan:
    """The preset `markov` as it is shipped, but for its ports, its tempo and the rule by which a call ends."""
    (plan, *_), _ = load_plans("markov")
    voices = tuple(replace(voice, handover=rule) for voice in plan.voices)
    return replace(plan, voices=voices, tempo_bpm=TEMPO_BPM, inputs=VIRTUAL, outputs=VIRTUAL)


def virtual_plan(*voices: VoicePlan) -> Plan:
    """`voices` at the benchmark's tempo, on the ports where the witnesses meet them."""
    return Plan(voices=voices, tempo_bpm=TEMPO_BPM, inputs=VIRTUAL, outputs=VIRTUAL)


# ---- what became of them ---------------------------------------------------------------------------------------------


def misplaced(played: Performance) -> int:
    """How many messages of the musician did not arrive, or not in their place."""
    expected = [message for _, message in played.sent]
    arrived = [message for _, message in played.heard][: len(expected)]
    return len(expected) - sum(one == other for one, other in zip(expected, arrived, strict=False))


def sends(session: Session) -> list[tuple[Send, float]]:
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
        for (send, _), (arrived, message) in zip(sends(played.session), played.heard, strict=False)
        if send.source != PLAYER and send.message == message
    ]


def pulses(played: Performance) -> list[float]:
    """For each pulse of the clock that was sent: seconds from its moment, which is the nearest, to its arrival."""
    timeline = timeline_of(played.session.header, played.session.records)
    heard = [arrived - played.origin_seconds for arrived, message in played.heard if message[0] == CLOCK]
    nearest = [PULSE_TICKS * round(timeline.ticks_at(seconds) / PULSE_TICKS) for seconds in heard]
    return [seconds - timeline.seconds_at(ticks) for seconds, ticks in zip(heard, nearest, strict=True)]


def by_length(calls: Sequence[int], played: Performance) -> dict[int, list[float]]:
    """Latencies of the answers to `calls` of so many notes, by that number; of some there may be none."""
    found: dict[int, list[float]] = {notes: [] for notes in calls}
    for notes, latencies in zip(calls, answers(played.session), strict=False):
        found[notes] += latencies
    return found


def answers(session: Session) -> list[list[float]]:
    """For each hand-over, the latency of the answer's first note; none if it was not played."""
    starts = [
        index
        for index, record in enumerate(session.records)
        if isinstance(record.what, Decision) and record.what.kind == "handover"
    ]
    spans = zip(starts, [*starts[1:], None], strict=True)
    return [answer_latencies(session.header, session.records[start:end]) for start, end in spans]
