"""MIDI files as scores: tracks at 480 ticks a beat, with tempo, metre and markers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from antiphon.errors import AntiphonError
from antiphon.music.ear import Ear
from antiphon.music.messages import DRUM_CHANNEL, channel, is_note_on, is_well_formed
from antiphon.music.midi_events import read_events
from antiphon.music.timing import Timeline, TimeSignature
from antiphon.notes import TICKS_PER_BEAT, Phrase
from antiphon.output_files import write_whole

_MICROSECONDS_PER_MINUTE: Final = 60_000_000
_DEFAULT_BPM: Final = 120.0
"""Tempo of a MIDI file that names none."""
_LONGEST_DELTA: Final = (1 << 28) - 1
"""Most ticks between two events of a file."""


@dataclass(frozen=True, slots=True)
class Track:
    """One track: what one hand, voice or instrument played."""

    name: str
    """As the file gives it; empty if it gives none. What is no UTF-8 is kept as surrogates (PEP 383), so that every
    name is written as it was read, whatever encoding it is in."""
    messages: tuple[tuple[int, bytes], ...]
    """(tick, channel message), in the order they are played; 480 ticks a beat."""


@dataclass(frozen=True, slots=True)
class Score:
    """A MIDI file's music. Maps are in order of time, with one entry a tick."""

    tracks: tuple[Track, ...] = ()
    tempo: tuple[tuple[int, float], ...] = ()
    """(tick, quarter notes a minute); 120 until the first. A file keeps whole microseconds a quarter note, so
    `bpm` comes back as 60e6 / round(60e6 / bpm): within 0.0002 at 120 bpm. Allowed: 3.6 and more."""
    signatures: tuple[tuple[int, TimeSignature], ...] = ()
    """(tick, metre); 4/4 until the first."""
    markers: tuple[tuple[int, str], ...] = ()
    """(tick, text); read and written as names are."""

    @property
    def end_ticks(self) -> int:
        """Tick of the last thing that happens; 0 if nothing does."""
        maps: tuple[Iterable[tuple[int, object]], ...] = (self.tempo, self.signatures, self.markers)
        every = [*maps, *(track.messages for track in self.tracks)]
        return max((ticks for events in every for ticks, _ in events), default=0)

    @property
    def has_notes(self) -> bool:
        """Whether anybody plays a note, drums among them."""
        return any(is_note_on(message) for track in self.tracks for _, message in track.messages)

    def timeline(self) -> Timeline:
        """The tempo map, with the first metre: a timeline knows only one."""
        timeline = Timeline(_DEFAULT_BPM, self.signatures[0][1] if self.signatures else None)
        for ticks, bpm in self.tempo:
            timeline.set_tempo(bpm, ticks)
        return timeline

    def merged(self) -> list[tuple[int, bytes]]:
        """(tick, message) of all tracks in order of time; of one tick, in the order of the tracks."""
        return sorted((event for track in self.tracks for event in track.messages), key=_ticks)

    def timed_messages(self) -> list[tuple[float, bytes]]:
        """The same as `merged`, in seconds from the start."""
        timeline = self.timeline()
        return [(timeline.seconds_at(ticks), message) for ticks, message in self.merged()]

    def phrase(self) -> Phrase:
        """All notes but drums, from tick 0 to the end, with the pedals folded into their lengths."""
        ear = Ear()
        for ticks, message in self.merged():
            if channel(message) != DRUM_CHANNEL:
                ear.hear(message, ticks)
        ear.flush(self.end_ticks)
        ends = (note.end_ticks or 0 for note in ear.notes)
        return Phrase(0, max(self.end_ticks, *ends, 1), tuple(ear.notes))


