"""Who played what in a session: a track for the player and each part of a voice, with tempo, bars and markers.

It writes no file. Time is the session's, from its first moment on; or, of one take, that of the song it was played to.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, assert_never

from antiphon.duet.commands import Decision
from antiphon.duet.cue import Cue
from antiphon.duet.events import (
    Chosen,
    CountInBegan,
    Ended,
    Heard,
    Located,
    MetronomeSwitched,
    PlayerAnswered,
    PlayerFailed,
    PlayerLost,
    PlayerReady,
    Restarted,
    Selected,
    Skipped,
    TempoChanged,
    TransportStarted,
    TransportStopped,
)
from antiphon.duet.plan import Plan
from antiphon.duet.schedule import Send
from antiphon.music import messages
from antiphon.music.hands import Hands
from antiphon.music.messages import Key, depth, key_of, release_of
from antiphon.music.midi_file import Score, Track
from antiphon.music.timing import Timeline, TimeSignature
from antiphon.session.bar_lines import BarLines
from antiphon.session.excerpt import excerpt
from antiphon.session.header import Header
from antiphon.session.journal import Record
from antiphon.session.takes import Take, takes_of

_MARKED: Final = {"handover": "antiphon", "touch": "you", "end": "you", "fallback": "fallback", "silent": "silent"}
"""Decisions that become markers, and their names there."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that happened in the session."""

    ticks: int
    text: str
    voice: int | None = None
    """Index of the voice it is about; None: of all."""


@dataclass(frozen=True, slots=True)
class Played:
    """All parts, on one time line."""

    players: tuple[Track, ...]
    """One track, or one for each keyboard if there are voices that listen to one of them only."""
    voices: tuple[Track, ...]
    """A track for each part of each voice."""
    tempo: tuple[tuple[int, float], ...]
    """(tick, quarter notes a minute)."""
    signatures: tuple[tuple[int, TimeSignature], ...]
    """(tick, metre), each at a bar line that follows from those before it."""
    markers: tuple[Marker, ...]
    """In order of time."""
    voice_of: tuple[int, ...]
    """Whose each of the tracks in `voices` is: the index of the voice."""

    def score(self) -> Score:
        """All of it in one score."""
        return self._score((*self.players, *self.voices), self.markers)

    def alone(self) -> Iterator[Score]:
        """Each part that has notes as a score of its own. The player's has all markers, a voice's those about it."""
        every: list[tuple[Track, int | None]] = [(track, None) for track in self.players]
        every += zip(self.voices, self.voice_of, strict=True)
        for track, voice in every:
            if any(messages.is_note_on(message) for _, message in track.messages):
                own = (m for m in self.markers if voice is None or m.voice in (None, voice))
                yield self._score((track,), own)

    def within(self, take: Take, timeline: Timeline) -> Played:
        """What was played in `take`, in the song's time: tick 0 is its bar 1. `timeline`: the session's.

        What was set before, as programs and pedals, is set where the take begins; what sounds at its end ends there.
        """
        markers = [Marker(take.begin_ticks, f"take {take.number}")]
        for marker in self.markers:
            if take.start_ticks <= marker.ticks < take.end_ticks:
                markers.append(Marker(take.song_ticks(marker.ticks), marker.text, marker.voice))
        players, voices = (
            tuple(Track(track.name, tuple(excerpt(track, take, timeline))) for track in tracks)
            for tracks in (self.players, self.voices)
        )
        return Played(players, voices, take.tempo(timeline), take.signatures, tuple(markers), self.voice_of)

    def _score(self, tracks: tuple[Track, ...], markers: Iterable[Marker]) -> Score:
        texts = dict.fromkeys((marker.ticks, marker.text) for marker in markers)  # Two voices may begin at once.
        return Score(tracks, self.tempo, self.signatures, tuple(texts))


def played_in(header: Header, records: Iterable[Record]) -> Played:
    """All parts of a session, in its own time; a session that was cut off ends with its last record."""
    records = tuple(records)
    players = _Players(header)
    names = _names(header)
    voices = [[_TrackSoFar() for _ in parts] for parts in names]
    plan = header.plans[0]
    tempo, bars = {0: plan.tempo_bpm}, BarLines(plan.signature)
    markers = [Marker(0, plan.name)] if len(header.plans) > 1 else []
    commands = _Commands(plan)
    last_ticks = 0
    for record in records:
        what = record.what
        ticks = what.due_ticks if isinstance(what, Send) else what.ticks
        last_ticks = max(last_ticks, ticks)
        match what:
            case Heard():
                if what.message[0] < 0xF0:
                    players.hear(what, commands)
            case Send():
                if 0 <= what.source < len(voices):  # The player is on record as heard, and a click is no music.
                    voices[what.source][what.part].add(ticks, what.message, what.output)
            case Ended():
                players.release(ticks)  # The voices' own note-offs follow on record.
                if what.panic:
                    markers.append(Marker(ticks, "panic"))
            case Restarted():
                players.release(ticks)
                for part in itertools.chain(*voices):
                    part.release(ticks)
                if what.plan:
                    tempo[ticks] = plan.tempo_bpm
                markers.append(Marker(ticks, "restarted"))
            case Selected():
                plan = header.plans[what.plan]
                commands = _Commands(plan)
                for part in itertools.chain(*voices):
                    part.output = None
                tempo[ticks] = plan.tempo_bpm
                bars.change(ticks, plan.signature)
                markers.append(Marker(ticks, plan.name))
            case TempoChanged():
                tempo[ticks] = what.bpm
            case TransportStarted():
                markers.append(Marker(ticks, "start"))
            case TransportStopped():
                markers.append(Marker(ticks, "stop"))
            case CountInBegan():
                markers.append(Marker(ticks, "count-in"))
            case Decision():
                if text := _MARKED.get(what.kind):
                    several = text == "antiphon" and len(plan.voices) > 1
                    markers.append(Marker(ticks, f"antiphon {what.voice + 1}" if several else text, what.voice))
            case Skipped() | Located():
                pass  # Where a song is, takes say.
            case PlayerReady() | PlayerLost() | PlayerAnswered() | PlayerFailed() | Chosen() | MetronomeSwitched():
                pass
            case _:
                assert_never(what)
    for take in takes_of(header, records):
        markers.append(Marker(take.start_ticks, f"take {take.number}: bar {take.first_bar}"))
    players.release(last_ticks)
    for part in itertools.chain(*voices):
        part.release(last_ticks)
    markers.sort(key=lambda marker: marker.ticks)
    every = zip(itertools.chain(*voices), itertools.chain(*names), strict=True)
    tracks = tuple(part.track(name) for part, name in every)
    voice_of = tuple(voice for voice, parts in enumerate(voices) for _ in parts)
    return Played(players.tracks(), tracks, tuple(tempo.items()), bars.signatures, tuple(markers), voice_of)


