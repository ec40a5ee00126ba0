"""The notes of a MIDI file as arrays: when keys go down and come up, and how long they sound. It reads no file.

What ends a note is what ends it for the ear that hears files when they are continued (`antiphon.music.ear`); here every
track is heard by itself, but for the pedals, which are those of the channel, whatever track they stand in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from antiphon.music.messages import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    CONTROL_CHANGE,
    DRUM_CHANNEL,
    NOTE_OFF,
    NOTE_ON,
    RESET_ALL_CONTROLLERS,
    SOSTENUTO,
    SUSTAIN,
)
from antiphon.music.midi_events import FileEvents
from antiphon.music.midi_file import ticks_per_beat


@dataclass(frozen=True, slots=True)
class NoteTable:
    """Notes of one track in the order of their onsets, column by column; all of shape [N]."""

    time: NDArray[np.float64]
    """Onset."""
    duration: NDArray[np.float64]
    """How long the key is down."""
    sounding: NDArray[np.float64]
    """How long the note sounds: until key and pedals have let go of it, or the key is struck again."""
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]
    """1 to 127."""

    def __len__(self) -> int:
        return len(self.time)

    def numpy(self) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
        """The columns by name."""
        return {name: getattr(self, name) for name in ("time", "duration", "sounding", "pitch", "velocity")}


@dataclass(frozen=True, slots=True)
class NoteTrack:
    """What one track plays on one channel; there is at least one note."""

    notes: NoteTable
    is_drum: bool
    name: str = ""
    """As the file gives it; empty if it gives none."""


@dataclass(frozen=True, slots=True)
class SignatureChange:
    """From here on, this metre."""

    time: float
    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class FileNotes:
    """A file's notes; times are ticks of the file, or seconds."""

    tpq: float
    """Ticks a quarter note; in SMPTE time, at 120 of them a minute."""
    tracks: tuple[NoteTrack, ...]
    time_signatures: tuple[SignatureChange, ...]
    tempo: tuple[tuple[int, float], ...]
    """(ticks, seconds a quarter note), in order; the first at 0."""

    def to(self, unit: Literal["second"]) -> FileNotes:
        """The same with all times in seconds."""
        places = np.array([ticks for ticks, _ in self.tempo], dtype=np.float64)
        pace = np.array([seconds / self.tpq for _, seconds in self.tempo])
        passed = np.concatenate([[0.0], np.cumsum(np.diff(places) * pace[:-1])])

        def seconds(ticks: NDArray[np.float64]) -> NDArray[np.float64]:
            index = np.searchsorted(places, ticks, side="right") - 1
            moved: NDArray[np.float64] = passed[index] + (ticks - places[index]) * pace[index]
            return moved

        def table(notes: NoteTable) -> NoteTable:
            time = seconds(notes.time)
            duration, sounding = (seconds(notes.time + length) - time for length in (notes.duration, notes.sounding))
            return NoteTable(time, duration, sounding, notes.pitch, notes.velocity)

        changes = tuple(
            replace(change, time=float(seconds(np.array([change.time]))[0])) for change in self.time_signatures
        )
        tracks = tuple(replace(track, notes=table(track.notes)) for track in self.tracks)
        return FileNotes(self.tpq, tracks, changes, self.tempo)


def notes_in(file: FileEvents) -> FileNotes:
    """The notes of `file` by track and channel, without tracks that have none; times are its ticks."""
    heard = _Heard()
    for ticks, number, message in file.merged():
        status = message[0] & 0xF0
        if status == NOTE_ON and message[2]:
            heard.press(ticks, number, message[0] & 0x0F, message[1], message[2])
        elif status in (NOTE_ON, NOTE_OFF):
            heard.lift(ticks, number, message[0] & 0x0F, message[1])
        elif status == CONTROL_CHANGE and message[1] >= SUSTAIN:
            heard.control(ticks, message[0] & 0x0F, message[1], message[2])
    for channel in range(16):
        heard.silence(file.end_ticks, channel)
    latest = dict(file.tempo)
    tempo = {0: 0.5} | {ticks: microseconds / 1e6 for ticks, microseconds in sorted(latest.items())}
    signatures = sorted(dict(file.signatures).items(), key=lambda change: change[0])
    return FileNotes(
        float(ticks_per_beat(file.division)),
        heard.tracks([track.name.decode("utf-8", "replace") for track in file.tracks]),
        tuple(SignatureChange(float(ticks), metre.beats, metre.unit) for ticks, metre in signatures),
        tuple(tempo.items()),
    )


