"""What may stand in a preset or setlist, key by key: the one table by which it is read, written and described."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from antiphon.duet.plan import HandoverBy, Mode, Pedal, Switch, Sync
from antiphon.duet.voice_controls import LENGTHS
from antiphon.music.timing import TimeSignature
from antiphon.presets.values import (
    Allowed,
    Bank,
    Channel,
    Channels,
    ClockOut,
    Controller,
    ControlValues,
    EndText,
    Knob,
    Latencies,
    Launch,
    Pitch,
    PitchRange,
    PortName,
    PortNames,
    Program,
    Scale,
    Setting,
    Signature,
    SomePorts,
    Text,
    Touch,
)

MAX_VOICES: Final = 4
MAX_PRESETS: Final = 16
"""Most presets in a setlist."""
EVERY_CHANNEL: Final = list(range(1, 17))


class Table(BaseModel):
    """A table of a file: nothing unknown, nothing converted, no infinities."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class HandoverTable(Table):
    """When your call is over and the voice takes its turn."""

    by: HandoverBy = Field(default="silence", description="What ends the call.")
    silence_multiple: float = Field(
        default=2.5, ge=1, le=20, description="By silence: how many of your usual gaps between notes make an end."
    )
    min_seconds: float = Field(
        default=0.3, ge=0.05, le=30, description="By silence: the shortest silence that ends a call."
    )
    max_seconds: float = Field(default=1.5, ge=0.05, le=30, description="By silence: the longest one it waits for.")
    patience: float = Field(
        default=1.0,
        ge=LENGTHS[0],
        le=LENGTHS[1],
        description="By silence and by bars: it waits so many times as long as the other keys say.",
    )
    breath_beats: float = Field(
        default=0.0,
        ge=0,
        le=8,
        description="By silence: where your phrase has not come to rest, so many beats of your pulse from your last "
        "note on are a breath; and the answer comes in on your pulse. 0: silence alone decides.",
    )
    pedal: Pedal = Field(default="sostenuto", description="By pedal: which one; its press is not passed on.")
    bars: int = Field(
        default=2,
        ge=1,
        le=64,
        description="By bars: length of the call, from the bar in which it begins. By turns: length of your turn.",
    )
    trigger_note: Pitch | None = Field(
        default=None, description="By trigger: the key that ends the call; it does not sound."
    )
    trigger_cc: Controller | None = Field(
        default=None, description="By trigger: the controller that ends the call when it rises to 64 or more."
    )


class VelocityTable(Table):
    """How loud the voice plays: from `low` to `high`, bent by `gamma`."""

    low: int = Field(default=1, ge=1, le=127, description="Velocity of its softest notes.")
    high: int = Field(default=127, ge=1, le=127, description="Velocity of its loudest notes.")
    gamma: float = Field(default=1.0, ge=0.1, le=10, description="Below 1 lifts soft notes; above 1 softens them.")


class MorphTable(Table):
    """Between what a generator that interpolates plays: two loops of whole bars, A and B."""

    a: EndText = Field(
        default="played", description="End A: what you played last, whatever the model holds likely, or music."
    )
    b: EndText | None = Field(
        default=None, description="End B. Absent: in the mode 'morph' as 'prior', in the others as 'played'."
    )
    capture_note: Pitch | None = Field(
        default=None, description="A key that captures what you played last, as A, then as B, and so on; it is silent."
    )
    capture_cc: Controller | None = Field(
        default=None, description="A controller that does the same when it rises to 64 or more."
    )


class PartTable(Table):
    """One part of a generator that plays several at once: where it is heard, and with what sound."""

    channel: Channel | None = Field(default=None, description="MIDI channel it plays on. Absent: the voice's.")
    program: Program | None = Field(
        default=None, description="General MIDI sound, 1 is a grand piano. Absent: the voice's."
    )
    bank: Bank | None = Field(
        default=None, description="Bank of that sound. Absent: the voice's, if the program is absent, too."
    )
    output: Text | None = Field(default=None, description="One of `outputs`. Absent: the voice's.")


