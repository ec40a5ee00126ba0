"""A performance, decided: the plain values the engine plays from. Files and their mistakes are `presets`' business."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from antiphon.controls import ControlValue
from antiphon.generator import Constraints, Follows
from antiphon.music.timing import TimeSignature
from antiphon.notes import Phrase

Mode = Literal["answer", "continue", "accompany", "morph"]
Launch = str
"""Where a first note falls: `now`, or on the next line of a `GRIDS`."""
Touch = str
"""What a touch does: `stop`, or `finish_` with one of `GRIDS`, and the answer plays to the next line of it."""
GRIDS = ("beat", "half_bar", "bar", *(f"{bars}_bars" for bars in range(2, 17)))
"""Lines in musical time: those of beats, halves of a bar, bars, and groups of 2 to 16 bars."""
Sync = Literal["internal", "midi", "link"]
HandoverBy = Literal["silence", "pedal", "bars", "turns", "trigger"]
Switch = Literal["now", "beat", "bar", "answer"]
"""Where a preset that is chosen takes over: at once, on the next beat or bar line, or when the answer is over."""
Pedal = Literal["sustain", "sostenuto", "soft"]
End = Phrase | Literal["played", "prior"]
"""An end of a morph: a piece of music, what the player played last, or whatever the generator holds likely."""

ALL_CHANNELS = frozenset(range(16))
SLOWEST_BPM, FASTEST_BPM = 20.0, 400.0
"""Bounds of every tempo that a person sets, quarter notes a minute."""


def grid_ticks(grid: str, signature: TimeSignature) -> int:
    """How far apart the lines are that a launch or touch goes by; bars have halves where their beats are even."""
    grid = grid.removeprefix("finish_")
    if grid == "beat":
        return signature.beat_ticks
    if grid == "half_bar":
        return signature.bar_ticks // 2
    return signature.bar_ticks * bars_of(grid)


def bars_of(grid: str) -> int:
    """How many bars a group has that a launch or a touch goes by; 1, if it goes by none."""
    return int(grid.removeprefix("finish_").removesuffix("_bars")) if grid.endswith("_bars") else 1


@dataclass(frozen=True, slots=True)
class Handover:
    """The rule by which the player's call ends."""

    by: HandoverBy = "silence"
    silence_multiple: float = 2.5
    """Silence that ends the call, as a multiple of the player's own gap between onsets."""
    min_seconds: float = 0.3
    """Shortest such silence."""
    max_seconds: float = 1.5
    """Longest such silence."""
    patience: float = 1.0
    """How long it waits in all, as a multiple of what the rule says: of silences and breaths, or of the bars."""
    breath_beats: float = 0.0
    """Where a phrase has not come to rest, so many beats of its pulse from its last note on are a breath; and an answer
    comes in on that pulse. 0: silence alone decides."""
    pedal: Pedal = "sostenuto"
    """Pedal whose press ends the call; it is not passed on."""
    bars: int = 2
    """Length of the call: counted from the bar in which it begins, or, by turns, from the end of the last turn."""
    trigger_note: int | None = None
    """Key that ends the call, a MIDI note number; it is not passed on."""
    trigger_cc: int | None = None
    """Controller that ends the call when it rises to 64 or more; it is not passed on."""

    def patient(self) -> Handover:
        """The rule with its patience worked in."""
        times = self.patience
        if times == 1:
            return self
        return replace(
            self,
            patience=1.0,
            silence_multiple=times * self.silence_multiple,
            min_seconds=times * self.min_seconds,
            max_seconds=times * self.max_seconds,
            breath_beats=times * self.breath_beats,
            bars=max(1, round(times * self.bars)),
        )


@dataclass(frozen=True, slots=True)
class VelocityCurve:
    """How a voice's velocities are bent on the way out: `low + (high - low) * (velocity / 127) ** gamma`."""

    low: int = 1
    """Velocity that the softest note comes out with, 1 to 127."""
    high: int = 127
    """Velocity that the loudest note comes out with, 1 to 127."""
    gamma: float = 1.0
    """Below 1 lifts soft notes, above 1 softens them; 0.1 to 10."""

    def apply(self, velocity: int) -> int:
        """Velocity 1 to 127 in, 1 to 127 out. The identity with the defaults."""
        if (self.low, self.high, self.gamma) == (1, 127, 1.0):
            return velocity
        bent = self.low + (self.high - self.low) * math.pow(velocity / 127, self.gamma)
        return min(127, max(1, round(bent)))


