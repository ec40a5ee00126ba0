"""From MIDI messages to notes as a musician means them: pedals, repeats, lost releases. It knows no clock."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from antiphon.messages import (
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
class Heard:
    """What one message changed."""

    kind: Literal["onset", "release", "pedal"]
    """`onset`: a key went down. `release`: a key came up. `pedal`: notes ended without a key."""
    first_changed: int
    """Index of the first note that changed; `notes` before it are as they were. `len(notes)`: none did."""


@dataclass(slots=True)
class _Channel:
    down: set[int] = field(default_factory=set)
    sustain: bool = False
    sostenuto: bool = False
    caught: set[int] = field(default_factory=set)
    sounding: dict[int, Note] = field(default_factory=dict)

    def lift_pedals(self) -> None:
        self.sustain = self.sostenuto = False
        self.caught.clear()

    def damped(self) -> list[int]:
        """Pitches that sound although no key or pedal keeps them."""
        if self.sustain:
            return []
        return [pitch for pitch in self.sounding if pitch not in self.down and pitch not in self.caught]


class Ear:
    """Keeps the notes heard so far, in score order; those that still sound have `length_ticks` None.

    A key released under a pedal sounds on until the pedal comes up or the key is struck again. A note also ends
    when its key is struck again without a release, and by all sound off or all notes off (120, 123 to 127).
    """

    def __init__(self) -> None:
        self._notes: list[Note] = []
        self._channels = [_Channel() for _ in range(16)]
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
        return sum(len(channel.down) for channel in self._channels)

    @property
    def pitches_down(self) -> list[int]:
        """Which keys are physically held, from the lowest up."""
        return sorted({pitch for channel in self._channels for pitch in channel.down})

    def hear(self, message: bytes, ticks: int) -> Heard | None:
        """Take in a channel message that arrived at `ticks`; `None` when neither keys nor notes changed."""
        if len(message) != 3:
            return None
        status, number, value = message
        channel = self._channels[status & 0x0F]
        if is_note_on(message):
            return self._press(channel, Note(ticks, number, None, value))
        if is_note_off(message):
            return self._release(channel, number, ticks)
        if kind(message) == CONTROL_CHANGE:
            return self._control(channel, number, value, ticks)
        return None

    def remember(self, notes: Iterable[Note]) -> int:
        """Add notes of known length that others played; the index of the first note that changed."""
        first_changed = len(self._notes)
        for note in notes:
            first_changed = min(first_changed, bisect_right(self._notes, score_order(note), key=score_order))
            insort(self._notes, note, key=score_order)
        return first_changed

    def flush(self, ticks: int) -> Heard | None:
        """Lift all keys and pedals at `ticks`, as when the keyboard is gone. `None` if nothing sounded."""
        silenced = [heard for channel in self._channels if (heard := self._silence(channel, ticks))]
        for channel in self._channels:
            channel.lift_pedals()
        return min(silenced, key=lambda heard: heard.first_changed, default=None)

    def forget_before(self, ticks: int) -> None:
        """Drop the notes that started before `ticks`, but none that still sounds. Indices shift."""
        cut = bisect_left(self._notes, (ticks, 0), key=score_order)
        self._notes[:cut] = [note for note in self._notes[:cut] if note.length_ticks is None]

    def _press(self, channel: _Channel, note: Note) -> Heard:
        first_changed = len(self._notes)
        earlier = channel.sounding.get(note.pitch)
        if earlier is not None and earlier.start_ticks == note.start_ticks:
            # A doubled message: two notes of one pitch at one tick would be a note nobody played.
            first_changed = self._index(earlier)
            del self._notes[first_changed]
        elif earlier is not None:
            first_changed = self._close(channel, [note.pitch], note.start_ticks)
        insort(self._notes, note, key=score_order)
        channel.sounding[note.pitch] = note
        channel.down.add(note.pitch)
        self.last_onset_ticks = note.start_ticks
        return Heard("onset", min(first_changed, self._index(note)))

    def _release(self, channel: _Channel, pitch: int, ticks: int) -> Heard | None:
        if pitch not in channel.down:
            return None
        channel.down.remove(pitch)
        self.last_release_ticks = ticks
        return Heard("release", self._close(channel, channel.damped(), ticks))

    def _control(self, channel: _Channel, controller: int, value: int, ticks: int) -> Heard | None:
        if controller == ALL_SOUND_OFF or controller >= ALL_NOTES_OFF:
            return self._silence(channel, ticks)
        pressed = value >= _PEDAL_DOWN
        if controller == SUSTAIN:
            channel.sustain = pressed
        elif controller == SOSTENUTO:
            # A continuous pedal sends many values on its way down; only the first catches the keys.
            if not pressed:
                channel.caught.clear()
            elif not channel.sostenuto:
                channel.caught = set(channel.down)
            channel.sostenuto = pressed
        elif controller == RESET_ALL_CONTROLLERS:
            channel.lift_pedals()
        else:
            return None
        first_changed = self._close(channel, channel.damped(), ticks)
        return Heard("pedal", first_changed) if first_changed < len(self._notes) else None

    def _silence(self, channel: _Channel, ticks: int) -> Heard | None:
        if not channel.sounding:
            return None
        if channel.down:
            self.last_release_ticks = ticks
        channel.down.clear()
        channel.caught.clear()
        return Heard("release", self._close(channel, list(channel.sounding), ticks))

    def _close(self, channel: _Channel, pitches: Iterable[int], ticks: int) -> int:
        """End the notes of `pitches` at `ticks`; the index of the first, or `len(notes)` if there is none."""
        first_changed = len(self._notes)
        for pitch in pitches:
            note = channel.sounding.pop(pitch)
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
