"""A duet in an Ableton Link session: in time with others, leading while alone; and it can be played again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stages import LiveLike
from toy_link import ToyLink
from toys import toy_player

from antiphon.duet.commands import Decision
from antiphon.duet.events import Event, Located, Skipped, TempoChanged, TransportStarted, TransportStopped
from antiphon.duet.plan import Handover, Plan, VoicePlan
from antiphon.duet.schedule import PLAYER, Send
from antiphon.errors import AntiphonError
from antiphon.music import messages
from antiphon.music.clock import SystemClock
from antiphon.music.timing import Timeline, TimeSignature
from antiphon.notes import TICKS_PER_BEAT
from antiphon.sync.link_session import LinkSession, open_link
from antiphon.sync.link_steering import LOOK_SECONDS, LinkSteering

VOICE = VoicePlan("regular", fallback="low", handover=Handover(by="bars", bars=1), launch="bar", answer_bars=1)
PLAN = Plan(voices=(VOICE,), outputs=("virtual",), sync="link", tempo_bpm=100.0)
OWN = replace(PLAN, sync="internal", tempo_bpm=77.0)


class Linked:
    """A live performance in a session of Ableton Link."""

    def __init__(self, *plans: Plan, drift: float = 0.0, seed: int = 0) -> None:
        self.stage = LiveLike(list(plans or [PLAN]), lambda role: toy_player(role.generator), Random(seed))
        self.link = ToyLink(self.stage.clock, drift=drift)
        self.reports: list[str] = []
        self.steering = self._steering()
        self.stage.begin()

    def _steering(self) -> LinkSteering:
        session = LinkSession(self.link, self.stage.clock.now)  # type: ignore[arg-type]  # as good as the library's
        return LinkSteering(self.stage.duet, session, self.reports.append, self.stage.clock.now())

    @property
    def timeline(self) -> Timeline:
        return self.stage.duet.timeline

    def events(self, *kinds: type[Event]) -> list[Any]:
        return [record for record in self.stage.record_of if isinstance(record, kinds)]

    def play(self, seconds: float) -> list[float]:
        """Let time pass; how far the session's bar lines and ours are apart, in milliseconds, look by look."""
        return list(self._play(self.stage.clock.now() + seconds))

    def _play(self, until: float) -> Iterator[float]:
        clock = self.stage.clock
        while clock.now() < until:
            due = min(self.steering.next_seconds, clock.now() + LOOK_SECONDS)
            self.stage.wait(max(0.001, min(due, until) - clock.now()))
            self.steering.look(clock.now())
            yield self.off_ms()

    def off_ms(self, bars: int = 1) -> float:
        """How far their lines of so many bars and ours are apart."""
        now, timeline = self.stage.clock.now(), self.timeline
        line_ticks, ticks = bars * timeline.signature.bar_ticks, timeline.ticks_at(now)
        exact = ticks + (now - timeline.seconds_at(ticks)) * timeline.bpm * 8
        off = (exact - TICKS_PER_BEAT * self.link.beats + line_ticks / 2) % line_ticks - line_ticks / 2
        return abs(off) * 60_000 / (TICKS_PER_BEAT * timeline.bpm)

    def tone(self, pitch: int = 60) -> None:
        self.stage.hear(messages.note_on(0, pitch, 80))
        self.play(0.1)
        self.stage.hear(messages.note_off(0, pitch))

    def select(self, plan: int) -> None:
        self.stage.duet.select(plan, self.stage.now_ticks)
        self.steering.plan_changed(self.stage.clock.now())

    def set_tempo(self, bpm: float) -> None:
        """The player turns the tempo."""
        self.stage.duet.change(TempoChanged(self.stage.now_ticks, bpm))

    def restart(self) -> None:
        """The engine is replaced; the new one's part in the session is another."""
        self.link.enabled = False
        self.stage.restart()
        self.steering = self._steering()

    def end(self) -> None:
        """What must hold after every performance."""
        self.stage.end_well()


def answers(linked: Linked) -> list[Send]:
    return [s for s in linked.stage.sends if s.source != PLAYER and messages.is_note_on(s.message)]


# ---- with others -----------------------------------------------------------------------------------------------------