@dataclass(frozen=True, slots=True)
class MorphPlan:
    """Between what a generator that interpolates plays."""

    a: End = "played"
    b: End = "prior"
    capture_note: int | None = None
    """Key that captures what was played last, as A and as B in turn, a MIDI note number; it is not passed on."""
    capture_cc: int | None = None
    """Controller that does the same when it rises to 64 or more; it is not passed on."""


@dataclass(frozen=True, slots=True)
class PartPlan:
    """Where one part of a voice is heard, and with what sound."""

    name: str
    """What its generator calls it; empty: the whole voice, whose generator has no parts."""
    channel: int = 1
    """MIDI channel it is sent on, 0 to 15."""
    output: str | None = None
    """Output it is sent to, by the name the preset lists; `None`: to all of them."""
    program: int | None = None
    """Program sent on its channel at the start, 0 to 127."""
    bank: int | None = None
    """Bank of that program, 0 to 16,383 (128 × MSB + LSB), sent before it; `None`: the synth's present one."""


@dataclass(frozen=True, slots=True)
class VoicePlan:
    """One voice: which generator plays, when, and where it is heard."""

    generator: str = "markov"
    model: str | None = None
    """Path or name of a model; `None` for the generator's own."""
    follows: Follows = "free"
    """Whether the generator keeps to a grid of beats, so that its phrases are moved by whole beats only."""
    mode: Mode = "answer"
    handover: Handover = Handover()
    answer_bars: int | None = None
    """Length of an answer in bars; `None`: as long as the call."""
    length: float = 1.0
    """A multiple of that length; 2 is twice as long. Turns keep theirs."""
    launch: Launch = "now"
    """Where the first note falls: at the handover (`now`), or on the next beat, bar, or group of bars."""
    morph: MorphPlan | None = None
    """The ends, for a generator that interpolates, in any mode; None for all others."""
    touch: Touch = "stop"
    """What a key press does to a sounding answer: stop it at once, or let it finish the beat, bar, or bars."""
    controls: Mapping[str, ControlValue] = field(default_factory=dict)
    """Every control of the generator, resolved."""
    constraints: Constraints = Constraints()
    heard_scale: bool = False
    """Whether an answer keeps to the scale of what was heard before it, as well as to `constraints`."""
    below_melody: bool = False
    """Whether an accompaniment keeps below the player's melody, wherever that goes, as well as to `constraints`."""
    fallback: str = "markov"
    """Generator that stands in when this one is late, wrong, hung or dead."""
    channel: int = 1
    """MIDI channel it is sent on, 0 to 15."""
    output: str | None = None
    """Output it is sent to, by the name the preset lists; `None`: to all of them."""
    program: int | None = None
    """Program sent on its channel at the start, 0 to 127."""
    bank: int | None = None
    """Bank of that program, 0 to 16,383 (128 × MSB + LSB), sent before it; `None`: the synth's present one."""
    parts: tuple[PartPlan, ...] = ()
    """Its generator's parts, in the order of `Note.part`, if that has several; else channel, output and sound above
    are those of all that it plays."""
    transpose: int = 0
    """Semitones added on the way out; what would leave 0 to 127 moves back by octaves."""
    velocity: VelocityCurve = VelocityCurve()
    inputs: frozenset[str] | None = None
    """Which of the plan's inputs it listens to, by the names there; `None`: to all of them."""
    input_channels: frozenset[int] = ALL_CHANNELS
    """Channels it listens to, 0 to 15."""
    input_low: int = 0
    """Lowest key it listens to, a MIDI note number."""
    input_high: int = 127
    """Highest key it listens to."""

    @property
    def all_parts(self) -> tuple[PartPlan, ...]:
        """Every part it plays, at least one. What a stand-in plays in further parts goes where the first does."""
        return self.parts or (PartPlan("", self.channel, self.output, self.program, self.bank),)


