"""From MIDI messages to notes as a musician means them: pedals, repeats, lost releases."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from antiphon.music.messages import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    CONTROL_CHANGE,
    RESET_ALL_CONTROLLERS,
    SOSTENUTO,
    SUSTAIN,
    is_note_off,
    is_note_on,
    kind,
)
from antiphon.notes import Note, score_order

_PEDAL_DOWN: Final = 64
"""Controller value from which a switch pedal counts as down (MIDI 1.0, table III)."""


@dataclass(frozen=True, slots=True)
class EarChange:
    """What one message changed."""

    kind: Literal["onset", "release", "pedal"]
    """`onset`: a key went down. `release`: a key came up. `pedal`: notes ended without a key."""
    first_changed: int
    """Index of the first note that changed; `notes` before it are as they were. `len(notes)`: none did."""


_Struck = tuple[str, int]
"""A key of one channel: its port, and its pitch."""


@dataclass(slots=True)
class _Channel:
    """One channel of all ports: a pedal of one holds what is played on another, for that is how a synth has it."""

    down: set[_Struck] = field(default_factory=set)
    sustain: set[str] = field(default_factory=set)
    """The ports whose pedal is down."""
    sostenuto: set[str] = field(default_factory=set)
    caught: set[_Struck] = field(default_factory=set)
    sounding: dict[_Struck, Note] = field(default_factory=dict)

    def lift_pedals(self, port: str) -> None:
        self.sustain.discard(port)
        self.lift_sostenuto(port)

    def lift_sostenuto(self, port: str) -> None:
        self.sostenuto.discard(port)
        if not self.sostenuto:
            self.caught.clear()

    def damped(self) -> list[_Struck]:
        """Keys that sound although neither they nor a pedal are held."""
        if self.sustain:
            return []
        return [struck for struck in self.sounding if struck not in self.down and struck not in self.caught]


class Ear:
    """Keeps the notes heard so far, in score order; those that still sound have `length_ticks` None.

    A key is known by its port, channel and pitch. Released under a pedal it sounds on until the pedal comes up or the
    key is struck again. A note also ends when its key is struck again without a release, and by all sound off (120) of
    its port and channel. All notes off (123 to 127) lifts the keys of its port and channel, as though by hand.
    """

    def __init__(self) -> None:
        self._notes: list[Note] = []
        self._channels: defaultdict[int, _Channel] = defaultdict(_Channel)
        self.last_onset_ticks: int | None = None
        """When a key last went down, in ticks."""
        self.last_release_ticks: int | None = None
        """When a key last came up, in ticks, whatever the pedals kept sounding."""

    @property
    def notes(self) -> Sequence[Note]:
        """Everything heard and not forgotten, by onset, then pitch. A view: it changes as more is heard."""
        return self._notes

    @property
    def keys_down(self) -> int:
        """How many keys are physically held."""
        return sum(len(channel.down) for channel in self._channels.values())

    @property
    def pitches_down(self) -> list[int]:
        """Which keys are physically held, from the lowest up."""
        return sorted({pitch for channel in self._channels.values() for _, pitch in channel.down})

    def hear(self, message: bytes, ticks: int, port: str = "") -> EarChange | None:
        """Take in a channel message that arrived from `port` at `ticks`; `None` when neither keys nor notes changed."""
        if len(message) != 3:
            return None
        status, number, value = message
        channel = self._channels[status & 0x0F]
        if is_note_on(message):
            return self._press(channel, port, Note(ticks, number, None, value))
        if is_note_off(message):
            return self._release(channel, (port, number), ticks)
        if kind(message) == CONTROL_CHANGE:
            return self._control(channel, port, number, value, ticks)
        return None

    def remember(self, notes: Iterable[Note]) -> int:
        """Add notes of known length that others played; the index of the first note that changed."""
        first_changed = len(self._notes)
        for note in notes:
            first_changed = min(first_changed, bisect_right(self._notes, score_order(note), key=score_order))
            insort(self._notes, note, key=score_order)
        return first_changed

    def flush(self, ticks: int) -> EarChange | None:
        """Lift all keys and pedals at `ticks`, as when the keyboard is gone. `None` if nothing sounded."""
        silenced = [
            heard
            for channel in self._channels.values()
            if (heard := self._silence(channel, list(channel.sounding), ticks))
        ]
        for channel in self._channels.values():
            channel.sustain.clear()
            channel.sostenuto.clear()
        return min(silenced, key=lambda heard: heard.first_changed, default=None)

    def forget(self, count: int) -> None:
        """Drop the first `count` notes, but none that still sounds. Indices shift.

        What was struck with the first that is kept is kept with it; but if they all were, some of them are dropped.
        """
        self._forget_first(self._began_before(self._notes[count].start_ticks) or count)

    def forget_before(self, ticks: int) -> None:
        """Drop the notes that started before `ticks`, but none that still sounds. Indices shift."""
        self._forget_first(self._began_before(ticks))

    def _began_before(self, ticks: int) -> int:
        return bisect_left(self._notes, (ticks, 0), key=score_order)

    def _forget_first(self, cut: int) -> None:
        self._notes[:cut] = [note for note in self._notes[:cut] if note.length_ticks is None]

    def _press(self, channel: _Channel, port: str, note: Note) -> EarChange:
        first_changed, struck = len(self._notes), (port, note.pitch)
        # What only a pedal holds is struck anew, from wherever.
        others = [o for o in channel.sounding if o[1] == note.pitch and o[0] != port and o not in channel.down]
        if others:
            first_changed = self._close(channel, others, note.start_ticks)
            channel.caught.difference_update(others)
        earlier = channel.sounding.get(struck)
        if earlier is not None and earlier.start_ticks == note.start_ticks:
            # A doubled message: two notes of one key at one tick would be a note nobody played.
            index = self._index(earlier)
            first_changed = min(first_changed, index)
            del self._notes[index]
        elif earlier is not None:
            first_changed = min(first_changed, self._close(channel, [struck], note.start_ticks))
        index = bisect_right(self._notes, score_order(note), key=score_order)
        self._notes.insert(index, note)
        channel.sounding[struck] = note
        channel.down.add(struck)
        self.last_onset_ticks = note.start_ticks
        return EarChange("onset", min(first_changed, index))

    def _release(self, channel: _Channel, struck: _Struck, ticks: int) -> EarChange | None:
        if struck not in channel.down:
            return None
        channel.down.remove(struck)
        self.last_release_ticks = ticks
        return EarChange("release", self._close(channel, channel.damped(), ticks))

    def _control(self, channel: _Channel, port: str, controller: int, value: int, ticks: int) -> EarChange | None:
        if controller == ALL_SOUND_OFF:
            return self._silence(channel, [struck for struck in channel.sounding if struck[0] == port], ticks)
        if controller >= ALL_NOTES_OFF:
            return self._lift(channel, port, ticks)
        pressed = value >= _PEDAL_DOWN
        if controller == SUSTAIN:
            (channel.sustain.add if pressed else channel.sustain.discard)(port)
        elif controller == SOSTENUTO:
            # A continuous pedal sends many values on its way down; only the first catches the keys.
            if not pressed:
                channel.lift_sostenuto(port)
            elif port not in channel.sostenuto:
                channel.caught |= channel.down
                channel.sostenuto.add(port)
        elif controller == RESET_ALL_CONTROLLERS:
            channel.lift_pedals(port)
        else:
            return None
        first_changed = self._close(channel, channel.damped(), ticks)
        return EarChange("pedal", first_changed) if first_changed < len(self._notes) else None

    def _lift(self, channel: _Channel, port: str, ticks: int) -> EarChange | None:
        """All keys of a port come up; the pedals hold what they hold."""
        lifted = [struck for struck in channel.down if struck[0] == port]
        if not lifted:
            return None
        channel.down.difference_update(lifted)
        self.last_release_ticks = ticks
        return EarChange("release", self._close(channel, channel.damped(), ticks))

    def _silence(self, channel: _Channel, struck: list[_Struck], ticks: int) -> EarChange | None:
        """End these, whatever holds them."""
        if not struck:
            return None
        if not channel.down.isdisjoint(struck):
            self.last_release_ticks = ticks
        channel.down.difference_update(struck)
        channel.caught.difference_update(struck)
        return EarChange("release", self._close(channel, struck, ticks))

    def _close(self, channel: _Channel, struck: Iterable[_Struck], ticks: int) -> int:
        """End the notes of these keys at `ticks`; the index of the first, or `len(notes)` if there is none."""
        first_changed = len(self._notes)
        for key in struck:
            note = channel.sounding.pop(key)
            index = self._index(note)
            self._notes[index] = note.closed(ticks)
            first_changed = min(first_changed, index)
        return first_changed

    def _index(self, note: Note) -> int:
        """Where `note` itself, not an equal one of another channel, stands in `notes`."""
        index = bisect_left(self._notes, score_order(note), key=score_order)
        while self._notes[index] is not note:
            index += 1
        return index
