"""The MIDI clock of the engine: which outputs get it, where its song begins, and what of it is due."""

from __future__ import annotations

import math

from antiphon.duet.duet import Duet
from antiphon.duet.events import CountInBegan, Located
from antiphon.duet.routing import clock_output_names, counts_in
from antiphon.music.clock import SystemClock
from antiphon.music.timing import next_multiple
from antiphon.processes.delivery import Delivery
from antiphon.processes.protocol import ClockStarted, EngineSetup
from antiphon.sync.clock_sending import ClockOut
from antiphon.sync.midi_clock import PULSE_TICKS


class ClockSender:
    """Sends the clock that the plan that plays asks for, and counts in before its song."""

    def __init__(self, setup: EngineSetup, duet: Duet, clock: SystemClock, delivery: Delivery) -> None:
        """An engine that takes over goes on with the song that was begun, and counts nobody in."""
        self._duet = duet
        self._clock = clock
        self._delivery = delivery
        self._pulses = ClockOut()
        self._outputs: tuple[int, ...] = ()
        self._started_ticks = setup.clock_started_ticks
        self._awaits_count_in = not setup.takes_over and counts_in(duet.performer.plan)

    def count_in(self) -> None:
        """Everybody is ready: count in, if the plan says so. The song of a clock that is sent begins after that."""
        awaited, self._awaits_count_in = self._awaits_count_in, False
        begin: int | None = None
        if counts_in(self._duet.performer.plan):
            self._duet.change(CountInBegan(self._now_ticks()))
            begin = self._duet.metronome.music_ticks
        elif awaited:  # Another preset was chosen before everybody was ready.
            begin = next_multiple(self._ahead_ticks() + PULSE_TICKS, self._duet.timeline.signature.bar_ticks)
        if begin is not None:
            self._pulses.begin_song(begin)
            self._tell_song()

    def take_up(self) -> None:
        """Send a clock to the outputs that the plan wants it on; one that they get already goes on."""
        names = self._delivery.names
        wanted = tuple(names.index(name) for name in clock_output_names(self._duet.performer.plan))
        if wanted == self._outputs:
            return
        self.stop()
        self._outputs = wanted
        if wanted:
            signature, waits = self._duet.timeline.signature, self._awaits_count_in
            self._pulses.start(self._ahead_ticks(), signature, self._started_ticks, waits=waits)
            self._tell_song()

    def next_seconds(self) -> float:
        """When something of it is to be sent; infinity if nothing is."""
        pulse = self._pulses.next_ticks()
        return math.inf if pulse is None else self._delivery.seconds_at(pulse) - self._ahead_seconds

    def send_due(self) -> None:
        """Send what is due."""
        if not self._outputs:
            return
        for ticks, message in self._pulses.due(self._ahead_ticks()):
            for output in self._outputs:
                self._delivery.send_clock(output, message, ticks)
        self._delivery.let_leave()

    def stop(self) -> None:
        """Tell the outputs that the song is over."""
        self._delivery.drop_clock()
        for message in self._pulses.stop():
            for output in self._outputs:
                self._delivery.send_aside(output, message)

    def _tell_song(self) -> None:
        """Put on record where the song begins."""
        started = self._pulses.started_ticks
        self._delivery.reports.tell(ClockStarted(started))
        if started is not None and self._outputs:
            ticks = max(self._now_ticks(), self._duet.now_ticks)
            self._duet.change(Located(ticks, ticks - started))

    @property
    def _ahead_seconds(self) -> float:
        """How long before its moment a pulse is asked for, so that no output gets it late."""
        return self._delivery.ahead_seconds(self._outputs)

    def _ahead_ticks(self) -> int:
        return self._duet.timeline.ticks_at(self._clock.now() + self._ahead_seconds)

    def _now_ticks(self) -> int:
        return self._duet.ticks_at(self._clock.now())
