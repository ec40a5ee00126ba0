"""A duet led by a DAW's clock: beats and bar lines fall together, whatever the DAW does, and it can be played again."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random
from statistics import mean
from typing import Any

import pytest
from daw import Daw, Jitter
from hypothesis import given, settings
from hypothesis import strategies as st
from stages import LiveLike
from toys import sound, toy_player

from antiphon.duet.commands import Decision, Extend, Prime
from antiphon.duet.duet import Duet
from antiphon.duet.events import Event, Skipped, TempoChanged, TransportStarted, TransportStopped
from antiphon.duet.plan import Handover, Plan, VoicePlan
from antiphon.duet.schedule import PLAYER, Send
from antiphon.music import messages
from antiphon.music.timing import Timeline, TimeSignature
from antiphon.notes import TICKS_PER_BEAT
from antiphon.session.header import Header
from antiphon.session.journal import Record
from antiphon.session.percentiles import percentile
from antiphon.session.summary import score_of
from antiphon.sync.midi_clock_steering import ClockSteering

VOICE = VoicePlan("regular", fallback="low", handover=Handover(by="bars", bars=1), launch="bar", answer_bars=1)
PLAN = Plan(voices=(VOICE,), outputs=("virtual",), sync="midi", tempo_bpm=100.0)


class Led:
    """A live performance whose clock comes from a DAW."""

    def __init__(self, *plans: Plan, seed: int = 0, jitter: Jitter = "uniform", lost: float = 0.0) -> None:
        self.stage = LiveLike(list(plans or [PLAN]), lambda role: toy_player(role.generator), Random(seed))
        self.daw = Daw(Random(seed), jitter, lost=lost, seconds=1.0)
        self.reports: list[str] = []
        self.steering = self._steering()
        self.stage.begin()

    def _steering(self) -> ClockSteering:
        return ClockSteering(self.stage.duet, self.reports.append, self.stage.clock.now())

    @property
    def timeline(self) -> Timeline:
        return self.stage.duet.timeline

    def events(self, *kinds: type[Event]) -> list[Any]:
        return [record for record in self.stage.record_of if isinstance(record, kinds)]

    def say(self, message: bytes, port: str = "daw") -> None:
        self.steering.hear(port, message, self.stage.clock.now())

    def start(self) -> None:
        self.daw.running, self.daw.song_pulse = True, 0
        self.say(b"\xfa")

    def resume(self) -> None:
        self.daw.running = True
        self.say(b"\xfb")

    def stop(self) -> None:
        self.daw.running = False
        self.say(b"\xfc")

    def locate(self, sixteenths: int) -> None:
        self.daw.song_pulse = 6 * sixteenths
        self.say(bytes((0xF2, sixteenths % 128, sixteenths // 128)))

    def play(self, beats: float, bpm: float, to_bpm: float | None = None) -> list[float]:
        """Let the DAW play; how far its bar lines and ours are apart, in milliseconds, pulse by pulse."""
        off = []
        for due, arrives in self.daw.pulses(beats, bpm, to_bpm):
            if arrives is not None:
                self.wait_until(arrives)
                self.steering.hear("daw", b"\xf8", arrives)
            off.append(self.off(due))
        return off

    def wait_until(self, seconds: float) -> None:
        self.stage.wait(max(0.0, seconds - self.stage.clock.now()))
        self.steering.look(self.stage.clock.now())

    def off(self, seconds: float) -> float:
        """Milliseconds between the DAW's bar line and ours, seen from `seconds`."""
        now, bar_ticks = self.timeline.ticks_at(seconds), self.timeline.signature.bar_ticks
        exact = now + (seconds - self.timeline.seconds_at(now)) * self.timeline.bpm * 8
        ticks = (exact - 20 * self.daw.song_pulse + bar_ticks / 2) % bar_ticks - bar_ticks / 2
        return abs(ticks) * 60_000 / (TICKS_PER_BEAT * self.timeline.bpm)

    def tone(self, pitch: int = 60) -> None:
        self.stage.hear(messages.note_on(0, pitch, 80))
        self.stage.wait(0.1)
        self.stage.hear(messages.note_off(0, pitch))

    def restart(self) -> None:
        self.stage.restart()
        self.steering = self._steering()

    def end(self) -> None:
        """What must hold after every performance."""
        self.stage.end_well()


def answers(led: Led) -> list[Send]:
    return [s for s in led.stage.sends if s.source != PLAYER and messages.is_note_on(s.message)]


@pytest.mark.parametrize("jitter", ["uniform", "buffers", "stalls"])
@pytest.mark.parametrize("lost", [0.0, 0.02])
def test_two_bars_after_the_start_bar_lines_are_within_a_millisecond(jitter: Jitter, lost: float) -> None:
    led = Led(jitter=jitter, lost=lost)
    led.start()
    led.play(8, 120)
    off = led.play(24, 120)
    assert percentile(off, 95) <= 1.0
    assert max(off) < 5
    assert led.reports[-1].startswith("following the MIDI clock of daw at 1")
    led.end()


