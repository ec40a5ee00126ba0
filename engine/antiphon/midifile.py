"""MIDI files as scores: tracks at 480 ticks a beat, with tempo, metre and markers. It plays nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import mido

from antiphon.errors import AntiphonError
from antiphon.listening import Ear
from antiphon.messages import DRUM_CHANNEL, channel, is_note_off, is_note_on, note_off
from antiphon.notes import TICKS_PER_BEAT, Phrase
from antiphon.timing import Timeline, TimeSignature

_MICROSECONDS_PER_MINUTE: Final = 60_000_000
_DEFAULT_BPM: Final = 120.0
"""Tempo of a MIDI file that names none."""
_SMALLEST_UNIT: Final = 64
"""Note values below this one have no whole number of ticks that anybody counts bars in."""
_MUSIC = Path(__file__).parent / "music"


@dataclass(frozen=True, slots=True)
class Track:
    """One track: what one hand, voice or instrument played."""

    name: str
    """As the file gives it; empty if it gives none."""
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
    """(tick, text)."""

    @property
    def end_ticks(self) -> int:
        """Tick of the last thing that happens; 0 if nothing does."""
        maps: tuple[Iterable[tuple[int, object]], ...] = (self.tempo, self.signatures, self.markers)
        every = [*maps, *(track.messages for track in self.tracks)]
        return max((ticks for events in every for ticks, _ in events), default=0)

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


def bundled(name: str) -> Path:
    """Path of a phrase that comes with Antiphon. Raises AntiphonError if there is none of that name."""
    path = _MUSIC / f"{name}.mid"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in _MUSIC.glob("*.mid")))
        raise AntiphonError(f"no bundled phrase {name!r}; there are: {known}")
    return path


def read_score(path: Path, *, allow_empty: bool = False) -> Score:
    """Read a Standard MIDI File of type 0 or 1, of any resolution, SMPTE time included.

    Ticks are rescaled to 480 a beat, exactly, then rounded. System exclusive and unknown meta events are
    skipped; a note that never ends is closed at the end of its track.

    Raises:
        AntiphonError: no such file, not a MIDI file, truncated, damaged, of type 2, or without a note
            (unless `allow_empty`).
    """
    file = _parse(path)
    to_ticks = _rescaling(path, file.ticks_per_beat)
    tempo: dict[int, float] = {}
    signatures: dict[int, TimeSignature] = {}
    markers: list[tuple[int, str]] = []
    tracks: list[Track] = []
    for index, source in enumerate(file.tracks):
        name = ""
        messages: list[tuple[int, bytes]] = []
        elapsed = ticks = 0
        for event in source:
            elapsed += event.time
            ticks = to_ticks(elapsed)
            if not event.is_meta:
                if event.type != "sysex":
                    messages.append((ticks, bytes(event.bytes())))
            elif event.type == "track_name":
                name = name or _decoded(event.name)
            elif event.type == "marker":
                markers.append((ticks, _decoded(event.text)))
            elif event.type == "set_tempo" and event.tempo:
                tempo[ticks] = _MICROSECONDS_PER_MINUTE / event.tempo
            elif event.type == "time_signature" and event.numerator and event.denominator <= _SMALLEST_UNIT:
                signatures[ticks] = TimeSignature(event.numerator, event.denominator)
        # The first track of a type 1 file holds the maps; notes there make it a track like any other.
        if messages or index or file.type == 0:
            tracks.append(Track(name, (*messages, *_missing_releases(messages, ticks))))
    if not allow_empty and not any(is_note_on(message) for track in tracks for _, message in track.messages):
        raise AntiphonError(f"'{path}' has no notes in it; allowed: at least one; choose another file")
    if file.ticks_per_beat < 0:
        tempo.clear()  # SMPTE time runs in seconds; tempo events there only tell a sequencer where to draw bars.
    return Score(
        tuple(tracks),
        tuple(sorted(tempo.items())),
        tuple(sorted(signatures.items(), key=_ticks)),
        tuple(sorted(markers, key=_ticks)),
    )


def write_score(path: Path, score: Score) -> None:
    """Write a type 1 file, 480 ticks a beat: a track with tempo, metre and markers, then one for each track.

    The file appears whole or not at all. Names and markers are UTF-8.

    Raises:
        AntiphonError: the file cannot be written.
        ValueError: a message is not a channel message, or a value does not fit into a MIDI file.
    """
    maps: list[tuple[int, Any]] = [
        *(
            (ticks, mido.MetaMessage("time_signature", numerator=metre.beats, denominator=metre.unit))
            for ticks, metre in score.signatures
        ),
        *(
            (ticks, mido.MetaMessage("set_tempo", tempo=round(_MICROSECONDS_PER_MINUTE / bpm)))
            for ticks, bpm in score.tempo
        ),
        *((ticks, mido.MetaMessage("marker", text=text)) for ticks, text in score.markers),
    ]
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    file.tracks.append(_deltas("", maps))
    for track in score.tracks:
        file.tracks.append(_deltas(track.name, [(t, mido.Message.from_bytes(m)) for t, m in track.messages]))
    buffer = BytesIO()
    file.save(file=buffer)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(buffer.getvalue())
        partial.replace(path)
    except OSError as error:
        raise AntiphonError(f"cannot write '{path}': {error.strerror}; choose a folder you may write to") from error
    finally:
        partial.unlink(missing_ok=True)


def _parse(path: Path) -> Any:
    """The file as mido understands it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AntiphonError(f"cannot read '{path}': {error.strerror}; give the path of a MIDI file") from error
    if data[:4] != b"MThd":
        raise AntiphonError(f"'{path}' is not a MIDI file: it begins with {data[:4]!r}; allowed: b'MThd'")
    try:
        file = mido.MidiFile(file=BytesIO(data))
    except EOFError as error:
        raise AntiphonError(
            f"'{path}' is truncated: its {len(data)} bytes end inside a track; copy or export it again"
        ) from error
    except Exception as error:
        # A damaged file makes mido raise whatever it stumbles over: OSError, ValueError, IndexError, KeyError …
        raise AntiphonError(f"'{path}' is damaged: {error}; export it again") from error
    if file.type not in (0, 1):
        raise AntiphonError(f"'{path}' is a MIDI file of type {file.type}; allowed: 0 or 1; export it as type 1")
    return file