def test_a_bar_after_it_meets_others_its_bar_lines_are_theirs() -> None:
    linked = Linked()
    linked.play(1.0)
    linked.link.found(133.0, 2.3)
    linked.play(2.0)
    before = linked.events(TempoChanged)
    assert max(linked.play(60.0)) < 1.0
    assert linked.events(TempoChanged) == before, "who is in time is left alone"
    assert linked.timeline.bpm == pytest.approx(133.0, rel=1e-4)
    assert linked.reports == ["Ableton Link: in time with another program at 133.0 bpm"]
    linked.end()


def test_answers_fall_on_the_others_bars() -> None:
    linked = Linked()
    linked.link.found(90.0, 1.7)
    linked.play(3.0)
    begun = linked.link.beats
    linked.tone()
    linked.play(6.0)
    first = answers(linked)[0]
    assert first.due_ticks % 1920 == 0
    ago = linked.stage.clock.now() - linked.timeline.seconds_at(first.due_ticks)
    beats = linked.link.beats - ago * 90 / 60
    assert beats == pytest.approx(4 * (begun // 4 + 1), abs=0.01), "the bar that was begun is the call"
    linked.end()


def test_bars_of_three_are_bars_of_three() -> None:
    linked = Linked(replace(PLAN, signature=TimeSignature(3, 4)))
    linked.link.found(120.0, 4.9)
    linked.play(3.0)
    assert max(linked.play(3.0)) < 1.0
    linked.end()


def test_turns_begin_where_all_who_count_them_have_them_begin() -> None:
    turns = replace(VOICE, handover=Handover(by="turns", bars=1), answer_bars=2)
    linked = Linked(replace(PLAN, voices=(turns,)))
    linked.link.found(120.0, 9.5)
    linked.play(3.0)
    assert linked.off_ms(bars=3) < 1.0
    linked.end()


@pytest.mark.parametrize("to_bpm", [60.0, 140.0, 240.0])
def test_a_jump_of_the_tempo_is_followed_within_two_beats(to_bpm: float) -> None:
    linked = Linked()
    linked.link.found(120.0, 0.5)
    linked.play(5.0)
    linked.link.tempo(to_bpm)
    linked.play(120 / to_bpm)
    assert max(linked.play(5.0)) < 1.0
    assert linked.timeline.bpm == pytest.approx(to_bpm, rel=1e-4)
    assert len(linked.events(Skipped)) == 1, "the one at the beginning"
    linked.end()


def test_a_session_that_is_put_elsewhere_is_followed_there_by_a_skip_and_by_a_nudge_if_it_is_near() -> None:
    linked = Linked()
    linked.link.found(120.0, 0.5)
    linked.play(5.0)
    before = len(linked.events(Skipped))
    linked.link.locate(linked.link.beats + 0.07)
    linked.play(2.0)
    assert linked.off_ms() < 1.0
    assert len(linked.events(Skipped)) == before
    nudged = linked.events(TempoChanged)
    linked.play(60.0)
    assert linked.events(TempoChanged) == nudged, "who is in time again is left alone"
    linked.link.locate(linked.link.beats + 1.5)
    linked.play(0.2)
    assert linked.off_ms() < 1.0
    assert len(linked.events(Skipped)) == before + 1
    linked.end()


@pytest.mark.parametrize("drift", [-3e-4, 3e-4])
def test_clocks_that_drift_apart_do_not_part_the_bar_lines(drift: float) -> None:
    linked = Linked(replace(PLAN, voices=(replace(VOICE, handover=Handover(by="pedal")),)), drift=drift)
    linked.link.found(120.0, 0.5)
    linked.play(2.0)
    before = len(linked.events(TempoChanged))
    assert max(linked.play(300.0)) < 1.0
    assert len(linked.events(TempoChanged)) - before < 400, "two for each half of a millisecond"


def test_where_the_session_is_counted_from_is_nobody_s_business() -> None:
    linked = Linked()
    linked.link.found(120.0, 1234.5)
    linked.play(3.0)
    assert linked.events(Located) == []


# ---- start and stop --------------------------------------------------------------------------------------------------


def test_a_stop_ends_the_answer_and_nothing_begins_until_somebody_starts() -> None:
    linked = Linked(replace(PLAN, voices=(replace(VOICE, mode="continue", answer_bars=None),)))
    linked.link.found(120.0, 0.5)
    linked.play(3.0)
    linked.link.play(True)
    linked.tone()
    linked.play(5.0)
    assert answers(linked)
    linked.link.play(False)
    linked.play(0.1)
    assert linked.stage.duet.schedule.sounding() == 0
    played = len(answers(linked))
    linked.tone()
    linked.play(6.0)
    assert len(answers(linked)) == played
    linked.link.play(True)
    linked.play(1.0)
    linked.tone()
    linked.play(5.0)
    assert len(answers(linked)) > played
    assert max(linked.play(1.0)) < 1.0
    assert linked.reports[1:] == [
        "Ableton Link: the transport is stopped; no answers until it starts",
        "Ableton Link: the transport runs",
    ]
    linked.end()


def test_a_start_or_stop_that_is_announced_counts_from_its_moment_on() -> None:
    linked = Linked()
    linked.link.found(120.0, 0.5)
    linked.play(3.0)
    linked.link.play(False, in_seconds=0.77)
    linked.play(0.76)
    assert not linked.stage.duet.stopped
    linked.play(0.02)
    assert linked.stage.duet.stopped
    linked.link.play(True, in_seconds=1.23)
    linked.play(1.22)
    assert linked.stage.duet.stopped
    linked.play(0.02)
    assert not linked.stage.duet.stopped
    assert linked.off_ms() < 1.0
    linked.end()


def test_as_long_as_nobody_starts_or_stops_the_transport_it_runs() -> None:
    linked = Linked()
    assert not linked.link.state.playing
    linked.link.found(120.0, 0.5)
    linked.play(60.0)
    assert linked.events(TransportStarted, TransportStopped) == []


def test_an_engine_that_takes_over_while_the_transport_is_stopped_waits_for_the_start() -> None:
    linked = Linked()
    linked.link.found(120.0, 0.5)
    linked.play(3.0)
    linked.link.play(False)
    linked.play(1.0)
    linked.link.peers = 0
    linked.restart()
    linked.play(1.0)
    linked.link.found(120.0, 7.3)
    linked.play(30.0)
    assert linked.stage.duet.stopped
    linked.link.play(True)
    linked.play(1.0)
    assert not linked.stage.duet.stopped
    assert max(linked.play(1.0)) < 1.0
    linked.end()


# ---- alone -----------------------------------------------------------------------------------------------------------


def test_alone_it_plays_at_the_preset_s_tempo_and_says_so_once() -> None:
    linked = Linked()
    linked.play(20.0)
    assert linked.reports == ["Ableton Link: nobody else is there; playing at 100.0 bpm"]
    assert linked.events(TempoChanged, Skipped, TransportStarted, TransportStopped) == []


def test_whoever_comes_later_finds_its_tempo_and_its_bar_lines() -> None:
    linked = Linked()
    linked.play(3.3)
    assert linked.link.state.tempo() == pytest.approx(100.0, rel=1e-4)
    assert linked.off_ms() < 1.0
    linked.set_tempo(93.0)
    linked.play(1.0)
    assert linked.link.state.tempo() == pytest.approx(93.0, rel=1e-4)
    assert linked.off_ms() < 1.0
    linked.link.peers = 2
    linked.play(5.0)
    assert linked.events(Skipped) == []
    assert linked.timeline.bpm == pytest.approx(93.0, rel=1e-3)
    assert linked.reports[-1] == "Ableton Link: in time with 2 other programs at 93.0 bpm"
    linked.end()


def test_where_nothing_changes_alone_the_session_is_left_alone() -> None:
    linked = Linked()
    linked.play(60.0)
    assert linked.link.commits <= 1


def test_when_the_others_are_gone_it_goes_on_at_their_tempo() -> None:
    linked = Linked()
    linked.link.found(140.0, 0.5)
    linked.play(1.0)
    linked.link.peers = 0
    linked.play(10.0)
    assert linked.timeline.bpm == pytest.approx(140.0, rel=1e-4)
    assert linked.reports[1:] == ["Ableton Link: nobody else is there; playing at 140.0 bpm"]
    assert max(linked.play(2.0)) < 1.0
    linked.end()


def test_when_whoever_stopped_the_transport_is_gone_it_runs_again_but_not_for_a_moment_s_absence() -> None:
    linked = Linked()
    linked.link.found(140.0, 0.5)
    linked.play(1.0)
    linked.link.play(False)
    linked.play(1.0)
    linked.link.peers = 0
    linked.play(1.0)
    linked.link.peers = 1
    linked.play(10.0)
    assert linked.stage.duet.stopped
    linked.link.peers = 0
    linked.play(10.0)
    assert not linked.stage.duet.stopped
    linked.link.peers = 1
    linked.play(10.0)
    assert not linked.stage.duet.stopped
    linked.end()


def test_a_nudge_does_not_outlast_the_others_for_whom_it_was() -> None:
    linked = Linked()
    linked.link.found(140.0, 0.5)
    linked.play(5.0)
    linked.link.locate(linked.link.beats + 0.07)
    linked.play(0.1)
    assert linked.timeline.bpm > 150
    linked.link.peers = 0
    linked.play(0.1)
    assert linked.timeline.bpm == pytest.approx(140.0, rel=1e-4)


def test_a_tempo_set_as_the_others_leave_is_kept() -> None:
    linked = Linked()
    linked.link.found(140.0, 0.5)
    linked.play(5.0)
    linked.set_tempo(93.0)
    linked.link.peers = 0
    linked.play(5.0)
    assert linked.timeline.bpm == 93


def test_a_tempo_set_when_the_others_were_gone_is_nobody_s_when_they_are_back() -> None:
    linked = Linked()
    linked.link.found(140.0, 0.5)
    linked.play(5.0)
    linked.link.peers = 0
    linked.play(1.0)
    linked.set_tempo(93.0)
    linked.play(1.0)
    linked.link.found(140.0, 0.5)
    linked.play(3.0)
    assert linked.link.state.tempo() == pytest.approx(140.0, rel=1e-4)
    assert linked.timeline.bpm == pytest.approx(140.0, rel=1e-3)


# ---- what the player and the preset say ------------------------------------------------------------------------------


def test_a_tempo_that_the_player_sets_is_everybody_s() -> None:
    linked = Linked()
    linked.link.found(120.0, 0.5)
    linked.play(4.0)
    commits = linked.link.commits
    linked.set_tempo(99.0)
    linked.play(0.002)
    assert linked.link.state.tempo() == pytest.approx(99.0, rel=1e-4)
    assert linked.link.commits == commits + 1
    assert max(linked.play(5.0)) < 1.0
    linked.end()


def test_being_nudged_changes_nobody_else_s_tempo() -> None:
    linked = Linked()
    linked.link.found(120.0, 0.5)
    linked.play(3.0)
    commits = linked.link.commits
    linked.link.locate(linked.link.beats + 0.07)
    linked.play(5.0)
    assert len(linked.events(TempoChanged)) > 1
    assert linked.link.commits == commits


def test_another_preset_keeps_to_the_others_tempo_and_one_with_its_own_leaves_the_session() -> None:
    linked = Linked(PLAN, replace(PLAN, tempo_bpm=60.0, signature=TimeSignature(3, 4)), OWN)
    linked.link.found(120.0, 0.5)
    linked.play(3.0)
    linked.select(1)
    linked.play(1.0)
    assert max(linked.play(5.0)) < 1.0
    assert linked.timeline.bpm == pytest.approx(120.0, rel=1e-3)
    linked.link.play(False)
    linked.play(1.0)
    linked.select(2)
    assert not linked.link.enabled
    linked.play(3.0)
    assert linked.timeline.bpm == 77
    assert not linked.stage.duet.stopped
    linked.select(0)
    assert linked.link.enabled
    linked.play(1.0)
    assert max(linked.play(3.0)) < 1.0
    assert not linked.stage.duet.stopped, "what was said before it came is not told"
    linked.end()


def test_what_a_midi_clock_has_stopped_is_not_stopped_in_a_session() -> None:
    linked = Linked(replace(PLAN, sync="midi"), PLAN)
    linked.stage.duet.change(TransportStopped(linked.stage.now_ticks))
    linked.play(1.0)
    linked.select(1)
    assert not linked.stage.duet.stopped
    linked.end()


def test_without_others_another_preset_has_its_own_tempo() -> None:
    linked = Linked(PLAN, replace(PLAN, tempo_bpm=60.0))
    linked.play(1.0)
    linked.select(1)
    linked.play(1.0)
    assert linked.timeline.bpm == 60
    assert linked.link.state.tempo() == pytest.approx(60.0)
    assert linked.off_ms() < 1.0


def test_a_preset_with_its_own_tempo_is_in_no_session() -> None:
    linked = Linked(OWN, PLAN)
    linked.play(5.0)
    assert not linked.link.enabled
    assert linked.steering.next_seconds == float("inf")
    assert linked.reports == []


# ---- whatever happens ------------------------------------------------------------------------------------------------

steps = st.lists(
    st.one_of(
        st.tuples(st.just("play"), st.sampled_from([0.01, 0.3, 1.0, 2.5, 5.0])),
        st.sampled_from([("tone",), ("tone",), ("restart",), ("gone",), ("stop",), ("start",), ("found",)]),
        st.tuples(st.just("tempo"), st.sampled_from([40.0, 90.0, 123.0, 180.0])),
        st.tuples(st.just("set_tempo"), st.sampled_from([80.0, 131.0])),
        st.tuples(st.just("locate"), st.floats(0, 8)),
    ),
    min_size=2,
    max_size=12,
)
voices = st.builds(
    VoicePlan,
    generator=st.sampled_from(["regular", "chords", "overlapping"]),
    fallback=st.just("low"),
    mode=st.sampled_from(["answer", "continue"]),
    handover=st.sampled_from([Handover(), Handover(by="bars", bars=1)]),
    launch=st.sampled_from(["now", "beat", "bar"]),
)


@settings(max_examples=40)
@given(voices, steps, st.sampled_from([0.0, 1e-4, -1e-4]), st.integers(0, 2**32))
def test_after_whatever_the_others_do_the_bar_line_is_right_and_nothing_hangs(
    voice: VoicePlan, steps: list[tuple[Any, ...]], drift: float, seed: int
) -> None:
    linked = Linked(replace(PLAN, voices=(voice,), signature=TimeSignature(3, 4)), drift=drift, seed=seed)
    for what, *details in steps:
        if what == "gone":
            linked.link.peers = 0
        elif what in ("stop", "start"):
            linked.link.play(what == "start")
        elif what == "found":
            linked.link.found(110.0, 1.1)
        elif what in ("tempo", "locate"):
            if linked.link.peers:
                getattr(linked.link, what)(*details)
        else:
            getattr(linked, what)(*details)
    linked.link.found(120.0, 0.4)
    linked.play(1.0)
    linked.link.play(True)
    linked.play(5.0)
    assert max(linked.play(3.0)) < 1.0
    assert not linked.stage.duet.stopped
    assert not [r for r in linked.events(Decision) if "AssertionError" in r.text]
    linked.end()


# ---- the library -----------------------------------------------------------------------------------------------------


def test_without_the_extra_it_says_what_to_install_and_under_which_licence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "link", None)
    with pytest.raises(AntiphonError, match=r"pip install 'antiphon\[link\]' \(.*General Public License, version 2"):
        open_link(120.0, lambda: 0.0)


def test_the_library_s_session_is_where_it_was_led_to() -> None:
    pytest.importorskip("link", reason="the extra 'link' is not installed")
    clock = SystemClock()
    session = open_link(120.0, clock.now)
    seconds = clock.now()
    session.lead(93.0, 6.5, seconds, 4.0)
    reading = session.read(4.0)
    assert (reading.beats - (reading.seconds - seconds) * 93 / 60) % 4 == pytest.approx(2.5, abs=1e-3)
    assert reading.bpm == pytest.approx(93.0, rel=1e-5)
    assert (reading.peers, reading.playing) == (0, False)
    assert reading.playing_from <= seconds
    session.set_tempo(140.0)
    assert session.read(4.0).bpm == pytest.approx(140.0, rel=1e-5)
    assert not session.joined


def test_nothing_imports_the_library_before_a_session_is_opened() -> None:
    modules = "antiphon.processes.engine, antiphon.cli.jam, antiphon.terminal.live"
    code = f"import sys, {modules}; sys.exit('link' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
