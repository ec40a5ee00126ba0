"""Takes: what was played to a DAW's song lies, in the take's file, where the DAW's own recording has it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from daw import Jitter
from test_clock_steering import PLAN, VOICE, Led

from antiphon.duet.events import Ended, Event, Heard, Located, Restarted, Selected, Skipped, TransportStopped
from antiphon.duet.plan import Handover, Plan, VoicePlan
from antiphon.music import messages
from antiphon.music.midi_file import Score
from antiphon.music.timing import Timeline, TimeSignature
from antiphon.session.header import Header
from antiphon.session.journal import Record, Session
from antiphon.session.part_files import part_files
from antiphon.session.percentiles import percentile
from antiphon.session.summary import timeline_of
from antiphon.session.takes import Take, takes_of

SILENT = replace(VOICE, handover=Handover(by="pedal"))
"""A voice that is never handed the floor."""
CLOCKED = Plan("clocked", (SILENT,), sync="midi")
JITTERS: list[Jitter] = ["none", "uniform", "buffers", "stalls"]


class Recording(Led):
    """A duet led by a DAW, and what the DAW itself would record of the player: a note on each of its beats."""

    def __init__(self, *plans: Plan, **how: Any) -> None:
        super().__init__(*(plans or (replace(PLAN, voices=(SILENT,)),)), **how)
        self.recorded: list[list[int]] = []

    def roll(self, beats: float, bpm: float, to_bpm: float | None = None) -> None:
        """Play so many beats of the song, with a key pressed exactly on each of them."""
        for due, arrives in self.daw.pulses(beats, bpm, to_bpm):
            place = 20 * self.daw.song_pulse
            moments: list[tuple[float, bytes]] = [] if arrives is None else [(arrives, b"\xf8")]
            if self.daw.running and place % 480 == 0:
                self.recorded[-1].append(place)
                moments.append((due, messages.note_on(0, 60, 80)))
            elif place % 480 == 240:
                moments.append((due, messages.note_off(0, 60)))
            for moment, message in sorted(moments):
                self.wait_until(moment)
                if message == b"\xf8":
                    self.steering.hear("daw", message, moment)
                else:
                    self.stage.hear(message)

    def start(self) -> None:
        super().start()
        self.recorded.append([])

    def resume(self) -> None:
        super().resume()
        self.recorded.append([])

    def loop_to(self, sixteenths: int) -> None:
        """Go on elsewhere without a stop, as at the end of a loop."""
        self.locate(sixteenths)
        self.recorded.append([])

    @property
    def session(self) -> Session:
        header = Header(tuple(self.stage.plans), ("virtual",), {}, "")
        return Session(Path("session"), header, tuple(Record(what) for what in self.stage.record_of))

    def takes(self) -> tuple[Take, ...]:
        return takes_of(self.session.header, self.session.records)

    def off_ticks(self) -> list[int]:
        """How far each note of each take is from where the DAW has it; none is missing, none too many."""
        found = []
        for number, recorded in enumerate(self.recorded, start=1):
            played = note_ons(part_files(self.session, number)[f"take-{number}-you.mid"])
            assert len(played) == len(recorded)
            found += [abs(tick - place) for tick, place in zip(played, recorded, strict=True)]
        return found


def note_ons(score: Score, track: int = 0) -> list[int]:
    return [ticks for ticks, message in score.tracks[track].messages if messages.is_note_on(message)]


def tempi(led: Recording, number: int = 1) -> list[tuple[float, float]]:
    """The tempo map of a take's file, in beats."""
    return [(ticks / 480, bpm) for ticks, bpm in part_files(led.session, number)[f"take-{number}-you.mid"].tempo]


# ---- to the tick -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jitter", JITTERS)
@pytest.mark.parametrize("bpm", [60.0, 97.3, 120.0, 200.0])
def test_at_one_tempo_every_note_is_on_its_beat_from_the_first_on(jitter: Jitter, bpm: float) -> None:
    led = Recording(jitter=jitter)
    led.start()
    led.roll(48, bpm)
    off = led.off_ticks()
    assert percentile(off, 95) <= 1
    assert max(off) <= 3
    assert tempi(led) == [(0, bpm)]


