"""A clock whose pulses leave when an audio buffer is done, late and several at once: tempo and place are the mean's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

import pytest
from test_clock_steering import PLAN, VOICE
from test_takes import Recording

from antiphon.duet.events import TempoChanged
from antiphon.duet.plan import Handover
from antiphon.sync.midi_clock import ClockFollower

JITTER_SECONDS = 0.001
BAR = 96


@dataclass
class Buffered:
    """A DAW with its audio buffers."""

    frames: int
    rate: int
    seed: int = 1
    loses: bool = True
    """Whether it loses a pulse in each bar."""
    seconds: float = 10.0

    @property
    def buffer_seconds(self) -> float:
        return self.frames / self.rate

    @property
    def late_seconds(self) -> float:
        """How late its pulses are at the mean."""
        return (self.buffer_seconds + JITTER_SECONDS) / 2

    @property
    def limit_seconds(self) -> float:
        return 0.001 + self.buffer_seconds / 2

    def pulses(self, *parts: tuple[int, float]) -> Iterator[tuple[int, float, float, float | None]]:
        """For so many beats of each tempo: number, tempo, when it is due, and when it arrives."""
        random, lost, number, arrived = Random(self.seed), -1, 0, 0.0
        due = self.seconds + random.random() * 0.1
        for beats, bpm in parts:
            for _ in range(24 * beats):
                if number % BAR == 0:
                    lost = number + random.randrange(24, BAR)
                done = math.ceil(due / self.buffer_seconds - 1e-9) * self.buffer_seconds
                arrived = max(arrived, done + random.uniform(0, JITTER_SECONDS))
                yield number, bpm, due, None if self.loses and number == lost else arrived
                number, due = number + 1, due + 60 / bpm / 24


def worst(daw: Buffered, *parts: tuple[int, float], heard_from: int) -> tuple[float, float]:
    """From pulse `heard_from` on: how far place (as a share of the limit) and tempo (of itself) were off."""
    follower, places, tempi = ClockFollower(120.0), [0.0], [0.0]
    follower.start()
    for number, bpm, due, arrives in daw.pulses(*parts):
        if arrives is not None:
            follower.pulse(arrives)
        if number >= heard_from:
            off_ticks = follower.ticks_at(due + daw.late_seconds) - 20 * number
            places.append(abs(off_ticks) * 60 / bpm / 480 / daw.limit_seconds)
            tempi.append(abs(follower.bpm / bpm - 1))
    return max(places), max(tempi)


@pytest.mark.parametrize("loses", [False, True])
@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("frames", [64, 256, 512, 1024, 2048])
def test_after_two_bars_it_is_in_time_with_the_mean(frames: int, rate: int, loses: bool) -> None:
    found = {}
    for bpm in (40.0, 60.0, 97.3, 100.0, 120.0, 128.0, 150.0, 200.0, 240.0, 300.0):
        pulses_a_buffer = frames / rate * bpm * 24 / 60
        if loses and -0.02 < pulses_a_buffer - max(1, round(pulses_a_buffer)) < 0.03:
            continue  # A pulse may be lost just where the clock slips by one: then all that arrives is as if none was.
        found[bpm] = worst(Buffered(frames, rate, loses=loses), (32, bpm), heard_from=2 * BAR)
    print(frames, rate, found)
    assert max(place for place, _ in found.values()) <= 1
    assert max(tempo for _, tempo in found.values()) <= 0.005


@pytest.mark.parametrize(("bpm", "to_bpm"), [(120, 140), (140, 120), (100, 120), (60, 40), (180, 200)])
@pytest.mark.parametrize("frames", [64, 512, 1024, 2048])
def test_a_jump_of_twenty_is_followed_within_a_beat_and_nearly_all_of_it_within_two(
    frames: int, bpm: float, to_bpm: float
) -> None:
    daw, jump = Buffered(frames, 48000, loses=False), 24 * 24
    assert worst(daw, (24, bpm), (2, to_bpm), heard_from=jump + 23)[1] <= 0.05
    assert worst(daw, (24, bpm), (8, to_bpm), heard_from=jump + 47)[1] <= 0.015
    assert worst(daw, (24, bpm), (8, to_bpm), heard_from=jump + 47)[0] <= 1


@pytest.mark.parametrize(("bpm", "to_bpm", "beats"), [(300, 280, 5), (280, 300, 4)])
def test_at_the_longest_buffers_and_the_fastest_tempi_a_jump_takes_some_beats(
    bpm: float, to_bpm: float, beats: int
) -> None:
    # A beat is four buffers long, and in it the pulses have moved by a third of one: as one or two that were lost.
    daw, jump = Buffered(2048, 48000, loses=False), 24 * 24
    assert worst(daw, (24, bpm), (12, to_bpm), heard_from=jump + 24 * beats)[1] <= 0.02


class InBuffers(Recording):
    """A duet that such a DAW leads."""

    def roll_buffers(self, daw: Buffered, *parts: tuple[int, float]) -> list[float]:
        """Play so many beats of each tempo; how far the bar lines are apart after two bars, as a share of the limit."""
        daw.seconds, off = self.stage.clock.now() + 0.05, []
        for number, _, due, arrives in daw.pulses(*parts):
            self.daw.song_pulse = number
            if arrives is not None:
                self.wait_until(arrives)
                self.steering.hear("daw", b"\xf8", arrives)
            if number >= 2 * BAR:
                off.append(self.off(due + daw.late_seconds) / 1000 / daw.limit_seconds)
        return off


SILENT = replace(PLAN, voices=(replace(VOICE, handover=Handover(by="pedal")),))


@pytest.mark.parametrize("bpm", [100.0, 128.0, 300.0])
@pytest.mark.parametrize("frames", [64, 512, 1024, 2048])
def test_the_bar_lines_are_the_mean_s_with_at_most_one_change_of_tempo_a_beat(frames: int, bpm: float) -> None:
    led = InBuffers(replace(SILENT, tempo_bpm=120.0), jitter="none")
    led.start()
    off = led.roll_buffers(Buffered(frames, 48000), (48, bpm))
    changed = [change.ticks for change in led.events(TempoChanged)]
    assert max(off) <= 1
    assert (
        min(later - earlier for earlier, later in pairwise([*(t for t in changed if t > 8 * 480), 10**8, 10**9])) >= 480
    )


@pytest.mark.parametrize(("bpm", "to_bpm"), [(120, 140), (140, 120), (60, 40)])
@pytest.mark.parametrize("frames", [64, 1024, 2048])
def test_a_jump_of_the_clock_s_tempo_does_not_split_a_take(frames: int, bpm: float, to_bpm: float) -> None:
    led = InBuffers(SILENT, jitter="none")
    led.start()
    led.roll_buffers(Buffered(frames, 48000), (24, bpm), (24, to_bpm))
    assert len(led.takes()) == 1
