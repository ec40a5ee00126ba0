"""What will be sent, and what sounds: no note-on leaves here without its note-off. It reads no clock."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from antiphon.duet.plan import VelocityCurve
from antiphon.music import messages
from antiphon.music.hands import Hands
from antiphon.notes import Note

PLAYER = -1
"""The musician, as a source of notes; voices count from 0."""
METRONOME = -2
"""The click, as another."""

_OFF, _ON = 0, 1
"""At one tick notes end before others begin, whatever order they were scheduled in."""


@dataclass(frozen=True, slots=True)
class Send:
    """One message on its way out."""

    output: int
    """Index of the output."""
    message: bytes
    """A MIDI message."""
    due_ticks: int
    """The tick it belongs to."""
    source: int
    """`PLAYER`, `METRONOME`, or the index of the voice."""
    part: int = 0
    """Which of the voice's parts plays it, from 0."""


@dataclass(frozen=True, slots=True)
class OutputPart:
    """How the notes of one part of a voice become messages."""

    source: int
    """Index of the voice."""
    outputs: tuple[int, ...]
    """Indices of the outputs it plays to."""
    channel: int
    """MIDI channel, 0 to 15."""
    transpose: int = 0
    """Semitones added."""
    velocity: VelocityCurve = VelocityCurve()
    polyphony: int = 16
    """Most notes of the voice that sound at once; a further one takes the place of the oldest."""
    number: int = 0
    """Which of the voice's parts it is, from 0."""

    def pitch(self, pitch: int) -> int:
        """`pitch` transposed, moved by octaves into 0 to 127."""
        moved = pitch + self.transpose
        if moved < 0:
            return moved % 12
        return moved if moved < 128 else moved - 12 * ((moved - 128) // 12 + 1)


@dataclass(frozen=True, slots=True)
class Lead:
    """How much before its tick a message is handed on, because what is behind its output is late."""

    ticks: int = 0
    """So much before its tick it is to leave."""
    spare_ticks: int = 0
    """So much before it is to leave it is handed on: a port may want to know what is to come."""


_NO_LEAD = Lead()


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    """A scheduled message. Its order does not depend on when it was scheduled, so that playing is repeatable."""

    release_ticks: int
    """When it is handed on: at its tick, or, with a lead, before."""
    due_ticks: int
    order: int
    output: int
    channel: int
    pitch: int
    source: int
    part: int
    ticket: int
    velocity: int
    polyphony: int


@dataclass(frozen=True, slots=True)
class _Sounding:
    ticket: int | None
    """Which scheduled note it is; None: the player holds the key."""
    source: int
    part: int
    since_ticks: int


class Schedule:
    """The queue of timed messages and the notes that sound. Note-offs, stealing and panic are its business alone.

    An output may have a lead: what is scheduled on it is handed on before its tick. Each output gets its messages in
    the order of their ticks all the same; what comes too late for that takes its place behind what has been handed on.
    """

    def __init__(self) -> None:
        self._queue: list[_Entry] = []
        self._sounding: dict[tuple[int, int, int], _Sounding] = {}
        self._hands = Hands()
        self._tickets = 0
        self._leads: dict[int, Lead] = {}
        self._reached_ticks: dict[int, int] = {}
        """The latest tick of what has been handed on, for each output that ever had a lead."""

    def look_ahead(self, leads: Mapping[int, Lead]) -> None:
        """From now on, these outputs have a lead, and the others none."""
        if leads == self._leads:
            return
        self._leads = dict(leads)
        self._reached_ticks = dict.fromkeys(leads, 0) | self._reached_ticks
        self._queue = [replace(entry, release_ticks=self.release_ticks(entry)) for entry in self._queue]
        heapq.heapify(self._queue)

    def lead_ticks(self, outputs: Iterable[int]) -> int:
        """How long before its tick the first of these outputs is handed a message."""
        return max((lead.ticks + lead.spare_ticks for o in outputs if (lead := self._leads.get(o))), default=0)

    def release_ticks(self, message: Send | _Entry) -> int:
        """When a message that is scheduled is handed on."""
        lead = self._leads.get(message.output, _NO_LEAD)
        return message.due_ticks - lead.ticks - lead.spare_ticks

    def next_ticks(self) -> int | None:
        """When the next message is handed on; None when nothing is scheduled."""
        return self._queue[0].release_ticks if self._queue else None

    def sounding(self, source: int | None = None) -> int:
        """How many notes sound, of one source or of all."""
        return sum(source is None or note.source == source for note in self._sounding.values())

    def has_voices(self) -> bool:
        """Whether anything of a voice sounds, or is to."""
        sources = (*(note.source for note in self._sounding.values()), *(entry.source for entry in self._queue))
        return any(source >= 0 for source in sources)

    def play(self, part: OutputPart, notes: Iterable[Note], now_ticks: int = 0) -> None:
        """Schedule `notes`, whose lengths must be known.

        Where an output's lead is longer than the time there is from `now_ticks` on, they begin late, and are as long.
        """
        for note in notes:
            end = note.end_ticks
            if end is None:
                raise ValueError(f"{note} is still held; only a note with a length can be scheduled")
            pitch, velocity = part.pitch(note.pitch), part.velocity.apply(note.velocity)
            for output in part.outputs:
                self._tickets += 1
                lead = self._leads.get(output, _NO_LEAD)
                late = max(0, now_ticks + lead.ticks - note.start_ticks) if lead.ticks else 0
                for due, order in ((note.start_ticks + late, _ON), (end + late, _OFF)):
                    release = due - lead.ticks - lead.spare_ticks
                    key = (output, part.channel, pitch, part.source, part.number)
                    entry = _Entry(release, due, order, *key, self._tickets, velocity, part.polyphony)
                    heapq.heappush(self._queue, entry)

    def silence(self, source: int, at_ticks: int) -> None:
        """Let nothing of `source` begin at or after `at_ticks`, and nothing of it sound beyond."""
        cancelled = {
            entry.ticket
            for entry in self._queue
            if entry.source == source and entry.order == _ON and entry.due_ticks >= at_ticks
        }
        kept = []
        for entry in self._queue:
            if entry.ticket in cancelled:
                continue
            if entry.source == source and entry.order == _OFF and entry.due_ticks > at_ticks:
                entry = replace(entry, due_ticks=at_ticks)
                entry = replace(entry, release_ticks=self.release_ticks(entry))
            kept.append(entry)
        heapq.heapify(kept)
        self._queue = kept

    def thru(self, message: bytes, outputs: Iterable[int], now_ticks: int, port: str = "") -> Iterator[Send]:
        """The player's own message from `port`, untouched, but that a voice's note that it runs into is ended first.

        What another port holds as well is not let go.
        """
        ends_all = messages.ends_all(message)
        for output in outputs:
            alone = not ends_all or self._is_still(output, messages.channel(message))
            for passed in self._hands.pass_on(output, message, port, alone=alone):
                if passed[0] & 0xF0 <= messages.NOTE_ON:
                    key = (output, messages.channel(passed), passed[1])
                    holder = self._sounding.get(key)
                    if messages.is_note_on(passed):
                        if holder is not None and holder.ticket is not None:
                            yield self._off(key, now_ticks)
                        self._sounding[key] = _Sounding(None, PLAYER, 0, now_ticks)
                    elif holder is not None and holder.ticket is not None:
                        continue  # A voice has taken this key over since; it ends its note itself.
                    else:
                        self._sounding.pop(key, None)
                yield Send(output, passed, now_ticks, PLAYER)

    def due(self, now_ticks: int) -> Iterator[Send]:
        """The messages that are to be handed on by now, in order."""
        while self._queue and self._queue[0].release_ticks <= now_ticks:
            entry = heapq.heappop(self._queue)
            key = (entry.output, entry.channel, entry.pitch)
            holder = self._sounding.get(key)
            if entry.order == _OFF:
                if holder is not None and holder.ticket == entry.ticket:
                    yield self._off(key, entry.due_ticks)
                continue
            if holder is not None:
                yield self._off(key, entry.due_ticks)
                self._hands.let_go(entry.output, (messages.NOTE_ON, entry.channel, entry.pitch))
            yield from self._steal(entry)
            due = self.behind(entry.output, entry.due_ticks)
            self._sounding[key] = _Sounding(entry.ticket, entry.source, entry.part, due)
            message = messages.note_on(entry.channel, entry.pitch, entry.velocity)
            yield Send(entry.output, message, due, entry.source, entry.part)

    def end(self, now_ticks: int) -> Iterator[Send]:
        """Forget what is scheduled and end every note that sounds."""
        self._queue.clear()
        for key in list(self._sounding):
            yield self._off(key, now_ticks)
        self._hands.clear()

    def _is_still(self, output: int, channel: int) -> bool:
        """Whether no note of a voice, or click, sounds there."""
        return not any(note.ticket is not None and key[:2] == (output, channel) for key, note in self._sounding.items())

    def _off(self, key: tuple[int, int, int], due_ticks: int) -> Send:
        output, channel, pitch = key
        ended = self._sounding.pop(key)
        due = self.behind(output, due_ticks)
        return Send(output, messages.note_off(channel, pitch), due, ended.source, ended.part)

    def behind(self, output: int, due_ticks: int) -> int:
        """The tick of what is handed on now: `due_ticks`, but not before that of what was handed on earlier."""
        if output not in self._reached_ticks:
            return due_ticks
        self._reached_ticks[output] = max(self._reached_ticks[output], due_ticks)
        return self._reached_ticks[output]

    def _steal(self, entry: _Entry) -> Iterator[Send]:
        own = [k for k, s in self._sounding.items() if s.source == entry.source and k[0] == entry.output]
        while len(own) >= entry.polyphony:
            oldest = min(own, key=lambda key: (self._sounding[key].since_ticks, key))
            own.remove(oldest)
            yield self._off(oldest, entry.due_ticks)
