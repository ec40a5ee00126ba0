"""Who sets the duet's time: a MIDI clock, an Ableton Link session, the player's taps and knob.

Which of them counts, the plan that plays says. Seconds count from the start of the session.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from antiphon.duet.duet import Duet
from antiphon.duet.plan import Plan
from antiphon.music.messages import CLOCK_MESSAGES
from antiphon.sync.link_session import LinkSession, open_link
from antiphon.sync.link_steering import LinkSteering
from antiphon.sync.midi_clock_arrivals import ClockArrivals
from antiphon.sync.midi_clock_steering import ClockSteering
from antiphon.sync.tempo_control import TempoControl

MeantBy = Callable[[str], tuple[str, ...]]
"""From an input port's name to the names in the plans that mean it."""


class TempoSources:
    """All who may lead one duet."""

    def __init__(
        self,
        plans: Sequence[Plan],
        duet: Duet,
        now: Callable[[], float],
        report: Callable[[str], None],
        meant_by: MeantBy,
    ) -> None:
        """`now`: the present, in seconds. `report`: told what a person should know of."""
        self._duet = duet
        self._now = now
        self._report = report
        self._meant_by = meant_by
        syncs = {plan.sync for plan in plans}
        self._midi = ClockSteering(duet, report, now()) if "midi" in syncs else None
        self._arrivals = ClockArrivals()
        self._wants_link = "link" in syncs
        self._session: LinkSession | None = None
        self._link: LinkSteering | None = None
        self._hand = TempoControl(duet, report)

    def open(self) -> None:
        """Make ready what the plans name. Raises AntiphonError if the extra that it needs is missing."""
        if self._wants_link:
            self._session = open_link(self._duet.timeline.bpm, self._now)

    def begin(self) -> None:
        """The duet has begun, or goes on: join the session, if there is to be one."""
        if self._session is not None:
            self._link = LinkSteering(self._duet, self._session, self._report, self._now())

    def close(self) -> None:
        """Leave the session."""
        if self._link is not None:
            self._link.close()

    # ---- what comes in -------------------------------------------------------------------------------------------

    def follows(self, message: bytes) -> bool:
        """Whether the message is of a MIDI clock, and there is a plan that follows one."""
        return self._midi is not None and message[0] in CLOCK_MESSAGES

    def takes(self, message: bytes) -> bool:
        """Whether a message of the player is for the tempo, and nobody else is to hear it."""
        return self._hand.takes(message)

    def hear_clock(self, port: str, message: bytes, seconds: float) -> None:
        """A message that it follows arrived at `port`."""
        self._arrivals.put(port, message, seconds, self._clock_latency_seconds(port))
        self._follow()

    def hear(self, message: bytes, seconds: float) -> None:
        """A message that it takes arrived at `seconds`."""
        self._hand.hear(message, seconds)

    def tap(self, seconds: float) -> None:
        """The beat was tapped on the terminal at `seconds`."""
        self._hand.tap(seconds)

    def plan_changed(self) -> None:
        """Another plan plays, with a time of its own, until its leader is heard."""
        self._hand.plan_changed()
        for steering in (self._midi, self._link):
            if steering is not None:
                steering.plan_changed(self._now())

    # ---- time ----------------------------------------------------------------------------------------------------

    def next_seconds(self) -> float:
        """When one of them has to be looked at again; infinity if none has."""
        moments = [math.inf]
        if (over := self._hand.next_ticks()) is not None:
            moments.append(self._duet.timeline.seconds_at(over))
        if (arrival := self._arrivals.next_seconds()) is not None:
            moments.append(arrival)
        if self._link is not None:
            moments.append(self._link.next_seconds)
        return min(moments)

    def look(self, played_seconds: float | None) -> None:
        """Call it whenever something happens. `played_seconds`: when what is to be heard next was played.

        What was played before a nudge of the tempo was over was played within it, however late it is looked at.
        """
        self._hand.advance(self._now() if played_seconds is None else played_seconds)
        self._follow()
        for steering in (self._midi, self._link):
            if steering is not None:
                steering.look(self._now())

    def _follow(self) -> None:
        if self._midi is not None:
            for arrival in self._arrivals.due(self._now()):
                self._midi.hear(arrival.port, arrival.message, arrival.seconds)

    def _clock_latency_seconds(self, port: str) -> float:
        """By how much a clock that comes in at `port` counts as later than it comes."""
        latency = self._duet.performer.plan.clock_latency
        # One that is named comes before all that are found.
        names = sorted(self._meant_by(port), key=lambda name: name == "auto") if latency else ()
        return next((latency[name] / 1000 for name in names if name in latency), 0.0)