class VoiceTable(Table):
    """One voice: which generator plays, when, and where it is heard."""

    generator: Text = Field(default="markov", description="Who plays; `antiphon plugins` lists them.")
    model: Text | None = Field(
        default=None, description="Its model: a name, or a path from this file's folder. Absent: the generator's own."
    )
    mode: Mode = Field(
        default="answer",
        description="Answer each call; take over and keep on until you touch a key; accompany you while you play; or "
        "take over between two pieces of music, see `morph`.",
    )
    launch: Launch = Field(
        default="now",
        description="Where its first note falls: at once, or on the next beat, half bar, bar, or group of bars.",
    )
    touch: Touch = Field(
        default="stop",
        description="What your key press does while it plays: stop it, or let it finish the beat, the bar, the bars.",
    )
    answer_bars: int | None = Field(
        default=None, ge=1, le=64, description="Length of an answer in bars. Absent: as long as your call."
    )
    length: float = Field(
        default=1.0, ge=LENGTHS[0], le=LENGTHS[1], description="It answers so many times as long; 2 is twice as long."
    )
    channel: Channel = Field(default=2, description="MIDI channel it plays on, as keyboards and DAWs count them.")
    program: Program | None = Field(
        default=None,
        description="General MIDI sound, 1 is a grand piano. Absent: the synth's present one.",
    )
    bank: Bank | None = Field(
        default=None, description="Bank of that sound, as the synth's manual has it. Absent: the synth's present one."
    )
    output: PortName | None = Field(
        default=None, description='One of `outputs`; "auto" there gives "virtual" and "synth". Absent: all of them.'
    )
    transpose: int = Field(default=0, ge=-48, le=48, description="Semitones added to what it plays.")
    range: PitchRange = Field(default=[0, 127], description="Lowest and highest note it may generate.")
    scale: Scale = Field(
        default=None, description="Notes it may generate; 'auto': those of the key you play in. Absent: all twelve."
    )
    below_melody: bool = Field(
        default=False, description="Playing along: whether it keeps below your melody, however high that goes."
    )
    polyphony: int = Field(default=16, ge=1, le=64, description="Most notes it sounds at once.")
    fallback: Text = Field(default="markov", description="Generator that stands in when this one is late or fails.")
    inputs: SomePorts | None = Field(
        default=None, description="Which of the preset's `inputs` it listens to. Absent: all of them."
    )
    input_channels: Channels = Field(default=EVERY_CHANNEL, min_length=1, description="MIDI channels it listens to.")
    input_range: PitchRange = Field(default=[0, 127], description="Lowest and highest key it listens to.")
    velocity: VelocityTable = Field(default=VelocityTable(), description="How loud it plays; see below.")
    handover: HandoverTable = Field(default=HandoverTable(), description="When your call is over; see below.")
    morph: MorphTable = Field(
        default=MorphTable(), description="What a generator that interpolates plays between; see below."
    )
    parts: dict[str, PartTable] = Field(
        default={}, description="Channel and sound of each of its generator's parts, if it has several; see below."
    )
    controls: dict[str, Setting] = Field(
        default={}, description="Its generator's own controls; `antiphon plugins` lists them."
    )


class TempoControlTable(Table):
    """What moves the tempo while you play. None of it sounds, and no voice hears it."""

    tap_note: Pitch | None = Field(default=None, description="A key on which you tap the beat.")
    tap_cc: Controller | None = Field(
        default=None, description="A controller, such as a foot switch, that taps the beat when it rises to 64 or more."
    )
    cc: Knob | None = Field(default=None, description="A knob that turns the tempo.")
    low_bpm: float = Field(default=60.0, ge=20, le=400, description="The tempo with that knob at 0.")
    high_bpm: float = Field(
        default=180.0, ge=20, le=400, description="The tempo with it at 127; less than `low_bpm` turns it round."
    )


class MetronomeTable(Table):
    """The click."""

    on: bool = Field(default=False, description="Whether it clicks while you play; the key `m` turns it on and off.")
    count_in_bars: int = Field(
        default=0, ge=0, le=4, description="Bars that are counted at the start, once everything is ready."
    )
    output: PortName | None = Field(
        default=None, description="One of `outputs`. Absent: the built-in synth if it is one of them, else all of them."
    )
    channel: Channel = Field(default=10, description="MIDI channel it is sent on; 10 has the drums in General MIDI.")
    note: Pitch = Field(default=77, description="Note of a beat; 77 is a low wood block in General MIDI.")
    accent_note: Pitch = Field(default=76, description="Note of the first beat of a bar; 76 is a high wood block.")
    velocity: int = Field(default=90, ge=1, le=127, description="How loud it is.")


class RemoteTable(Table):
    """What you command from your keyboard. None of it sounds, and no voice hears it."""

    panic_note: Pitch | None = Field(default=None, description="A key that silences everything.")
    panic_cc: Controller | None = Field(
        default=None, description="A controller that does, when it rises to 64 or more, as do those below."
    )
    next_note: Pitch | None = Field(
        default=None, description="A key that chooses the next preset of the setlist; after the last comes the first."
    )
    next_cc: Controller | None = Field(default=None, description="A controller that does.")
    previous_note: Pitch | None = Field(default=None, description="A key that chooses the preset before.")
    previous_cc: Controller | None = Field(default=None, description="A controller that does.")
    program_channels: Channels = Field(
        default=EVERY_CHANNEL,
        min_length=1,
        description="MIDI channels whose program changes choose a preset of the setlist; others are passed on.",
    )
    program_inputs: SomePorts | None = Field(
        default=None, description="Which of `inputs` they count on; on others they are passed on. Absent: all of them."
    )


