"""The line through a clock's pulses: how far off it is, when it gives way, and what is lost without harm."""

from __future__ import annotations

from random import Random

import pytest
from daw import Daw, Jitter
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.session.percentiles import percentile
from antiphon.sync.midi_clock import ClockFollower

JITTERS: list[Jitter] = ["uniform", "buffers", "stalls"]


class Playing:
    """A clock and its follower, and how far apart they are at every pulse."""

    def __init__(self, daw: Daw, bpm: float = 120.0) -> None:
        self.daw = daw
        self.follower = ClockFollower(bpm)
        self.start()

    def start(self) -> None:
        self.follower.start()
        self.daw.running, self.daw.song_pulse = True, 0

    def play(self, beats: float, bpm: float, to_bpm: float | None = None) -> list[float]:
        """How far the follower is off, in milliseconds, pulse by pulse."""
        off = []
        for due, arrives in self.daw.pulses(beats, bpm, to_bpm):
            if arrives is not None:
                self.follower.pulse(arrives)
            ticks = self.follower.ticks_at(due) - 20 * self.daw.song_pulse
            off.append(abs(ticks) * 60_000 / (480 * self.follower.bpm))
        return off


@pytest.mark.parametrize("lost", [0.0, 0.02])
@pytest.mark.parametrize("jitter", JITTERS)
@pytest.mark.parametrize("bpm", [60.0, 97.3, 120.0, 180.0])
def test_after_two_bars_it_is_within_a_millisecond(jitter: Jitter, lost: float, bpm: float) -> None:
    for seed in range(3):
        playing = Playing(Daw(Random(seed), jitter, lost=lost), bpm=110)
        playing.play(8, bpm)
        off = playing.play(32, bpm)
        assert percentile(off, 95) <= 1.0
        assert max(off) < 5, "not a pulse is counted wrong"
        assert playing.follower.bpm == pytest.approx(bpm, rel=0.005)


@pytest.mark.parametrize("jitter", JITTERS)
@pytest.mark.parametrize(("bpm", "to_bpm"), [(120, 140), (120, 100), (60, 40), (180, 200), (40, 20), (140, 70)])
def test_a_jump_of_the_tempo_is_followed_within_a_beat(jitter: Jitter, bpm: float, to_bpm: float) -> None:
    for seed in range(3):
        playing = Playing(Daw(Random(seed), jitter))
        playing.play(16, bpm)
        playing.play(1, to_bpm)
        assert playing.follower.bpm == pytest.approx(to_bpm, rel=0.02)
        assert max(playing.play(7, to_bpm)) < 5
        assert percentile(playing.play(16, to_bpm), 95) <= 1.0


@pytest.mark.parametrize("jitter", JITTERS)
def test_a_ramp_is_followed(jitter: Jitter) -> None:
    playing = Playing(Daw(Random(1), jitter))
    playing.play(16, 120)
    assert percentile(playing.play(16, 120, 140), 95) < 3.0
    playing.play(8, 140)
    assert percentile(playing.play(16, 140), 95) <= 1.0


def test_a_pulse_held_up_with_those_behind_it_is_not_counted_as_lost() -> None:
    daw = Daw(Random(0), "none")
    playing = Playing(daw)
    playing.play(8, 120)
    held = [due for due, _ in daw.pulses(0.25, 120)]
    for _ in held:
        playing.follower.pulse(held[-1])
    assert max(playing.play(2, 120)) < 0.1


def test_pulses_lost_for_over_a_second_are_all_counted() -> None:
    playing = Playing(Daw(Random(0)))
    playing.play(8, 120)
    for _ in playing.daw.pulses(3, 120):
        pass  # None of them arrives.
    assert percentile(playing.play(8, 120), 95) < 1.0


def test_a_clock_that_becomes_another_and_a_wild_one_is_followed_all_the_same() -> None:
    random = Random(3)
    playing = Playing(Daw(random, "none"))
    playing.play(8, 120)
    for due, _ in playing.daw.pulses(8, 170):
        playing.follower.pulse(due + random.uniform(0, 0.012))
    assert playing.follower.bpm == pytest.approx(170, rel=0.05)


def test_an_exact_clock_that_was_held_up_as_a_whole_goes_on_where_it_was() -> None:
    for pulses_held_up in (1.1, 1.9, 2.6, 3.15):
        playing = Playing(Daw(Random(0), "none"))
        playing.play(8, 120)
        playing.daw.seconds += pulses_held_up / 48
        playing.play(1, 120)
        assert max(playing.play(4, 120)) < 2.0


def test_where_the_song_is_follows_from_start_stop_continue_and_song_position() -> None:
    playing = Playing(Daw(Random(0), "none"))
    daw, follower = playing.daw, playing.follower
    assert max(playing.play(4, 120)) < 0.1
    follower.stop()
    daw.running = False
    playing.play(3.5, 120)
    follower.resume()
    daw.running = True
    assert max(playing.play(2, 120)) < 0.1, "it goes on where it was stopped"
    follower.locate(10)
    daw.song_pulse = 60
    assert max(playing.play(2, 120)) < 0.1, "and from where it is put"
    playing.start()
    assert max(playing.play(2, 120)) < 0.1
    assert follower.placed
    assert follower.running


def test_a_clock_that_never_starts_gives_a_tempo_and_no_place() -> None:
    daw, follower = Daw(Random(0)), ClockFollower(120)
    assert not follower.settled
    for _, arrives in daw.pulses(4, 90):
        assert arrives is not None
        follower.pulse(arrives)
    assert follower.settled
    assert follower.running
    assert not follower.placed
    assert follower.bpm == pytest.approx(90, rel=0.01)


def test_a_clock_that_comes_back_after_a_pause_keeps_its_tempo_and_has_lost_its_place() -> None:
    playing = Playing(Daw(Random(0), "none"))
    playing.play(8, 132)
    playing.daw.seconds += 30
    playing.play(1 / 24, 132)
    assert playing.follower.bpm == pytest.approx(132, rel=1e-4)
    assert not playing.follower.placed


def test_a_stopped_clock_that_comes_back_after_a_pause_knows_where_it_goes_on() -> None:
    playing = Playing(Daw(Random(0), "none"))
    playing.play(8, 132)
    playing.follower.stop()
    playing.daw.seconds += 30
    playing.follower.resume()
    assert max(playing.play(4, 132)) < 0.1


@settings(max_examples=50)
@given(
    st.lists(st.floats(0, 3), min_size=1, max_size=80),
    st.lists(st.sampled_from(["start", "resume", "stop"]), max_size=10),
)
def test_whatever_arrives_the_tempo_stays_one_that_a_song_can_have(gaps: list[float], said: list[str]) -> None:
    follower, seconds = ClockFollower(120), 0.0
    for number, gap in enumerate(gaps):
        seconds += gap
        if number < len(said):
            getattr(follower, said[number])()
        follower.pulse(seconds)
        assert 9.99 <= follower.bpm <= 500.01
        assert follower.ticks_at(seconds + 1) > follower.ticks_at(seconds)
