"""The player's hand on the tempo: beats come to lie on taps, knobs turn the tempo, and what is queued moves with it."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stages import LiveLike
from toys import toy_player

from antiphon.duet.events import Event, Heard, TempoChanged
from antiphon.duet.plan import FASTEST_BPM, SLOWEST_BPM, Handover, MetronomePlan, Plan, TempoPlan, VoicePlan
from antiphon.duet.schedule import METRONOME, PLAYER
from antiphon.music import messages
from antiphon.music.timing import TimeSignature, next_multiple
from antiphon.notes import TICKS_PER_BEAT
from antiphon.sync.clock_sending import ClockOut
from antiphon.sync.midi_clock import PULSE_TICKS
from antiphon.sync.tempo_control import TempoControl

TAP_NOTE, TAP_CC, KNOB = 108, 20, 21
VOICE = VoicePlan("regular", fallback="low", handover=Handover(by="bars", bars=1), launch="bar", answer_bars=2)
CONTROL = TempoPlan(TAP_NOTE, TAP_CC, KNOB, 60.0, 187.0)
PLAN = Plan(voices=(VOICE,), outputs=("virtual",), tempo_control=CONTROL)


class Tapped:
    """A performance whose player taps and turns the tempo."""

    def __init__(self, *plans: Plan, seed: int = 0, punctual: bool = False) -> None:
        wanted = list(plans or [PLAN])
        self.stage = LiveLike(wanted, lambda role: toy_player(role.generator), Random(seed), punctual=punctual)
        self.reports: list[str] = []
        self.control = TempoControl(self.stage.duet, self.reports.append)
        self.stage.begin()

    @property
    def now(self) -> float:
        return self.stage.clock.now()

    def wait(self, seconds: float) -> None:
        """As the engine does: a nudge ends when it is over."""
        until = self.now + seconds
        while (over := self.control.next_ticks()) is not None:
            moment = self.stage.duet.timeline.seconds_at(over)
            if moment > until:
                break
            self.stage.wait(max(0.0, moment - self.now))
            self.control.advance(self.now)
        self.stage.wait(max(0.0, until - self.now))

    def hear(self, message: bytes) -> None:
        """As the engine does: what is for the tempo reaches nobody else."""
        self.control.advance(self.now)
        if self.control.takes(message):
            self.control.hear(message, self.now)
        else:
            self.stage.hear(message)

    def tap(self) -> None:
        """With the key, pressed and released."""
        self.hear(messages.note_on(3, TAP_NOTE, 90))
        self.hear(messages.note_off(3, TAP_NOTE))

    def taps(self, count: int, gap_seconds: float) -> None:
        """The last of them is now."""
        for number in range(count):
            if number:
                self.wait(gap_seconds)
            self.tap()

    def off_ticks(self) -> float:
        """How far the nearest beat is from now."""
        timeline = self.stage.duet.timeline
        ticks = timeline.ticks_at(self.now)
        exact = ticks + (self.now - timeline.seconds_at(ticks)) * timeline.bpm * TICKS_PER_BEAT / 60
        beat = timeline.signature.felt_beat_ticks
        return (exact + beat / 2) % beat - beat / 2

    def records(self, *kinds: type[Event]) -> list[Any]:
        return [record for record in self.stage.record_of if isinstance(record, kinds)]

    def end(self) -> None:
        """What must hold after every performance."""
        self.stage.end_well()


@pytest.mark.parametrize("start_seconds", [0.0, 0.1, 0.26, 0.49, 0.73])
@pytest.mark.parametrize("gap_seconds", [0.3, 0.5, 0.8])
def test_beats_come_to_fall_on_the_taps(start_seconds: float, gap_seconds: float) -> None:
    jam = Tapped()
    jam.wait(start_seconds)
    jam.taps(5, gap_seconds)
    for _ in range(4):
        jam.wait(gap_seconds)
        assert abs(jam.off_ticks()) < 2.5
        assert jam.stage.duet.timeline.bpm == round(60 / gap_seconds, 1)
    jam.end()


def test_two_taps_are_enough_and_the_rest_of_the_way_is_made_by_itself() -> None:
    jam = Tapped()
    jam.wait(0.2)
    jam.taps(2, 0.6)
    changed = jam.records(TempoChanged)
    assert [c.towards_bpm for c in changed] == [100.0], "it is nudged"
    jam.wait(1.8)
    assert jam.records(TempoChanged)[-1] == TempoChanged(jam.records(TempoChanged)[-1].ticks, 100.0)
    assert abs(jam.off_ticks()) < 2.5
    jam.end()


def test_musical_time_never_runs_backwards_and_never_leaps() -> None:
    jam = Tapped()
    jam.wait(0.3)
    jam.taps(4, 0.45)
    jam.wait(3.0)
    changes = jam.stage.duet.timeline.changes
    assert all(later.ticks > earlier.ticks for earlier, later in pairwise(changes))
    meant = 60 / 0.45
    assert all(0.74 * meant < change.bpm < 1.26 * meant for change in changes[1:])
    jam.end()


def test_a_single_tap_changes_nothing() -> None:
    jam = Tapped()
    jam.wait(0.2)
    jam.tap()
    jam.wait(3.0)
    assert jam.records(TempoChanged) == []


def test_in_a_compound_metre_a_tap_is_a_dotted_quarter() -> None:
    jam = Tapped(Plan(voices=(VOICE,), outputs=("virtual",), tempo_control=CONTROL, signature=TimeSignature(6, 8)))
    jam.taps(4, 0.75)
    jam.wait(1.5)
    assert jam.stage.duet.timeline.bpm == 120.0
    assert abs(jam.off_ticks()) < 2.5


def test_no_voice_hears_a_tap_and_nobody_else_does() -> None:
    jam = Tapped()
    jam.taps(3, 0.5)
    for value in (0, 100, 100, 127, 0):
        jam.hear(messages.control_change(0, TAP_CC, value))
    jam.hear(messages.control_change(0, KNOB, 3))
    assert jam.records(Heard) == []
    assert jam.stage.sends == []
    assert jam.stage.duet.performer.voices[0].state == "listening"
    assert jam.stage.duet.next_ticks() is None


def test_a_pedal_taps_once_when_it_goes_down() -> None:
    jam = Tapped()
    for value in (127, 0, 80, 127, 10):
        jam.hear(messages.control_change(0, TAP_CC, value))
        jam.wait(0.2)
    assert jam.records(TempoChanged)[0].towards_bpm == 150.0


def test_a_key_that_went_down_as_music_comes_up_as_music() -> None:
    plain = Plan(voices=(VOICE,), outputs=("virtual",))
    jam = Tapped(plain, PLAN)
    jam.hear(messages.note_on(0, TAP_NOTE, 80))
    jam.stage.duet.select(1, jam.stage.now_ticks)
    jam.control.plan_changed()
    jam.hear(messages.note_off(0, TAP_NOTE))
    assert [send.message for send in jam.stage.sends] == [
        messages.note_on(0, TAP_NOTE, 80),
        messages.note_off(0, TAP_NOTE),
    ]
    jam.hear(messages.note_on(0, TAP_NOTE, 80))
    jam.stage.duet.select(0, jam.stage.now_ticks)
    jam.control.plan_changed()
    jam.hear(messages.note_off(0, TAP_NOTE))
    assert len(jam.stage.sends) == 2, "and what tapped comes up unheard"


def test_another_preset_has_its_own_tempo_whatever_was_on_its_way() -> None:
    jam = Tapped(PLAN, Plan(voices=(VOICE,), outputs=("virtual",), tempo_bpm=77.0))
    jam.wait(0.2)
    jam.taps(2, 0.6)
    assert jam.control.next_ticks() is not None
    jam.stage.duet.select(1, jam.stage.now_ticks)
    jam.control.plan_changed()
    jam.wait(5.0)
    assert jam.stage.duet.timeline.bpm == 77.0


def test_a_preset_that_takes_over_before_a_nudge_is_over_has_its_own_tempo_from_there() -> None:
    jam = Tapped(PLAN, Plan(voices=(VOICE,), outputs=("virtual",), tempo_bpm=77.0, switch="beat"))
    jam.wait(0.2)
    jam.taps(2, 0.6)
    over = jam.control.next_ticks()
    assert over is not None
    jam.stage.duet.select(1, jam.stage.now_ticks)
    assert jam.stage.duet.selected == 0
    assert jam.stage.duet.next_ticks() == next_multiple(jam.stage.now_ticks, 480) < over
    jam.stage.clock.advance(5.0)
    jam.control.advance(jam.now)
    assert jam.stage.duet.selected == 1
    assert jam.stage.duet.timeline.bpm == 77.0


def test_while_a_midi_clock_is_followed_nothing_of_it_has_an_effect() -> None:
    jam = Tapped(Plan(voices=(VOICE,), outputs=("virtual",), tempo_control=CONTROL, sync="midi"))
    assert not jam.control.takes(messages.note_on(0, TAP_NOTE, 80))
    assert not jam.control.takes(messages.control_change(0, KNOB, 80))
    jam.control.tap(0.1)
    jam.control.tap(0.6)
    assert jam.records(TempoChanged) == []
    assert jam.reports == ["a tap has no effect: the tempo is the MIDI clock's"] * 2


def test_in_a_session_with_others_taps_set_the_tempo_and_leave_the_beats_where_they_are() -> None:
    jam = Tapped(Plan(voices=(VOICE,), outputs=("virtual",), tempo_control=CONTROL, sync="link"))
    jam.wait(0.2)
    jam.taps(3, 0.6)
    jam.wait(2.0)
    assert [(c.bpm, c.towards_bpm) for c in jam.records(TempoChanged)] == [(100.0, None)]


@pytest.mark.parametrize(("value", "bpm"), [(0, 60.0), (127, 187.0), (64, 124.0)])
def test_a_knob_turns_the_tempo_at_once(value: int, bpm: float) -> None:
    jam = Tapped()
    jam.wait(1.0)
    jam.hear(messages.control_change(5, KNOB, value))
    assert jam.records(TempoChanged) == [TempoChanged(960, bpm)]
    jam.wait(1.0)
    assert jam.stage.now_ticks == 960 + round(bpm * 8)
    jam.end()


def test_a_knob_has_the_last_word_over_a_nudge() -> None:
    jam = Tapped()
    jam.wait(0.2)
    jam.taps(2, 0.6)
    jam.hear(messages.control_change(0, KNOB, 0))
    jam.wait(3.0)
    assert jam.stage.duet.timeline.bpm == 60.0


def test_a_queued_answer_is_timed_anew_when_the_tempo_changes() -> None:
    jam = Tapped(punctual=True)
    jam.stage.hear(messages.note_on(0, 60, 80))
    jam.wait(0.5)
    jam.stage.hear(messages.note_off(0, 60))
    jam.wait(2.25)  # A quarter into the answer, which began after a bar, at 2 s.
    jam.hear(messages.control_change(0, KNOB, 0))
    jam.wait(6.0)
    started = [s for s in jam.stage.sends if s.source == 0 and messages.is_note_on(s.message)]
    ticks = [s.due_ticks for s in started]
    assert ticks == list(range(1920, 1920 + 480 * len(ticks), 480)), "at the ticks they were composed for"
    seconds = [jam.stage.duet.timeline.seconds_at(each) for each in ticks]
    # Of the beat that the change fell into, half was played at 120 bpm and half is at 60.
    assert seconds == pytest.approx([2.0, 2.5, 3.25, 4.25, 5.25, 6.25, 7.25, 8.25], abs=0.003)
    jam.end()


def test_the_clock_that_is_sent_follows_a_tap_pulse_by_pulse() -> None:
    jam, clock = Tapped(), ClockOut()
    clock.start(0, TimeSignature())
    pulses: list[float] = []

    def send() -> None:
        timeline = jam.stage.duet.timeline
        pulses.extend(timeline.seconds_at(t) for t, m in clock.due(jam.stage.now_ticks) if m == b"\xf8")

    jam.wait(0.25)
    for number in range(400):
        if number in (0, 60, 120, 180):
            jam.tap()
        jam.wait(0.01)
        send()
    gaps = [later - earlier for earlier, later in pairwise(pulses)]
    assert min(gaps) > 0
    assert gaps[-24:] == pytest.approx([60 / 100 / 24] * 24, abs=1e-6)
    assert len(pulses) == jam.stage.now_ticks // PULSE_TICKS + 1, "none is lost, none is sent twice"
    beats = pulses[::24]
    assert min(abs(beat - (0.25 + 6 * 0.6)) for beat in beats) < 0.003, "and its beats are where the taps were"


steps = st.lists(
    st.one_of(
        st.tuples(st.just("taps"), st.integers(1, 5), st.floats(0.16, 1.9)),
        st.tuples(st.just("knob"), st.integers(0, 127)),
        st.tuples(st.just("tone"), st.sampled_from([60, 64, TAP_NOTE])),
        st.tuples(st.just("wait"), st.sampled_from([0.01, 0.3, 1.1, 4.0])),
        st.just(("restart",)),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(steps, st.integers(0, 2**32), st.sampled_from([TimeSignature(), TimeSignature(6, 8), TimeSignature(5, 16)]))
def test_whatever_is_tapped_and_turned_nothing_hangs_and_it_can_be_played_again(
    steps: list[tuple[Any, ...]], seed: int, signature: TimeSignature
) -> None:
    metronome = MetronomePlan(on=True)
    jam = Tapped(
        Plan(voices=(VOICE,), outputs=("virtual",), tempo_control=CONTROL, signature=signature, metronome=metronome),
        seed=seed,
    )
    for what, *details in steps:
        if what == "taps":
            jam.taps(*details)
        elif what == "knob":
            jam.hear(messages.control_change(0, KNOB, details[0]))
        elif what == "tone":
            jam.hear(messages.note_on(0, details[0], 80))
            jam.wait(0.1)
            jam.hear(messages.note_off(0, details[0]))
        elif what == "wait":
            jam.wait(details[0])
        else:
            jam.stage.restart()
            jam.control = TempoControl(jam.stage.duet, jam.reports.append)
    jam.wait(4.0)
    assert SLOWEST_BPM <= jam.stage.duet.timeline.bpm <= FASTEST_BPM or any(step[0] == "restart" for step in steps)
    felt = signature.felt_beat_ticks
    assert all(
        s.due_ticks % felt == 0 for s in jam.stage.sends if s.source == METRONOME and messages.is_note_on(s.message)
    )
    assert TAP_NOTE not in {s.message[1] for s in jam.stage.sends if s.source == PLAYER}
    jam.end()
