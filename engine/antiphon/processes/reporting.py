"""What the engine tells the supervisor: what happened, in order, and what a person should see."""

from __future__ import annotations

from dataclasses import replace

from antiphon.processes.outgoing import Outgoing
from antiphon.processes.protocol import FromSupervisor, Records, Report, ToSupervisor
from antiphon.processes.runtime import Link
from antiphon.session.journal import Record


class Reports:
    """Keeps what is to be told until the supervisor is there, and records until they are complete."""

    def __init__(self, outgoing: Outgoing | None) -> None:
        """`outgoing`: what waits to leave; of a step that is on record in part only nobody could tell what was sent."""
        self._outgoing = outgoing
        self._supervisor: Link[FromSupervisor, ToSupervisor] | None = None
        self._records: list[Record] = []
        self._told_records = 0
        self._untold: list[ToSupervisor] = []

    @property
    def has_supervisor(self) -> bool:
        """Whether there is somebody to tell."""
        return self._supervisor is not None

    @property
    def next_number(self) -> int:
        """The number of the record that comes next, from 0."""
        return self._told_records + len(self._records)

    def begin(self, supervisor: Link[FromSupervisor, ToSupervisor]) -> None:
        """The supervisor has come."""
        self._supervisor = supervisor
        self.flush()

    def record(self, record: Record) -> None:
        """Put something on record."""
        self._records.append(record)

    def sent(self, number: int, late_seconds: float) -> None:
        """The message of record `number`, which waited, has been sent."""
        place = number - self._told_records
        self._records[place] = replace(self._records[place], late_seconds=late_seconds)

    def report(self, text: str) -> None:
        """Tell a person."""
        self.tell(Report(text))

    def tell(self, message: ToSupervisor) -> None:
        """Tell the supervisor, after what is on record; until it has come, keep it for then."""
        self._untold.append(message)
        self.flush()

    def flush(self) -> None:
        """Tell all that can be told."""
        if self._supervisor is None:
            return
        if (count := self._complete()) > 0:
            self._supervisor.send(Records(tuple(self._records[:count])))
            self._records = self._records[count:]
            self._told_records += count
        for message in self._untold:
            self._supervisor.send(message)
        self._untold = []

    def _complete(self) -> int:
        """How many records nothing is to be added to any more; none, if it is not above zero."""
        kept = None if self._outgoing is None else self._outgoing.first_kept
        return len(self._records) if kept is None else kept - self._told_records
