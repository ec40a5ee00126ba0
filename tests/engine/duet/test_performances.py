"""Random performances on a stage like the real one: what must hold whatever is played and whoever dies."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from stages import LiveLike
from toys import TOYS, sound, toy_player

from antiphon.duet.events import CountInBegan, Heard, MetronomeSwitched, PlayerFailed
from antiphon.duet.offline import Offline
from antiphon.duet.plan import (
    ControllerMapping,
    Handover,
    MetronomePlan,
    MorphPlan,
    PartPlan,
    Plan,
    RemotePlan,
    VelocityCurve,
    VoicePlan,
)
from antiphon.duet.schedule import PLAYER
from antiphon.generator import Constraints
from antiphon.music import messages
from antiphon.music.timing import TimeSignature
from antiphon.session.journal import Record
from antiphon.session.summary import hanging

TRIGGER_NOTE, TRIGGER_CC, KNOB, CAPTURE_CC = 61, 20, 21, 22
HANDS_OVER = (messages.SUSTAIN, messages.SOSTENUTO, TRIGGER_CC)

handovers = st.sampled_from(
    [
        Handover(),
        Handover(silence_multiple=1.0, min_seconds=0.05, max_seconds=0.4),
        Handover(by="pedal", pedal="sostenuto"),
        Handover(by="pedal", pedal="sustain"),
        Handover(by="bars", bars=1),
        Handover(by="turns", bars=1),
        Handover(by="trigger", trigger_note=TRIGGER_NOTE),
        Handover(by="trigger", trigger_cc=TRIGGER_CC),
    ]
)
constraints = st.sampled_from(
    [Constraints(), Constraints(polyphony=1), Constraints(50, 70, frozenset({0, 2, 4, 5, 7, 9, 11}), 3)]
)
LENGTHS = (ControllerMapping(KNOB, 0, "length", 0.25, 3.0), ControllerMapping(KNOB, 0, "range_low", 30.0, 70.0))
playing = st.sampled_from(["regular", "chords", "overlapping", "dense", "hesitant", "moody", "trio"])
names = st.sampled_from(sorted(TOYS))
voice_plans = st.builds(
    VoicePlan,
    generator=st.one_of(playing, playing, names),
    fallback=st.one_of(playing, names),
    mode=st.sampled_from(["answer", "answer", "continue", "morph", "accompany"]),
    morph=st.sampled_from([None, MorphPlan(), MorphPlan("prior", "played", capture_note=59, capture_cc=CAPTURE_CC)]),
    follows=st.sampled_from(["free", "beat"]),
    handover=handovers,
    answer_bars=st.sampled_from([None, None, 1, 3]),
    launch=st.sampled_from(["now", "now", "beat", "bar", "2_bars"]),
    touch=st.sampled_from(["stop", "stop", "finish_bar", "finish_2_bars"]),
    constraints=constraints,
    channel=st.integers(0, 1),
    output=st.sampled_from([None, None, "synth"]),
    program=st.sampled_from([None, 5]),
    parts=st.sampled_from([(), (), (PartPlan("a", 0, "synth", 7), PartPlan("b", 1), PartPlan("c", 0))]),
    transpose=st.sampled_from([0, -12, 100]),
    velocity=st.sampled_from([VelocityCurve(), VelocityCurve(20, 90, 0.5)]),
    input_channels=st.sampled_from([frozenset(range(16)), frozenset({1})]),
    input_low=st.sampled_from([0, 0, 60]),
).map(sound)
plans = st.builds(
    Plan,
    voices=st.lists(voice_plans, min_size=1, max_size=2).map(tuple),
    tempo_bpm=st.sampled_from([120.0, 91.7, 300.0]),
    signature=st.sampled_from([TimeSignature(), TimeSignature(3, 8), TimeSignature(1, 16)]),
    seed=st.integers(0, 1),
    outputs=st.sampled_from([("auto",), ("synth",), ("virtual", "Elsewhere")]),
    thru=st.booleans(),
    sync=st.sampled_from(["internal", "internal", "midi"]),
    metronome=st.sampled_from([MetronomePlan(), MetronomePlan(on=True, channel=1, note=61, count_in_bars=1)]),
    controllers=st.sampled_from([(), (ControllerMapping(KNOB, 0, "heat", 0.0, 2.0),), LENGTHS]),
    switch=st.sampled_from(["now", "beat", "bar", "answer", None]),
    remote=st.sampled_from([RemotePlan(), RemotePlan(next_cc=messages.SOFT, panic_note=58)]),
)
sets = st.lists(plans, min_size=1, max_size=3)

channels, pitches = st.sampled_from([1, 1, 0]), st.integers(58, 64)
switches = st.sampled_from([0, 63, 64, 127])
controllers = st.sampled_from([messages.SUSTAIN, messages.SOSTENUTO, messages.SOFT, TRIGGER_CC, KNOB, CAPTURE_CC, 123])
other = st.one_of(
    st.builds(messages.note_on, channels, pitches, st.integers(0, 127)),
    st.builds(messages.note_off, channels, pitches),
    st.builds(messages.control_change, channels, controllers, switches),
    st.sampled_from([b"\xe0\x00\x40", b"\xd1\x33", b"\xf0\x7e\xf7", b"\xa0\x3c\x11"]),
)
tones = st.tuples(st.just("tone"), channels, pitches, st.sampled_from([0.02, 0.1, 0.1, 0.3]))
waits = st.tuples(st.just("wait"), st.sampled_from([0.0, 0.03, 0.3, 0.6, 1.2, 2.5]))
slots = st.integers(0, 3)
surprises = st.one_of(
    st.tuples(st.just("hear"), other),
    st.tuples(st.just("hear"), st.builds(messages.program_change, channels, st.integers(0, 3))),
    st.tuples(st.just("lose"), slots),
    st.tuples(st.just("hang"), slots),
    st.tuples(st.just("seat"), slots),
    st.tuples(st.just("select"), st.integers(0, 2)),
    st.sampled_from([("panic",), ("restart",), ("count in",), ("click", True), ("click", False)]),
)
rounds = st.tuples(
    st.lists(st.one_of(tones, tones, waits, st.tuples(st.just("hear"), other)), max_size=5),
    tones,
    st.sampled_from([("signal",), ("signal",), ("wait", 0.5), ("wait", 2.0)]),
    st.lists(st.one_of(waits, surprises), max_size=3),
    waits,
)
performances = st.lists(rounds, min_size=1, max_size=7).map(
    lambda every: [step for call, last, signal, then, wait in every for step in (*call, last, signal, *then, wait)]
)


def perform(stage: LiveLike, steps: list[tuple[Any, ...]]) -> None:
    """Play `steps` from beginning to end."""
    stage.begin()
    for what, *details in steps:
        if what == "tone":
            channel, pitch, seconds = details
            stage.hear(messages.note_on(channel, pitch, 80))
            stage.wait(seconds)
            stage.hear(messages.note_off(channel, pitch))
        elif what == "hear":
            stage.hear(details[0])
        elif what == "wait":
            stage.wait(details[0])
        elif what == "signal":
            for message in (messages.control_change(1, number, 127) for number in HANDS_OVER):
                stage.hear(message)
            stage.hear(messages.note_on(1, TRIGGER_NOTE, 64))
            stage.wait(0.1)
            stage.hear(messages.note_off(1, TRIGGER_NOTE))
            for message in (messages.control_change(1, number, 0) for number in HANDS_OVER):
                stage.hear(message)
        elif what in ("lose", "hang", "seat"):
            getattr(stage, what)(details[0] % len(stage.duet.player_table.needed))
        elif what == "panic":
            stage.panic()
        elif what == "click":
            stage.duet.change(MetronomeSwitched(stage.now_ticks, details[0]))
        elif what == "count in":
            stage.duet.change(CountInBegan(stage.now_ticks))
        elif what == "select":
            stage.duet.select(details[0] % len(stage.plans), stage.now_ticks)
        else:
            stage.restart()
    stage.end()


@settings(max_examples=100)
@given(sets, performances, st.integers(0, 2**32))
def test_whatever_happens_nothing_hangs_and_it_can_be_played_again(
    plans: list[Plan], steps: list[tuple[Any, ...]], seed: int
) -> None:
    stage = LiveLike(plans, lambda role: toy_player(role.generator), Random(seed))
    perform(stage, steps)
    assert not list(stage.ledger.silencing()), "something is down after the end"
    assert hanging([Record(what) for what in stage.record_of]) == 0
    # A toy asserts that the host keeps its side of the contract; whatever a generator raises ends up here.
    assert not [r for r in stage.record_of if isinstance(r, PlayerFailed) and "AssertionError" in r.failure.reason]
    again = Offline(plans, lambda role: toy_player(role.generator))
    again.duet.begin()
    again.replay(stage.record_of)
    assert again.sends == stage.sends


on_one_channel = st.lists(
    st.one_of(
        st.tuples(st.just("tone"), st.just(1), pitches, st.sampled_from([0.02, 0.1, 0.3])),
        st.tuples(st.just("hear"), other),
        st.just(("signal",)),
        waits,
    ),
    min_size=3,
    max_size=25,
)


@settings(max_examples=100)
@given(plans, on_one_channel, st.integers(0, 2**32))
def test_as_long_as_players_are_in_time_it_does_not_matter_how_fast_they_are(
    plan: Plan, steps: list[tuple[Any, ...]], seed: int
) -> None:
    # Two voices on one channel would take keys from each other, in the order in which their phrases come.
    apart = tuple(replace(voice, channel=4 + index) for index, voice in enumerate(plan.voices))
    plan = replace(plan, voices=apart, remote=RemotePlan())  # What a command led to is not heard again.
    stage = LiveLike([plan], lambda role: toy_player(role.generator), Random(seed), punctual=True)
    perform(stage, steps)
    offline = Offline([plan], lambda role: toy_player(role.generator))
    offline.begin()
    for record in stage.record_of:
        if isinstance(record, Heard):
            offline.hear(record.message, record.ticks)
    offline.end(stage.now_ticks)
    for source in (PLAYER, 0, 1):
        assert [s for s in offline.sends if s.source == source] == [s for s in stage.sends if s.source == source]
