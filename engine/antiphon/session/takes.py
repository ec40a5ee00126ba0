"""The song that a session was played to, and which ticks of the two belong together. It writes no file.

Whenever a song elsewhere runs, and it is known where, its run is a **take**: from where it starts, or is put, to where
it stops, or is put elsewhere. The session is steered after the song, but late and a little roughly; the journal says
how far apart the two were (`Located`), so that what was played can be put where the song was when it sounded.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

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
from antiphon.duet.schedule import Send
from antiphon.music.timing import Timeline, TimeSignature
from antiphon.notes import STEP_TICKS, TICKS_PER_BEAT
from antiphon.session.bar_lines import BarLines
from antiphon.session.even_tempo import even_tempi
from antiphon.session.header import Header
from antiphon.session.journal import Record
from antiphon.sync.midi_clock import PULSE_TICKS

_SAME_TICKS: Final = 1.0
"""As near as the song's place can be known: so near, a note stays on the session's beat."""


@dataclass(frozen=True, slots=True)
class Take:
    """One run of the song."""

    number: int
    """From 1."""
    start_ticks: int
    """Of the session."""
    end_ticks: int
    """Of the session; what happens here belongs to whatever comes next."""
    knots: tuple[tuple[int, float], ...]
    """(tick of the session, how many ticks the song is ahead there), in order; between two of them, on a line."""
    signatures: tuple[tuple[int, TimeSignature], ...]
    """(tick of the song, metre), as a file wants them."""
    goes_on: bool = False
    """Whether the song ran until the very moment in which it was put to where the take begins, as in a loop."""
    gone_on: bool = False
    """Whether it was put elsewhere where the take ends, and ran on."""

    def song_ticks(self, ticks: int) -> int:
        """Where in the song the session's `ticks` is; what was on the session's grid is on the song's."""
        ahead = _ahead(self.knots, ticks)
        bars = round(ahead / STEP_TICKS) * STEP_TICKS
        off = ahead - bars
        counted = min(1.0, max(0.0, abs(off) / _SAME_TICKS - 1))
        return max(0, ticks + bars + round(off * counted))

    @property
    def begin_ticks(self) -> int:
        """Where in the song it begins: on a sixteenth, if it was seen to run soon after one."""
        place = self.song_ticks(self.start_ticks)
        step = (place + PULSE_TICKS // 2) // STEP_TICKS * STEP_TICKS
        return step if place - step <= STEP_TICKS // 2 else place

    @property
    def first_bar(self) -> int:
        """Number of the bar of the song in which it begins, from 1."""
        return self.begin_ticks // self.signatures[0][1].bar_ticks + 1

    @property
    def bars(self) -> int:
        """How many bars of the song it touches."""
        bar_ticks = self.signatures[0][1].bar_ticks
        # Where it was put elsewhere, that may have been seen as late as where it begins.
        last_ticks = self.song_ticks(self.end_ticks) - (STEP_TICKS // 2 if self.gone_on else PULSE_TICKS)
        return max(1, last_ticks // bar_ticks + 2 - self.first_bar)

    def tempo(self, timeline: Timeline) -> tuple[tuple[int, float], ...]:
        """The song's tempo map, (tick of the song, quarter notes a minute), from its beginning.

        `timeline`: the session's. A tempo that the song kept is one entry, however the session was nudged meanwhile.
        """
        import numpy as np  # Not on the supervisor's path: only who takes a take out pays for it.

        inside = {change.ticks for change in timeline.changes} | {ticks for ticks, _ in self.knots}
        ticks = sorted({self.start_ticks, self.end_ticks, *(t for t in inside if self._has(t))})
        places = [t + _ahead(self.knots, t) for t in ticks]
        seconds = [timeline.seconds_at(t) for t in ticks]
        first, last = math.ceil(places[0] / TICKS_PER_BEAT), math.floor(places[-1] / TICKS_PER_BEAT)
        beats = [float(TICKS_PER_BEAT * beat) for beat in range(first, last + 1)]
        if len(beats) < 2:
            beats = [places[0], places[-1]]
        if beats[-1] <= beats[0]:
            return ((0, timeline.changes[0].bpm),)
        (_, bpm), *later = even_tempi(beats, [float(s) for s in np.interp(beats, places, seconds)])
        return ((0, bpm), *((round(beat), bpm) for beat, bpm in later))

    def _has(self, ticks: int) -> bool:
        return self.start_ticks < ticks < self.end_ticks


def takes_of(header: Header, records: Iterable[Record]) -> tuple[Take, ...]:
    """Every take of a session, in order; none where it was never known where a song is."""
    plan = header.plans[0]
    takes: list[Take] = []
    run: _Run | None = None
    last_ticks = 0
    for record in records:
        what = record.what
        ticks = what.due_ticks if isinstance(what, Send) else what.ticks
        last_ticks = max(last_ticks, ticks)
        match what:
            case Located():
                goes_on = run is not None
                if run is not None and not run.leads_to(what):
                    takes += run.take(len(takes) + 1, ticks, gone_on=True)
                    run = None
                run = run or _Run(plan.signature, what, goes_on)
                run.locate(what)
            case Skipped():
                if run is not None:
                    run.skip(what)
            case Selected():
                plan = header.plans[what.plan]
                if run is not None and plan.sync == "internal" and not plan.clock_out:
                    takes += run.take(len(takes) + 1, ticks)
                    run = None
                elif run is not None:
                    run.changes.append((ticks, plan.signature))
            case TransportStopped():
                if run is not None:
                    takes += run.take(len(takes) + 1, ticks)
                    run = None
            case (
                Heard()
                | PlayerReady()
                | PlayerLost()
                | PlayerAnswered()
                | PlayerFailed()
                | Chosen()
                | Restarted()
                | Ended()
                | Decision()
                | Send()
                | TempoChanged()
                | TransportStarted()
                | MetronomeSwitched()
                | CountInBegan()
            ):
                pass
            case _:
                assert_never(what)
    if run is not None:
        takes += run.take(len(takes) + 1, last_ticks)
    return tuple(takes)


@dataclass(slots=True)
class _Run:
    """A take that is not over."""

    signature: TimeSignature
    first: Located
    goes_on: bool
    knots: list[tuple[int, float]] = field(default_factory=list)
    changes: list[tuple[int, TimeSignature]] = field(default_factory=list)

    def leads_to(self, what: Located) -> bool:
        """Whether the song would be there by now, or nearly."""
        if what.went_on:
            return True  # Its clock's tempo jumped.
        # Songs are put to sixteenths (MIDI 1.0, song position pointer): one that is nearer than that went on.
        return abs(what.ticks + _ahead(self.knots, what.ticks) - what.song_ticks) < STEP_TICKS

    def locate(self, what: Located) -> None:
        """Up to one pulse of a clock before it, the song was where it was said to be before."""
        ticks, place = what.ticks, what.song_ticks
        if self.knots:
            before, ahead = self.knots[-1]
            if before < ticks - PULSE_TICKS:
                before = ticks - PULSE_TICKS
                self.knots.append((before, ahead))
            place = max(place, before + ahead)  # Jitter must not turn the song back.
            if before == ticks:
                self.knots.pop()
        self.knots.append((ticks, place - ticks))

    def skip(self, what: Skipped) -> None:
        """The session leaves something out; the song does not."""
        ahead = _ahead(self.knots, what.ticks)
        self.knots += [(what.ticks, ahead), (what.to_ticks, ahead - (what.to_ticks - what.ticks))]

    def take(self, number: int, end_ticks: int, *, gone_on: bool = False) -> list[Take]:
        """The take, if the song has begun by now."""
        lines = BarLines(self.signature)
        start_ticks = self.first.ticks + max(0, math.ceil(-self.first.song_ticks))
        take = Take(number, start_ticks, end_ticks, tuple(self.knots), lines.signatures, self.goes_on, gone_on)
        for ticks, signature in self.changes:
            lines.change(take.song_ticks(ticks), signature)
        return [replace(take, signatures=lines.signatures)] if start_ticks < end_ticks else []


def _ahead(knots: Sequence[tuple[int, float]], ticks: int) -> float:
    index = bisect_right(knots, ticks, key=lambda knot: knot[0])
    if index in (0, len(knots)):
        return knots[max(0, index - 1)][1]
    (before, ahead), (after, then) = knots[index - 1], knots[index]
    return ahead + (then - ahead) * (ticks - before) / (after - before)
