"""What a Standard MIDI File holds, event by event, in its own ticks. It refuses nothing for what nobody uses.

Key signatures, SMPTE offsets, system exclusives, foreign chunks and how many tracks the header promises are passed over
unread. Refused is what leaves it open which note sounds when.

Source: Standard MIDI Files 1.0 (MIDI Manufacturers Association, RP-001); RIFF MIDI files (RP-002).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from antiphon.errors import AntiphonError
from antiphon.input_files import read_bounded
from antiphon.music.messages import channel, is_note_off, is_note_on, note_off
from antiphon.music.timing import TimeSignature

_MOST_BYTES: Final = 1 << 26
_HEADER_BYTES: Final = 6
_HIGHEST: Final = 127
_TRACK_NAME, _MARKER, _END_OF_TRACK, _TEMPO, _SIGNATURE = 0x03, 0x06, 0x2F, 0x51, 0x58
_SMALLEST_UNIT: Final = 6
"""Power of two: note values below a 64th have no whole number of ticks that anybody counts bars in."""
_SYSTEM_DATA_BYTES: Final = {0xF1: 1, 0xF2: 2, 0xF3: 1}
"""What follows a system message that has no business in a file, and is passed over."""
_FRAME_RATES: Final = (24, 25, 29, 30)

Event = tuple[int, bytes]
"""(ticks of the file, channel message)."""


@dataclass(frozen=True, slots=True)
class TrackEvents:
    """One track chunk."""

    name: bytes
    """As it stands in the file; empty if it names none."""
    messages: tuple[Event, ...]
    """Channel messages in order; a note that is never released is released at the end."""
    end_ticks: int
    """Where the track ends."""


@dataclass(frozen=True, slots=True)
class FileEvents:
    """A file's events; all times are ticks of the file. Where one map has several entries at a tick, the last holds."""

    kind: int
    """0, or 1: the first track holds the maps."""
    division: int
    """As in the header: ticks a quarter note, or, negative, SMPTE frames a second and ticks a frame."""
    tracks: tuple[TrackEvents, ...]
    tempo: tuple[tuple[int, int], ...]
    """(ticks, microseconds a quarter note, at least 1), track by track; none in SMPTE time."""
    signatures: tuple[tuple[int, TimeSignature], ...]
    markers: tuple[Event, ...]
    """(ticks, text as it stands in the file)."""

    @property
    def end_ticks(self) -> int:
        """When the last thing happens; 0 if nothing does."""
        ends = [track.messages[-1][0] for track in self.tracks if track.messages]
        ends += [max(entries)[0] for entries in (self.tempo, self.markers) if entries]
        return max([*ends, *(ticks for ticks, _ in self.signatures)], default=0)

    def merged(self) -> list[tuple[int, int, bytes]]:
        """(ticks, number of the track, message) in order of time; of one tick, in the order of the tracks."""
        every = [(ticks, number, m) for number, track in enumerate(self.tracks) for ticks, m in track.messages]
        every.sort(key=lambda event: event[0])
        return every


def read_events(path: Path) -> FileEvents:
    """Read a Standard MIDI File of type 0 or 1, also one wrapped in RIFF.

    Raises:
        AntiphonError: no such file, not a MIDI file, truncated, damaged, of type 2, or above 64 MiB.
    """
    try:
        data = read_bounded(path, _MOST_BYTES)
    except AntiphonError as error:
        raise AntiphonError(f"cannot read '{path}': {error}; give the path of a MIDI file of up to 64 MiB") from error
    return _Reader(path, data).file()


