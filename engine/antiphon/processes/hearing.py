"""What comes into the engine from keyboards and clocks: what of it is music, and what the player holds there."""

from __future__ import annotations

import time

from antiphon.duet.duet import Duet
from antiphon.music import messages
from antiphon.processes.delivery import Delivery
from antiphon.sync.tempo_sources import MeantBy, TempoSources

_REAL_TIME = 0xF8
"""Clock, active sensing and the like begin here."""


class Hearing:
    """Brings what arrives to those that it is for: the clock that is followed, the tempo, or the duet."""

    def __init__(
        self, duet: Duet, tempo_sources: TempoSources, delivery: Delivery, meant_by: MeantBy, origin_seconds: float
    ) -> None:
        """`origin_seconds`: of `time.perf_counter`, at which the duet began."""
        self._duet = duet
        self._tempo_sources = tempo_sources
        self._delivery = delivery
        self._echoes = delivery.echoes
        self._meant_by = meant_by
        self._origin_seconds = origin_seconds
        self._held: dict[str, set[messages.Key]] = {}
        """What is down on each port."""

    def hear(self, port: str, message: bytes, seconds: float) -> None:
        """A message that arrived at `seconds` of `time.perf_counter`."""
        of_clock = self._tempo_sources.follows(message)
        if message[0] >= _REAL_TIME and not of_clock:
            return
        if not messages.is_well_formed(message):
            self._delivery.reports.report(f"{port} sent a malformed message, {message.hex(' ')}: left out")
            return
        if of_clock:
            self._tempo_sources.hear_clock(port, message, seconds - self._origin_seconds)
            return
        if self._echoes.is_echo(port, message, seconds):
            return
        if (key := messages.held_with(message)) is not None:
            held = self._held.setdefault(port, set())
            (held.add if messages.depth(message) else held.discard)(key)
        self._take_in(port, message, seconds)

    def ask_for_echoes(self) -> None:
        """Find out whether what leaves comes back, where it seems to. This is no music, and on nobody's record."""
        if self._echoes.doubtful:
            for output, message in self._echoes.questions(time.perf_counter()):
                self._delivery.send_aside(output, message)

    def release(self, port: str) -> None:
        """Whatever was held on a keyboard that is gone is released, as though by its player."""
        for held in sorted(self._held.pop(port, ())):
            self._take_in(port, messages.release_of(held), time.perf_counter())
        self._echoes.forget(port)

    def release_all(self) -> None:
        """Every keyboard is gone."""
        for port in list(self._held):
            self.release(port)

    def _take_in(self, port: str, message: bytes, seconds: float) -> None:
        """A message of the player at `seconds`: it is for the tempo, or it is music."""
        since_start = seconds - self._origin_seconds
        if self._tempo_sources.takes(message):
            self._tempo_sources.hear(message, since_start)
            return
        self._delivery.arrived_seconds = seconds
        self._duet.hear(message, self._duet.ticks_at(since_start), self._meant_by(port), port)