def _names(header: Header) -> list[list[str]]:
    """For each voice, the names of its parts: who plays it, in each of the plans, and what the part is called."""
    names = []
    for voice in range(max(len(plan.voices) for plan in header.plans)):
        plans = [plan.voices[voice] for plan in header.plans if voice < len(plan.voices)]
        parts = []
        for number in range(max(len(plan.all_parts) for plan in plans)):
            own = [(plan.generator, plan.all_parts[number].name) for plan in plans if number < len(plan.all_parts)]
            parts.append(f"antiphon {voice + 1} {', '.join(dict.fromkeys(' '.join(who).strip() for who in own))}")
        names.append(parts)
    return names


class _Commands:
    """What the player says to the host of one plan, and not to the synth: it is no part of the music."""

    def __init__(self, plan: Plan) -> None:
        self._mapped = {mapping.controller for mapping in plan.controllers}
        self._voices = [(voice, Cue(voice.handover)) for voice in plan.voices]

    def include(self, heard: Heard) -> bool:
        message = heard.message
        is_controller = messages.kind(message) == messages.CONTROL_CHANGE
        if is_controller and message[1] in self._mapped:
            return True
        is_note = messages.is_note_on(message) or messages.is_note_off(message)
        for voice, cue in self._voices:
            if heard.inputs and voice.inputs is not None and voice.inputs.isdisjoint(heard.inputs):
                continue
            captures = (voice.morph.capture_note, voice.morph.capture_cc) if voice.morph is not None else (None, None)
            if cue.swallows(message) or (is_note, message[1]) == (True, captures[0]):
                return True
            if (is_controller, message[1]) == (True, captures[1]):
                return True
        return False


class _Players:
    """Everybody who plays: on one track, unless there are voices that listen to one keyboard only."""

    def __init__(self, header: Header) -> None:
        self._apart = any(voice.inputs is not None for plan in header.plans for voice in plan.voices)
        self._parts: dict[tuple[str, ...], _TrackSoFar] = {} if self._apart else {(): _TrackSoFar()}
        self._hands: dict[tuple[str, ...], Hands] = {}

    def hear(self, heard: Heard, commands: _Commands) -> None:
        inputs = heard.inputs if self._apart else ()
        part, hands = self._parts.setdefault(inputs, _TrackSoFar()), self._hands.setdefault(inputs, Hands())
        # What went down as music comes up as music, whatever preset was chosen meanwhile.
        if part.ends(heard.message) or not commands.include(heard):
            for message in hands.pass_on(0, heard.message, heard.port):
                part.add(heard.ticks, message)

    def release(self, ticks: int) -> None:
        self._hands.clear()
        for part in self._parts.values():
            part.release(ticks)

    def tracks(self) -> tuple[Track, ...]:
        names = (" ".join(("you", *(name.removeprefix("virtual:") for name in inputs[:1]))) for inputs in self._parts)
        return tuple(part.track(name) for name, part in zip(names, self._parts.values(), strict=True))


class _TrackSoFar:
    """One track on its way: what was played, and which keys and pedals are down."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, bytes]] = []
        self.output: int | None = None
        """The output whose messages are taken, of several that all get the same; None: whichever comes next."""
        self._down: dict[Key, int | None] = {}

    def add(self, ticks: int, message: bytes, output: int | None = None) -> None:
        """`output`: where a voice's message was sent; None for the player's."""
        key = key_of(message)
        up = key is not None and not depth(message)
        if up and key in self._down:
            if self._down[key] != output:
                return
            del self._down[key]
        else:
            self.output = output if self.output is None else self.output
            if self.output != output or (output is not None and messages.is_note_off(message)):
                return
            if key is not None and not up:
                self._down[key] = output
        self.messages.append((ticks, message))

    def track(self, name: str) -> Track:
        return Track(name, tuple(sorted(self.messages, key=lambda event: event[0])))

    def ends(self, message: bytes) -> bool:
        """Whether a key or pedal that is down comes up with `message`."""
        return key_of(message) in self._down and not depth(message)

    def release(self, ticks: int) -> None:
        ticks = max(ticks, self.messages[-1][0] if self.messages else 0)  # Some outputs are sent to ahead of time.
        self.messages += [(ticks, release_of(key)) for key in self._down]
        self._down.clear()