@pytest.mark.parametrize("jitter", JITTERS)
def test_over_changes_of_tempo_too(jitter: Jitter) -> None:
    led = Recording(jitter=jitter)
    led.start()
    for bpm in (120, 140, 139, 100):
        led.roll(16, bpm)
    off = led.off_ticks()
    assert percentile(off, 50) <= 1
    assert percentile(off, 95) <= 2
    assert max(off) <= 5
    found = tempi(led)
    assert [bpm for _, bpm in found] == [120, 140, 139, 100]
    assert [beat for beat, _ in found] == pytest.approx([0, 16, 32, 48], abs=1)


def test_in_a_ramp_it_is_some_ticks_off_and_the_tempo_map_is_a_stair() -> None:
    led = Recording()
    led.start()
    led.roll(8, 120)
    led.roll(16, 120, 140)
    led.roll(8, 140)
    assert max(led.off_ticks()) <= 5
    found = tempi(led)
    assert (found[0], found[-1][1]) == ((0, 120), 140)
    assert [bpm for _, bpm in found] == sorted(bpm for _, bpm in found)


@pytest.mark.parametrize("jitter", JITTERS)
def test_a_loop_begins_a_take_each_time_it_goes_back(jitter: Jitter) -> None:
    led = Recording(jitter=jitter)
    led.locate(16 * 4)
    led.resume()
    for _ in range(3):
        led.roll(16, 120)
        led.loop_to(16 * 4)
    led.roll(4, 120)
    assert [(take.first_bar, take.bars, take.goes_on) for take in led.takes()] == [
        *((5, 4, False), (5, 4, True)),
        *((5, 4, True), (5, 1, True)),
    ]
    off = led.off_ticks()
    assert percentile(off, 95) <= 2
    assert max(off) <= 4


@pytest.mark.parametrize("jitter", JITTERS)
def test_a_stop_ends_a_take_and_continue_begins_the_next_where_the_song_stands(jitter: Jitter) -> None:
    led = Recording(jitter=jitter)
    led.start()
    led.roll(9.25, 120)
    led.stop()
    led.roll(3, 120)
    led.resume()
    led.roll(7, 133)
    led.stop()
    led.locate(3)
    led.resume()
    led.roll(8, 133)
    led.stop()
    takes = led.takes()
    assert [(take.first_bar, take.bars, take.goes_on) for take in takes] == [
        *((1, 3, False), (3, 3, False)),
        (1, 3, False),
    ]
    off = led.off_ticks()
    assert percentile(off, 95) <= 2
    assert max(off) <= 5
    for take, begins in zip(takes, (0, 9.25 * 480, 360), strict=True):
        assert take.song_ticks(take.start_ticks) == pytest.approx(begins, abs=2)


def test_answers_on_the_beat_are_on_the_beat_to_the_tick() -> None:
    led = Recording(PLAN, jitter="buffers")
    led.start()
    for _ in range(4):
        led.play(5, 120)
        led.tone()
        led.play(11, 120)
    (name,) = (name for name in part_files(led.session, 1) if "antiphon" in name)
    found = note_ons(part_files(led.session, 1)[name])
    assert len(found) >= 8
    assert {ticks % 480 for ticks in found} == {0}


def test_an_engine_that_takes_over_goes_on_with_the_take() -> None:
    led = Recording(jitter="none")
    led.start()
    led.roll(16, 120)
    led.restart()
    led.roll(32, 120)
    assert len(led.takes()) == 1
    off = led.off_ticks()
    assert percentile(off, 95) <= 2