class _Heard:
    """The notes so far, column by column, and what is down; a key is a whole number for track, channel and pitch."""

    def __init__(self) -> None:
        self._keys: list[int] = []
        self._onsets: list[int] = []
        self._velocities: list[int] = []
        self._ups: list[int] = []
        self._ends: list[int] = []
        self._sounding: list[dict[int, int]] = [{} for _ in range(16)]
        """By channel, the note that a key sounds."""
        self._down: list[set[int]] = [set() for _ in range(16)]
        self._caught: list[set[int]] = [set() for _ in range(16)]
        """What the sostenuto pedal holds."""
        self._sustain = [False] * 16
        self._sostenuto = [False] * 16

    def press(self, ticks: int, number: int, channel: int, pitch: int, velocity: int) -> None:
        key = number << 11 | channel << 7 | pitch
        sounding = self._sounding[channel]
        earlier = sounding.get(key)
        if earlier is not None and self._onsets[earlier] == ticks:
            self._velocities[earlier] = 0  # A doubled message: the note is the later one.
        elif earlier is not None:
            self._end(earlier, ticks)
        sounding[key] = len(self._keys)
        self._down[channel].add(key)
        self._keys.append(key)
        self._onsets.append(ticks)
        self._velocities.append(velocity)
        self._ups.append(-1)
        self._ends.append(-1)

    def lift(self, ticks: int, number: int, channel: int, pitch: int) -> None:
        key = number << 11 | channel << 7 | pitch
        if key not in self._down[channel]:
            return
        self._down[channel].remove(key)
        note = self._sounding[channel][key]
        self._ups[note] = ticks
        if not self._sustain[channel] and key not in self._caught[channel]:
            self._ends[note] = ticks
            del self._sounding[channel][key]

    def control(self, ticks: int, channel: int, controller: int, value: int) -> None:
        pressed = value >= 64
        if controller == ALL_SOUND_OFF:
            self.silence(ticks, channel)
            return
        if controller >= ALL_NOTES_OFF:
            for key in self._down[channel]:
                self._ups[self._sounding[channel][key]] = ticks
            self._down[channel].clear()
        elif controller == SUSTAIN:
            self._sustain[channel] = pressed
        elif controller == SOSTENUTO:
            if not pressed:
                self._caught[channel].clear()
            elif not self._sostenuto[channel]:
                self._caught[channel] = set(self._down[channel])
            self._sostenuto[channel] = pressed
        elif controller == RESET_ALL_CONTROLLERS:
            self._sustain[channel] = self._sostenuto[channel] = False
            self._caught[channel].clear()
        else:
            return
        if not self._sustain[channel]:
            sounding, held = self._sounding[channel], self._down[channel] | self._caught[channel]
            for key in [key for key in sounding if key not in held]:
                self._end(sounding.pop(key), ticks)

    def silence(self, ticks: int, channel: int) -> None:
        """End all that sounds on a channel, and lift its keys."""
        for note in self._sounding[channel].values():
            self._end(note, ticks)
        self._sounding[channel].clear()
        self._down[channel].clear()
        self._caught[channel].clear()

    def tracks(self, names: Sequence[str]) -> tuple[NoteTrack, ...]:
        """By track and channel; `names` are those of the tracks."""
        keys, onsets, velocities, ups, ends = (
            np.array(column, dtype=np.int64)
            for column in (self._keys, self._onsets, self._velocities, self._ups, self._ends)
        )
        owners = np.where(velocities > 0, keys >> 7, -1)
        return tuple(
            _track(
                int(owner),
                names[owner >> 4],
                *(column[owners == owner] for column in (onsets, ups, ends, keys & 0x7F, velocities)),
            )
            for owner in np.unique(owners[owners >= 0])
        )

    def _end(self, note: int, ticks: int) -> None:
        self._ends[note] = ticks
        if self._ups[note] < 0:
            self._ups[note] = ticks


def _track(owner: int, name: str, *columns: NDArray[np.int64]) -> NoteTrack:
    onset, up, end, pitch, velocity = columns
    duration, sounding = up - onset, end - onset
    table = NoteTable(
        onset.astype(np.float64), duration.astype(np.float64), sounding.astype(np.float64), pitch, velocity
    )
    return NoteTrack(table, owner & 0x0F == DRUM_CHANNEL, name)


def rows_of_table(
    notes: NoteTable, ticks_per_unit: float, length: Literal["duration", "sounding"]
) -> NDArray[np.int64]:
    """`notes` as rows onset, pitch, length (at least 1), velocity, in score order; shape [N, 4]."""
    onset, lengths = (np.rint(column * ticks_per_unit) for column in (notes.time, getattr(notes, length)))
    rows = np.column_stack([onset, notes.pitch, lengths.clip(1), notes.velocity]).astype(np.int64)
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def melodic(file: FileNotes) -> Sequence[NoteTrack]:
    """The tracks that are no drums."""
    return [track for track in file.tracks if not track.is_drum]
