"""A generator at work: keeps its copy of what was heard, and lets nothing illegal out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from antiphon.duet.commands import Continuation, Extend, Failed, Prime
from antiphon.generator import LIMITS, Constraints, Generator, GeneratorInfo, Limits, Request, check_phrase
from antiphon.music.pulse import Pulse
from antiphon.music.tonality import Key
from antiphon.notes import Note, Phrase, score_order
from antiphon.taste.hearing import told
from antiphon.tracebacks import Tracebacks


class Player:
    """One generator, and what it has been told."""

    def __init__(self, info: GeneratorInfo, generator: Generator) -> None:
        self._info = info
        self._generator = generator
        self._heard: list[Note] = []
        self._end_ticks = 0
        self._extended = False
        self._primed = True
        self._tracebacks = Tracebacks()
        self._hearing: tuple[tuple[int | None, float], Key | None, Pulse | None] | None = None
        """Key and pulse of what was heard, and what they were read for."""

    @property
    def runs_on(self) -> str | None:
        """What computes the generator's model, if it says so."""
        return getattr(self._generator, "runs_on", None)

    @property
    def limits(self) -> Limits:
        """How long it may take, by its generator's latency class."""
        return LIMITS[self._info.latency]

    def perform(self, commands: Iterable[Prime | Extend]) -> list[Continuation | Failed]:
        """Carry out `commands` in order; a phrase that a later command has made stale is not composed.

        Whatever the generator raises comes back as `Failed`, and its traceback goes to the log; one that failed to
        listen is not asked to go on.
        """
        commands = list(commands)
        latest = max((command.epoch for command in commands), default=0)
        replies: list[Continuation | Failed] = []
        for command in commands:
            index = command.index if isinstance(command, Extend) else -1
            try:
                if isinstance(command, Prime):
                    self._prime(command, listen=command.epoch == latest)
                elif command.epoch == latest and self._primed:
                    phrase = self._extend(command.request)
                    replies.append(Continuation(command.voice, command.chair, command.epoch, index, phrase))
            except Exception as error:  # A plugin may raise anything at all.
                reason = f"{type(error).__name__}: {error}"
                does = "go on" if isinstance(command, Extend) else "listen"
                self._tracebacks.write(f"generator {self._info.name!r} could not {does}", error)
                replies.append(Failed(command.voice, command.chair, command.epoch, index, reason))
        return replies

    def _prime(self, command: Prime, *, listen: bool) -> None:
        self._heard[command.keep :] = command.notes
        if not listen:
            return
        self._primed = False
        self._hearing = None
        if self._extended:
            self._generator.rewind(self._end_ticks)
            self._extended = False
        start = self._heard[0].start_ticks if self._heard else command.end_ticks
        self._end_ticks = command.end_ticks
        self._generator.prime(Phrase(start, command.end_ticks, tuple(self._heard)))
        self._primed = True

    def _extend(self, request: Request) -> Phrase:
        self._extended = True
        if self._hearing is None or self._hearing[0] != (request.call_ticks, request.tempo_bpm):
            heard = told(request, self._heard)
            self._hearing = (request.call_ticks, request.tempo_bpm), heard.key, heard.pulse
        request = replace(request, key=self._hearing[1], pulse=self._hearing[2])
        phrase = check_phrase(self._generator.extend(request), request, self._info.part_count)
        constraints = request.constraints
        if "range" in self._info.honours:
            constraints = replace(constraints, low_pitch=0, high_pitch=127)
        if "scale" in self._info.honours:
            constraints = replace(constraints, scale=None)
        return constrain(phrase, constraints)


def constrain(phrase: Phrase, constraints: Constraints) -> Phrase:
    """`phrase` bent to the constraints: pitches move by octaves into the range, then to the nearest note of the scale.

    A note that meets another of its own part and pitch while that one sounds ends it; of two at one tick the longer
    stays.
    Polyphony is the schedule's business.
    """
    notes: dict[tuple[int, int, int], Note] = {}
    sounding: dict[tuple[int, int], tuple[int, int, int]] = {}
    for note in sorted((replace(n, pitch=_allowed(n.pitch, constraints)) for n in phrase.notes), key=score_order):
        key = (note.start_ticks, note.pitch, note.part)
        twin = notes.get(key)
        if twin is not None:
            notes[key] = max(twin, note, key=lambda n: n.length_ticks or 0)
            continue
        earlier = sounding.get(key[1:])
        if earlier is not None:
            notes[earlier] = notes[earlier].clipped(note.start_ticks)
        notes[key] = note
        sounding[key[1:]] = key
    return replace(phrase, notes=tuple(notes.values()))


def _allowed(pitch: int, constraints: Constraints) -> int:
    low, high = constraints.low_pitch, constraints.high_pitch
    if not low <= pitch <= high:
        # The same pitch class at the octave nearest to the range, or the range's edge if it is narrower than an octave.
        moved = low + (pitch - low) % 12 if pitch < low else high - (high - pitch) % 12
        pitch = min(high, max(low, moved))
    if constraints.scale is None or pitch % 12 in constraints.scale:
        return pitch
    inside = [p for p in range(low, high + 1) if p % 12 in constraints.scale]
    return min(inside, key=lambda p: (abs(p - pitch), p), default=pitch)