def test_another_preset_that_follows_goes_on_with_the_take_and_one_that_does_not_ends_it() -> None:
    waltz = replace(PLAN, name="waltz", voices=(SILENT,), signature=TimeSignature(3, 4))
    led = Recording(CLOCKED, waltz, Plan("own", (SILENT,), tempo_bpm=77.0), jitter="none")
    led.start()
    led.roll(10, 120)
    led.stage.duet.select(1, led.stage.now_ticks)
    led.steering.plan_changed(led.stage.clock.now())
    led.roll(10, 120)
    led.stage.duet.select(2, led.stage.now_ticks)
    led.steering.plan_changed(led.stage.clock.now())
    (take,) = led.takes()
    assert take.signatures == ((0, TimeSignature()), (5760, TimeSignature(3, 4)))
    assert max(led.off_ticks()) <= 5
    led.roll(4, 120)
    assert len(led.takes()) == 1
    score = part_files(led.session, 1)["take-1-you.mid"]
    assert [text for _, text in score.markers] == ["take 1", "take 1: bar 1", "waltz"]


def test_where_nobody_knows_where_the_song_is_there_are_no_takes() -> None:
    led = Recording()
    led.recorded.append([])
    led.roll(8, 120)
    assert led.takes() == ()


# ---- from records ----------------------------------------------------------------------------------------------------


def recorded(*events: Event) -> tuple[Take, ...]:
    header = Header((CLOCKED, Plan(clock_out=True), Plan()), ("virtual",), {}, "")
    return takes_of(header, [Record(event) for event in events])


def test_a_song_that_begins_later_is_a_take_from_there() -> None:
    (take,) = recorded(Located(100, -860.0), Ended(3000))
    assert (take.start_ticks, take.first_bar, take.bars) == (960, 1, 2)
    assert take.song_ticks(960) == 0
    assert recorded(Located(100, -860.0), Ended(900)) == ()


def test_a_song_that_is_led_ends_with_the_preset_that_leads_it() -> None:
    located = Located(0, 0.0)
    assert [take.end_ticks for take in recorded(located, Selected(500, 1), Selected(900, 2), Ended(2000))] == [900]


def test_what_the_session_skips_the_song_does_not() -> None:
    (take,) = recorded(Located(0, 1920.0), Skipped(500, 1000), Located(1000, 2420.3), Ended(3000))
    assert [take.song_ticks(ticks) for ticks in (0, 499, 500, 1000, 1100)] == [1920, 2419, 2420, 2420, 2520]


@pytest.mark.parametrize(("ahead", "expected"), [(0.9, 0), (-1.0, 0), (1.6, 1), (2.4, 2), (-30.2, -30), (1920.8, 1920)])
def test_as_near_as_the_song_is_known_a_note_stays_where_it_was(ahead: float, expected: int) -> None:
    (take,) = recorded(Located(2000, 2000 + ahead), Ended(9000))
    assert take.song_ticks(4000) == 4000 + expected


def test_up_to_a_pulse_before_it_is_seen_elsewhere_the_song_was_where_it_was_seen_before() -> None:
    (take,) = recorded(Located(0, 0.0), Located(1000, 990.0), Ended(9000))
    assert [take.song_ticks(ticks) for ticks in (980, 990, 1000, 1100)] == [980, 985, 990, 1090]


def test_the_song_never_runs_backwards_within_a_take() -> None:
    (take,) = recorded(Located(0, 0.0), *(Located(100 + i, 100 + (i % 2) * 60.0) for i in range(50)), Ended(900))
    places = [take.song_ticks(ticks) for ticks in range(900)]
    assert places == sorted(places)


def test_a_stop_without_a_song_and_an_engine_without_a_clock_are_no_takes() -> None:
    assert recorded(TransportStopped(10), Restarted(20, 0), Heard(30, messages.note_on(0, 60, 80)), Ended(40)) == ()


def test_a_take_of_less_than_a_beat_has_a_tempo() -> None:
    (take,) = recorded(Located(0, 100.0), Ended(240))
    assert take.tempo(Timeline(120.0)) == ((0, 120.0),)


def test_voices_are_not_needed_for_a_take() -> None:
    header = Header((Plan(voices=(VoicePlan(),), sync="midi"),), (), {}, "")
    records = [Record(Located(0, 0.0)), Record(Ended(1920))]
    (take,) = takes_of(header, records)
    assert take.tempo(timeline_of(header, records)) == ((0, 120.0),)
