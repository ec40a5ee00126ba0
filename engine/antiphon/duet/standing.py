"""Where a performance stands: one value, folded from its records, from which an engine can go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from antiphon.duet.commands import Decision
from antiphon.duet.events import (
    Chosen,
    CountInBegan,
    Ended,
    Event,
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
from antiphon.duet.plan import Plan
from antiphon.duet.schedule import Send


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that holds until a record says otherwise."""

    plans: tuple[Plan, ...]
    selected: int
    """Number of the plan that plays."""
    chosen: int | None
    """Number of the plan that was chosen and does not play yet."""
    bpm: float
    towards_bpm: float | None
    """While the player's taps nudge the tempo: the one that is meant."""
    stopped: bool
    """Whether the transport of the clock that is followed was stopped."""
    clicks: bool
    """Whether the metronome is on."""
    song_ahead_ticks: float | None
    """How far the place in the song is ahead of the session's ticks; None: there is no song, or nobody knows where."""

    @staticmethod
    def first(plans: Sequence[Plan]) -> Standing:
        """Where a performance of `plans` begins."""
        plan = plans[0]
        return Standing(tuple(plans), 0, None, plan.tempo_bpm, None, False, plan.metronome.on, None)

    @property
    def plan(self) -> Plan:
        """The plan that plays."""
        return self.plans[self.selected]

    @property
    def meant_bpm(self) -> float:
        """The tempo, or what it is on its way to."""
        return self.bpm if self.towards_bpm is None else self.towards_bpm

    def after(self, what: Event | Send) -> Standing:
        """Where it stands once `what` has happened."""
        match what:
            case Chosen():
                return replace(self, chosen=what.plan)
            case Selected():
                return self._playing(what.plan)
            case Restarted():
                # What was chosen still is: the engine that takes over chooses it again.
                bpm = self.plans[what.plan].tempo_bpm if what.plan else self.bpm
                return replace(self, selected=what.plan, bpm=bpm)
            case TempoChanged():
                return replace(self, bpm=what.bpm, towards_bpm=what.towards_bpm)
            case MetronomeSwitched():
                return replace(self, clicks=what.on)
            case Ended():
                return replace(self, clicks=False)
            case TransportStarted() | TransportStopped():
                return replace(self, stopped=isinstance(what, TransportStopped))
            case Located():
                return replace(self, song_ahead_ticks=what.song_ticks - what.ticks)
            case (
                Heard()
                | PlayerReady()
                | PlayerLost()
                | PlayerAnswered()
                | PlayerFailed()
                | Decision()
                | Send()
                | Skipped()
                | CountInBegan()
            ):
                return self
            case _:
                assert_never(what)

    def _playing(self, number: int) -> Standing:
        plan = self.plans[number]
        song = None if plan.sync == "internal" and not plan.clock_out else self.song_ahead_ticks
        return replace(
            self,
            selected=number,
            chosen=None,
            bpm=plan.tempo_bpm,
            towards_bpm=None,
            clicks=plan.metronome.on,
            song_ahead_ticks=song,
        )
