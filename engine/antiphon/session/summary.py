"""What becomes of a performance: a multi-track score, statistics, and the same music again. It writes no journal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, assert_never

from antiphon.duet.commands import Decision
from antiphon.duet.events import (
    Chosen,
    CountInBegan,
    Ended,
    Heard,
    Located,
    MetronomeSwitched,
    PlayerAnswered,
    PlayerFailed,
    PlayerLost,
    PlayerReady,
    Restarted,
    Selected,
    Skipped,
    TempoChanged,
    TransportStarted,
    TransportStopped,
)
from antiphon.duet.schedule import PLAYER, Send
from antiphon.errors import AntiphonError
from antiphon.music import messages
from antiphon.music.midi_file import Score, read_score
from antiphon.music.timing import Timeline
from antiphon.output_files import write_whole
from antiphon.session.header import Header
from antiphon.session.journal import Record, is_session, read_session
from antiphon.session.parts import played_in
from antiphon.session.percentiles import percentiles
from antiphon.session.takes import takes_of


def score_of(header: Header, records: Iterable[Record]) -> Score:
    """The session as a score: the player and each voice on a track of their own, tempo map, metres and markers."""
    return played_in(header, records).score()


def read_music(path: Path) -> Score:
    """The music in `path`: a MIDI file, or the folder of a session, whose journal has all of it even after a crash.

    Raises:
        AntiphonError: what `read_score` and `read_session` raise; or nobody played a note in the session.
    """
    if not is_session(path):
        return read_score(path)
    session = read_session(path)
    score = score_of(session.header, session.records)
    if not score.has_notes:
        raise AntiphonError(f"nobody played in {session.folder}: there is no note in it")
    return score


def leave_picture(folder: Path, header: Header, records: Iterable[Record]) -> None:
    """Draw the session as `session.png` into `folder`; what nobody played leaves none.

    Raises:
        AntiphonError: it cannot be drawn or written.
    """
    from antiphon.session.pianoroll import draw  # Not on the engine's path.

    score = score_of(header, records)
    if score.has_notes:
        draw(folder / "session.png", score, title=title_of(header))


def title_of(header: Header) -> str:
    """What is written above a picture of the session."""
    names = ", ".join(dict.fromkeys(plan.name for plan in header.plans))
    kind = "preset" if len(header.plans) == 1 else "presets"
    return f"Antiphon, {kind} {names}, seed {header.plans[0].seed}, {header.started[:16].replace('T', ' ')}"


def timeline_of(header: Header, records: Iterable[Record]) -> Timeline:
    """The session's tempo map."""
    timeline = Timeline(header.plans[0].tempo_bpm, header.plans[0].signature)
    for record in records:
        lead(timeline, header, record)
    return timeline


def lead(timeline: Timeline, header: Header, record: Record) -> None:
    """Lead the session's tempo map, which has all that was before, through what happened next."""
    what = record.what
    match what:
        case Selected():
            plan = header.plans[what.plan]
            timeline.set_tempo(plan.tempo_bpm, what.ticks)
            timeline.signature = plan.signature
        case Restarted():
            if what.plan:
                timeline.set_tempo(header.plans[what.plan].tempo_bpm, what.ticks)
        case TempoChanged():
            timeline.set_tempo(what.bpm, what.ticks)
        case Skipped():
            timeline.jump(what.ticks, what.to_ticks)
        case (
            Heard()
            | PlayerReady()
            | PlayerLost()
            | PlayerAnswered()
            | PlayerFailed()
            | Chosen()
            | Ended()
            | Decision()
            | Send()
            | Located()
            | TransportStopped()
            | TransportStarted()
            | MetronomeSwitched()
            | CountInBegan()
        ):
            pass
        case _:
            assert_never(what)


def statistics(header: Header, records: Sequence[Record]) -> dict[str, Any]:
    """Counts, decisions and lateness of a session, as plain values for JSON; times in milliseconds."""
    sends = [(record.what, record.late_seconds) for record in records if isinstance(record.what, Send)]
    timeline = timeline_of(header, records)
    thru = [1000 * late for send, late in sends if send.source == PLAYER and late is not None]
    voices = [1000 * late for send, late in sends if send.source >= 0 and late is not None]
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
            messages.is_note_on(message) for track in played_in(header, records).voices for _, message in track.messages
        ),
        "hanging_notes": hanging(records),
        "thru_ms": percentiles(thru),
        "lateness_ms": percentiles(voices),
        "answer_ms": percentiles([1000 * seconds for seconds in answer_latencies(header, records)]),
        "takes": [
            {
                "take": take.number,
                "seconds": round(timeline.seconds_at(take.start_ticks), 3),
                "bar": take.first_bar,
                "bars": take.bars,
            }
            for take in takes_of(header, records)
        ],
        "decisions": dict(Counter(decision.kind for decision in decisions)),
        "fallbacks": [
            {"seconds": round(timeline.seconds_at(d.ticks), 3), "voice": d.voice + 1, "why": d.text}
            for d in decisions
            if d.kind in ("fallback", "silent", "late")
        ],
    }


def write_statistics(folder: Path, values: Mapping[str, Any]) -> None:
    """Write `values` as `session.json` into `folder`. Raises AntiphonError if it cannot be written."""
    write_whole(folder / "session.json", (json.dumps(values, indent=2) + "\n").encode())


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


def hanging(records: Iterable[Record]) -> int:
    """How many notes were begun and never ended, counted by output, channel and pitch."""
    sounding: set[tuple[int, int, int]] = set()
    for record in records:
        if isinstance(record.what, Restarted):
            sounding.clear()  # The engine that took over has ended what it found sounding.
        elif isinstance(record.what, Send):
            message = record.what.message
            if messages.is_note_on(message):
                sounding.add((record.what.output, messages.channel(message), message[1]))
            elif messages.is_note_off(message):
                sounding.discard((record.what.output, messages.channel(message), message[1]))
    return len(sounding)
