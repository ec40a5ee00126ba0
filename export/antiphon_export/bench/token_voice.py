"""Figures of the performance Transformer in a real performance: hand-over, CPU, memory, lateness beside it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from antiphon.duet.commands import Decision
from antiphon.duet.plan import Handover, Mode, VoicePlan
from antiphon.errors import AntiphonError
from antiphon.generator import Constraints
from antiphon.music import messages
from antiphon.plugins.host import load_plugins
from antiphon.session.journal import Session
from antiphon.session.summary import timeline_of
from antiphon_export.bench.figures import Row, Target, Unmeasured, figure, milliseconds
from antiphon_export.bench.generators import TEMPO_BPM
from antiphon_export.bench.jamming import NO_PROC
from antiphon_export.bench.machine import family, processor_seconds, resident_megabytes
from antiphon_export.bench.performance import Performance, perform
from antiphon_export.bench.playing import by_length, lateness_rows, metronome_beside, sends, virtual_plan
from antiphon_export.bench.scores import BY_SIGNAL, dialogue, melody, signal

GENERATOR: Final = "transformer"
_WHO: Final = "the Transformer"

_ANSWER: Final = (Target("p95", 10.0), Target("p99", 25.0))
_NOT_GROWING: Final = Target("max", 1.5)
_SHARE: Final = Target("max", 35)
_RESIDENT: Final = Target("max", 350)
_LATENESS: Final = Target("p99", 1.0)
_NEVER: Final = Target("max", 0)

_ANSWER_SECONDS: Final = {"trigger": 0.6, "silence": 1.2}
"""From a call's end to the next call: by silence the answer begins later."""
_RATE: Final = 20
"""Notes a second, of the voice that is weighed, and of the call it answers."""
_CALL_SECONDS, _SETTLE_SECONDS = 3.0, 2.0
_READY_SECONDS: Final = 0.5
"""Between that call and its signal: what is weighed is the playing, so nothing may go wrong at its beginning."""
_BAR_SECONDS: Final = 4 * 60 / TEMPO_BPM
"""What the player is asked for at a time."""