@pytest.mark.parametrize("to_bpm", [140, 100])
def test_a_jump_of_the_tempo_is_followed_within_a_beat(to_bpm: float) -> None:
    led = Led()
    led.start()
    led.play(16, 120)
    led.play(1, to_bpm)
    assert max(led.play(1, to_bpm)) < 8
    assert led.timeline.bpm == pytest.approx(to_bpm, rel=0.03)
    led.play(6, to_bpm)
    assert percentile(led.play(16, to_bpm), 95) <= 1.0
    led.end()


def test_a_ramp_is_followed() -> None:
    led = Led()
    led.start()
    led.play(12, 120)
    assert percentile(led.play(16, 120, 140), 95) < 10
    led.play(8, 140)
    assert percentile(led.play(8, 140), 95) <= 1.0
    led.end()


@pytest.mark.parametrize("bpm", [20.0, 300.0])
def test_there_is_no_drift(bpm: float) -> None:
    led = Led(replace(PLAN, voices=(replace(VOICE, handover=Handover(by="pedal")),)))
    led.start()
    led.play(8, bpm)
    assert percentile(led.play(120, bpm), 95) <= 1.0
    assert percentile(led.play(120, bpm), 95) <= 1.0


class Nobody:
    """A stage without anybody on it."""

    def send(self, send: Send) -> None:
        raise AssertionError("nobody plays here")

    def ask(self, slot: int, command: Prime | Extend) -> None:
        raise AssertionError("nobody plays here")

    def record(self, event: Event) -> None:
        pass


def test_in_a_day_and_a_night_without_a_break_nothing_drifts() -> None:
    """The last hour of it, of a clock without jitter: so an hour's share of a millisecond is seen."""
    duet = Duet([PLAN], Nobody())
    steering = ClockSteering(duet, lambda text: None, 0.0)
    daw, bpm = Daw(Random(0), "none", seconds=23 * 3600.0), 11.0
    daw.running = True
    steering.hear("daw", b"\xfa", daw.seconds)
    off, gained = [], set()
    for due, arrives in daw.pulses(60 * bpm, bpm):
        assert arrives is not None
        steering.hear("daw", b"\xf8", arrives)
        if daw.song_pulse > 8 * 24 and daw.song_pulse % 24 == 0:
            reached = duet.timeline.ticks_at(due)
            past_seconds = due - duet.timeline.seconds_at(reached)
            beats = reached / 480 - daw.song_pulse / 24
            gained.add(round(beats))
            off.append(abs((beats - round(beats)) * 60 / bpm + past_seconds))
    assert duet.timeline.seconds_at(duet.now_ticks) > 86_000
    assert len(gained) == 1, "no beat was gained or lost"
    settled = off[8:]
    assert max(settled) <= 0.001
    assert abs(mean(settled[-60:]) - mean(settled[:60])) <= 0.001 / 24, "and it does not drift"


def test_turns_are_those_of_the_song_for_as_long_as_its_transport_runs() -> None:
    voice = replace(VOICE, handover=Handover(by="turns", bars=2), answer_bars=1, launch="now")
    led = Led(replace(PLAN, voices=(voice,)), jitter="none")
    led.locate(4 * 16)  # The fifth bar: the second of the player's.
    led.resume()
    led.play(2, 120)
    led.tone()
    led.play(4 * 8 - 2, 120)
    told = [(d.kind, led.timeline.seconds_at(d.ticks)) for d in led.events(Decision)]
    assert [at for kind, at in told if kind == "handover"] == pytest.approx([3.0, 9.0, 15.0], abs=0.002)
    ends = [at for kind, at in told if kind == "end"]
    assert ends, "at least one answer was in time"
    assert all(min(abs(at - 5.0), abs(at - 11.0)) < 0.002 for at in ends)
    led.stop()
    before = len(answers(led))
    led.play(40, 120)
    assert len(answers(led)) == before
    led.end()


def test_answers_fall_on_the_daw_s_bars() -> None:
    led = Led(jitter="none")
    led.start()
    led.play(5, 90)
    led.tone()
    led.play(11, 90)
    first = answers(led)[0]
    assert first.due_ticks % 1920 == 0
    bar_seconds = 4 * 60 / 90
    assert led.timeline.seconds_at(first.due_ticks) == pytest.approx(1.0 + 2 * bar_seconds, abs=0.002)
    led.end()