class ControllerTable(Table):
    """A knob or wheel of your keyboard that turns a control while you play."""

    cc: Knob | None = Field(default=None, description="Controller number it sends. Required.")
    voice: int = Field(default=1, ge=1, le=MAX_VOICES, description="Which voice, the first [[voice]] being 1.")
    control: Text | None = Field(
        default=None,
        description="Which of that generator's controls, or of those that every voice has, see below. Required.",
    )
    low: float | None = Field(default=None, description="Value at 0. Absent: the control's lowest.")
    high: float | None = Field(
        default=None, description="Value at 127; less than `low` turns it round. Absent: its highest."
    )
    values: ControlValues | None = Field(
        default=None, description="Values that it goes through from 0 to 127, instead of `low` and `high`."
    )


class PresetFile(Table):
    """A performance: one to four voices and what they share."""

    name: Text | None = Field(default=None, description="What the screen shows. Absent: the file's name.")
    description: str = Field(default="", description="One line for `antiphon presets list`.")
    tempo_bpm: float = Field(default=120.0, ge=20, le=400, description="Quarter notes a minute.")
    time_signature: Signature = Field(default=TimeSignature(), description="Beats in a bar, and which note is a beat.")
    sync: Sync = Field(
        default="internal",
        description="Whose tempo and bars: its own, or those of a MIDI clock on one of `inputs` or of an Ableton Link "
        "session, once there is one.",
    )
    clock_out: ClockOut = Field(
        default=False, description="Whether a MIDI clock goes out, to all ports among `outputs` or to those listed."
    )
    seed: int = Field(default=0, ge=0, le=2**63 - 1, description="Same seed and same playing, same answers.")
    inputs: PortNames = Field(
        default=["auto"],
        description='Ports to listen to: "auto" (the keyboard that is found), "virtual", "virtual:NAME", or names.',
    )
    outputs: PortNames = Field(
        default=["auto"],
        description='Ports to play to: "auto" (virtual port and synth), "synth", "virtual", "virtual:NAME", or names.',
    )
    thru: bool = Field(default=True, description="Whether your own notes are passed on to the outputs.")
    prompt: Text | None = Field(
        default=None,
        description="A MIDI file, by its path from this file's folder, that every voice has in mind from the start.",
    )
    switch: Switch = Field(
        default="now",
        description="In a setlist, where it takes over when you choose it: at once, on the next beat or bar line, or "
        "when the answer is over. What played before ends there.",
    )
    remote: RemoteTable = Field(
        default=RemoteTable(), description="What you command from your keyboard, such as panic; see below."
    )
    tempo_control: TempoControlTable = Field(
        default=TempoControlTable(), description="What moves the tempo while you play; see below."
    )
    metronome: MetronomeTable = Field(default=MetronomeTable(), description="The click; see below.")
    latency: Latencies = Field(
        default={}, description="By how much each of `outputs` gets what is played later, or, below 0, earlier."
    )
    clock_latency: Latencies = Field(
        default={}, description="By how much the MIDI clock on each of `inputs` counts as later, or, below 0, earlier."
    )
    voice: Annotated[list[VoiceTable], Allowed("one to four tables, each headed [[voice]]")] = Field(
        default=[], description="Who plays; at least one."
    )
    controller: Annotated[list[ControllerTable], Allowed("tables, each headed [[controller]]")] = Field(
        default=[], description="Knobs that turn controls."
    )


class SetlistFile(Table):
    """An evening: presets in the order that program changes select them."""

    name: Text | None = Field(default=None, description="What the screen shows. Absent: the file's name.")
    description: str = Field(default="", description="One line for `antiphon presets list`.")
    presets: list[Text] = Field(
        default=[],
        min_length=1,
        max_length=MAX_PRESETS,
        description="Names of presets, or paths from this file's folder; program 1 (0 on the wire) selects the first.",
    )
    switch: Switch | None = Field(
        default=None, description="Where each of them takes over when you choose it. Absent: as each of them says."
    )
    remote: RemoteTable | None = Field(
        default=None, description="What you command from your keyboard, whichever plays. Absent: as each of them says."
    )


TABLES: Final[dict[type[Table], str]] = {
    PresetFile: "at the top of a preset",
    VoiceTable: "in [[voice]]",
    HandoverTable: "in [voice.handover]",
    VelocityTable: "in [voice.velocity]",
    MorphTable: "in [voice.morph]",
    PartTable: "in [voice.parts.NAME]",
    ControllerTable: "in [[controller]]",
    TempoControlTable: "in [tempo_control]",
    MetronomeTable: "in [metronome]",
    RemoteTable: "in [remote]",
    SetlistFile: "in a setlist",
}
"""Every kind of table, and where a file has it."""