def hand_overs(folder: Path, backend: str, lengths: Sequence[tuple[int, int]], by: str, model: str | None) -> list[Row]:
    """Calls of several lengths, handed over `by` silence or by a trigger in the instant of the last release.

    `lengths`: events of a call, which are key presses and releases, and how many such calls. `model`: see `voice`.
    """
    calls = [events // 2 for events, times in lengths for _ in range(times)]
    plan = virtual_plan(voice(model, "answer", Handover() if by == "silence" else BY_SIGNAL))
    pause = _ANSWER_SECONDS[by]
    played = perform(plan, dialogue(calls, by, pause), folder, backend, pause)
    found = by_length(calls, played)
    how = "silence" if by == "silence" else "trigger at the last release"
    rows = [milliseconds(f"hand-over by {how}, call of {2 * notes} events", found[notes], *_ANSWER) for notes in found]
    shortest, longest = found[min(found)], found[max(found)]
    if len(found) > 1 and shortest and longest:
        ratio = median(longest) / median(shortest)
        rows.append(figure("  the longest calls beside the shortest, medians", "×", [ratio], _NOT_GROWING))
    return [*rows, _stand_in_row(f"hand-over by {how}", played.session)]


def lateness(folder: Path, backend: str, seconds: float, model: str | None) -> list[Row]:
    """A voice with 50 notes a second, while the Transformer plays another."""
    played = metronome_beside(voice(model, "continue", BY_SIGNAL), folder, backend, seconds)
    return [*lateness_rows(played, _WHO, backend, [_LATENESS]), _stand_in_row("lateness", played.session)]


def weight(folder: Path, backend: str, bars: int, model: str | None) -> list[Row]:
    """What the Transformer's player takes of a core and of memory, over so many bars of its playing."""
    meter = Meter(_CALL_SECONDS + _SETTLE_SECONDS)
    score = melody(0.0, range(round(_RATE * _CALL_SECONDS)), 1 / _RATE)
    score += signal(score[-1][0] + _READY_SECONDS)
    tail = _SETTLE_SECONDS + (bars + 1) * _BAR_SECONDS
    played = perform(virtual_plan(voice(model, "continue", BY_SIGNAL)), score, folder, backend, tail, meter)
    if not meter.readable:
        return [Unmeasured("CPU and memory of a voice", NO_PROC)]
    (begin, spent_before), (end, spent_after) = meter.over(bars * _BAR_SECONDS)
    notes = 0 if _stand_ins(played.session) else len(_onsets(played, begin, end))
    spent = spent_after - spent_before
    what = f"CPU of the player of a voice, at {_RATE} notes a second"
    return [
        figure(what, "%", [100 * _RATE * spent / notes] if notes else [], _SHARE),
        figure("  as it played: CPU", "%", [100 * spent / (end - begin)]),
        figure("  as it played: notes", "a second", [notes / (end - begin)]),
        figure("resident memory of its player", "MB", [meter.megabytes], _RESIDENT),
        _stand_in_row("the voice that was weighed", played.session),
    ]


def voice(model: str | None, mode: Mode, rule: Handover) -> VoicePlan:
    """A voice of the Transformer, with the range and the polyphony of the shipped presets.

    `model`: as in a preset; None: the shipped one.

    Raises:
        AntiphonError: there is no shipped one.
    """
    info = load_plugins().generator(GENERATOR).info
    if model is None and (info.models is None or not (info.models / "performance.onnx").is_file()):
        raise AntiphonError("the performance Transformer has no model yet; give one with --model")
    return VoicePlan(
        GENERATOR,
        model=model,
        follows=info.follows,
        mode=mode,
        handover=rule,
        controls=info.resolve_controls({}),
        constraints=Constraints(low_pitch=33, high_pitch=96, polyphony=8),
    )


def _stand_in_row(what: str, session: Session) -> Row:
    return figure(f"times the fallback stood in: {what}", "times", [_stand_ins(session)], _NEVER)


def _stand_ins(session: Session) -> int:
    """How often somebody else had to play, or nobody did."""
    kinds = [record.what.kind for record in session.records if isinstance(record.what, Decision)]
    return sum(kind in ("fallback", "silent") for kind in kinds)


def _onsets(played: Performance, begin_seconds: float, end_seconds: float) -> list[float]:
    """When notes of the first voice began, of those between these moments; all in `perf_counter` seconds."""
    timeline = timeline_of(played.session.header, played.session.records)
    onsets = [
        played.origin_seconds + timeline.seconds_at(send.due_ticks)
        for send, _ in sends(played.session)
        if send.source == 0 and messages.is_note_on(send.message)
    ]
    return [onset for onset in onsets if begin_seconds <= onset < end_seconds]


@dataclass(slots=True)
class Meter:
    """Looks, while a performance plays, what the player of its first voice takes."""

    begin_seconds: float
    """Since the score began: when it begins to look."""
    readable: bool = True
    megabytes: float = 0.0
    """Most that was seen."""
    spent: list[tuple[float, float]] = field(default_factory=list)
    """`perf_counter` seconds, and seconds spent on a core by then."""
    _pid: int | None = None

    def __call__(self, seconds: float) -> None:
        if seconds < self.begin_seconds or not self.readable:
            return
        if self._pid is None:
            processes = family(os.getpid())
            self.readable = processes is not None
            players = [role for role in processes or () if role.startswith("player")]
            if not players:
                return
            self._pid = (processes or {})[min(players, key=lambda role: int(role.split()[1]))]
        self.spent.append((time.perf_counter(), processor_seconds(self._pid)))
        self.megabytes = max(self.megabytes, resident_megabytes(self._pid))

    def over(self, seconds: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """The first look, and the one that comes closest to so many seconds after it.

        Raises:
            AntiphonError: it never looked.
        """
        if not self.spent:
            raise AntiphonError("the player of the voice does not stay alive")
        first = self.spent[0]
        return first, min(self.spent, key=lambda look: abs(look[0] - first[0] - seconds))
