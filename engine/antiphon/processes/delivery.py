"""What goes out of the engine: messages to ports and the sound, what the players are asked."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from pathlib import Path

from antiphon.duet.commands import Extend, Prime
from antiphon.duet.duet import SPARE_SECONDS, Duet
from antiphon.duet.ledger import Ledger
from antiphon.duet.routing import output_names, output_offsets
from antiphon.duet.schedule import PLAYER, Send
from antiphon.midi.echo import Echoes
from antiphon.midi.ports import Ports
from antiphon.music import messages
from antiphon.output import PortGone
from antiphon.processes.gathering import without_stale
from antiphon.processes.outgoing import Outgoing, Waiting
from antiphon.processes.protocol import Asked, FromPlayers, FromSound, Sounded, ToPlayers, ToSound
from antiphon.processes.reporting import Reports
from antiphon.processes.runtime import Link
from antiphon.processes.shared_folder import shared_memory
from antiphon.session.journal import Record

_SYNTH = "synth"
_MOST_ASKED = 64
"""So many commands for one player are kept before what is stale among them is left out."""


class Delivery:
    """Brings each message to its output when its time has come, and keeps the ledgers of what may sound there.

    Outputs are numbered as in `output_names(plans)`.
    """

    def __init__(self, folder: Path, duet: Duet, origin_seconds: float) -> None:
        """`folder`: where the ledgers are. `origin_seconds`: of `time.perf_counter`, at which the duet began."""
        self.names = output_names(duet.plans)
        size = Ledger.size(len(self.names))
        self._ledger = Ledger(len(self.names), shared_memory(folder / "ledger", size))
        # What was ever down: who was not there to hear it end, or was not told in time, is told again.
        self._touched = Ledger(len(self.names), shared_memory(folder / "touched", size))
        self._duet = duet
        self._origin_seconds = origin_seconds
        self._offsets = [output_offsets(plan, self.names) for plan in duet.plans]
        self._outgoing = Outgoing() if any(map(any, self._offsets)) else None
        self._step_record = 0
        self._asked: dict[int, list[Prime | Extend]] = {}
        self.reports = Reports(self._outgoing)
        """Where it is told what was sent, and how late."""
        self.echoes = Echoes(self.reports.report)
        """What left a moment ago, and may come back."""
        self.ports: Ports | None = None
        """None until they are open."""
        self.sound: Link[FromSound, ToSound] | None = None
        self.players: dict[int, Link[FromPlayers, ToPlayers]] = {}
        """Those that are there, by slot."""
        self.arrived_seconds = 0.0
        """When that happened which the player's own messages answer to."""

    # ---- to the ports and the sound ------------------------------------------------------------------------------

    def begin_step(self) -> None:
        """What is recorded from now on belongs together."""
        self._step_record = self.reports.next_number

    def send(self, send: Send) -> None:
        """Send to a port or to the sound, and note how late that was; or let it wait until its output's moment.

        What the player plays never waits.
        """
        own = send.source == PLAYER
        if self._outgoing is not None:
            if not own:
                self._let_wait(self._outgoing, send)
                return
            if messages.is_note_on(send.message):
                self._hand_to_ports(self._outgoing.make_way(send.output, send.message, time.perf_counter()))
        due = self.arrived_seconds if own else self.seconds_at(send.due_ticks)
        # The player's own notes go at once; a port that can stamp gives the others their exact place.
        sent = self._deliver(send.output, send.message, None if own else due, own=own)
        self.reports.record(Record(send, time.perf_counter() - due if sent else None))

    def send_aside(self, output: int, message: bytes, due_seconds: float | None = None) -> bool:
        """Send to a port what is no music, and on nobody's record; False if the port is not there."""
        port = None if self.ports is None else self.ports.outputs[output]
        if self.ports is None or port is None:
            return False
        try:
            port.send(message, due_seconds)
        except PortGone:
            self.ports.lose_output(output)
            return False
        return True

    def send_clock(self, output: int, message: bytes, ticks: int) -> None:
        """Send a clock's message of this tick, or let it wait until its output's moment."""
        if self._outgoing is None:
            self.send_aside(output, message, self.seconds_at(ticks))
        else:
            moment = self.seconds_at(ticks) + self._offsets[self._duet.selected][output]
            self._outgoing.put(output, message, moment, early_seconds=self._early_seconds(output))

    def drop_clock(self) -> None:
        """Forget what waits of a clock."""
        if self._outgoing is not None:
            self._outgoing.drop_clock()

    def ahead_seconds(self, outputs: Sequence[int]) -> float:
        """How long before its moment a message must be known, so that none of these outputs gets it late."""
        if self._outgoing is None:
            return 0.0
        offsets = self._offsets[self._duet.selected]
        return SPARE_SECONDS + max((-offsets[output] for output in outputs), default=0.0)

    def next_seconds(self) -> float:
        """When anything leaves that waits; infinity if nothing does."""
        return math.inf if self._outgoing is None else self._outgoing.next_seconds()

    def let_leave(self, *, at_once: bool = False) -> None:
        """Hand over what has waited long enough; `at_once`: what begins nothing, and forget what does."""
        if self._outgoing:
            now = time.perf_counter()
            self._hand_to_ports(self._outgoing.flush(now) if at_once else self._outgoing.due(now))

    def end_what_was_missed(self, only: int | None = None, *, spare: bool = False) -> None:
        """End what an output may have missed the end of: a dead engine's last words, or all while it was gone.

        `only`: this output, else all. `spare`: let be what sounds now.
        """
        for output, message in list(self._touched.silencing()):
            if only in (None, output) and not (spare and self._ledger.ends(output, message)):
                self._deliver(output, message, None)

    def give_sounds(self, only: int | None = None) -> None:
        """Give a synth that was not there when it was told, or has forgotten, the voices' sounds again."""
        for output in range(len(self.names)) if only is None else (only,):
            for message in self._duet.sounds(output):
                self._deliver(output, message, None)

    def seconds_at(self, ticks: int) -> float:
        """When a tick of the session is, in seconds of `time.perf_counter`."""
        return self._origin_seconds + self._duet.timeline.seconds_at(ticks)

    # ---- to the players ------------------------------------------------------------------------------------------

    def ask(self, slot: int, command: Prime | Extend) -> None:
        """Keep a command for a player until it is handed over."""
        commands = self._asked.setdefault(slot, [])
        commands.append(command)
        if len(commands) >= _MOST_ASKED:
            commands[:] = without_stale(commands)

    def hand_over(self) -> int:
        """Hand the players what they were asked, in one go; how many notes they are told by that."""
        asked: dict[Link[FromPlayers, ToPlayers], list[tuple[int, Prime | Extend]]] = {}
        for slot, commands in self._asked.items():
            if slot in self.players:
                asked.setdefault(self.players[slot], []).extend((slot, each) for each in without_stale(commands))
        self._asked.clear()
        for link, together in asked.items():
            link.send(Asked(tuple(together)))
        told = itertools.chain.from_iterable(asked.values())
        return sum(len(command.notes) for _, command in told if isinstance(command, Prime))

    # ---- inside --------------------------------------------------------------------------------------------------

    def _let_wait(self, outgoing: Outgoing, send: Send) -> None:
        """Let a message leave when its output's offset says so. The records from this step on wait as long."""
        moment = self.seconds_at(send.due_ticks) + self._offsets[self._duet.selected][send.output]
        early, number = self._early_seconds(send.output), self.reports.next_number
        outgoing.put(send.output, send.message, moment, early_seconds=early, record=number, keeps=self._step_record)
        self.reports.record(Record(send))
        self.let_leave()

    def _early_seconds(self, output: int) -> float:
        """A port that keeps a message until its moment itself, to the frame, gets it before that."""
        port = None if self.ports is None else self.ports.outputs[output]
        return SPARE_SECONDS if port is not None and port.stamps else 0.0

    def _hand_to_ports(self, leaving: Sequence[Waiting]) -> None:
        for item in leaving:
            if item.record is None:
                self.send_aside(item.output, item.message, item.moment_seconds)
            elif self._deliver(item.output, item.message, item.moment_seconds):
                self.reports.sent(item.record, max(0.0, time.perf_counter() - item.moment_seconds))

    def _deliver(self, output: int, message: bytes, due_seconds: float | None, *, own: bool = False) -> bool:
        """Send, and keep the ledgers; False if the output is closed. Whenever we die, what may sound is on record.

        `own`: it is the player's message.
        """
        begins = messages.is_note_on(message)
        if begins:
            self._ledger.mark(output, message)
        if begins or (messages.held_with(message) is not None and messages.depth(message)):
            self._touched.mark(output, message)
        if self.names[output] == _SYNTH:
            if self.sound is not None:
                self.sound.send(Sounded(message))
            sent = self.sound is not None
        else:
            leaves_seconds = max(time.perf_counter(), due_seconds or 0.0)
            sent = self.send_aside(output, message, due_seconds)
            if sent:
                self.echoes.sent(output, message, leaves_seconds, own=own)
        # A synth that is gone sounds nothing; behind a port that is gone, a note may sound until the port is back.
        if not begins and (sent or self.names[output] == _SYNTH):
            self._ledger.mark(output, message)
        return sent
