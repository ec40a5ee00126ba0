"""Takes down what the engine tells before anybody looks at it, and passes it on. It draws nothing and watches nobody.

It has a thread of its own, in which nothing else happens: whatever holds up the others, the journal goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from antiphon.duet.events import Heard
from antiphon.duet.schedule import Send
from antiphon.processes.protocol import Records, Report, ToSupervisor
from antiphon.processes.runtime import Gone, Inbox, spawn_thread
from antiphon.session.header import Header
from antiphon.session.journal import JournalWriter

_LOOK_SECONDS: Final = 1.0
"""How often it is seen whether the journal is still there, or can be written again."""
_MOST_BEHIND: Final = 5000
"""So many records may wait to be looked at; of more, only those are passed on that are neither heard nor sent."""
_MOST_WAITING: Final = 200
"""The same where so many messages of the engine's wait to be taken down: the journal comes first."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The last that is passed on: everything is in the journal."""


Told = ToSupervisor | Gone | Closed


class Recorder:
    """Stands between the link to the engine and whoever watches over the performance."""

    def __init__(self, folder: Path, header: Header, pass_on: Callable[[Told], None]) -> None:
        """`pass_on`: called with all that came, in order, in the recorder's thread."""
        self._folder = folder
        self._journal = JournalWriter(folder, header)
        self._pass_on = pass_on
        self._arrived: Inbox[Told] = Inbox()
        self._passed = self._seen = 0
        """Records: each counted in one thread only."""
        self._was_in_trouble = self._left_out = False
        self._lost = 0
        spawn_thread(self._run, "recorder")

    def put(self, item: Told) -> None:
        """Take down `item` and pass it on, in due course."""
        self._arrived.put(item)

    def seen(self, records: int) -> None:
        """So many of the records that were passed on have been looked at."""
        self._seen += records

    def close(self) -> None:
        """Close the journal; `Closed` is passed on when all is in it."""
        self._arrived.put(Closed())

    def _run(self) -> None:
        look_seconds = 0.0
        while True:
            item = self._arrived.get(look_seconds)
            if isinstance(item, Records):
                self._journal.write(item.records)
                self._pass_records(item)
            if time.perf_counter() >= look_seconds:
                self._journal.save()
                look_seconds = time.perf_counter() + _LOOK_SECONDS
            if isinstance(item, Closed):
                self._journal.close()
                if self._journal.trouble:
                    self._pass_on(Report(f"what was played last is not recorded ({self._journal.trouble})"))
            self._tell_trouble()
            if item is not None and not isinstance(item, Records):
                self._pass_on(item)
            if isinstance(item, Closed):
                return

    def _pass_records(self, told: Records) -> None:
        behind = self._passed - self._seen
        if behind > _MOST_BEHIND or len(self._arrived) > _MOST_WAITING:
            told = Records(tuple(record for record in told.records if not isinstance(record.what, Heard | Send)))
            if not self._left_out:
                self._pass_on(Report("so much is played that not all of it is shown; all of it is recorded"))
            self._left_out = True
        elif not behind:
            self._left_out = False  # Everybody has caught up: the next time is another.
        self._passed += len(told.records)
        self._pass_on(told)

    def _tell_trouble(self) -> None:
        """Say once when nothing is recorded any more, when there is no room to keep it, and when that is over."""
        trouble, lost = self._journal.trouble, self._journal.lost
        if trouble and not self._was_in_trouble:
            kept = "it is kept in memory, and written as soon as it can be"
            self._pass_on(Report(f"nothing is recorded: {self._folder} cannot be written ({trouble}); {kept}"))
        if lost and not self._lost:
            self._pass_on(Report("there is no room left to keep what cannot be recorded: from now on it is lost"))
        if not trouble and self._was_in_trouble:
            missing = f"{lost} events are missing, and it will not replay" if lost else "nothing is missing"
            self._pass_on(Report(f"recording again in {self._folder}: {missing}"))
        self._was_in_trouble, self._lost = bool(trouble), lost