@dataclass(frozen=True, slots=True)
class ControllerMapping:
    """A controller on the keyboard that turns a control: one of the generator's, or one that every voice has."""

    controller: int
    """Controller number, 0 to 127."""
    voice: int
    """Index of the voice, from 0."""
    control: str
    """Name of the control."""
    low: float = 0.0
    """Control value at controller value 0."""
    high: float = 0.0
    """Control value at controller value 127."""
    values: tuple[ControlValue, ...] = ()
    """Control values that it goes through from 0 to 127, in place of those between `low` and `high`; none: those."""

    def value_at(self, position: int) -> ControlValue:
        """What the control is set to where the controller stands at `position`, 0 to 127."""
        if self.values:
            return self.values[position * len(self.values) // 128]
        return self.low + (self.high - self.low) * position / 127


@dataclass(frozen=True, slots=True)
class TempoPlan:
    """What the player moves the tempo with, unless it is a MIDI clock's; none of it is passed on."""

    tap_note: int | None = None
    """Key that taps the beat, a MIDI note number."""
    tap_cc: int | None = None
    """Controller that taps the beat when it rises to 64 or more."""
    cc: int | None = None
    """Controller that turns the tempo."""
    low_bpm: float = 60.0
    """Tempo at controller value 0, quarter notes a minute, `SLOWEST_BPM` to `FASTEST_BPM`."""
    high_bpm: float = 180.0
    """Tempo at controller value 127."""


@dataclass(frozen=True, slots=True)
class MetronomePlan:
    """The click: when, where, and how it sounds."""

    on: bool = False
    """Whether it clicks, from the start or from the count-in on; the player can turn it on and off."""
    count_in_bars: int = 0
    """Bars that are counted at the start of a session, once everything is ready; 0 to 4."""
    output: str | None = None
    """Output it is sent to; `None`: to the built-in synth if that is one of them, else to all of them."""
    channel: int = 9
    """MIDI channel it is sent on, 0 to 15; General MIDI has drums on 9."""
    note: int = 77
    """Note of a beat; the low wood block in General MIDI."""
    accent_note: int = 76
    """Note of the first beat of a bar; the high wood block in General MIDI."""
    velocity: int = 90
    """How loud it is, 1 to 127."""


@dataclass(frozen=True, slots=True)
class RemotePlan:
    """What the player commands the host with from the keyboard; none of it is passed on."""

    panic_note: int | None = None
    """Key that silences everything, a MIDI note number."""
    panic_cc: int | None = None
    """Controller that does when it rises to 64 or more."""
    next_note: int | None = None
    """Key that chooses the next preset of the set; after the last comes the first."""
    next_cc: int | None = None
    previous_note: int | None = None
    """Key that chooses the one before."""
    previous_cc: int | None = None
    program_channels: frozenset[int] = ALL_CHANNELS
    """Channels, 0 to 15, whose program changes select presets; the others are passed on."""
    program_inputs: frozenset[str] | None = None
    """Which of the plan's inputs they count on, by the names there; `None`: on all of them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a performance needs to know before the first note."""

    name: str = "untitled"
    voices: tuple[VoicePlan, ...] = (VoicePlan(),)
    tempo_bpm: float = 120.0
    """Quarter notes a minute, 20 to 400."""
    signature: TimeSignature = TimeSignature()
    seed: int = 0
    inputs: tuple[str, ...] = ("auto",)
    """Ports to listen to: `auto` (the keyboard that is found), `virtual`, or port names."""
    outputs: tuple[str, ...] = ("auto",)
    """Ports to play to: `auto` (virtual port and synth where there are any), `synth`, `virtual`, or port names."""
    thru: bool = True
    """Whether the player's own notes are passed on to the outputs."""
    controllers: tuple[ControllerMapping, ...] = ()
    prompt: Phrase | None = None
    """Music every voice is primed with before the first call; it is not played."""
    sync: Sync = "internal"
    """Whose tempo and bars: its own, or those of a MIDI clock on one of the inputs or of an Ableton Link session, as
    soon as there is one."""
    clock_out: bool | tuple[str, ...] = False
    """Whether a MIDI clock is sent: to all ports among the outputs, or to those named."""
    switch: Switch | None = "now"
    """Where it takes over when it is chosen; what played before ends there. `None`: as in sessions of old, at once, and
    what played before is let finish until a key is touched."""
    remote: RemotePlan = RemotePlan()
    tempo_control: TempoPlan = TempoPlan()
    metronome: MetronomePlan = MetronomePlan()
    latency: Mapping[str, float] = field(default_factory=dict)
    """Milliseconds by which what is played leaves an output later, or, if negative, earlier; by the output's name."""
    clock_latency: Mapping[str, float] = field(default_factory=dict)
    """Milliseconds by which a MIDI clock counts as later than it comes, or earlier; by the input's name."""

    @property
    def round_bars(self) -> int:
        """Bars after which all groups of bars begin together: a song is followed to its place in so many."""
        groups = [bars_of(grid) for voice in self.voices for grid in (voice.launch, voice.touch)]
        turns = [voice for voice in self.voices if voice.handover.by == "turns"]
        return math.lcm(*groups, *(v.handover.bars + (v.answer_bars or v.handover.bars) for v in turns))