def test_notes_on_their_way_are_moved_when_the_tempo_changes() -> None:
    led = Led(jitter="none")
    led.start()
    led.play(5, 120)
    led.tone()
    led.play(3, 120)
    led.play(4, 60)
    notes = [send.due_ticks for send in answers(led)]
    seconds = [led.timeline.seconds_at(ticks) for ticks in notes]
    apart = {round(later - earlier, 2) for earlier, later in pairwise(seconds) if later > earlier}
    steps = {later - earlier for earlier, later in pairwise(notes) if later > earlier}
    assert max(apart) / min(steps) == pytest.approx(1 / 480, rel=0.1), "a beat is a second now"


def test_a_stop_ends_the_answer_and_nothing_begins_until_the_transport_runs_again() -> None:
    led = Led(replace(PLAN, voices=(replace(VOICE, mode="continue", answer_bars=None),)))
    led.start()
    led.play(5, 120)
    led.tone()
    led.play(5, 120)
    assert led.stage.duet.schedule.sounding(0) or answers(led)
    led.stop()
    assert led.stage.duet.schedule.sounding() == 0
    played = len(answers(led))
    led.tone()
    heard = led.stage.sends[-1]
    led.play(12, 120)
    assert len(answers(led)) == played
    assert heard.message == messages.note_off(0, 60), "the player is passed through"
    assert led.stage.duet.performer.voices[0].memory.ear.notes[-1].pitch == 60, "and remembered"
    led.resume()
    led.play(1, 120)
    led.tone()
    led.play(8, 120)
    assert len(answers(led)) > played
    assert "no answers until it starts" in " ".join(led.reports)
    led.end()


def test_the_bar_counts_from_the_first_pulse_after_the_start() -> None:
    led = Led(jitter="none")
    led.daw.seconds = 3.2345
    led.start()
    (off,) = led.play(1 / 24, 120)
    (skipped,) = led.events(Skipped)
    assert min(skipped.to_ticks % 1920, -skipped.to_ticks % 1920) <= 1
    assert led.timeline.seconds_at(skipped.to_ticks) == pytest.approx(3.2345, abs=0.002)
    assert off < 2


def test_a_loop_of_whole_bars_is_played_through_and_another_place_in_the_bar_ends_the_answers() -> None:
    led = Led(jitter="none")
    led.start()
    led.play(8, 120)
    before = len(led.events(Skipped))
    led.locate(0)
    assert max(led.play(4, 120)) < 2
    assert len(led.events(Skipped)) == before
    led.locate(3)
    assert max(led.play(4, 120)) < 2
    assert len(led.events(Skipped)) == before + 1
    led.end()


def test_a_clock_without_a_start_gives_its_tempo_and_leaves_the_bars_where_they_are() -> None:
    led = Led()
    led.play(8, 90)
    assert led.timeline.bpm == pytest.approx(90, rel=0.01)
    assert led.events(Skipped, TransportStarted, TransportStopped) == []
    led.end()


def test_a_clock_that_stops_without_a_stop_leaves_its_tempo_and_is_reported() -> None:
    led = Led()
    led.start()
    led.play(8, 133)
    bpm = led.timeline.bpm
    led.wait_until(led.daw.seconds + 1.9)
    assert led.steering.source == "daw"
    led.wait_until(led.daw.seconds + 2.1)
    assert led.steering.source is None
    assert led.reports[-1].startswith("the MIDI clock is gone: going on at 13")
    assert led.timeline.bpm == bpm
    assert not led.stage.duet.stopped
    led.daw.seconds = led.stage.clock.now() + 1
    led.play(8, 90)
    assert led.reports[-1].startswith("following the MIDI clock")
    led.end()


def test_where_no_clock_comes_the_preset_s_tempo_is_played_and_that_is_reported_once() -> None:
    led = Led()
    for seconds in (1.0, 2.5, 3.0, 9.0):
        led.wait_until(seconds)
    assert led.reports == ["no MIDI clock yet: playing at 100.0 bpm"]
    assert led.timeline.bpm == 100


def test_of_two_clocks_the_first_is_followed() -> None:
    led = Led()
    led.start()
    led.play(4, 120)
    before = led.timeline.changes
    led.say(b"\xfc", port="another")
    led.say(b"\xf8", port="another")
    assert not led.stage.duet.stopped
    assert led.timeline.changes == before


def test_a_keyboard_s_clock_without_a_song_gives_way_to_the_daw_s() -> None:
    led = Led(jitter="none")
    for number in range(200):
        led.wait_until(number / 50)
        led.say(b"\xf8", port="keyboard")
    assert led.steering.source == "keyboard"
    led.daw.seconds = led.stage.clock.now() + 0.01
    led.start()
    led.play(4, 90)
    assert led.steering.source == "daw"
    assert max(led.play(4, 90)) < 2
    led.say(b"\xfa", port="another")
    assert led.steering.source == "daw"
    led.end()