def _rescaling(path: Path, division: int) -> Callable[[int], int]:
    """From a file's ticks to ours, to the nearest; `division` is the header's, negative for SMPTE time."""
    if division > 0:
        scale = Fraction(TICKS_PER_BEAT, division)
    else:
        frames, parts = -(division >> 8), division & 0xFF
        if frames not in (24, 25, 29, 30) or not parts:
            raise AntiphonError(f"'{path}' is damaged: its resolution is {division}; export it again")
        per_second = Fraction(30_000, 1_001) if frames == 29 else Fraction(frames)
        scale = Fraction(TICKS_PER_BEAT * int(_DEFAULT_BPM), 60) / (per_second * parts)
    top, bottom = scale.numerator * 2, scale.denominator * 2
    return lambda elapsed: (elapsed * top + bottom // 2) // bottom


def _missing_releases(messages: Iterable[tuple[int, bytes]], end_ticks: int) -> list[tuple[int, bytes]]:
    held: dict[tuple[int, int], None] = {}  # A set that keeps its order.
    for _, message in messages:
        if is_note_on(message):
            held[channel(message), message[1]] = None
        elif is_note_off(message):
            held.pop((channel(message), message[1]), None)
    return [(end_ticks, note_off(*key)) for key in held]


def _deltas(name: str, events: Iterable[tuple[int, Any]]) -> Any:
    """A mido track: what it holds is timed from one event to the next."""
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)] if name else [])
    before = 0
    for ticks, message in sorted(events, key=_ticks):
        message.time = ticks - before
        before = ticks
        track.append(message)
    return track


def _decoded(text: str) -> str:
    """UTF-8 where it is; mido reads every text as Latin-1, which old files are written in."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return text


def _ticks(event: tuple[int, object]) -> int:
    return event[0]