class _Reader:
    """Reads one file; knows its name for what it has to say."""

    def __init__(self, path: Path, data: bytes) -> None:
        self._path = path
        self._data = data
        self._tempo: list[tuple[int, int]] = []
        self._signatures: list[tuple[int, TimeSignature]] = []
        self._markers: list[Event] = []
        self._tracks: list[TrackEvents] = []

    def file(self) -> FileEvents:
        if self._data[:4] == b"RIFF":
            self._data = self._unwrapped()
        data = self._data
        if data[:4] != b"MThd":
            raise AntiphonError(f"'{self._path}' is not a MIDI file: it begins with {data[:4]!r}; allowed: b'MThd'")
        header = data[8 : 8 + _HEADER_BYTES]
        size = int.from_bytes(data[4:8], "big")
        if len(header) < _HEADER_BYTES:
            raise self._truncated("header")
        if size < _HEADER_BYTES:
            raise self._damaged(f"its header has {size} bytes; allowed: 6 and more")
        kind, division = int.from_bytes(header[:2], "big"), int.from_bytes(header[4:], "big", signed=True)
        if kind not in (0, 1):
            raise AntiphonError(f"'{self._path}' is a MIDI file of type {kind}; allowed: 0 or 1; export it as type 1")
        if division == 0 or (division < 0 and (-(division >> 8) not in _FRAME_RATES or not division & 0xFF)):
            raise self._damaged(f"its resolution is {division}")
        self._chunks(8 + size)
        if not self._tracks:
            raise self._truncated("header")
        # SMPTE time runs in seconds; tempo events there only tell a sequencer where to draw bars.
        tempo = tuple(self._tempo) if division > 0 else ()
        return FileEvents(kind, division, tuple(self._tracks), tempo, tuple(self._signatures), tuple(self._markers))

    def _unwrapped(self) -> bytes:
        """The MIDI file in a RIFF file."""
        data = self._data
        if data[8:12] != b"RMID":
            raise AntiphonError(
                f"'{self._path}' is not a MIDI file: it begins with b'RIFF' and holds {data[8:12]!r}; allowed: b'RMID'"
            )
        place = 12
        while place + 8 <= len(data):
            size = int.from_bytes(data[place + 4 : place + 8], "little")
            if data[place : place + 4] == b"data":
                return data[place + 8 : place + 8 + size]
            place += 8 + size + size % 2
        raise self._truncated("RIFF wrapping")

    def _chunks(self, place: int) -> None:
        data = self._data
        while place + 8 <= len(data):
            end = place + 8 + int.from_bytes(data[place + 4 : place + 8], "big")
            place = self._track(place + 8, end) if data[place : place + 4] == b"MTrk" else end

    def _track(self, place: int, end: int) -> int:
        """Read the track from `place` on, whose chunk claims to end at `end`; returns where the next may begin."""
        data, name, messages, ticks = self._data, b"", list[Event](), 0
        running, event = 0, place
        ended = False
        try:
            while place < end and not ended:
                event = place
                byte = data[place]
                place += 1
                if byte < 0x80:
                    ticks += byte
                else:
                    place -= 1
                    delta, place = self._number(place)
                    ticks += delta
                status = data[place]
                if status < 0x80:
                    if not running:
                        raise self._damaged(f"{self._where(event)} is no event: no status comes before it")
                    status = running
                else:
                    place += 1
                if status < 0xF0:
                    running = status
                    first = data[place]
                    if 0xC0 <= status < 0xE0:
                        place += 1
                        if first < 0x80:
                            messages.append((ticks, bytes((status, first))))
                        continue
                    second = data[place + 1]
                    place += 2
                    if first > _HIGHEST:
                        if status < 0xA0:
                            raise self._damaged(f"{self._where(event)} is a note on key {first}; allowed: 0 to 127")
                        continue
                    messages.append((ticks, bytes((status, first, second if second < 0x80 else _HIGHEST))))
                elif status == 0xFF:
                    kind = data[place]
                    size, place = self._number(place + 1)
                    text = data[place : place + size]
                    place += size
                    if kind == _END_OF_TRACK:
                        ended = True
                    elif place > len(data):
                        raise self._truncated(f"track {len(self._tracks) + 1}")
                    elif kind == _TRACK_NAME:
                        name = name or text
                    else:
                        self._meta(ticks, kind, text)
                elif status in (0xF0, 0xF7):
                    size, place = self._number(place)
                    place += size
                else:
                    place += _SYSTEM_DATA_BYTES.get(status, 0)
        except IndexError:
            raise self._truncated(f"track {len(self._tracks) + 1}") from None
        if not ended and max(place, end) > len(data):
            raise self._truncated(f"track {len(self._tracks) + 1}")
        if place > end:
            raise self._damaged(f"{self._where(event)} goes on beyond the end of its track")
        messages += _missing_releases(messages, ticks)
        self._tracks.append(TrackEvents(name, tuple(messages), ticks))
        return end if end <= len(data) else place

    def _meta(self, ticks: int, kind: int, text: bytes) -> None:
        """Keep what is used; a tempo or metre of nothing, or one that is cut short, is not."""
        if kind == _MARKER:
            self._markers.append((ticks, text))
        elif kind == _TEMPO and len(text) >= 3 and (microseconds := int.from_bytes(text[:3], "big")):
            self._tempo.append((ticks, microseconds))
        elif kind == _SIGNATURE and len(text) >= 2 and text[0] and text[1] <= _SMALLEST_UNIT:
            self._signatures.append((ticks, TimeSignature(text[0], 1 << text[1])))

    def _number(self, place: int) -> tuple[int, int]:
        """The quantity of variable length at `place`, and where it ends."""
        value = 0
        for at in range(place, place + 4):
            byte = self._data[at]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value, at + 1
        raise self._damaged(f"{self._where(place)} is a number of more than 4 bytes")

    def _where(self, place: int) -> str:
        return f"what stands at byte {place}, in track {len(self._tracks) + 1},"

    def _truncated(self, part: str) -> AntiphonError:
        return AntiphonError(
            f"'{self._path}' is truncated: its {len(self._data)} bytes end inside the {part}; copy or export it again"
        )

    def _damaged(self, why: str) -> AntiphonError:
        return AntiphonError(f"'{self._path}' is damaged: {why}; export it again")


def _missing_releases(messages: list[Event], end_ticks: int) -> list[Event]:
    held: dict[tuple[int, int], None] = {}  # A set that keeps its order.
    for _, message in messages:
        if is_note_on(message):
            held[channel(message), message[1]] = None
        elif is_note_off(message):
            held.pop((channel(message), message[1]), None)
    return [(end_ticks, note_off(*key)) for key in held]