def test_a_preset_with_its_own_tempo_lets_go_of_the_clock_and_the_next_takes_it_up_again() -> None:
    waltz = replace(PLAN, signature=TimeSignature(3, 4))
    led = Led(PLAN, Plan(voices=(VOICE,), outputs=("virtual",), tempo_bpm=77.0), waltz)
    led.start()
    led.play(5, 120)
    led.stage.duet.select(1, led.stage.now_ticks)
    led.steering.plan_changed(led.stage.clock.now())
    led.play(4, 120)
    assert led.timeline.bpm == 77
    led.stop()
    assert not led.stage.duet.stopped
    led.stage.duet.select(2, led.stage.now_ticks)
    led.steering.plan_changed(led.stage.clock.now())
    assert led.stage.duet.stopped, "the transport was stopped meanwhile"
    led.resume()
    led.play(4, 120)
    assert max(led.play(4, 120)) < 2
    led.end()


def test_a_preset_that_takes_over_while_the_clock_is_looked_at_has_its_own_tempo_from_there() -> None:
    own = Plan(voices=(VOICE,), outputs=("virtual",), tempo_bpm=77.0, switch="bar")
    led = Led(PLAN, own, jitter="none")
    led.start()
    led.play(5, 120)
    led.stage.duet.select(1, led.stage.now_ticks)
    assert led.stage.duet.selected == 0, "the bar line is to come"
    for _, arrives in led.daw.pulses(4, 120):
        assert arrives is not None
        led.stage.clock.advance_to(arrives)
        led.steering.hear("daw", b"\xf8", arrives)
        led.steering.look(arrives)
    assert led.stage.duet.selected == 1
    assert led.timeline.bpm == 77
    led.end()


def test_an_engine_that_takes_over_stays_stopped_and_keeps_the_bars() -> None:
    led = Led(jitter="none")
    led.start()
    led.play(9, 120)
    led.restart()
    assert max(led.play(8, 120)[24:]) < 2, "nobody told it again where the bar is"
    led.stop()
    led.restart()
    assert led.stage.duet.stopped
    led.play(2, 120)
    assert led.stage.duet.stopped
    led.resume()
    led.play(2, 120)
    assert not led.stage.duet.stopped
    led.end()


def test_the_score_has_the_tempo_and_the_transport() -> None:
    led = Led()
    led.start()
    led.play(4, 120)
    led.stop()
    led.play(1, 120)
    led.start()
    led.play(1, 120)
    led.stage.end()
    score = score_of(Header((PLAN,), ("virtual",), {}, ""), [Record(what) for what in led.stage.record_of])
    assert score.tempo[0] == (0, 100.0)
    assert dict(score.tempo) == {0: 100.0} | {change.ticks: change.bpm for change in led.events(TempoChanged)}
    told = [name for _, name in score.markers if name != "antiphon"]
    assert told == ["take 1: bar 1", "stop", "start", "take 2: bar 1"]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("play"), st.sampled_from([0.3, 1.0, 2.5, 5.0]), st.sampled_from([90, 110, 120, 135])),
        st.tuples(st.just("play"), st.just(2.0), st.sampled_from([100, 120])),
        st.sampled_from([("start",), ("stop",), ("resume",), ("tone",), ("tone",), ("silence",), ("restart",)]),
        st.tuples(st.just("locate"), st.integers(0, 40)),
    ),
    min_size=2,
    max_size=12,
)
voices = st.builds(
    VoicePlan,
    generator=st.sampled_from(["regular", "chords", "overlapping"]),
    fallback=st.just("low"),
    mode=st.sampled_from(["answer", "answer", "continue", "accompany"]),
    handover=st.sampled_from([Handover(), Handover(by="bars", bars=1), Handover(by="turns", bars=1)]),
    launch=st.sampled_from(["now", "beat", "bar", "2_bars"]),
    touch=st.sampled_from(["stop", "finish_bar"]),
).map(sound)


@settings(max_examples=40)
@given(voices, steps, st.sampled_from(["uniform", "buffers", "stalls"]), st.integers(0, 2**32))
def test_after_whatever_the_daw_does_the_bar_line_is_right_and_nothing_hangs(
    voice: VoicePlan, steps: list[tuple[Any, ...]], jitter: Jitter, seed: int
) -> None:
    led = Led(replace(PLAN, voices=(voice,), signature=TimeSignature(3, 4)), seed=seed, jitter=jitter)
    led.start()
    led.play(1, 120)
    for what, *details in steps:
        if what == "silence":
            led.daw.seconds += 3
        else:
            getattr(led, what)(*details)
        led.daw.seconds = max(led.daw.seconds, led.stage.clock.now())
    led.stop()
    led.locate(7)
    led.resume()
    led.play(8, 120)
    assert percentile(led.play(8, 120), 95) <= 1.25, "with one change of tempo a beat"
    assert not led.stage.duet.stopped
    assert not [r for r in led.events(Decision) if "AssertionError" in r.text]
    led.end()
