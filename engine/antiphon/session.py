"""What becomes of a performance: a multi-track score, statistics, and the same music again. It writes no journal."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from antiphon import messages
from antiphon.commands import Decision
from antiphon.duet import Ended, Heard, Selected
from antiphon.journal import Header, Record
from antiphon.midifile import Score, Track
from antiphon.schedule import PLAYER, Send
from antiphon.timing import Timeline

_MARKED = {"handover": "antiphon", "touch": "you", "end": "you", "fallback": "fallback", "silent": "silent"}
"""Decisions that become markers in the score, and their names there."""


def score_of(header: Header, records: Iterable[Record]) -> Score:
    """The session as a score: the player and each voice on a track of their own, tempo map and markers."""
    heard: list[tuple[int, bytes]] = []
    held: dict[tuple[int, int], None] = {}  # A set that keeps its order.
    played: dict[int, list[tuple[int, bytes]]] = {}
    first_output: dict[int, int] = {}
    plan = header.plans[0]
    tempo, signatures = {0: plan.tempo_bpm}, {0: plan.signature}
    markers: list[tuple[int, str]] = []
    for record in records:
        what = record.what
        if isinstance(what, Heard):
            if what.message[0] < 0xF0:
                heard.append((what.ticks, what.message))
                _hold(held, what.message)
        elif isinstance(what, Ended):
            heard += [(what.ticks, messages.note_off(*key)) for key in held]
            held.clear()
        elif isinstance(what, Send):
            if what.source != PLAYER and what.output == first_output.setdefault(what.source, what.output):
                played.setdefault(what.source, []).append((what.due_ticks, what.message))
        elif isinstance(what, Selected):
            plan = header.plans[what.plan]
            tempo[what.ticks], signatures[what.ticks] = plan.tempo_bpm, plan.signature
            markers.append((what.ticks, plan.name))
        elif isinstance(what, Decision) and what.kind in _MARKED:
            markers.append((what.ticks, _MARKED[what.kind]))
    voices = max((len(p.voices) for p in header.plans), default=0)
    tracks = [Track("you", tuple(heard))]
    for index in range(voices):
        generator = header.plans[0].voices[index].generator if index < len(header.plans[0].voices) else ""
        tracks.append(Track(f"antiphon {index + 1} {generator}".strip(), tuple(played.get(index, ()))))
    return Score(
        tuple(tracks),
        tuple(tempo.items()),
        tuple(signatures.items()),
        tuple(markers),
    )


def timeline_of(header: Header, records: Iterable[Record]) -> Timeline:
    """The session's tempo map."""
    timeline = Timeline(header.plans[0].tempo_bpm, header.plans[0].signature)
    for record in records:
        if isinstance(record.what, Selected):
            plan = header.plans[record.what.plan]
            timeline.set_tempo(plan.tempo_bpm, record.what.ticks)
            timeline.signature = plan.signature
    return timeline


def statistics(header: Header, records: Sequence[Record]) -> dict[str, Any]:
    """Counts, decisions and lateness of a session, as plain values for JSON; times in milliseconds."""
    sends = [(record.what, record.late_seconds) for record in records if isinstance(record.what, Send)]
    timeline = timeline_of(header, records)
    thru = [1000 * late for send, late in sends if send.source == PLAYER and late is not None]
    voices = [1000 * late for send, late in sends if send.source != PLAYER and late is not None]
    decisions = [record.what for record in records if isinstance(record.what, Decision)]
    last = max((r.what.due_ticks if isinstance(r.what, Send) else r.what.ticks for r in records), default=0)
    return {
        "started": header.started,
        "versions": dict(header.versions),
        "presets": [plan.name for plan in header.plans],
        "seed": header.plans[0].seed,
        "outputs": list(header.outputs),
        "seconds": round(timeline.seconds_at(last), 3),
        "notes_heard": sum(isinstance(r.what, Heard) and messages.is_note_on(r.what.message) for r in records),
        "notes_played": sum(
            messages.is_note_on(message)
            for track in score_of(header, records).tracks[1:]
            for _, message in track.messages
        ),
        "hanging_notes": hanging(send for send, _ in sends),
        "thru_ms": percentiles(thru),
        "lateness_ms": percentiles(voices),
        "answer_ms": percentiles([1000 * seconds for seconds in answer_latencies(header, records)]),
        "decisions": dict(Counter(decision.kind for decision in decisions)),
        "fallbacks": [
            {"seconds": round(timeline.seconds_at(d.ticks), 3), "voice": d.voice + 1, "why": d.text}
            for d in decisions
            if d.kind in ("fallback", "silent", "late")
        ],
    }


def write_statistics(folder: Path, values: Mapping[str, Any]) -> None:
    """Write `values` as `session.json` into `folder`."""
    (folder / "session.json").write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def answer_latencies(header: Header, records: Sequence[Record]) -> list[float]:
    """For every answer: seconds from the moment its first note was meant for to the moment it was sent."""
    timeline = timeline_of(header, records)
    meant: dict[int, int] = {}
    latencies = []
    for record in records:
        what = record.what
        if isinstance(what, Decision):
            if what.kind == "handover":
                meant[what.voice] = what.ticks
            elif what.kind in ("touch", "silent", "end"):
                meant.pop(what.voice, None)
        elif isinstance(what, Send) and what.source in meant and messages.is_note_on(what.message):
            moment = timeline.seconds_at(meant.pop(what.source))
            if record.late_seconds is not None:
                latencies.append(timeline.seconds_at(what.due_ticks) - moment + record.late_seconds)
    return latencies


def percentiles(values: Sequence[float]) -> dict[str, float] | None:
    """p50, p95, p99 and max of `values`, and their number; None for none."""
    if not values:
        return None
    ordered = sorted(values)
    # The nearest-rank definition: a value that was measured, never one between two.
    ranks = {name: ordered[math.ceil(share * len(ordered)) - 1] for name, share in _SHARES.items()}
    return {"n": len(ordered)} | {name: round(value, 4) for name, value in ranks.items()}


_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


def hanging(sends: Iterable[Send]) -> int:
    """How many notes were begun and never ended, counted by output, channel and pitch."""
    sounding: set[tuple[int, int, int]] = set()
    for send in sends:
        message = send.message
        if messages.is_note_on(message):
            sounding.add((send.output, messages.channel(message), message[1]))
        elif messages.is_note_off(message):
            sounding.discard((send.output, messages.channel(message), message[1]))
    return len(sounding)


def _hold(held: dict[tuple[int, int], None], message: bytes) -> None:
    key = (messages.channel(message), message[1])
    if messages.is_note_on(message):
        held[key] = None
    elif messages.is_note_off(message):
        held.pop(key, None)