def read_score(path: Path, *, allow_empty: bool = False) -> Score:
    """Read a Standard MIDI File as `read_events` does.

    Ticks are rescaled to 480 a beat, exactly, then rounded; SMPTE time is read at 120 beats a minute.

    Raises:
        AntiphonError: what `read_events` raises; or it is without a note (unless `allow_empty`).
    """
    file = read_events(path)
    to_ticks = _rescaling(file.division)
    tracks = tuple(
        Track(_decoded(track.name), tuple((to_ticks(ticks), message) for ticks, message in track.messages))
        for number, track in enumerate(file.tracks)
        # The first track of a type 1 file holds the maps; notes there make it a track like any other.
        if track.messages or number or file.kind == 0
    )
    if not allow_empty and not Score(tracks).has_notes:
        raise AntiphonError(f"'{path}' has no notes in it; allowed: at least one; choose another file")
    tempo = {to_ticks(ticks): _MICROSECONDS_PER_MINUTE / microseconds for ticks, microseconds in file.tempo}
    signatures = {to_ticks(ticks): signature for ticks, signature in file.signatures}
    markers = [(to_ticks(ticks), _decoded(text)) for ticks, text in file.markers]
    return Score(
        tracks,
        tuple(sorted(tempo.items())),
        tuple(sorted(signatures.items(), key=_ticks)),
        tuple(sorted(markers, key=_ticks)),
    )


def write_score(path: Path, score: Score) -> None:
    """Write a type 1 file, 480 ticks a beat: a track with tempo, metre and markers, then one for each track.

    The file appears whole or not at all. Names and markers are UTF-8, but for bytes that were read as something else.

    Raises:
        AntiphonError: the file cannot be written.
        ValueError: a message is not a channel message, or a value does not fit into a MIDI file.
    """
    maps = [
        *((ticks, _signature(metre)) for ticks, metre in score.signatures),
        *((ticks, _meta(0x51, round(_MICROSECONDS_PER_MINUTE / bpm).to_bytes(3, "big"))) for ticks, bpm in score.tempo),
        *((ticks, _meta(0x06, _encoded(text))) for ticks, text in score.markers),
    ]
    tracks = [_track("", maps), *(_track(track.name, _checked(track.messages)) for track in score.tracks)]
    header = b"".join(value.to_bytes(2, "big") for value in (1, len(tracks), TICKS_PER_BEAT))
    data = b"".join([_chunk(b"MThd", header), *(_chunk(b"MTrk", track) for track in tracks)])
    write_whole(path, data)


def _rescaling(division: int) -> Callable[[int], int]:
    """From a file's ticks to ours, to the nearest; `division` is the header's, negative for SMPTE time."""
    scale = TICKS_PER_BEAT / ticks_per_beat(division)
    top, bottom = scale.numerator * 2, scale.denominator * 2
    return lambda elapsed: (elapsed * top + bottom // 2) // bottom


def ticks_per_beat(division: int) -> Fraction:
    """Ticks of a file a quarter note; in SMPTE time, of which `division` is negative, at 120 of them a minute."""
    if division > 0:
        return Fraction(division)
    frames, parts = -(division >> 8), division & 0xFF
    per_second = Fraction(30_000, 1_001) if frames == 29 else Fraction(frames)
    return per_second * parts * 60 / int(_DEFAULT_BPM)


def _signature(metre: TimeSignature) -> bytes:
    # 24 clocks to a click and 8 thirty-seconds to a quarter note are what everybody writes, and nobody reads.
    return _meta(0x58, bytes((metre.beats, metre.unit.bit_length() - 1, 24, 8)))


def _checked(messages: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    for ticks, message in messages:
        if not is_well_formed(message) or message[0] >= 0xF0:
            raise ValueError(f"{message.hex(' ')!r} at tick {ticks} is not a channel message; a track holds no others")
        yield ticks, message


def _track(name: str, events: Iterable[tuple[int, bytes]]) -> bytes:
    """The contents of a track chunk: what it holds is timed from one event to the next."""
    written = [b"\0" + _meta(0x03, _encoded(name))] if name else []
    before = 0
    for ticks, event in sorted(events, key=_ticks):
        while ticks - before > _LONGEST_DELTA:
            written.append(_number(_LONGEST_DELTA) + _meta(0x01, b""))  # An empty text, to wait beside.
            before += _LONGEST_DELTA
        written.append(_number(ticks - before) + event)
        before = ticks
    return b"".join([*written, b"\0", _meta(0x2F, b"")])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(4, "big") + data


def _meta(kind: int, data: bytes) -> bytes:
    return bytes((0xFF, kind)) + _number(len(data)) + data


def _number(value: int) -> bytes:
    """`value`, 0 to 2^28 - 1, as a quantity of variable length."""
    if not 0 <= value <= _LONGEST_DELTA:
        raise ValueError(f"{value} does not fit into a MIDI file; allowed: 0 to {_LONGEST_DELTA}")
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _ticks(event: tuple[int, object]) -> int:
    return event[0]
